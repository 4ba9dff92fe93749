package stimuli

import "fmt"

// A Property is what an intervention changes about an object.
type Property string

const (
	ShapeProperty Property = "shape"
	ColorProperty Property = "color"
)

// of reads the property of an item.
func (p Property) of(it item) int {
	if p == ShapeProperty {
		return it.shape
	}
	return it.color
}

// with is the item with the property set to a value.
func (p Property) with(it item, value int) item {
	if p == ShapeProperty {
		it.shape = value
	} else {
		it.color = value
	}
	return it
}

// other is the property that is not p.
func (p Property) other() Property {
	if p == ShapeProperty {
		return ColorProperty
	}
	return ShapeProperty
}

// DefaultCounterfactuals is the number of counterfactual pairs per split and property in the paper's code: 1,000 whose
// answer should become same, and 1,000 whose answer should become different.
const DefaultCounterfactuals = 2000

// A CounterfactualConfig says which counterfactual pairs to make.
type CounterfactualConfig struct {
	// Set is the set whose split the base images come from: same pairs and places, drawn anew.
	Set      Config   `json:"set"`
	Property Property `json:"property"` // what is carried over: ShapeProperty or ColorProperty
	Size     int      `json:"size"`     // number of pairs, even (RMTS: a multiple of 4); 0 is DefaultCounterfactuals
	// Values are those of the property that may occur, at least 4; 0 is all. Base images then show the
	// set's pairs and places with other values in place of theirs.
	Values Values `json:"values,omitempty"`
}

// A Counterfactual is a base image, a counterfactual image, and which object's property to carry over where. In
// distributed alignment search (paper, section 4) the state of a subspace at the source object's tokens, taken
// from the counterfactual image, replaces that at the edited object's tokens in the base image; if the subspace holds
// the property and nothing else, the model's answer becomes Target.
type Counterfactual struct {
	Index  int
	Base   Stimulus // its Label is what the model should answer without the intervention
	CF     Stimulus
	Target int // the answer with it: 1 - Base.Label

	Pair      int   // the pair of Base.Pairs whose relation the intervention changes: 0, or in RMTS 0 sample, 1 display
	Edited    int   // in Base.Objects: the object that is given the property
	NonEdited int   // in Base.Objects: its partner
	Source    int   // in CF.Objects: the object that has the property
	Other     int   // in CF.Objects: its partner, the source of the wrong-object control
	Random    []int // patches of the CF image that no object's cell touches, as many as Source has: the random-patch control
}

// Relation is the local relation that the edited pair should show after the intervention: 1 same, 0 different. It equals
// Target in discrimination; in RMTS it is the intermediate judgment.
func (c Counterfactual) Relation() int { return 1 - c.Base.Pairs[c.Pair].Label }

// Counterfactuals are pairs of images for interventions. Base and CF draw the two halves.
type Counterfactuals struct {
	config   CounterfactualConfig
	base, cf *Set
	records  []Counterfactual
}

