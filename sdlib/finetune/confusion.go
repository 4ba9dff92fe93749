package finetune

import (
	"cmp"
	"slices"

	"samediff/sdlib/stimuli"
)

// Confusions count which shapes and which colors a model takes for each other. They are
// about sets with one pair of objects per image (discrimination); in RMTS an answer is
// about two pairs, and a wrong one blames neither.
type Confusions struct {
	// Shapes are the pairs that differ in shape alone, by their two shapes, and the pairs
	// of equal objects, by their shape (First = Second).
	Shapes []Confusion `json:"shapes"`
	// Colors are the pairs that differ in color alone, by their two colors, and the pairs
	// of equal objects, by their color (First = Second).
	Colors []Confusion `json:"colors"`
}

// A Confusion counts the answers on pairs with two values of an attribute, First ≤ Second.
// Where they differ an error is a false "same"; where First = Second it is a false "different".
type Confusion struct {
	First  int `json:"first"`
	Second int `json:"second"`
	N      int `json:"n"`
	Errors int `json:"errors"`
}

// Confuse counts the errors of logits [n][C], as [Predict] returns them for the set, by
// shapes and by colors, in the order of First and then Second; combinations that the
// set does not have are left out.
func Confuse(set *stimuli.Set, logits [][]float32) Confusions {
	shapes, colors := map[[2]int]*Confusion{}, map[[2]int]*Confusion{}
	count := func(to map[[2]int]*Confusion, a, b int, wrong bool) {
		key := [2]int{min(a, b), max(a, b)}
		if to[key] == nil {
			to[key] = &Confusion{First: key[0], Second: key[1]}
		}
		to[key].N++
		if wrong {
			to[key].Errors++
		}
	}
	for i, row := range logits {
		s := set.Stimulus(i)
		if len(s.Pairs) != 1 {
			continue
		}
		a, b := s.Objects[s.Pairs[0].First], s.Objects[s.Pairs[0].Second]
		wrong := argmax(row) != s.Label
		if a.Color == b.Color {
			count(shapes, a.Shape, b.Shape, wrong)
		}
		if a.Shape == b.Shape {
			count(colors, a.Color, b.Color, wrong)
		}
	}
	return Confusions{sorted(shapes), sorted(colors)}
}

func sorted(counts map[[2]int]*Confusion) []Confusion {
	var all []Confusion
	for _, c := range counts {
		all = append(all, *c)
	}
	slices.SortFunc(all, func(a, b Confusion) int {
		return cmp.Or(cmp.Compare(a.First, b.First), cmp.Compare(a.Second, b.Second))
	})
	return all
}
