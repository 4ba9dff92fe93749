package das

import (
	"math"
	"slices"
	"strings"
	"testing"

	"samediff/sdlib/internal/fixture"
)

// Swapping all there is gives the answers of a plain interchange; what is swapped of less lies along
// the directions in which states vary, from the largest.
func TestBaselines(t *testing.T) {
	be, m := fixture.Go(t), lively(t, small, 1)
	s := streams(t, be, m)
	whole, err := Baseline(t.Context(), s, Search{Block: 1, Method: Whole})
	if err != nil {
		t.Fatal(err)
	}
	rotated := random(s, 1, true)
	a, err := whole.Answers(t.Context(), be, m, s, nil)
	if err != nil {
		t.Fatal(err)
	}
	b, err := rotated.Answers(t.Context(), be, m, s, nil)
	if err != nil {
		t.Fatal(err)
	}
	if whole.Dims() != small.Width || !slices.Equal(a.Answers, b.Answers) {
		t.Errorf("swapping everything: %v, in another rotation %v", a.Answers, b.Answers)
	}
	for _, method := range []Method{PCA, Means} {
		v, err := Baseline(t.Context(), s, Search{Block: 1, Method: method, Rank: 3})
		if err != nil {
			t.Fatal(err)
		}
		checkOrthogonal(t, v.Rotation)
		states, err := s.grouped(1, method == Means)
		if err != nil {
			t.Fatal(err)
		}
		if want := map[Method]int{PCA: 16 * 4, Means: colors(s)}[method]; len(states) != want || v.Dims() != 3 {
			t.Errorf("%s: %d states, expected %d; %d directions", method, len(states), want, v.Dims())
		}
		last := math.Inf(1)
		for j := range small.Width {
			mean, square := 0., 0.
			for _, x := range states {
				along := 0.
				for i := range x {
					along += x[i] * float64(v.Rotation[i*small.Width+j])
				}
				mean += along / float64(len(states))
				square += along * along / float64(len(states))
			}
			variance := square - mean*mean
			if variance > last+1e-6 {
				t.Errorf("%s: direction %d has variance %g, the one before %g", method, j, variance, last)
			}
			last = variance
		}
	}
	for want, try := range map[string]func() error{
		"0 directions by pca, expected 1 to 12": func() error { _, err := Baseline(t.Context(), s, Search{Block: 1, Method: PCA}); return err },
		"no baseline \"das\"":                   func() error { _, err := Baseline(t.Context(), s, Search{Block: 1}); return err },
		"no block 5":                            func() error { _, err := Baseline(t.Context(), s, Search{Block: 5, Method: Whole}); return err },
		"directions by means, expected 1 to": func() error {
			_, err := Baseline(t.Context(), s, Search{Block: 1, Method: Means, Rank: 40})
			return err
		},
	} {
		if err := try(); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("the error is %v, expected it to speak of %q", err, want)
		}
	}
}

func TestParseMethod(t *testing.T) {
	for _, m := range Methods {
		if got, err := ParseMethod(m.String()); err != nil || got != m {
			t.Errorf("%v is read as %v, %v", m, got, err)
		}
	}
	if _, err := ParseMethod("any"); err == nil || !strings.Contains(err.Error(), "expected one of das, lowrank, boundless, probe, whole, pca, means") {
		t.Errorf("the error is %v", err)
	}
}

// colors is how many colors the source objects have.
func colors(s *Streams) int {
	seen := map[int]bool{}
	for i := range s.Pairs.Len() {
		r := s.Pairs.Record(i)
		seen[r.CF.Objects[r.Source].Color] = true
	}
	return len(seen)
}

// The angles of a subspace with itself are 0, with its complement π/2, and with one that is turned
// by an angle in one plane that angle.
func TestAngles(t *testing.T) {
	const turn = .3
	of := func(dims ...int) *Intervention {
		v := &Intervention{Config: small, Rotation: make([]float32, small.Width*small.Width), Mask: make([]float32, small.Width)}
		for i := range small.Width {
			v.Rotation[i*small.Width+i] = 1
		}
		for _, d := range dims {
			v.Mask[d] = 1
		}
		return v
	}
	turned := of(0, 1)
	turned.Rotation[1*small.Width+1], turned.Rotation[2*small.Width+1] = float32(math.Cos(turn)), float32(math.Sin(turn))
	for name, c := range map[string]struct {
		a, b *Intervention
		want []float64
	}{
		"itself":     {of(0, 1), of(0, 1), []float64{0, 0}},
		"complement": {of(0, 1), of(2, 3, 4), []float64{math.Pi / 2, math.Pi / 2}},
		"turned":     {of(0, 1), turned, []float64{0, turn}},
	} {
		got, err := Angles(c.a, c.b)
		if err != nil || len(got) != len(c.want) {
			t.Fatalf("%s: %v, %v", name, got, err)
		}
		for i, want := range c.want {
			if math.Abs(got[i]-want) > 1e-3 {
				t.Errorf("%s: %v, expected %v", name, got, c.want)
			}
		}
		want := 0.
		for _, θ := range c.want {
			want += math.Cos(θ) * math.Cos(θ) / float64(len(c.want))
		}
		if overlap, chance, err := Overlap(c.a, c.b); err != nil || math.Abs(overlap-want) > 1e-3 || chance != float64(len(c.b.Directions()))/float64(small.Width) {
			t.Errorf("%s: the overlap is %g, by chance %g, %v, expected %g", name, overlap, chance, err, want)
		}
	}
	const draws = 200 // the mean overlap of random subspaces is what chance says
	sum := 0.
	for i := range draws {
		drawn := of(0, 1, 2, 3)
		drawn.Rotation = Orthogonal(small.Width, uint64(i))
		overlap, _, err := Overlap(drawn, of(0, 1, 2))
		if err != nil {
			t.Fatal(err)
		}
		sum += overlap
	}
	if mean := sum / draws; math.Abs(mean-4./float64(small.Width)) > .03 { // its standard error is .01
		t.Errorf("random subspaces overlap by %.3f on average, expected %.3f", mean, 4./float64(small.Width))
	}
	if _, err := Angles(of(), of(0)); err == nil || !strings.Contains(err.Error(), "0 and 1 dimensions") {
		t.Errorf("no dimension: %v", err)
	}
	other := of(0)
	other.Model = "another"
	if _, err := Angles(of(0), other); err == nil || !strings.Contains(err.Error(), "expected one model") {
		t.Errorf("two models: %v", err)
	}
}
