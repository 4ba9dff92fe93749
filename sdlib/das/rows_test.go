package das

import (
	"slices"
	"testing"

	"github.com/gomlx/gomlx/core/tensors"

	"samediff/sdlib/internal/fixture"
	"samediff/sdlib/optimize"
)

// A search learns from the states that its control reads, and from targets that shuffled labels deal out anew.
func TestRows(t *testing.T) {
	s := streams(t, fixture.Go(t), lively(t, small, 1))
	const block = 1
	states, err := s.Sources(block)
	if err != nil {
		t.Fatal(err)
	}
	for _, control := range []Control{NoControl, WrongObject, RandomPatch, RandomRotation, ShuffledLabels} {
		rows, err := newRows(s, Search{Block: block, Control: control, Recipe: brief, Seed: 3})
		if err != nil {
			t.Fatal(err)
		}
		defer rows.close()
		var want []float32
		for pair := range s.Pairs.Len() {
			want = append(want, s.source(states, pair, control)...)
		}
		if got := tensors.MustCopyFlatData[float32](rows.fixed[1]); !slices.Equal(got, want) {
			t.Errorf("%s: it does not learn from the states that it is tested with", control)
		}
		targets := tensors.MustCopyFlatData[int32](rows.fixed[3])
		if kept := slices.Equal(targets, s.Pairs.Targets()); kept == (control == ShuffledLabels) {
			t.Errorf("%s: targets %v, those of the pairs are %v", control, targets, s.Pairs.Targets())
		}
		if slices.Sort(targets); slices.Index(targets, 1) != s.Pairs.Len()/2 {
			t.Errorf("%s: %v: expected as many targets of each kind as the pairs have", control, targets)
		}
	}
}

// The source's tokens come in an order of their own for each pair and epoch, or each step, as the recipe says.
func TestShuffles(t *testing.T) {
	s := streams(t, fixture.Go(t), lively(t, small, 1))
	n, P := s.Pairs.Len(), s.P
	vary := func(what string, orders [][]int) {
		t.Helper()
		seen := map[string]bool{}
		for _, order := range orders {
			key := ""
			for _, token := range order {
				key += string(rune('0' + token))
			}
			seen[key] = true
			if sorted := slices.Sorted(slices.Values(order)); !slices.Equal(sorted, all(P)) {
				t.Errorf("%s: %v is no order of %d tokens", what, order, P)
			}
		}
		if len(seen) < len(orders)/4 {
			t.Errorf("%s: %d orders in %d draws", what, len(seen), len(orders))
		}
	}
	rows, err := newRows(s, Search{Block: 1, Recipe: brief, Seed: 3})
	if err != nil {
		t.Fatal(err)
	}
	defer rows.close()
	epoch := func(i int) (orders [][]int) {
		batch, err := rows.Epoch(i)
		if err != nil {
			t.Fatal(err)
		}
		for order := range slices.Chunk(tensors.MustCopyFlatData[int32](batch.Resident[4]), P) {
			var tokens []int
			for _, token := range order {
				tokens = append(tokens, int(token))
			}
			orders = append(orders, tokens)
		}
		return orders
	}
	first, second := epoch(0), epoch(1)
	vary("pairs", first)
	if len(first) != n || slices.EqualFunc(first, second, slices.Equal) {
		t.Errorf("%d orders, expected %d, others in the second epoch", len(first), n)
	}

	q := Search{Block: 1, Recipe: brief, Seed: 3}
	q.Recipe.Shuffle = PerBatch
	scalars := training{c: small, q: q, form: masked{}, P: P}.problem(lively(t, small, 1), nil, Orthogonal(small.Width, 1)).Scalars
	var steps [][]int
	for step := range 12 {
		var order []int
		for i := range P {
			order = append(order, int(scalars[placeScalar(i)](optimize.Moment{Step: step, Steps: 12})))
		}
		steps = append(steps, order)
	}
	vary("batches", steps)
}
