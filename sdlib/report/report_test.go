package report

import (
	"context"
	"errors"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"

	"samediff/sdlib/backend"
	"samediff/sdlib/das"
	"samediff/sdlib/internal/fixture"
	"samediff/sdlib/stimuli"
	"samediff/sdlib/study"
	"samediff/sdlib/vit"
)

// store is shared by the tests, so that what one has computed another reads.
var store string

func TestMain(m *testing.M) {
	var err error
	if store, err = os.MkdirTemp("", "report"); err != nil {
		panic(err)
	}
	status := m.Run()
	os.RemoveAll(store)
	os.Exit(status)
}

// tiny are sizes for seconds.
var tiny = Sizes{
	Images: 8, Viewed: 1, Made: 4, Probes: 32, Pushed: 2, Draws: 1, Pairs: 4,
	Search: study.DASSweep{Test: 4, Recipe: das.Recipe{Pairs: 4, Steps: 2, Batch: 4, LR: .01, MaskLR: .01, Temperature: das.Temperature{From: 1, To: .1}}},
	Cut:    study.HeadSample{PerClass: 2, Seed: 1},
}

// subject is a tiny model of random weights that has learned nothing.
func subject(t *testing.T, store, engine string, change func(*vit.Config)) Subject {
	t.Helper()
	lab, err := study.Open(study.Options{Store: store, Backend: engine})
	if err != nil {
		t.Fatal(err)
	}
	c := vit.CourseQuick
	c.Width, c.Blocks, c.Heads, c.MLP = 16, 2, 2, 16
	if change != nil {
		change(&c)
	}
	m := fixture.Model(t, c, 1)
	s := Subject{Lab: lab, Name: "tiny"}
	if s.Model, err = lab.Adopt(s.Name, m); err != nil {
		t.Fatal(err)
	}
	return s
}

func html(t *testing.T, p Page) string {
	t.Helper()
	text, err := p.HTML()
	if err != nil {
		t.Fatal(err)
	}
	return text
}

// outside finds what a browser would load from elsewhere.
var outside = regexp.MustCompile(`(?i)(<link|<iframe|@import|\bfetch\(|XMLHttpRequest|(src|href|action)\s*=\s*["'][^"'#d]|url\(\s*["']?[^"')d])`)

// All chapters of both tasks, one page that needs nothing else; a second report reads what the first computed.
func TestReport(t *testing.T) {
	for _, task := range []stimuli.Task{stimuli.Discrimination, stimuli.RMTS} {
		s := subject(t, store, backend.Go, nil)
		if err := s.Model.Assume(task); err != nil {
			t.Fatal(err)
		}
		var titles []string
		page, err := Write(t.Context(), s, tiny, Chapters, func(title string, so Page) {
			if titles = append(titles, title); title == headsChapter.Title && !strings.Contains(html(t, so), "still being made") {
				t.Errorf("before %q the page does not say that it is unfinished", title)
			}
		})
		if err != nil {
			t.Fatal(err)
		}
		// A model that has learned nothing answers all images alike.
		if len(titles) != len(Chapters)+1 || titles[len(titles)-1] != "" || len(page.Sections) != len(Chapters)-1 || len(page.LeftOut) != 1 ||
			page.LeftOut[0].Reason != Unsuited || page.LeftOut[0].Title != interchangeChapter.Title || !strings.Contains(page.LeftOut[0].Why, "the same answer") {
			t.Errorf("%s: told of %q; sections %d, left out %+v", task, titles, len(page.Sections), page.LeftOut)
		}
		text := html(t, page)
		if found := outside.FindString(text); found != "" {
			t.Errorf("%s: the page loads something: %q", task, found)
		}
		if n := strings.Count(text, `src="data:image/png;base64,`); n < 8 {
			t.Errorf("%s: %d pictures", task, n)
		}
		for _, want := range []string{"<title>Report on tiny</title>", "showViewer(", "Beside the paper", `<code>sd das tiny --control none,wrong-object</code>`, "8 images of each test set; searches of 2 steps over 4 pairs, tested on 4"} {
			if !strings.Contains(text, want) {
				t.Errorf("%s: the page lacks %q", task, want)
			}
		}
		about := map[stimuli.Task]string{stimuli.Discrimination: "CLIP ViT-B/16", stimuli.RMTS: "CLIP ViT-B/16 on RMTS"}[task]
		if page.Reference != about || len(page.Beside) < 5 {
			t.Errorf("%s: beside %s stand %d claims, expected %s", task, page.Reference, len(page.Beside), about)
		}
		for _, c := range page.Beside {
			if c.Value == "" || c.Model != "tiny" {
				t.Errorf("%s: the finding %+v", task, c.Finding)
			}
		}

		reader := subject(t, store, "no such backend", nil)
		if err := reader.Model.Assume(task); err != nil {
			t.Fatal(err)
		}
		again, err := Write(t.Context(), reader, tiny, Chapters, nil)
		if err != nil {
			t.Fatal(err)
		}
		if html(t, again) != text {
			t.Errorf("%s: a second report is another page", task)
		}
	}
}