// OpenCounterfactuals makes counterfactual pairs (paper, section 4 and appendices G, H; conditions below), evenly: half
// become same, half different.
//
// Discrimination, different → same. The base's objects differ in the property only. In the counterfactual image the
// source has the value that the edited object needs, that of its partner, but another value of the other property than
// the base's objects; its partner has a third value of both. So the pair is different there too, and only the
// property itself, moved from the source, makes the base's objects the same.
//
// Discrimination, same → different. The counterfactual image shows two equal objects, whose values of both properties
// are not the base's.
//
// RMTS. The pair to edit, sample or display, is equal or differs in the property only. The source is the object with
// the edited one's place in the other pair. The counterfactual image shows the base's objects in the base's cells,
// except that the source has the partner's value (the edited pair becomes same) or a value that neither the edited
// object nor itself had (it becomes different). Base labels and local relations are crossed evenly, and within these
// cells sample and display pairs are edited equally often as far as the set has such stimuli. In about half
// of the records the counterfactual image's own label is the target, as the paper warns.
//
// Values are drawn from all of the set's shapes or colors, or from [CounterfactualConfig.Values], so combinations that
// training never showed may occur.
// It fails when the set has too few stimuli of the kind that is asked for.
func OpenCounterfactuals(cfg CounterfactualConfig) (*Counterfactuals, error) {
	set, err := cfg.Set.Resolved()
	if err != nil {
		return nil, err
	}
	cfg.Set = set
	cfg.Size = orDefault(cfg.Size, DefaultCounterfactuals)
	if err := known("property", cfg.Property, ShapeProperty, ColorProperty); err != nil {
		return nil, err
	}
	if step := set.cycle(); cfg.Size < step || cfg.Size%step != 0 || cfg.Size > maxSize {
		return nil, fmt.Errorf("stimuli: %d counterfactual pairs: expected a multiple of %d, so that the targets are balanced", cfg.Size, step)
	}
	if set.Factors.Count > 2 {
		return nil, fmt.Errorf("stimuli: counterfactual pairs with %d objects: expected 2, the edited object and its partner", set.Factors.Count)
	}
	if asked := set.Factors.Relation; asked != "" && asked != cfg.Property {
		return nil, fmt.Errorf("stimuli: counterfactual pairs for %s of a set where objects of equal %s are the same: no edit of that turns an answer; ask for %s",
			cfg.Property, asked, asked)
	}
	if err := cfg.Values.check(set, cfg.Property); err != nil {
		return nil, err
	}
	planner := newCounterfactualPlanner(cfg, set.plan())
	if set.Task == RMTS {
		err = planner.rmts()
	} else {
		err = planner.discrimination()
	}
	if err != nil {
		return nil, err
	}
	return planner.open(), nil
}

// Config is the configuration, with every default written out.
func (c *Counterfactuals) Config() CounterfactualConfig { return c.config }

// Len is the number of counterfactual pairs, n.
func (c *Counterfactuals) Len() int { return len(c.records) }

// Record returns everything about pair i except its pixels. Treat its slices as read-only.
func (c *Counterfactuals) Record(i int) Counterfactual { return c.records[i] }

// Base is the set of base images, in the order of the records.
func (c *Counterfactuals) Base() *Set { return c.base }

// CF is the set of counterfactual images, in the order of the records.
func (c *Counterfactuals) CF() *Set { return c.cf }

// Targets are the answers the interventions should bring about: [n], 1 same, 0 different.
func (c *Counterfactuals) Targets() []int32 {
	out := make([]int32, c.Len())
	for i, record := range c.records {
		out[i] = int32(record.Target)
	}
	return out
}

// CounterfactualTokens are patches as raster indices without CLS, [n, P] each, -1 where an object covers fewer than P.
type CounterfactualTokens struct {
	Edited    []int32 // of the base image: where to write
	NonEdited []int32 // of the base image: the partner
	Source    []int32 // of the CF image: where to read
	Other     []int32 // of the CF image: where the wrong-object control reads
	Random    []int32 // of the CF image: where the random-patch control reads
}

// Tokens are the patches of every record.
func (c *Counterfactuals) Tokens() CounterfactualTokens {
	p := max(c.base.TokensPerObject(), c.cf.TokensPerObject())
	var out CounterfactualTokens
	for _, record := range c.records {
		base, cf := record.Base.Objects, record.CF.Objects
		out.Edited = appendTokens(out.Edited, base[record.Edited].Tokens, p)
		out.NonEdited = appendTokens(out.NonEdited, base[record.NonEdited].Tokens, p)
		out.Source = appendTokens(out.Source, cf[record.Source].Tokens, p)
		out.Other = appendTokens(out.Other, cf[record.Other].Tokens, p)
		out.Random = appendTokens(out.Random, record.Random, p)
	}
	return out
}

// appendTokens appends p numbers: the tokens, then -1.
func appendTokens(list []int32, tokens []int, p int) []int32 {
	for i := range p {
		if i < len(tokens) {
			list = append(list, int32(tokens[i]))
		} else {
			list = append(list, -1)
		}
	}
	return list
}
