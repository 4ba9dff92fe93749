package paper

import (
	"strings"
	"testing"

	"samediff/sdlib/finetune"
	"samediff/sdlib/probe"
	"samediff/sdlib/study"
)

// linear is a panel of two blocks: probes right in 6 and 9 of 10, interventions that flip 1 and
// 8, the last one derived.
func linear() LinearPanel {
	p := LinearPanel{Title: "test", Effects: []probe.Effect{{Block: -1, Cells: []probe.Cell{{Pair: "sample", N: 10, Opposite: 1}}}}}
	for block, right := range []int{6, 9} {
		p.Probed.Rows = append(p.Probed.Rows, study.ProbedRow{Block: block, Place: probe.OutputOf(block), Train: finetune.Score{N: 10, Correct: 10},
			Test: probe.Scores{All: finetune.Score{N: 10, Correct: right}, Parts: map[string]finetune.Score{"sample": {N: 5, Correct: 4}}}})
		for _, d := range []probe.Direction{probe.Opposite, probe.Present} {
			flipped := 1
			if d == probe.Opposite && block == 0 {
				flipped = 8
			}
			p.Effects = append(p.Effects, probe.Effect{Block: block, Direction: d, Alpha: 1, Derived: block == 1,
				Cells: []probe.Cell{{Pair: "sample", Kind: "same", Other: 0, Right: true, N: 10, Opposite: flipped}}})
		}
	}
	return p
}

func TestLinearFigure(t *testing.T) {
	p := linear()
	p.Beside = findPublished("CLIP ViT-B/16")
	f, err := LinearFigure(p, linear())
	if err != nil {
		t.Fatal(err)
	}
	for _, part := range []string{"probe: largest value 0.9 at 1.", "intervention: largest value 0.8 at 0.", "CLIP ViT-B/16, as logged.", "intervention: largest value 0.983 at 5."} {
		if !strings.Contains(f.Alt(), part) {
			t.Errorf("the alternative text lacks %q: %s", part, f.Alt())
		}
	}
	if _, err := LinearFigure(); err == nil {
		t.Error("a figure of no models was drawn")
	}
	if _, err := LinearFigure(LinearPanel{Title: "empty"}); err == nil || !strings.Contains(err.Error(), `the panel "empty" has no probes`) {
		t.Errorf("a panel without probes: %v", err)
	}
}

func TestLinearTables(t *testing.T) {
	p := linear()
	for want, text := range map[string]func() (string, error){
		"0.900":                    ProbeTable(p.Probed, study.PaperProbe).Text,
		"0.800 (0.490–0.943)":      SteerTable(p.Effects).Text,
		"1 (derived)":              SteerTable(p.Effects).Text,
		"0.100 (0.018–0.404)":      SteerTable(p.Effects).Text,
		"What flips after block 0": FlipTable(p.Effects).Text,
	} {
		got, err := text()
		if err != nil {
			t.Fatal(err)
		}
		if !strings.Contains(got, want) {
			t.Errorf("a table lacks %q:\n%s", want, got)
		}
	}
}

// Every figure of probes has the paper's curves, of 12 blocks each.
func TestPublishedLinears(t *testing.T) {
	for _, p := range PublishedLinears {
		for _, c := range p.Curves {
			if len(c.Values) != 12 {
				t.Errorf("%s, %s: %d values, expected 12", p.Model, c.Name, len(c.Values))
			}
			for _, v := range c.Values {
				if v < 0 || v > 1 {
					t.Errorf("%s, %s: a share of %g", p.Model, c.Name, v)
				}
			}
			if last := c.Values[11]; c.Name != "probe" && last != p.Curves[1].Values[11] {
				t.Errorf("%s, %s: %g after the last block, where nothing can be changed, expected %g", p.Model, c.Name, last, p.Curves[1].Values[11])
			}
		}
	}
}
