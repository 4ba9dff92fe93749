package paper_test

import (
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"samediff/sdlib/paper"
	"samediff/sdlib/photographs"
	"samediff/sdlib/stimuli"
	"samediff/sdlib/study"
)

// Figure 9 has four pictures that are same above four that are different, and says so of a set that is too small.
func TestFigure9(t *testing.T) {
	set, err := photographs.Open(stimuli.Course)
	if err != nil {
		t.Fatal(err)
	}
	f, err := paper.Figure9(set)
	if err != nil {
		t.Fatal(err)
	}
	if want := strings.Repeat("same; ", 4) + "different; different; different; different."; !strings.Contains(f.Alt(), want) {
		t.Errorf("the figure says %q, expected %q in it", f.Alt(), want)
	}
	if _, err := paper.Figure9(quickSet(t, stimuli.Discrimination)); err == nil || !strings.Contains(err.Error(), "photographs.Open") {
		t.Errorf("a set of 24 images: %v", err)
	}
}

// Items about photographs need one result of each model, on the set in the size that it sees.
func TestPhotographItems(t *testing.T) {
	lab, err := study.Open(study.Options{Store: t.TempDir()})
	if err != nil {
		t.Fatal(err)
	}
	subject, err := lab.Subject(t.Context(), "discrimination-256-quick")
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		kind         paper.Kind
		number, step string
	}{{paper.AFigure, "10", "heads"}, {paper.ATable, "photographs", "evaluate"}, {paper.ATable, "photograph-stages", "heads"}} {
		item, err := paper.Find(c.kind, c.number)
		if err != nil {
			t.Fatal(err)
		}
		jobs, err := item.Jobs(t.Context(), lab, paper.Request{Models: []study.Subject{subject}})
		if err != nil {
			t.Fatal(err)
		}
		var names []string
		for _, j := range jobs {
			names = append(names, j.String())
		}
		if want := []string{c.step + " discrimination-256-quick: on photographs"}; !slices.Equal(names, want) {
			t.Errorf("%v needs %q, expected %q", item, names, want)
		}
	}
}

// What is said of photographs follows the tables in notebooks/results.
func TestPhotographClaims(t *testing.T) {
	root := t.TempDir()
	t.Setenv("SD_ROOT", root)
	results := filepath.Join(root, "notebooks", "results")
	if err := os.MkdirAll(results, 0o755); err != nil {
		t.Fatal(err)
	}
	check := func(item, says string) paper.Finding {
		t.Helper()
		r, err := paper.OpenResults()
		if err != nil {
			t.Fatal(err)
		}
		claims := slices.DeleteFunc(paper.Claims(), func(c paper.Claim) bool { return c.Item != item || !strings.Contains(c.Says, says) })
		checked, err := paper.Check(r, claims)
		if err != nil || len(checked) != 1 {
			t.Fatalf("%s, %s: %d claims, %v", item, says, len(checked), err)
		}
		return checked[0].Finding
	}
	write := func(name string, lines ...string) {
		t.Helper()
		if err := os.WriteFile(filepath.Join(results, name), []byte(strings.Join(lines, "\n")+"\n"), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	if f := check("table 2", "CLIP alone"); f.Verdict != paper.Untested || f.Missing == "" {
		t.Errorf("without accuracies: %+v", f)
	}
	if f := check("figure 10", "within the pair"); f.Verdict != paper.Untested || !strings.Contains(f.Missing, "discrimination-256-clip-b16") {
		t.Errorf("without stages: %+v", f)
	}
	const columns = "model,images,accuracy,low,high,same,different"
	const clip, scratch = "discrimination-256-clip-b16-112 (8-bit weights),256,0.900,0.857,0.931,0.9,0.9", "discrimination-256-course-plain,256,0.500,0.439,0.561,1,0"
	write("photographs.csv", columns, clip, "discrimination-256-dinov2-s-saliency (saliency-tuned weights),256,0.520,0.459,0.580,1,0", scratch)
	f := check("table 2", "CLIP alone")
	if f.Verdict != paper.Agrees || f.Model != "discrimination-256-clip-b16-112 (8-bit weights)" || !strings.HasPrefix(f.Value, "discrimination-256-clip-b16-112 .900 (.857–.931), of the same .9; ") {
		t.Errorf("CLIP alone above chance: %+v", f)
	}
	write("photographs.csv", columns, clip, "discrimination-256-dinov2-s-saliency (saliency-tuned weights),256,0.700,0.641,0.753,1,0", scratch)
	if f := check("table 2", "CLIP alone"); f.Verdict != paper.Partly {
		t.Errorf("CLIP is not alone: %+v", f)
	}
	write("photographs.csv", columns, strings.Replace(clip, "0.9,0.9", "0.3,0.9", 1), scratch)
	if f := check("table 2", "CLIP alone"); f.Verdict != paper.Partly {
		t.Errorf("CLIP misses most same objects: %+v", f)
	}
	write("photograph-stages.csv", "model,within object,within pair,peaks in", `discrimination-256-clip-b16-112 (8-bit weights),3 (100 %),"5 (94 %, 5 to 6)",10`)
	for says, want := range map[string]paper.Finding{
		"within the object": {Verdict: paper.Agrees, Value: "3, in 100 % of the resamples"},
		"within the pair":   {Verdict: paper.Disagrees, Value: "5, in 94 % of the resamples"},
		"the background":    {Verdict: paper.Agrees, Value: "10"},
	} {
		if f := check("figure 10", says); f.Verdict != want.Verdict || f.Value != want.Value {
			t.Errorf("%s: %+v, expected %s with %s", says, f, want.Verdict, want.Value)
		}
	}
	write("photographs.csv", columns, "discrimination-256-clip-b16-112,256,0.9,none,0.9,1,1")
	r, err := paper.OpenResults()
	if err != nil {
		t.Fatal(err)
	}
	if _, err := paper.Check(r, paper.Claims()); err == nil || errors.Is(err, os.ErrNotExist) || !strings.Contains(err.Error(), "photographs.csv") {
		t.Errorf("a damaged table: %v", err)
	}
}
