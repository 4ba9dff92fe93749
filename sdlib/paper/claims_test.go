package paper_test

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"samediff/sdlib/das"
	"samediff/sdlib/paper"
	"samediff/sdlib/stimuli"
	"samediff/sdlib/study"
	"samediff/sdlib/vit"
)

// Every figure and table of the paper has a row; a claim that was not tested says what is missing, and any other has a value; the verdicts
// are those that there are.
func TestEveryItemHasAClaim(t *testing.T) {
	r, err := paper.OpenResults()
	if err != nil {
		t.Fatal(err)
	}
	checked, err := paper.Check(r, paper.Claims())
	if err != nil {
		t.Fatal(err)
	}
	items := map[string]bool{}
	for _, c := range checked {
		items[c.Item] = true
		name := c.Item + ", " + c.Says
		switch c.Verdict {
		case paper.Untested:
			if c.Missing == "" {
				t.Errorf("%s: not tested, without a reason", name)
			}
		case paper.Agrees, paper.Partly, paper.Disagrees:
			if c.Value == "" || c.Command == "" {
				t.Errorf("%s: %s, with the value %q and the command %q", name, c.Verdict, c.Value, c.Command)
			}
		case paper.Explains:
			if c.Value != "" || c.Missing != "" {
				t.Errorf("%s: a drawing, with the value %q, lacking %q", name, c.Value, c.Missing)
			}
		default:
			t.Errorf("%s: the verdict is %q", name, c.Verdict)
		}
		if c.Needs == "" || c.Where == "" || c.Group == "" {
			t.Errorf("%s: needs %q, section %q, group %q", name, c.Needs, c.Where, c.Group)
		}
	}
	for _, i := range paper.Contents {
		if _, err := strconv.Atoi(i.Number); err == nil && !items[i.String()] {
			t.Errorf("no claim is about %v", i)
		}
	}
	for item := range items {
		kind, number, _ := strings.Cut(item, " ")
		if _, err := paper.Find(paper.Kind(kind), number); err != nil && item != "text" {
			t.Errorf("a claim is about %s: %v", item, err)
		}
	}
}

