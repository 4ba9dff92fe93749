package viewer

import (
	"math"
	"math/rand/v2"
	"reflect"
	"testing"
)

// random returns rows of F + P weights that sum to 1: even ones, steep ones, and one of 1.
func random(rows, F, P int) []float32 {
	rng := rand.New(rand.NewPCG(1, 2))
	var all []float32
	for r := range rows {
		row, sum := make([]float32, F+P), float32(0)
		for k := range row {
			row[k] = float32(math.Exp(float64(r%12) * rng.NormFloat64()))
			sum += row[k]
		}
		for k := range row {
			row[k] /= sum
		}
		if r == 0 {
			clear(row)
			row[F] = 1
		}
		all = append(all, row...)
	}
	return all
}

// A weight of a patch is off by at most .2 % of the largest in its row, one in front by less
// than .00001.
func TestCode(t *testing.T) {
	const rows, F, P = 200, 2, 64
	weights := random(rows, F, P)
	c := newCoded(rows, F, P)
	if err := c.add(weights, F, P); err != nil {
		t.Fatal(err)
	}
	worst, worstFront := 0., 0.
	for r := range rows {
		row := weights[r*(F+P) : (r+1)*(F+P)]
		largest := 0.
		for _, w := range row[F:] {
			largest = max(largest, float64(w))
		}
		for p, w := range row[F:] {
			worst = max(worst, math.Abs(weight(c.scales[r], c.levels[r*P+p])-float64(w))/largest)
		}
		for k, w := range row[:F] {
			worstFront = max(worstFront, math.Abs(float64(c.front[r*F+k])/topFront-float64(w)))
		}
	}
	if worst > .002 || worst < .0015 || worstFront > 1e-5 {
		t.Errorf("weights are off by %g of their row's largest, those in front by %g: expected at most .002 and hardly less, and 1e-5", worst, worstFront)
	}
	for _, bad := range []float32{float32(math.NaN()), -.1, 2, float32(math.Inf(1))} {
		if err := c.add([]float32{0, bad}, 1, 1); err == nil {
			t.Errorf("a weight of %g was taken", bad)
		}
	}
}

// What is packed comes back, with gaps of any length, and damaged data are an error.
func TestPack(t *testing.T) {
	const F, P = 1, 1000 // a gap of 254 or more needs two bytes
	const T = F + P
	for _, smallest := range []float64{0, 1e-4, .002, .05, .5, 1.01} {
		c := newCoded(T, F, P)
		if err := c.add(random(T, F, P), F, P); err != nil {
			t.Fatal(err)
		}
		whole := make([]bool, T)
		for q := range whole {
			whole[q] = smallest == 0 || q == 0 || q%100 == 7
		}
		packed, err := c.pack(whole, smallest)
		if err != nil {
			t.Fatal(err)
		}
		want, kept := c, 0
		want.levels = append([]uint8(nil), c.levels...)
		for i, level := range want.levels {
			if q := i / P; !whole[q] && weight(c.scales[q], level) < smallest {
				want.levels[i] = 0
			} else if !whole[q] {
				kept++
			}
		}
		if (kept == 0) != (smallest == 0 || smallest > 1) {
			t.Errorf("%d weights of at least %g", kept, smallest)
		}
		got, err := unpack(packed, T, F, whole)
		if err != nil || !reflect.DeepEqual(got, want) {
			t.Errorf("weights of at least %g do not come back: %v", smallest, err)
		}
		for _, damaged := range [][]byte{nil, packed[:10], packed[:len(packed)/2], packed[:len(packed)-9], append([]byte{1}, packed...)} {
			if _, err := unpack(damaged, T, F, whole); err == nil {
				t.Errorf("%d of %d bytes are taken for whole", len(damaged), len(packed))
			}
		}
	}
}

// FuzzUnpack looks for bytes at which unpack panics.
func FuzzUnpack(f *testing.F) {
	whole := []bool{true, false, false, true, false}
	for _, smallest := range []float64{.01, .3} {
		c := newCoded(10, 1, 4)
		if err := c.add(random(10, 1, 4), 1, 4); err != nil {
			f.Fatal(err)
		}
		packed, err := c.pack(whole, smallest)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(packed)
	}
	f.Fuzz(func(t *testing.T, packed []byte) {
		if c, err := unpack(packed, 10, 1, whole); err == nil && len(c.levels) != 40 {
			t.Errorf("%d levels", len(c.levels))
		}
	})
}
