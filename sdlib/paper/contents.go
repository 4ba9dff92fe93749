package paper

import (
	"context"
	"fmt"
	"strings"

	"samediff/sdlib/attention"
	"samediff/sdlib/figure"
	"samediff/sdlib/stimuli"
	"samediff/sdlib/study"
)

// An Item is a figure or a table of the paper: which models it is about, which results it
// needs, and how it is drawn. [Contents] lists them. The command line, plans and notebooks
// go through this list, so that an appendix figure is a row of it.
type Item struct {
	Kind   Kind
	Number string // "2", "11"
	Title  string
	Where  string // section of the paper

	// Models are the models that the item shows unless others are asked for, by scale; empty
	// for an item without models. They are names that study.Lab.Subject takes.
	Models map[study.Scale][]string

	// Task and Objects are what its models learned; "" where the item is about several.
	Task    stimuli.Task
	Objects stimuli.Objects

	// Jobs are the results that the item needs; nil for none.
	Jobs func(ctx context.Context, l *study.Lab, r Request) ([]study.Job, error)
	// Draw makes the item, from results that the lab has or computes; nil for an item that this
	// library does not have yet.
	Draw func(ctx context.Context, l *study.Lab, r Request) (Drawing, error)
}

// Kind is what an item is.
type Kind string

// The kinds of items.
const (
	AFigure Kind = "figure"
	ATable  Kind = "table"
)

// A Request says for what an item is drawn. The zero value stands for the item's own
// models at course scale.
type Request struct {
	Scale    study.Scale            // "" is study.CourseScale
	Models   []study.Subject        // in place of the item's own
	Geometry stimuli.Geometry       // of figures that show stimuli; the zero value is stimuli.B16
	Trained  bool                   // only models that are there already
	Known    []study.AblationResult // rows of Tables 1, 7 and 8 that need no training
	Heads    []attention.Head       // of Figures 21 and 22; nil for those that the scores choose
	Image    int                    // of Figures 21 and 22, in the set that heads are scored on
}

// A Drawing is what came of an item: a figure or a table.
type Drawing struct {
	Figure *figure.Figure
	Table  *figure.Table
	Losses []study.AblationResult // what Tables 1, 7 and 8 were made from
}

// String is the item's name: "figure 2".
func (i Item) String() string { return string(i.Kind) + " " + i.Number }

// Find returns an item of [Contents]. The error lists those that there are.
func Find(kind Kind, number string) (Item, error) {
	for _, i := range Contents {
		if i.Kind == kind && i.Number == number {
			return i, nil
		}
	}
	return Item{}, fmt.Errorf("the paper has no %s %q, expected one of %s", kind, number, strings.Join(Numbers(kind), ", "))
}

// Numbers lists the numbers of the items of a kind that can be drawn.
func Numbers(kind Kind) []string {
	var all []string
	for _, i := range Contents {
		if i.Kind == kind && i.Draw != nil {
			all = append(all, i.Number)
		}
	}
	return all
}

// subjects returns the models of a request, those of the item where it names none. With
// Trained, only those that are there.
func (i Item) subjects(ctx context.Context, l *study.Lab, r Request) ([]study.Subject, error) {
	all := r.Models
	if len(all) == 0 {
		names := i.Models[r.scale()]
		if len(names) == 0 {
			return nil, fmt.Errorf("%v has no models at %s scale: name some", i, r.scale())
		}
		for _, name := range names {
			s, err := l.Subject(ctx, name)
			if err != nil {
				return nil, fmt.Errorf("%v: %w", i, err)
			}
			all = append(all, s)
		}
	}
	if !r.Trained {
		return all, nil
	}
	var there []study.Subject
	for _, s := range all {
		ok, err := l.Has(ctx, s)
		if err != nil {
			return nil, err
		}
		if ok {
			there = append(there, s)
		}
	}
	return there, nil
}

// each returns what show makes of every model of a request, in the order of its subjects.
func each[T any](ctx context.Context, i Item, l *study.Lab, r Request, show func(s study.Subject, m *study.Model) (T, error)) ([]T, error) {
	subjects, err := i.subjects(ctx, l, r)
	if err != nil {
		return nil, err
	}
	var all []T
	for _, s := range subjects {
		m, err := l.Model(ctx, s)
		if err != nil {
			return nil, err
		}
		one, err := show(s, m)
		if err != nil {
			return nil, err
		}
		all = append(all, one)
	}
	return all, nil
}

// learned returns the stimuli that a subject is asked about: those that it learned, which
// must be what the item is about, or for a model that does not say what it learned, the item's.
func (i Item) learned(ctx context.Context, l *study.Lab, s study.Subject) (stimuli.Config, error) {
	if i.Task == "" {
		return l.Stimuli(ctx, s)
	}
	c, known, err := l.Learned(ctx, s)
	if err != nil {
		return c, err
	}
	if !known {
		c.Task, c.Objects = i.Task, i.Objects
		return c.Resolved()
	}
	if c.Task != i.Task || c.Objects != i.Objects {
		return c, fmt.Errorf("%v is about %s with %s combinations of shape and color, but %s learned %s with %s", i, i.Task, i.Objects, s.Name, c.Task, c.Objects)
	}
	return c, nil
}

func (r Request) scale() study.Scale {
	if r.Scale == "" {
		return study.CourseScale
	}
	return r.Scale
}

func (r Request) geometry() stimuli.Geometry {
	if r.Geometry == (stimuli.Geometry{}) {
		return stimuli.B16
	}
	return r.Geometry
}