// A result that comes later is found by itself: searches in CLIP on RMTS, with the wrong object and two seeds.
func TestClaimsFindNewResults(t *testing.T) {
	root := t.TempDir()
	t.Setenv("SD_ROOT", root)
	about := func(item, says string) paper.Finding {
		t.Helper()
		r, err := paper.OpenResults()
		if err != nil {
			t.Fatal(err)
		}
		claims := paper.Claims()
		i := slices.IndexFunc(claims, func(c paper.Claim) bool { return c.Item == item && strings.Contains(c.Says, says) })
		if i < 0 {
			t.Fatalf("no claim of %s says %q", item, says)
		}
		checked, err := paper.Check(r, claims[i:i+1])
		if err != nil {
			t.Fatal(err)
		}
		return checked[0].Finding
	}
	swap := func() paper.Finding { return about("figure 3", "RMTS: swapping color") }
	if f := swap(); f.Verdict != paper.Untested || f.Missing != "alignment searches in rmts-256-clip-b16-112" || !strings.HasPrefix(f.Command, "sd model build rmts-256-clip-b16-112 && sd das rmts-256-clip-b16-112 --control none,wrong-object") {
		t.Errorf("without results the finding is %+v", f)
	}

	if err := os.MkdirAll(filepath.Join(root, "models"), 0o755); err != nil {
		t.Fatal(err)
	}
	write := func(model string, right map[das.Control]float64) {
		t.Helper()
		var rows []study.DASRow
		for control := range right {
			for _, property := range []stimuli.Property{stimuli.ShapeProperty, stimuli.ColorProperty} {
				for _, seed := range []uint64{1, 2} {
					rows = append(rows, made(property, control, seed, right[control]))
				}
			}
		}
		if err := study.SaveDAS(filepath.Join(root, "models", "das-"+model+".csv"), rows); err != nil {
			t.Fatal(err)
		}
	}
	write("rmts-256-course", map[das.Control]float64{das.NoControl: .70, das.WrongObject: .60})
	if f := swap(); f.Verdict != paper.Partly || !f.Small || f.Model != "rmts-256-course" || !strings.HasPrefix(f.Value, ".700 (") || !strings.HasPrefix(f.Missing, "models/das-rmts-256-clip-b16-112.csv: sd model build rmts-256-clip-b16-112 && sd das ") {
		t.Errorf("a small model's finding is %+v", f)
	}
	write("rmts-256-clip-b16-112", map[das.Control]float64{das.NoControl: .90, das.WrongObject: .45})
	if f := swap(); f.Verdict != paper.Agrees || f.Small || f.Model != "rmts-256-clip-b16-112" || f.Value != ".900 (.856–.932) after block 3" { // Wilson's interval of 216 of 240, in Python
		t.Errorf("CLIP's finding is %+v", f)
	}
	if f := about("figure 24", "CLIP, RMTS"); f.Verdict != paper.Agrees || !strings.Contains(f.Command, "--control none,wrong-object --test 120") {
		t.Errorf("the wrong object's finding is %+v", f)
	}
	write("rmts-256-clip-b16-112", map[das.Control]float64{das.NoControl: .2, das.WrongObject: .60})
	if f := swap(); f.Verdict != paper.Disagrees {
		t.Errorf("a search that finds nothing %s", f.Verdict)
	}
	if f := about("figure 24", "CLIP, RMTS"); f.Verdict != paper.Disagrees {
		t.Errorf("a control that succeeds: %+v", f)
	}

	write("rmts-256-clip-b16-112", map[das.Control]float64{das.NoControl: .9})
	write("rmts-256-clip-b16-112-wrong-object", map[das.Control]float64{das.WrongObject: .4}) // a file of its own
	if f := about("figure 24", "CLIP, RMTS"); f.Verdict != paper.Agrees || !strings.Contains(f.Value, "color at most .400") {
		t.Errorf("a control in a file of its own: %+v", f)
	}

	// A damaged file is an error, not a missing result.
	if err := os.WriteFile(filepath.Join(root, "models", "das-rmts-256-clip-b16-112.csv"), []byte("model\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	r, err := paper.OpenResults()
	if err != nil {
		t.Fatal(err)
	}
	if _, err := paper.Check(r, paper.Claims()); err == nil || errors.Is(err, fs.ErrNotExist) || !strings.Contains(err.Error(), "expected the columns") {
		t.Errorf("a damaged file: %v", err)
	}
}

// A search after some blocks is not judged by what the paper says of the last one, or of all.
func TestClaimsOfSomeBlocks(t *testing.T) {
	var rows []study.DASRow
	for _, property := range []stimuli.Property{stimuli.ShapeProperty, stimuli.ColorProperty} {
		rows = append(rows, made(property, das.NoControl, 1, .9))
	}
	beside, err := paper.Beside(paper.Found{Name: "mine", Config: vit.B16, Task: stimuli.Discrimination, Searches: study.DASScores(rows)})
	if err != nil {
		t.Fatal(err)
	}
	var judged []string
	for _, b := range beside {
		judged = append(judged, b.Says)
	}
	want := []string{"CLIP, discrimination: swapping shape moves the answer, best after block 2", "CLIP, discrimination: swapping color moves the answer, best after block 2"}
	if !slices.Equal(judged, want) {
		t.Errorf("judged by %q, expected %q", judged, want)
	}
}

// The intervals of cut attention are Wilson's, rounded; a table without lines is an error that says so.
func TestClaimOfCuts(t *testing.T) {
	root := t.TempDir()
	t.Setenv("SD_ROOT", root)
	path := filepath.Join(root, "notebooks", "results", "clip-edges.csv")
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		t.Fatal(err)
	}
	check := func(text string) (paper.Finding, error) {
		t.Helper()
		if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
		r, err := paper.OpenResults()
		if err != nil {
			t.Fatal(err)
		}
		claims := slices.DeleteFunc(paper.Claims(), func(c paper.Claim) bool {
			return !strings.Contains(c.Says, "may reach CLS over tokens of the background")
		})
		checked, err := paper.Check(r, claims)
		if err != nil {
			return paper.Finding{}, err
		}
		return checked[0].Finding, nil
	}
	const head = "what,where,kind,n,base_accuracy,accuracy,low,high\n"
	f, err := check(head + "background → CLS,0-11,all,100,0.9800,0.9800,0.9300,0.9945\nobjects → CLS,0-11,all,100,0.9800,0.5000,0.4038,0.5962\n")
	if want := "background .980 (.930–.994), the objects .500 (.404–.596)"; err != nil || !strings.HasSuffix(f.Value, want) || f.Verdict != paper.Disagrees { // Wilson's of 98 and 50 of 100, in Python .99450 and .40383
		t.Errorf("%+v, %v; expected %s", f, err, want)
	}
	if f, err = check(head + "background → CLS,0-11,all,100,0.9800,0.8000,0.7111,0.8666\nobjects → CLS,0-11,all,100,0.9800,0.5000,0.4038,0.5962\n"); err != nil || f.Verdict != paper.Agrees {
		t.Errorf("without the background much is lost: %+v, %v", f, err)
	}
	if _, err = check(""); err == nil || !strings.Contains(err.Error(), "it is empty") {
		t.Errorf("an empty table: %v", err)
	}
	if _, err = check(head + "background → CLS,0-11,all,100,0.98,?,,\nobjects → CLS,0-11,all,100,0.98,.5,,\n"); err == nil || !strings.Contains(err.Error(), `accuracy "?"`) {
		t.Errorf("a cell that is no number: %v", err)
	}
}

// made is a search after block 3 that was right on a share of 120 pairs.
func made(p stimuli.Property, control das.Control, seed uint64, right float64) study.DASRow {
	const n = 120
	row := study.DASRow{DASQuery: study.DASQuery{DASSearch: study.DASSearch{
		Stimuli:  stimuli.Config{Task: stimuli.RMTS, Objects: stimuli.All256},
		Property: p, Search: das.Search{Block: 3, Control: control, Seed: seed, Recipe: das.CPU}}, Split: stimuli.TestIID, Test: n}}
	for i := range n {
		target, answer := i%2, i%2
		if float64(i) >= right*n {
			answer = 1 - target
		}
		row.Targets, row.Answers.Answers, row.Base = append(row.Targets, target), append(row.Answers.Answers, answer), append(row.Base, 1-target)
	}
	return row
}
