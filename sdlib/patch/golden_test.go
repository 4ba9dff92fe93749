package patch

import (
	"encoding/json"
	"math"
	"os"
	"testing"

	"samediff/sdlib/backend"
	"samediff/sdlib/internal/fixture"
	"samediff/sdlib/stimuli"
	"samediff/sdlib/vit"
)

// golden is what testdata/make_golden.py computed, a plain NumPy implementation in float64.
type golden struct {
	Base      []float64 `json:"base"`
	KnockOuts []struct {
		Heads [][2]int    `json:"heads"`
		Zero  []float64   `json:"zero"`
		Mean  []float64   `json:"mean"`
		Other [][]float64 `json:"other"` // [image][the image that the heads' outputs are of]
	} `json:"knockouts"`
	Cuts []struct {
		Edges  [][2]Group `json:"edges"`
		Blocks [2]int     `json:"blocks"`
		Before []float64  `json:"before"`
		After  []float64  `json:"after"`
	} `json:"cuts"`
	Interchanges []struct {
		Site    Site        `json:"site"`
		At      []int       `json:"at"`
		Group   Group       `json:"group"`
		Margins [][]float64 `json:"margins"` // [image][source]
	} `json:"interchanges"`
	Paths []struct {
		Sender  [2]int      `json:"sender"`
		To      [][2]int    `json:"to"`
		Through [][2]int    `json:"through"`
		MLPs    bool        `json:"mlps"`
		Margins [][]float64 `json:"margins"` // [image][source]
	} `json:"paths"`
}

func readGolden(t *testing.T) golden {
	t.Helper()
	text, err := os.ReadFile("testdata/golden.json")
	if err != nil {
		t.Fatal(err)
	}
	var g golden
	if err := json.Unmarshal(text, &g); err != nil {
		t.Fatal(err)
	}
	return g
}

// goldenExperiment is on the model and the images of testdata.
func goldenExperiment(t *testing.T, be *backend.Backend) *Experiment {
	t.Helper()
	m, err := vit.Load("testdata/model")
	if err != nil {
		t.Fatal(err)
	}
	set, err := stimuli.ImportFolder("testdata/images", stimuli.Geometry{Name: "folder", Image: 32, Patch: 8})
	if err != nil {
		t.Fatal(err)
	}
	e, err := NewExperiment(be, m, set, nil)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(e.Close)
	return e
}

// near fails where answers differ from margins of about 1 by more than float32 allows.
func near(t *testing.T, what string, got Answers, want []float64) {
	t.Helper()
	if len(got) != len(want) {
		t.Fatalf("%s: %d answers, expected %d", what, len(got), len(want))
	}
	for i := range want {
		if d := math.Abs(float64(got[i]) - want[i]); !(d <= 1e-5) {
			t.Errorf("%s: image %d has the margin %.7f, expected %.7f", what, i, got[i], want[i])
		}
	}
}

func headsOf(pairs [][2]int) []vit.Head {
	var heads []vit.Head
	for _, h := range pairs {
		heads = append(heads, vit.Head{Block: h[0], Head: h[1]})
	}
	return heads
}

func TestKnockOutGolden(t *testing.T) {
	g := readGolden(t)
	fixture.Backends(t, func(t *testing.T, be *backend.Backend) {
		e := goldenExperiment(t, be)
		got, err := e.Base(t.Context(), nil)
		if err != nil {
			t.Fatal(err)
		}
		near(t, "base", got, g.Base)
		for _, k := range g.KnockOuts {
			heads := headsOf(k.Heads)
			other := make([]float64, len(e.images))
			const seed = 4
			sources, err := e.others(seed)
			if err != nil {
				t.Fatal(err)
			}
			for i, j := range sources {
				other[i] = k.Other[i][j]
			}
			for by, want := range map[Replacement][]float64{Zero: k.Zero, Mean: k.Mean, Resample: other} {
				got, err := e.KnockOut(t.Context(), KnockOut{Heads: heads, By: by, Seed: seed}, nil)
				if err != nil {
					t.Fatal(err)
				}
				near(t, by.String()+" "+heads[0].String(), got, want)
			}
		}
	})
}

func TestCutGolden(t *testing.T) {
	g := readGolden(t)
	fixture.Backends(t, func(t *testing.T, be *backend.Backend) {
		e := goldenExperiment(t, be)
		for _, c := range g.Cuts {
			cut := Cut{Blocks: Blocks{c.Blocks[0], c.Blocks[1]}}
			for _, edge := range c.Edges {
				cut.Edges = append(cut.Edges, Edge{edge[0], edge[1]})
			}
			for _, after := range []bool{false, true} {
				want := c.Before
				if cut.AfterSoftmax = after; after {
					want = c.After
				}
				got, err := e.Cut(t.Context(), cut, nil)
				if err != nil {
					t.Fatal(err)
				}
				near(t, cut.Edges[0].String(), got, want)
			}
		}
	})
}
