package stimuli

import (
	"fmt"
	"slices"
)

// A counterfactualPlanner fills in the records of a CounterfactualConfig.
type counterfactualPlanner struct {
	config  CounterfactualConfig
	stimuli []Stimulus // of the set the bases come from
	key     uint64
	cfKey   uint64
	records []Counterfactual
}

func newCounterfactualPlanner(cfg CounterfactualConfig, stimuli []Stimulus) *counterfactualPlanner {
	base := newStream(cfg.Set.key(), forBase, textKey(string(cfg.Property)))
	cf := newStream(cfg.Set.key(), forCF, textKey(string(cfg.Property)))
	p := &counterfactualPlanner{config: cfg, stimuli: stimuli, key: base.next(), cfKey: cf.next()}
	if cfg.Values != 0 {
		p.stimuli = cfg.Values.cast(stimuli, cfg.Property, p.key)
	}
	return p
}

// discrimination plans different → same (even records) and same → different (odd ones).
func (p *counterfactualPlanner) discrimination() error {
	property, half := p.config.Property, p.config.Size/2
	alike := p.pool(func(s Stimulus) bool { return s.Kind == Same })
	unlike := p.pool(func(s Stimulus) bool { return s.Kind == differsIn(property) })
	if len(unlike) < half || len(alike) < half {
		return p.tooFew(fmt.Sprintf("%d stimuli that differ in %s only and %d same ones", half, property, half), min(len(unlike), len(alike))*2)
	}
	for i := range p.config.Size {
		random := newStream(p.key, forEdit, uint64(i))
		from := unlike[i/2]
		if i%2 == 1 {
			from = alike[i/2]
		}
		edited := p.editedOf(&random)
		base, partner := itemOf(from.Objects[edited]), itemOf(from.Objects[1-edited])

		var source, other item
		if base == partner {
			for _, each := range []Property{property, property.other()} {
				source = each.with(source, p.value(each, &random, each.of(base)))
			}
			other = source
		} else {
			second := property.other()
			wanted := property.of(partner)
			source = property.with(source, wanted)
			source = second.with(source, p.value(second, &random, second.of(base)))
			other = property.with(other, p.value(property, &random, wanted, property.of(base)))
			other = second.with(other, p.value(second, &random, second.of(base), second.of(source)))
		}

		at := random.below(2)
		shown := []item{source, other}
		if at == 1 {
			shown = []item{other, source}
		}
		places := p.config.Set.places(2, newStream(p.cfKey, forPlaces, uint64(i)))
		p.add(Counterfactual{
			Base: p.draw(p.key, from, itemsOf(from), nil), CF: p.draw(p.cfKey, from, shown, places),
			Edited: edited, NonEdited: 1 - edited, Source: at, Other: 1 - at,
		})
	}
	return nil
}

// rmts plans the four crossings of base label and local relation in turn, a quarter of the records each.
func (p *counterfactualPlanner) rmts() error {
	property, quarter := p.config.Property, p.config.Size/4
	type candidate struct {
		Stimulus
		pair int
	}
	var cells [4][]candidate
	for cell := range cells {
		label, relation := cell%2, cell/2
		var byPair [2][]Stimulus
		for pair := range byPair {
			byPair[pair] = p.pool(func(s Stimulus) bool {
				ends := s.Pairs[pair]
				kind := kindOf(itemOf(s.Objects[ends.First]), itemOf(s.Objects[ends.Second]))
				return s.Label == label && ends.Label == relation && (kind == Same || kind == differsIn(property))
			})
		}
		sample, display := byPair[0], byPair[1]
		if len(sample)+len(display) < quarter {
			return p.tooFew(fmt.Sprintf("%d stimuli with label %d and an editable pair of relation %d", quarter, label, relation),
				(len(sample)+len(display))*4)
		}
		// Half and half as far as there are enough of each; cells of odd size alternate which pair gets one more.
		take := min(max((quarter+cell%2)/2, quarter-len(display)), len(sample))
		for i := range quarter {
			if i < take {
				cells[cell] = append(cells[cell], candidate{sample[i], 0})
			} else {
				cells[cell] = append(cells[cell], candidate{display[i-take], 1})
			}
		}
		random := newStream(p.key, forPairs, uint64(cell))
		shuffle(&random, cells[cell])
	}

	for i := range p.config.Size {
		random := newStream(p.key, forEdit, uint64(i))
		from := cells[i%4][i/4]
		end := p.editedOf(&random)
		edited, nonEdited := 2*from.pair+end, 2*from.pair+1-end
		source, other := 2*(1-from.pair)+end, 2*(1-from.pair)+1-end

		shown := itemsOf(from.Stimulus)
		value := property.of(shown[nonEdited])
		if shown[edited] == shown[nonEdited] {
			value = p.value(property, &random, property.of(shown[edited]), property.of(shown[source]))
		}
		shown[source] = property.with(shown[source], value)
		p.add(Counterfactual{
			Base: p.draw(p.key, from.Stimulus, itemsOf(from.Stimulus), nil), CF: p.draw(p.cfKey, from.Stimulus, shown, nil),
			Pair: from.pair, Edited: edited, NonEdited: nonEdited, Source: source, Other: other,
		})
	}
	return nil
}

// differsIn is the kind of pairs that differ in a property only.
func differsIn(property Property) Kind {
	if property == ShapeProperty {
		return ShapeOnly
	}
	return ColorOnly
}

