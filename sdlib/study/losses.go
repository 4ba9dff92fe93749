package study

import (
	"fmt"
	"strings"

	"samediff/sdlib/finetune"
	"samediff/sdlib/stimuli"
	"samediff/sdlib/vit"
)

// Losses says which auxiliary losses a training has besides the task's: the rows of the
// paper's Tables 1, 7 and 8 (section 7, Appendices L and M), and the relation loss,
// which the paper lacks.
type Losses struct {
	Disentangle  bool // shape and color in halves of the residual stream
	WithinObject bool // pipeline loss, WO: attention within each object
	WithinPair   bool // pipeline loss, WP: attention between the objects of a pair
	BetweenPairs bool // pipeline loss, BP: attention between the pairs; RMTS only
	Relation     bool // same or different, read from each pair's tokens
}

// Pipeline returns all parts of the pipeline loss that a task has.
func Pipeline(task stimuli.Task) Losses {
	return Losses{WithinObject: true, WithinPair: true, BetweenPairs: task == stimuli.RMTS}
}

// lossNames are the names of the losses, in the order of the tables' columns.
var lossNames = []struct {
	name string
	of   func(*Losses) *bool
}{
	{"disentangle", func(l *Losses) *bool { return &l.Disentangle }},
	{"wo", func(l *Losses) *bool { return &l.WithinObject }},
	{"wp", func(l *Losses) *bool { return &l.WithinPair }},
	{"bp", func(l *Losses) *bool { return &l.BetweenPairs }},
	{"relation", func(l *Losses) *bool { return &l.Relation }},
}

// String is the losses' names with a plus between them, or "none".
func (l Losses) String() string {
	var names []string
	for _, n := range lossNames {
		if *n.of(&l) {
			names = append(names, n.name)
		}
	}
	if len(names) == 0 {
		return "none"
	}
	return strings.Join(names, "+")
}

// ParseLosses reads what [Losses.String] writes: names with a plus or a comma between
// them, or "none". "pipeline" stands for wo, wp and, in RMTS, bp.
func ParseLosses(text string, task stimuli.Task) (Losses, error) {
	var l Losses
	if text == "none" {
		return l, nil
	}
names:
	for _, name := range strings.FieldsFunc(text, func(r rune) bool { return r == '+' || r == ',' }) {
		if name == "pipeline" {
			p := Pipeline(task)
			l.WithinObject, l.WithinPair, l.BetweenPairs = p.WithinObject, p.WithinPair, p.BetweenPairs
			continue
		}
		for _, n := range lossNames {
			if n.name == name {
				*n.of(&l) = true
				continue names
			}
		}
		return l, fmt.Errorf("no loss is called %q: expected none, or disentangle, pipeline (or its parts wo, wp, bp) and relation, with a plus between them", name)
	}
	if l == (Losses{}) {
		return l, fmt.Errorf("no losses in %q: expected none, or disentangle, pipeline (or its parts wo, wp, bp) and relation, with a plus between them", text)
	}
	if l.BetweenPairs && task != stimuli.RMTS {
		return l, fmt.Errorf("the between-pairs loss (bp) is for RMTS: discrimination has one pair")
	}
	return l, nil
}

// Apply returns a training with these auxiliary losses and no others, each with weight
// 1. The blocks after which the disentanglement and the relation loss read are the
// recipe's own; those of the pipeline loss are the paper's of 12, scaled to the model's
// depth, and two thirds of a block's heads are rewarded (the paper has 4, 6 or 8 of 12).
func (l Losses) Apply(t Training) Training {
	r := &t.Recipe
	r.Disentangle.Weight, r.Relation.Weight = weight(l.Disentangle), weight(l.Relation)
	r.Pipeline = finetune.Pipeline{}
	if !l.WithinObject && !l.WithinPair && !l.BetweenPairs {
		return t
	}
	r.Pipeline = finetune.Pipeline{Weight: 1, Heads: max(1, 2*t.Model.Heads/3), Seed: r.Seed}
	if l.WithinObject {
		r.Pipeline.WithinObject = scaled(t.Model, 3, 4, 5)
	}
	if l.WithinPair {
		r.Pipeline.WithinPair = scaled(t.Model, 6, 7)
	}
	if l.BetweenPairs {
		r.Pipeline.BetweenPairs = scaled(t.Model, 8, 9)
	}
	return t
}

func weight(on bool) float64 {
	if on {
		return 1
	}
	return 0
}

// scaled returns the blocks of a model at the depths of the given blocks of the paper's ViT-B, each once.
func scaled(c vit.Config, ofPaper ...int) []int {
	var blocks []int
	for _, b := range ofPaper {
		at := b * c.Blocks / 12
		if len(blocks) == 0 || blocks[len(blocks)-1] != at {
			blocks = append(blocks, at)
		}
	}
	return blocks
}
