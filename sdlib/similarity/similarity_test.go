package similarity

import (
	"encoding/json"
	"math"
	"math/rand/v2"
	"os"
	"strings"
	"testing"

	"github.com/gomlx/gomlx/core/tensors"

	"samediff/sdlib/internal/fixture"
	"samediff/sdlib/runner"
	"samediff/sdlib/stimuli"
	"samediff/sdlib/vit"
)

// The measures are NumPy's and SciPy's (testdata/make_golden.py).
func TestEqualsNumPy(t *testing.T) {
	var golden struct {
		N          int
		X          map[string][][]float32
		Similarity map[Measure]map[string]float64
	}
	text, err := os.ReadFile("testdata/golden.json")
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(text, &golden); err != nil {
		t.Fatal(err)
	}
	var all []Representation
	for name, rows := range golden.X {
		r := Representation{Name: name, N: golden.N, F: len(rows[0])}
		for _, row := range rows {
			r.X = append(r.X, row...)
		}
		all = append(all, r)
	}
	worst := 0.
	for _, m := range Measures {
		grid, err := Compare(m, all, all)
		if err != nil {
			t.Fatal(err)
		}
		for i, a := range all {
			for j, b := range all {
				want, ok := golden.Similarity[m][a.Name+" "+b.Name]
				diff := math.Abs(grid[i][j] - want)
				if worst = max(worst, diff); !ok || diff > 1e-9 {
					t.Errorf("%s of %s and %s is %.12f, NumPy has %.12f", m, a.Name, b.Name, grid[i][j], want)
				}
			}
		}
	}
	t.Logf("equal to %.1e", worst)
}

func random(name string, n, F int, seed uint64) Representation {
	rng := rand.New(rand.NewPCG(seed, 1))
	r := Representation{Name: name, N: n, F: F}
	for range n * F {
		r.X = append(r.X, float32(rng.NormFloat64()))
	}
	return r
}

// Scaling and swapping axes change none of the measures; images in another order change all.
func TestInvariances(t *testing.T) {
	a := random("a", 40, 8, 1)
	same, shuffled := a, a
	same.X, shuffled.X = nil, nil
	for i := range a.N {
		for k := range a.F {
			same.X = append(same.X, -3*a.X[i*a.F+(k+3)%a.F])
			shuffled.X = append(shuffled.X, a.X[(i+1)%a.N*a.F+k])
		}
	}
	for _, m := range Measures {
		grid, err := Compare(m, []Representation{a}, []Representation{a, same, shuffled})
		if err != nil {
			t.Fatal(err)
		}
		if math.Abs(grid[0][0]-1) > 1e-12 || math.Abs(grid[0][1]-1) > 1e-6 || grid[0][2] > .5 {
			t.Errorf("%s is %v with itself, its axes changed, and its images mixed", m, grid[0])
		}
	}
}

func TestCompareRefusals(t *testing.T) {
	a := random("a", 20, 5, 1)
	nan, flat := random("nan", 20, 5, 2), random("flat", 20, 5, 3)
	nan.X[12] = float32(math.NaN())
	for i := range flat.X {
		flat.X[i] = 2
	}
	for want, b := range map[string]Representation{
		"expected the same images":   random("b", 21, 5, 4),
		"image 2 of nan has NaN":     nan,
		"is the same for all 20":     flat,
		"20 images of 4":             {Name: "odd", N: 20, F: 4, X: a.X},
		"of 3 images, expected 4 or": random("few", 3, 5, 5),
	} {
		if _, err := Compare(CKA, []Representation{a}, []Representation{b}); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v, expected %q", err, want)
		}
	}
	if _, err := Compare("angle", []Representation{a}, []Representation{a}); err == nil || !strings.Contains(err.Error(), `no measure "angle"`) {
		t.Errorf("a measure that there is not: %v", err)
	}
	if _, err := Compare(CKA, nil, nil); err == nil {
		t.Error("nothing was compared with nothing")
	}
}

// What represents an image is read from the right tokens of the right block.
func TestRepresent(t *testing.T) {
	be := fixture.Go(t)
	c := vit.Config{Image: 64, Patch: 8, Width: 12, Blocks: 2, Heads: 3, MLP: 24, Classes: 2, NormEps: 1e-12, Mean: [3]float64{.5, .5, .5}, Std: [3]float64{.5, .5, .5}}
	m := fixture.Model(t, c, 1)
	set := fixture.Set(t, stimuli.Config{Geometry: stimuli.Course, Size: 12, Seed: 1})
	images := []int{7, 2, 9}
	var streams [][]float32
	err := runner.Nodes(t.Context(), be, m, set, images, []string{"block01/resid_post"}, nil, func(items []int, values []*tensors.Tensor) error {
		rows, err := runner.Rows[float32](values[0], len(items))
		streams = append(streams, rows...)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	for _, at := range Readings {
		all, err := Represent(t.Context(), be, m, set, images, at, nil)
		if err != nil {
			t.Fatal(err)
		}
		last := all[len(all)-1]
		if len(all) != len(at.Places(c)) || last.Name != "block01/resid_post" || last.N != 3 {
			t.Fatalf("%s: %d representations, the last is %s of %d images", at, len(all), last.Name, last.N)
		}
		for i, image := range images {
			for k := range last.F {
				var tokens []int
				switch at {
				case CLS:
					tokens = []int{0}
				case Mean:
					for p := range 64 {
						tokens = append(tokens, 1+p)
					}
				default:
					for _, p := range set.Stimulus(image).Objects[k/12].Tokens {
						tokens = append(tokens, 1+p)
					}
				}
				want := 0.
				for _, token := range tokens {
					want += float64(streams[i][token*12+k%12]) / float64(len(tokens))
				}
				if got := float64(last.X[i*last.F+k]); math.Abs(got-want) > 1e-5 {
					t.Fatalf("%s, image %d, number %d is %g, expected %g", at, image, k, got, want)
				}
			}
		}
	}
	if _, err := Represent(t.Context(), be, m, set, nil, "corner", nil); err == nil || !strings.Contains(err.Error(), `no reading "corner"`) {
		t.Errorf("a reading that there is not: %v", err)
	}
}