// pool lists the stimuli that satisfy a condition, in random order.
func (p *counterfactualPlanner) pool(condition func(Stimulus) bool) []Stimulus {
	var out []Stimulus
	for _, s := range p.stimuli {
		if condition(s) {
			out = append(out, s)
		}
	}
	random := newStream(p.key, forPool)
	shuffle(&random, out)
	return out
}

func (p *counterfactualPlanner) tooFew(needs string, atMost int) error {
	step := p.config.Set.cycle()
	return fmt.Errorf("stimuli: %d counterfactual pairs for %s need %s; the %d stimuli of the %s set's %s split allow %d: ask for fewer, or for a larger set",
		p.config.Size, p.config.Property, needs, len(p.stimuli), p.config.Set.Task, p.config.Set.Split, atMost/step*step)
}

// editedOf chooses which of a pair's two objects is edited.
func (p *counterfactualPlanner) editedOf(random *stream) int {
	if p.config.Set.Faithful.EditObject1 {
		return 0
	}
	return random.below(2)
}

// value draws a value of a property that may occur, other than some.
func (p *counterfactualPlanner) value(property Property, random *stream, except ...int) int {
	if some := p.config.Values.List(); some != nil && property == p.config.Property {
		some = slices.DeleteFunc(some, func(v int) bool { return slices.Contains(except, v) })
		return some[random.below(len(some))]
	}
	shapes, colors := p.config.Set.ranges()
	values := shapes
	if property == ColorProperty {
		values = colors
	}
	for {
		if v := values[0] + random.below(values[1]-values[0]); !slices.Contains(except, v) {
			return v
		}
	}
}

// draw plans an image like an existing stimulus, with other items and, unless nil, in other cells.
func (p *counterfactualPlanner) draw(key uint64, like Stimulus, items []item, places []place) Stimulus {
	i := uint64(len(p.records))
	jitter, looks := newStream(key, forJitter, i), newStream(key, forLooks, i)
	s := Stimulus{Index: len(p.records)}
	for o, it := range items {
		object := like.Objects[o]
		at := place{object.Box.Min.X - object.DX, object.Box.Min.Y - object.DY}
		if places != nil {
			at = places[o]
		}
		s.Objects = append(s.Objects, p.config.Set.object(object.Role, it, at, &jitter, &looks))
	}
	for _, pair := range like.Pairs {
		s.Pairs = append(s.Pairs, Pair{pair.First, pair.Second, p.config.Set.relation(items[pair.First], items[pair.Second])})
	}
	s.Label = labelOf(s.Pairs)
	s.Kind = kindOf(items[0], items[1])
	return s
}

// add completes a record and keeps it.
func (p *counterfactualPlanner) add(record Counterfactual) {
	record.Index = len(p.records)
	record.Target = 1 - record.Base.Label
	random := newStream(p.cfKey, forRandomPatch, uint64(record.Index))
	record.Random = p.config.Set.emptyCell(record.CF, record.CF.Objects[record.Source].Tokens, &random)
	p.records = append(p.records, record)
}

// open makes the two sets that draw the records' images.
func (p *counterfactualPlanner) open() *Counterfactuals {
	bases, cfs := make([]Stimulus, len(p.records)), make([]Stimulus, len(p.records))
	for i, record := range p.records {
		bases[i], cfs[i] = record.Base, record.CF
	}
	cfg := p.config.Set
	out := &Counterfactuals{config: p.config, base: plannedSet(cfg, p.key, bases), cf: plannedSet(cfg, p.cfKey, cfs), records: p.records}
	if cfg.Faithful.SourceOutlines && cfg.Geometry.Cell != sourceSize {
		for shape := range NumShapes {
			out.cf.painter.setOutline(shape, sample(silhouettes[shape].inside, sourceSize).Resize(cfg.Geometry.Object))
		}
	}
	return out
}

// sourceSize is the side of the source objects from which the original draws all its counterfactual images.
const sourceSize = 32

func itemOf(o Object) item { return item{o.Shape, o.Color} }

func itemsOf(s Stimulus) []item {
	out := make([]item, len(s.Objects))
	for i, o := range s.Objects {
		out[i] = itemOf(o)
	}
	return out
}

// emptyCell draws patches without objects, laid out like an object's tokens: those tokens moved over the grid. When
// no place is free of objects, as on a crowded grid, the patches may overlap other objects but not the tokens.
func (c Config) emptyCell(s Stimulus, tokens []int, random *stream) []int {
	grid := c.Geometry.Grid()
	taken := make([]bool, grid*grid)
	for _, o := range s.Objects {
		for _, token := range o.Tokens {
			taken[token] = true
		}
	}
	if free := moved(tokens, grid, taken); len(free) > 0 {
		return free[random.below(len(free))]
	}
	clear(taken)
	for _, token := range tokens {
		taken[token] = true
	}
	if free := moved(tokens, grid, taken); len(free) > 0 {
		return free[random.below(len(free))]
	}
	return nil
}

// moved lists all translations of some patches that stay on the grid and touch no taken patch.
func moved(tokens []int, grid int, taken []bool) [][]int {
	top, left, bottom, right := grid, grid, 0, 0
	for _, token := range tokens {
		top, bottom = min(top, token/grid), max(bottom, token/grid)
		left, right = min(left, token%grid), max(right, token%grid)
	}
	var out [][]int
	for dy := -top; dy < grid-bottom; dy++ {
		for dx := -left; dx < grid-right; dx++ {
			at := make([]int, len(tokens))
			free := true
			for i, token := range tokens {
				at[i] = token + dy*grid + dx
				free = free && !taken[at[i]]
			}
			if free {
				out = append(out, at)
			}
		}
	}
	return out
}