// A command can be copied from the page whatever the folder is called, and asks the same as the report.
func TestCommands(t *testing.T) {
	s := Subject{Name: "my models/it's a ViT", Task: stimuli.RMTS}
	if got, want := s.command("sd probe MODEL --intervene"), `sd probe 'my models/it'\''s a ViT' --intervene --task rmts`; got != want {
		t.Errorf("the command is %s, expected %s", got, want)
	}
	if got := (Subject{Name: "quick"}).command("sd das MODEL"); got != "sd das quick" {
		t.Errorf("the command is %s", got)
	}
}

// What does not suit a model is left out, with the reason.
func TestLeftOut(t *testing.T) {
	leftOut := func(s Subject, z Sizes) (Page, []string) {
		t.Helper()
		page, err := Write(t.Context(), s, z, Chapters, nil)
		if err != nil {
			t.Fatal(err)
		}
		var titles []string
		for _, l := range page.LeftOut {
			titles = append(titles, l.Title)
			if l.Why == "" || l.Reason != Unsuited || !strings.Contains(html(t, page), l.Title) {
				t.Errorf("left out: %+v", l)
			}
		}
		return page, titles
	}
	answer := []string{behaviorChapter.Title, searchChapter.Title, novelChapter.Title, knockoutChapter.Title, edgeChapter.Title, interchangeChapter.Title}

	headless := subject(t, store, backend.Go, nil)
	headless.Headless = errors.New("a backbone")
	if page, titles := leftOut(headless, tiny); !slices.Equal(titles, answer) || !strings.Contains(page.LeftOut[0].Why, "fine-tune it first") || !strings.Contains(html(t, page), "means nothing") {
		t.Errorf("of a backbone are left out %q", titles)
	}
	if _, titles := leftOut(subject(t, store, backend.Go, func(c *vit.Config) { c.Classes = 3 }), tiny); !slices.Equal(titles, answer) {
		t.Errorf("of three classes are left out %q", titles)
	}

	// Images of 32 pixels with patches of 8 fit none of the paper's stimuli; a set of one's own does.
	odd := subject(t, store, backend.Go, func(c *vit.Config) { c.Image, c.Patch = 32, 8 })
	page, titles := leftOut(odd, tiny)
	if len(titles) != len(Chapters) || len(page.Sections) > 0 || !strings.Contains(page.LeftOut[0].Why, "fit no geometry") {
		t.Errorf("of an odd size are left out %q", titles)
	}
}

// A chapter that fails is named, and the others stand; an interrupted report says so.
func TestReportFailures(t *testing.T) {
	s := subject(t, store, backend.Go, nil)
	z := tiny
	z.Pairs, z.Search.Blocks = -1, []int{9}
	page, err := Write(t.Context(), s, z, Chapters, nil)
	if err == nil || !strings.Contains(err.Error(), interchangeChapter.Title) || !strings.Contains(err.Error(), searchChapter.Title) {
		t.Errorf("the error is %v", err)
	}
	if len(page.Sections) != len(Chapters)-3 || len(page.LeftOut) != 3 || page.LeftOut[0].Reason != Failed || !strings.Contains(html(t, page), "It failed: ") {
		t.Errorf("%d sections, left out %+v", len(page.Sections), page.LeftOut)
	}

	ctx, cancel := context.WithCancel(t.Context())
	_, err = Write(ctx, subject(t, store, backend.Go, nil), tiny, Chapters, func(title string, _ Page) {
		if title == headsChapter.Title {
			cancel()
		}
	})
	if !errors.Is(err, context.Canceled) {
		t.Errorf("an interrupted report: %v", err)
	}
}

