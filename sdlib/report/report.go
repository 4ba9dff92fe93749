package report

import (
	"context"
	"errors"
	"fmt"
	"html/template"
	"path/filepath"
	"slices"
	"strings"

	"samediff/sdlib/artifact"
	"samediff/sdlib/figure"
	"samediff/sdlib/paper"
	"samediff/sdlib/stimuli"
	"samediff/sdlib/study"
	"samediff/sdlib/viewer"
)

// A Subject is the model that a report is about.
type Subject struct {
	Lab   *study.Lab
	Name  string // by which the lab finds the model: study.Lab.Model, study.Lab.Adopt
	Model *study.Model
	// Task is what the model was said to have learned, study.Model.Assume; "" where it says so itself, or nobody does.
	Task stimuli.Task
	// Headless is why the model has no answer of its own, as a pretrained backbone; nil where it has one.
	Headless error
	// Set are images of one's own, beside the paper's stimuli; nil for none. SetName is what to call them.
	Set     *stimuli.Set
	SetName string
}

// A Page is a report.
type Page struct {
	Subject  Subject
	Sizes    Sizes
	Sections []Section
	LeftOut  []LeftOut
	// Beside are the paper's claims about its model that is nearest in kind, Reference.
	Beside    []paper.Checked
	Reference string
	// Left is how many chapters are still to come, in a page that is shown while it is made.
	Left int
}

// settled is how many chapters of the plan the page has, or says of that they do not suit the model.
func (p Page) settled() int {
	n := len(Chapters) - p.Left
	for _, l := range p.LeftOut {
		if l.Reason.open() {
			n--
		}
	}
	return n
}

// exact reports whether the page is finished and has the chapters that somebody chose, and no fewer.
func (p Page) exact() bool {
	has := func(r Reason) bool {
		return slices.ContainsFunc(p.LeftOut, func(l LeftOut) bool { return l.Reason == r })
	}
	return p.Left == 0 && has(NotAsked) && !has(NotStored)
}

// A Section is what came of a chapter.
type Section struct {
	Chapter
	Parts []Part
}

// A Part of a section is one of these.
type Part struct {
	Figure *figure.Figure
	Table  *figure.Table
	Viewer *viewer.Page
	Text   string

	made template.HTML // what the page has of it, once that was asked for
}

// LeftOut is a chapter that is not in a report.
type LeftOut struct {
	Title   string
	Why     string
	Reason  Reason
	Command string // that makes a report with it, with MODEL for the model; "" where none would
}

// A Reason is why a chapter, or the rest of one, is not in a report.
type Reason string

const (
	Unsuited  Reason = "" // the model lacks what it needs
	Failed    Reason = "It failed"
	NotAsked  Reason = "Not asked for"
	NotStored Reason = "Not computed" // the lab only reads, study.Options.ReadOnly
)

// open reports whether another report of the same model may have the chapter.
func (r Reason) open() bool { return r == NotAsked || r == NotStored }

// A Chapter is an analysis of the plan.
type Chapter struct {
	Name    string // by which it is chosen: that of its command
	Title   string
	About   string      // what is asked, and how to read the answer
	Group   paper.Group // of the paper's claims that stand beside it; "" for none
	Command string      // shows the same alone, with MODEL for the model

	suits   func(s Subject) error // why not, nil if it does
	write   func(w *work) error
	shipped func(w *work) error // writes it from w.comes, fs.ErrNotExist where that lacks it; nil for a chapter of which nothing comes along
}

// alone is the command that computes the chapter and makes a report of nothing else, with MODEL for the model.
func (c Chapter) alone() string { return "sd report MODEL --chapters " + c.Name }

// Chapters are the plan of a report.
var Chapters = []Chapter{behaviorChapter, headsChapter, searchChapter, novelChapter, probeChapter, knockoutChapter, edgeChapter, interchangeChapter}

// work is a chapter being written.
type work struct {
	ctx context.Context
	Subject
	sizes   Sizes
	found   *paper.Found
	comes   paper.Found // what comes with the repository, for a lab that only reads
	section *Section
}

