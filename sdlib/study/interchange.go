package study

import (
	"context"
	"encoding/csv"
	"fmt"
	"io"
	"strconv"

	"samediff/sdlib/internal/disk"
	"samediff/sdlib/patch"
	"samediff/sdlib/stimuli"
	"samediff/sdlib/vit"
)

// An Exchange says which values to interchange between pairs of images that differ in little and have other answers:
// twins in discrimination, in RMTS counterfactual pairs whose whole image brings the answer
// about ([patch.Counterfactuals]).
type Exchange struct {
	Pairs int         `json:"pairs"` // at most; 0 for all
	Site  patch.Site  `json:"site"`
	Group patch.Group `json:"group"`
}

// Exchanged is what the model answers to the pairs.
type Exchanged struct {
	Base   patch.Answers   `json:"base"`
	Source patch.Answers   `json:"source"`
	With   []patch.Answers `json:"with"` // at every point of the site
	// Estimates are the mean changes of the margin towards the source's answer at every point
	// as a gradient estimates them ([patch.Experiment.Attribution]), and Changes the exact ones.
	Estimates []float64 `json:"estimates"`
	Changes   []float64 `json:"changes"`
}

// Interchange is what values of one site at one group of tokens bring along, at every point.
var Interchange = Analysis[Exchange, Exchanged]{
	Name: "interchange", Version: 1,
	Compute: func(ctx context.Context, on On, p Exchange) (x Exchanged, err error) {
		e, sources, err := p.open(ctx, on, &x.Base, &x.Source)
		if err != nil {
			return x, err
		}
		defer e.Close()
		estimates, err := e.Attribution(ctx, sources, p.Site, p.Group, on.Report)
		if err != nil {
			return x, err
		}
		for point := range p.Site.Points(on.Model.Config) {
			with, err := e.Interchange(ctx, sources, patch.Swap{Site: p.Site, Point: point, Group: p.Group}, on.Report)
			if err != nil {
				return x, err
			}
			x.With = append(x.With, with)
			estimate, change := 0., 0.
			for i := range with {
				towards := float64(2*sources.Set.Stimulus(sources.Images[i]).Label-1) / float64(len(with))
				estimate += towards * estimates[i][point]
				change += towards * float64(with[i]-x.Base[i])
			}
			x.Estimates, x.Changes = append(x.Estimates, estimate), append(x.Changes, change)
		}
		return x, nil
	},
	Images: func(set *stimuli.Set, p Exchange) int {
		const points = 12 // of a ViT-B's stream, about; the analysis does not know the model
		return 2 * points * max(p.Pairs, 1)
	},
}

// open returns an experiment on the images of the pairs, with their sources, and puts the model's own answers to both into base and source.
func (p Exchange) open(ctx context.Context, on On, base, source *patch.Answers) (*patch.Experiment, *patch.Sources, error) {
	set, images, sources, err := p.pairs(on.Set)
	if err != nil {
		return nil, nil, err
	}
	there, err := patch.NewExperiment(on.Backend, on.Model.Model, sources.Set, sources.Images)
	if err != nil {
		return nil, nil, err
	}
	defer there.Close()
	e, err := patch.NewExperiment(on.Backend, on.Model.Model, set, images)
	if err != nil {
		return nil, nil, err
	}
	if *base, err = e.Base(ctx, on.Report); err == nil {
		*source, err = there.Base(ctx, on.Report)
	}
	if err != nil {
		e.Close()
		return nil, nil, err
	}
	return e, sources, nil
}

// pairs returns the images and their sources, for the images of a set.
func (p Exchange) pairs(set *stimuli.Set) (_ *stimuli.Set, images []int, sources *patch.Sources, err error) {
	if p.Pairs < 0 {
		return nil, nil, nil, fmt.Errorf("%d pairs of images, expected 1 or more, or 0 for all", p.Pairs)
	}
	if set.Config().Task == stimuli.RMTS {
		cf, err := stimuli.OpenCounterfactuals(stimuli.CounterfactualConfig{Set: set.Config(), Property: stimuli.ShapeProperty})
		if err != nil {
			return nil, nil, nil, err
		}
		set = cf.Base()
		images, sources, err = patch.Counterfactuals(cf, true)
		if err != nil {
			return nil, nil, nil, err
		}
	} else if images, sources, err = patch.Twins(set); err != nil {
		return nil, nil, nil, err
	}
	if p.Pairs > 0 {
		images, sources = sources.First(images, p.Pairs)
	}
	return set, images, sources, nil
}

