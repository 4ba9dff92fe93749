package patch

import (
	"fmt"
	"slices"

	"samediff/sdlib/finetune"
	"samediff/sdlib/stimuli"
)

// Answers are a model's answers to an experiment's images, in their order: for each the
// margin logit(same) - logit(different). Above 0 the answer is same, else different.
type Answers []float32

// Class is the answer to image i of the experiment: 1 same, 0 different.
func (a Answers) Class(i int) int {
	if a[i] > 0 {
		return 1
	}
	return 0
}

// An Effect is what an intervention does to the answers on one kind of images.
type Effect struct {
	Kind string         `json:"kind"` // All, or one of [Kind]
	Base finetune.Score `json:"base"` // without the intervention
	With finetune.Score `json:"with"` // under it
	Lost int            `json:"lost"` // right without it, wrong under it
	Won  int            `json:"won"`  // wrong without it, right under it
	// BaseMargin and WithMargin are the mean margins of the right answer over the other one, in logits.
	BaseMargin float64 `json:"base_margin"`
	WithMargin float64 `json:"with_margin"`
}

// All is the kind of an effect over all images.
const All = "all"

// Kind is what kind of image a stimulus is: of discrimination how its pair differs (same,
// shape-only, color-only, both), of RMTS which relations its pairs show ("sample same,
// display different"). An image of one's own that says neither is known by its label.
func Kind(s stimuli.Stimulus) string {
	relation := [2]string{"different", "same"}
	if len(s.Pairs) == 2 && len(s.Objects) == 4 {
		return fmt.Sprintf("sample %s, display %s", relation[s.Pairs[0].Label], relation[s.Pairs[1].Label])
	}
	if s.Kind != "" {
		return string(s.Kind)
	}
	return relation[s.Label]
}

// kinds is the order that kinds are listed in; others follow.
var kinds = []string{
	All, string(stimuli.Same), string(stimuli.ShapeOnly), string(stimuli.ColorOnly), string(stimuli.Both),
	"sample same, display same", "sample different, display different", "sample same, display different", "sample different, display same",
}

// Compare counts what an intervention does: base are the answers without it and with those
// under it, on images of a set, given by their indices. The first effect is over all
// images, the others are those of the kinds there are.
func Compare(set *stimuli.Set, images []int, base, with Answers) ([]Effect, error) {
	if len(base) != len(images) || len(with) != len(images) {
		return nil, fmt.Errorf("patch: %d answers without and %d under the intervention to %d images: expected one each per image", len(base), len(with), len(images))
	}
	found := map[string]*Effect{}
	var all []*Effect
	of := func(kind string) *Effect {
		if found[kind] == nil {
			found[kind] = &Effect{Kind: kind}
			all = append(all, found[kind])
		}
		return found[kind]
	}
	for i, image := range images {
		s := set.Stimulus(image)
		before, after := base.Class(i) == s.Label, with.Class(i) == s.Label
		sign := float64(2*s.Label - 1) // the margin is same's over different's
		for _, e := range []*Effect{of(All), of(Kind(s))} {
			count(&e.Base, before)
			count(&e.With, after)
			switch {
			case before && !after:
				e.Lost++
			case after && !before:
				e.Won++
			}
			e.BaseMargin += sign * float64(base[i])
			e.WithMargin += sign * float64(with[i])
		}
	}
	slices.SortStableFunc(all, func(a, b *Effect) int { return rank(a.Kind) - rank(b.Kind) })
	effects := make([]Effect, len(all))
	for i, e := range all {
		effects[i] = *e
		effects[i].BaseMargin /= float64(e.Base.N)
		effects[i].WithMargin /= float64(e.Base.N)
	}
	return effects, nil
}

func count(s *finetune.Score, right bool) {
	s.N++
	if right {
		s.Correct++
	}
}

func rank(kind string) int {
	if i := slices.Index(kinds, kind); i >= 0 {
		return i
	}
	return len(kinds)
}