// Images of one's own stand beside the paper's: how many are answered rightly, and where the heads look on them.
func TestReportOnOwnImages(t *testing.T) {
	drawn := fixture.Set(t, stimuli.Config{Geometry: stimuli.CourseQuick, Split: stimuli.Test, Size: 4, Seed: 3})
	dir := t.TempDir() + "/mine"
	if err := drawn.Export(t.Context(), dir); err != nil {
		t.Fatal(err)
	}
	s := subject(t, store, backend.Go, nil)
	mine, err := study.ImportSet(dir, s.Model.Config)
	if err != nil {
		t.Fatal(err)
	}
	s.Set, s.SetName = mine, "mine"
	page, err := Write(t.Context(), s, tiny, Chapters, nil)
	if err != nil {
		t.Fatal(err)
	}
	for _, section := range page.Sections {
		switch first := section.Parts[0]; section.Title {
		case behaviorChapter.Title:
			if first.Table == nil || first.Table.Rows[0][0] != "mine" || first.Table.Rows[0][1] != "4" || len(section.Parts) < 2 {
				t.Errorf("accuracies: %+v", section.Parts)
			}
		case headsChapter.Title:
			if first.Figure == nil || !strings.Contains(first.Figure.Alt(), "tiny on mine") || len(section.Parts[len(section.Parts)-1].Viewer.Data.Images) != 1 {
				t.Errorf("heads: %+v", section.Parts)
			}
		}
	}
	if len(page.Sections) < 3 {
		t.Errorf("%d sections", len(page.Sections))
	}
}

// Chapters are chosen by their names, in the order of the plan; the page says how to add the others. A lab that only reads shows what
// the store has, and what it lacks.
func TestChosenAndStored(t *testing.T) {
	if _, err := Choose("eval", "stages"); err == nil || !strings.Contains(err.Error(), `"stages"`) || !strings.Contains(err.Error(), strings.Join(Names(), ", ")) {
		t.Errorf("an unknown chapter: %v", err)
	}
	chapters, err := Choose("patch-edges", "eval")
	if err != nil || len(chapters) != 2 || chapters[0].Name != "eval" {
		t.Fatalf("chosen are %+v, %v", chapters, err)
	}
	dir := t.TempDir()
	s := subject(t, dir, backend.Go, nil)
	page, err := Write(t.Context(), s, tiny, chapters, nil)
	if err != nil || len(page.Sections) != 2 || len(page.LeftOut) != len(Chapters)-2 || page.LeftOut[0].Reason != NotAsked || !page.exact() || page.settled() != 2 {
		t.Errorf("%d sections, left out %+v, %v", len(page.Sections), page.LeftOut, err)
	}
	if text := html(t, page); !strings.Contains(text, "Not asked for: this computes it: <code>sd report tiny --chapters das</code>") {
		t.Errorf("the page does not say how to add a chapter:\n%s", text)
	}

	// Head scores are there, what follows them is not.
	if _, err := s.Lab.Heads(t.Context(), s.Model); err != nil {
		t.Fatal(err)
	}
	lab, err := study.Open(study.Options{Store: dir, Backend: "no such backend", ReadOnly: true})
	if err != nil {
		t.Fatal(err)
	}
	s.Lab = lab
	if s.Model, err = lab.Adopt(s.Name, s.Model.Model); err != nil {
		t.Fatal(err)
	}
	page, err = Write(t.Context(), s, tiny, Chapters, nil)
	if err != nil {
		t.Fatal(err)
	}
	var has, lacks []string
	for _, section := range page.Sections {
		has = append(has, section.Name)
	}
	for _, l := range page.LeftOut {
		if l.Reason != NotStored || l.Title == headsChapter.Title && !strings.Contains(l.Why, "the rest of this chapter") {
			t.Errorf("left out: %+v", l)
		}
		lacks = append(lacks, l.Title)
	}
	if !slices.Equal(has, []string{"eval", "attention", "patch-edges"}) || len(lacks) != len(Chapters)-2 || page.exact() || page.settled() != 2 {
		t.Errorf("the page has %q and lacks %q", has, lacks)
	}
}