func (w *work) figure(f *figure.Figure, err error) error {
	if err == nil {
		w.section.Parts = append(w.section.Parts, Part{Figure: f})
	}
	return err
}

func (w *work) table(t figure.Table) { w.section.Parts = append(w.section.Parts, Part{Table: &t}) }

func (w *work) text(format string, args ...any) {
	w.section.Parts = append(w.section.Parts, Part{Text: fmt.Sprintf(format, args...)})
}

// label is the model's name as figures have it: of a path the last part.
func (s Subject) label() string { return s.Model.Label(filepath.Base(s.Name)) }

// Choose returns the chapters of the names, in the order of the plan; all of them if there are no names.
func Choose(names ...string) ([]Chapter, error) {
	for _, name := range names {
		if !slices.ContainsFunc(Chapters, func(c Chapter) bool { return c.Name == name }) {
			return nil, fmt.Errorf("no chapter is called %q, expected some of %s", name, strings.Join(Names(), ", "))
		}
	}
	return slices.DeleteFunc(slices.Clone(Chapters), func(c Chapter) bool { return len(names) > 0 && !slices.Contains(names, c.Name) }), nil
}

// Names are those of all chapters.
func Names() (all []string) {
	for _, c := range Chapters {
		all = append(all, c.Name)
	}
	return all
}

// Write writes chapters of the plan, [Chapters] or some of them. progress, where not nil, is called before every chapter with its
// title and the page so far, and after the last one with "". The error names the chapters that failed, and the page has the others;
// it is that of ctx if the work was interrupted.
//
// With a lab that only reads, a chapter has what the store has, or else, of a model of the course, what comes with the repository.
func Write(ctx context.Context, s Subject, z Sizes, chapters []Chapter, progress func(title string, so Page)) (Page, error) {
	if progress == nil {
		progress = func(string, Page) {}
	}
	page := Page{Subject: s, Sizes: z}
	found := &paper.Found{Name: s.label(), Config: s.Model.Config}
	if sets, err := s.Model.Sets(); err == nil { // else no images of the paper fit it, and the chapters say so
		found.Task, found.Objects = sets[0].Stimuli.Task, sets[0].Stimuli.Objects
	}
	page.Reference = found.Reference()
	comes, err := s.comes()
	if err != nil {
		return page, err
	}
	for _, c := range Chapters {
		if !slices.ContainsFunc(chapters, func(chosen Chapter) bool { return chosen.Name == c.Name }) {
			page.LeftOut = append(page.LeftOut, LeftOut{Title: c.Title, Why: "this computes it:", Reason: NotAsked, Command: c.alone()})
		}
	}
	var failed []error
	for i, chapter := range chapters {
		page.Left = len(chapters) - i
		progress(chapter.Title, page)
		if err := chapter.suits(s); err != nil {
			page.LeftOut = append(page.LeftOut, LeftOut{Title: chapter.Title, Why: err.Error()})
			continue
		}
		section := Section{Chapter: chapter}
		err := (&work{ctx, s, z, found, comes, &section}).chapter()
		if ctx.Err() != nil {
			return page, errors.Join(err, ctx.Err())
		}
		not := unsuited{}
		switch {
		case errors.As(err, &not):
			page.LeftOut = append(page.LeftOut, LeftOut{Title: chapter.Title, Why: not.Error()})
		case s.reads() && errors.Is(err, artifact.ErrNotFound):
			page.LeftOut = append(page.LeftOut, LeftOut{chapter.Title, section.lacks(), NotStored, chapter.alone()})
		case err != nil:
			page.LeftOut = append(page.LeftOut, LeftOut{Title: chapter.Title, Why: err.Error(), Reason: Failed})
			failed = append(failed, fmt.Errorf("%s: %w", chapter.Title, err))
		}
		if len(section.Parts) > 0 { // what there was before it failed
			page.Sections = append(page.Sections, section)
		}
		if page.Beside, err = paper.Beside(*found); err != nil {
			return page, err
		}
	}
	page.Left = 0
	progress("", page)
	return page, errors.Join(failed...)
}
