package paper

import (
	"strings"
	"testing"
)

// Every figure of the appendix that the claims hold against models here is drawn from results, or says what would make them.
func TestResultFigures(t *testing.T) {
	here, err := OpenResults()
	if err != nil {
		t.Fatal(err)
	}
	none := &Results{root: t.TempDir(), read: map[string]any{}}
	for number := range resultFigures {
		s, err := here.Figure(number)
		if err != nil {
			t.Error(err)
			continue
		}
		if s.Figure == nil && len(s.Lacking) == 0 {
			t.Errorf("figure %s has neither a drawing nor what would make one", number)
		}
		if s, err = none.Figure(number); err != nil || s.Figure != nil || len(s.Lacking) == 0 {
			t.Errorf("figure %s without results: %v, lacking %q, %v: expected no drawing and what would make it", number, s.Figure, s.Lacking, err)
		}
		for _, line := range s.Lacking {
			if !strings.Contains(line, "sd ") {
				t.Errorf("figure %s: %q names no command", number, line)
			}
		}
	}
	if _, err := here.Figure("7"); err == nil || !strings.Contains(err.Error(), "11, 12") {
		t.Errorf("figure 7: %v, expected the figures that there are", err)
	}
}

// The models here stand beside the paper's own: the lines of the model that one stands for are in its panel.
func TestResultFigureStandsFor(t *testing.T) {
	here, err := OpenResults()
	if err != nil {
		t.Fatal(err)
	}
	s, err := here.Figure("12")
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"discrimination-256-quick", "rmts-256-quick", "shape, published: largest value 0.954 at 2."} { // CLIP ViT-B/32, Figure 12
		if !strings.Contains(s.Figure.Alt(), want) {
			t.Errorf("figure 12 does not say %q: %s", want, s.Figure.Alt())
		}
	}
}

func TestBesideTable(t *testing.T) {
	here, err := OpenResults()
	if err != nil {
		t.Fatal(err)
	}
	table, err := here.Beside("figure 12", "figure 13")
	if err != nil {
		t.Fatal(err)
	}
	text, err := table.Text()
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"of", "CLIP ViT-B/32, RMTS: swapping shape moves the answer", ".936 (.919–.950) after block 0", "rmts-256-quick"} {
		if !strings.Contains(text, want) {
			t.Errorf("the table lacks %q:\n%s", want, text)
		}
	}
	if _, err := here.Beside("figure 99"); err == nil {
		t.Error("a table of no claims was made")
	}
}

// A drawing of a method is no claim: it is neither tested nor untested.
func TestDrawings(t *testing.T) {
	all, err := Check(&Results{root: t.TempDir(), read: map[string]any{}}, searchClaims())
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range all {
		if strings.Contains(c.Says, "drawn") != (c.Verdict == Explains) {
			t.Errorf("%s, %s: %s", c.Item, c.Says, c.Verdict)
		}
	}
}