// A Recovering is what interchanges of one site bring along.
type Recovering struct {
	Site   patch.Site         `json:"site"`
	Groups []patch.Group      `json:"groups"`
	Cells  [][]patch.Recovery `json:"cells"` // by group and point
	// Changes and Estimates are the mean changes of the margin towards the source's answer, by
	// group and point: exact, and estimated by a gradient.
	Changes   [][]float64 `json:"changes"`
	Estimates [][]float64 `json:"estimates"`
}

// ExchangeGroups are the groups of tokens that values are interchanged at, for images of a task:
// all tokens for heads, else CLS, each object, and the background.
func ExchangeGroups(task stimuli.Task, site patch.Site) []patch.Group {
	if site == patch.HeadSite {
		return []patch.Group{patch.AllTokens}
	}
	groups := []patch.Group{patch.Group(stimuli.Object1), patch.Group(stimuli.Object2)}
	if task == stimuli.RMTS {
		groups = []patch.Group{patch.SamplePair, patch.Display}
	}
	return append(groups, patch.Background, patch.CLS, patch.AllTokens)
}

// Interchange returns what values of a site bring along from image to image, by group and
// point, over at most so many pairs of images of a set; no groups stand for [ExchangeGroups].
func (l *Lab) Interchange(ctx context.Context, m *Model, set *stimuli.Set, site patch.Site, pairs int, groups ...patch.Group) (Recovering, error) {
	r := Recovering{Site: site, Groups: groups}
	if set == nil {
		return r, fmt.Errorf("interchange: no set was given: expected one of stimuli.Open or Model.HeadSet")
	}
	if len(groups) == 0 {
		r.Groups = ExchangeGroups(set.Config().Task, site)
	}
	for _, g := range r.Groups {
		p := Exchange{Pairs: pairs, Site: site, Group: g}
		x, err := Interchange.Of(ctx, l, m, set, p)
		if err != nil {
			return r, err
		}
		of, images, sources, err := p.pairs(set)
		if err != nil {
			return r, err
		}
		var cells []patch.Recovery
		for _, with := range x.With {
			c, err := patch.Recovered(of, images, sources, x.Base, x.Source, with)
			if err != nil {
				return r, err
			}
			cells = append(cells, c)
		}
		r.Cells, r.Changes, r.Estimates = append(r.Cells, cells), append(r.Changes, x.Changes), append(r.Estimates, x.Estimates)
	}
	return r, nil
}

// recoveryColumns are the columns of the CSV file of interchanges.
var recoveryColumns = []string{"site", "group", "point", "n", "flipped", "share", "low", "high", "margin_recovered", "margin_low", "margin_high", "change", "estimate"}

// WriteRecoveries writes what interchanges bring along as CSV, a line for each group and
// point: the share of flipped answers with Wilson's 95 % interval, the share of the margin with its
// own, and the mean change of the margin, exact and estimated.
func WriteRecoveries(w io.Writer, c vit.Config, all []Recovering) error {
	out := csv.NewWriter(w)
	out.Write(recoveryColumns)
	number := func(v float64) string { return strconv.FormatFloat(v, 'f', 4, 64) }
	for _, r := range all {
		for g, cells := range r.Cells {
			for k, cell := range cells {
				low, high := cell.Flipped.Interval()
				out.Write([]string{string(r.Site), string(r.Groups[g]), r.Site.Name(c, k), strconv.Itoa(cell.Flipped.N), strconv.Itoa(cell.Flipped.Correct),
					number(cell.Flipped.Accuracy()), number(low), number(high), number(cell.Margin), number(cell.Low), number(cell.High), number(r.Changes[g][k]), number(r.Estimates[g][k])})
			}
		}
	}
	out.Flush()
	return out.Error()
}

// SaveRecoveries writes what interchanges bring along to a CSV file, aside and renamed.
func SaveRecoveries(path string, c vit.Config, all []Recovering) error {
	return disk.ReplaceTable(path, func(w io.Writer) error { return WriteRecoveries(w, c, all) })
}

// InterchangeJobs are what [Lab.Interchange] computes for a subject, on the set of [Model.HeadSet].
func (l *Lab) InterchangeJobs(ctx context.Context, s Subject, sites []patch.Site, pairs int) ([]Job, error) {
	learned, err := l.Stimuli(ctx, s)
	if err != nil {
		return nil, err
	}
	set, err := headSet(learned)
	if err != nil {
		return nil, err
	}
	var jobs []Job
	for _, site := range sites {
		for _, g := range ExchangeGroups(learned.Task, site) {
			jobs = append(jobs, Interchange.Job(s, fmt.Sprintf("%s, %s", site, g), set, Exchange{pairs, site, g}))
		}
	}
	return WithTrainings(jobs), nil
}
