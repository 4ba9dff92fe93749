package study

import (
	"cmp"
	"context"
	"encoding/csv"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"

	"samediff/sdlib/internal/disk"
	"samediff/sdlib/patch"
	"samediff/sdlib/stimuli"
	"samediff/sdlib/vit"
)

// An Intervention is something that was changed in a model, and what came of it.
type Intervention struct {
	What    string         `json:"what"`              // a head, a choice of heads, an edge
	Where   string         `json:"where"`             // the heads, or the blocks
	How     string         `json:"how"`               // what replaces heads; whether an edge is cut before the softmax or after it
	Control int            `json:"control,omitempty"` // 0, or which draw of random heads of the same blocks
	Effects []patch.Effect `json:"effects"`           // over all images, then by kind

	Head   vit.Head     `json:"-"` // of a sweep over heads
	Edge   patch.Edge   `json:"-"` // of a cut
	Blocks patch.Blocks `json:"-"`
}

// All is the effect over all images.
func (i Intervention) All() patch.Effect { return i.Effects[0] }

// A HeadPlan says how heads are knocked out.
type HeadPlan struct {
	Sample HeadSample
	By     patch.Replacement
	Seed   uint64 // of patch.Resample
	Top    int    // heads chosen by each measure, see Controlled
	Draws  int
}

// An EdgePlan says which edges are cut.
type EdgePlan struct {
	Sample       HeadSample
	Edges        []patch.Edge // nil for those of patch.Edges
	Width        int          // blocks in a range; 0 for a quarter of the model
	AfterSoftmax bool
}

// base is the knock-out of nothing.
func base(s HeadSample) KnockOutList { return KnockOutList{s, []patch.KnockOut{{}}} }

// sweep lists the knock-outs of a model's heads, one at a time, a list for each block, so
// that a sweep that is stopped goes on with its block.
func (p HeadPlan) sweep(c vit.Config) []KnockOutList {
	lists := make([]KnockOutList, c.Blocks)
	for l := range lists {
		lists[l].Sample = p.Sample
		for h := range c.Heads {
			lists[l].KnockOuts = append(lists[l].KnockOuts, patch.KnockOut{Heads: []vit.Head{{Block: l, Head: h}}, By: p.By, Seed: p.Seed})
		}
	}
	return lists
}

// groups lists the groups of heads, one for each measure that images of a task have.
func (p HeadPlan) groups(task stimuli.Task) []Controlled {
	var all []Controlled
	for _, by := range patch.Choices(task) {
		all = append(all, Controlled{p.Sample, by, p.Top, p.Draws, p.By, p.Seed})
	}
	return all
}

// HeadSweep returns what each of a model's heads does to its answers on a set, block by
// block: the effect of knocking out that head alone.
func (l *Lab) HeadSweep(ctx context.Context, m *Model, set *stimuli.Set, p HeadPlan) ([]Intervention, error) {
	images, before, err := l.before(ctx, m, set, p.Sample)
	if err != nil {
		return nil, err
	}
	var all []Intervention
	for block, list := range p.sweep(m.Config) {
		answers, err := KnockOuts.Of(ctx, l, m, set, list)
		if err != nil {
			return nil, err
		}
		for h, after := range answers {
			effects, err := patch.Compare(set, images, before, after)
			if err != nil {
				return nil, err
			}
			head := vit.Head{Block: block, Head: h}
			all = append(all, Intervention{What: "head", Where: names([]vit.Head{head}), How: p.By.String(), Effects: effects, Head: head})
		}
	}
	return all, nil
}

// HeadGroups returns what the strongest heads by each measure of attention do together to
// the answers, and random heads of the same blocks (Control 1, 2, ...).
func (l *Lab) HeadGroups(ctx context.Context, m *Model, set *stimuli.Set, p HeadPlan) ([]Intervention, error) {
	images, before, err := l.before(ctx, m, set, p.Sample)
	if err != nil {
		return nil, err
	}
	var all []Intervention
	for _, choice := range p.groups(set.Config().Task) {
		groups, err := HeadGroups.Of(ctx, l, m, set, choice)
		if err != nil {
			return nil, err
		}
		for _, g := range groups {
			effects, err := patch.Compare(set, images, before, g.Answers)
			if err != nil {
				return nil, err
			}
			all = append(all, Intervention{What: string(choice.By), Where: names(g.Heads), How: p.By.String(), Control: g.Draw, Effects: effects})
		}
	}
	return all, nil
}

// names are heads as "L3H1 L4H0", in the order of blocks and heads.
func names(heads []vit.Head) string {
	heads = slices.SortedFunc(slices.Values(heads), func(a, b vit.Head) int {
		return cmp.Or(cmp.Compare(a.Block, b.Block), cmp.Compare(a.Head, b.Head))
	})
	var all []string
	for _, h := range heads {
		all = append(all, fmt.Sprintf("L%dH%d", h.Block, h.Head))
	}
	return strings.Join(all, " ")
}

// lists returns the cuts, a list for each edge: in every range of blocks, and in all blocks.
func (p EdgePlan) lists(c vit.Config, task stimuli.Task) ([]CutList, error) {
	edges := p.Edges
	if edges == nil {
		edges = patch.Edges(task)
	}
	width := p.Width
	if width == 0 {
		width = max(1, c.Blocks/4)
	}
	ranges, err := patch.Sliding(c, width)
	if err != nil {
		return nil, err
	}
	if width < c.Blocks {
		ranges = append(ranges, patch.Blocks{First: 0, Last: c.Blocks - 1})
	}
	var lists []CutList
	for _, edge := range edges {
		list := CutList{Sample: p.Sample}
		for _, b := range ranges {
			list.Cuts = append(list.Cuts, patch.Cut{Edges: []patch.Edge{edge}, Blocks: b, AfterSoftmax: p.AfterSoftmax})
		}
		lists = append(lists, list)
	}
	return lists, nil
}

// EdgeCuts returns what it does to the answers to cut each edge in ranges of blocks, edge
// by edge, the ranges from the lowest to the highest and all blocks at last.
func (l *Lab) EdgeCuts(ctx context.Context, m *Model, set *stimuli.Set, p EdgePlan) ([]Intervention, error) {
	images, before, err := l.before(ctx, m, set, p.Sample)
	if err != nil {
		return nil, err
	}
	lists, err := p.lists(m.Config, set.Config().Task)
	if err != nil {
		return nil, err
	}
	how := "before softmax"
	if p.AfterSoftmax {
		how = "after softmax"
	}
	var all []Intervention
	for _, list := range lists {
		answers, err := Cuts.Of(ctx, l, m, set, list)
		if err != nil {
			return nil, err
		}
		for i, cut := range list.Cuts {
			effects, err := patch.Compare(set, images, before, answers[i])
			if err != nil {
				return nil, err
			}
			all = append(all, Intervention{What: cut.Edges[0].String(), Where: cut.Blocks.String(), How: how, Effects: effects, Edge: cut.Edges[0], Blocks: cut.Blocks})
		}
	}
	return all, nil
}

// before returns the images of a sample and the model's answers without an intervention.
func (l *Lab) before(ctx context.Context, m *Model, set *stimuli.Set, s HeadSample) ([]int, patch.Answers, error) {
	if set == nil {
		return nil, nil, fmt.Errorf("knock-out: no set was given: expected one of stimuli.Open, ImportSet or Lab.HeadSet")
	}
	answers, err := KnockOuts.Of(ctx, l, m, set, base(s))
	if err != nil {
		return nil, nil, err
	}
	images, err := s.images(set)
	return images, answers[0], err
}

// HeadSet returns the set that [Lab.Heads] scores a model's heads on: the IID test split of
// the stimuli that it was trained on.
func (m *Model) HeadSet() (*stimuli.Set, error) {
	c, err := m.stimuli()
	if err != nil {
		return nil, err
	}
	return headSet(c)
}

// InterventionJobs are what a figure of heads (heads not nil) and of edges needs for a subject.
func (l *Lab) InterventionJobs(ctx context.Context, s Subject, heads *HeadPlan, edges *EdgePlan) ([]Job, error) {
	learned, err := l.Stimuli(ctx, s)
	if err != nil {
		return nil, err
	}
	set, err := headSet(learned)
	if err != nil {
		return nil, err
	}
	c, err := l.config(ctx, s)
	if err != nil {
		return nil, err
	}
	var jobs []Job
	if heads != nil {
		jobs = append(jobs, HeadScores.Job(s, "", set, heads.Sample), KnockOuts.Job(s, "nothing", set, base(heads.Sample)))
		for block, list := range heads.sweep(c) {
			jobs = append(jobs, KnockOuts.Job(s, fmt.Sprintf("heads of block %d, by %s", block, heads.By), set, list))
		}
		for _, choice := range heads.groups(learned.Task) {
			jobs = append(jobs, HeadGroups.Job(s, fmt.Sprintf("the strongest %d heads by %s, and random ones, by %s", choice.Top, choice.By, heads.By), set, choice))
		}
	}
	if edges != nil {
		jobs = append(jobs, KnockOuts.Job(s, "nothing", set, base(edges.Sample)))
		lists, err := edges.lists(c, learned.Task)
		if err != nil {
			return nil, err
		}
		for _, list := range lists {
			jobs = append(jobs, Cuts.Job(s, list.Cuts[0].Edges[0].String(), set, list))
		}
	}
	return WithTrainings(jobs), nil
}

// interventionColumns are the columns of the CSV file of interventions.
var interventionColumns = []string{"what", "where", "how", "control", "kind", "n", "base_accuracy", "accuracy", "low", "high",
	"change", "change_low", "change_high", "lost", "won", "p", "base_margin", "margin"}

// WriteInterventions writes interventions as CSV, a line for each kind of images: accuracies
// with Wilson's 95 % interval, the change with a paired one ([patch.Effect.Change]), and
// McNemar's p.
func WriteInterventions(w io.Writer, all []Intervention) error {
	out := csv.NewWriter(w)
	out.Write(interventionColumns)
	number := func(v float64) string { return strconv.FormatFloat(v, 'f', 4, 64) }
	for _, i := range all {
		for _, e := range i.Effects {
			low, high := e.With.Interval()
			change, least, most := e.Change()
			out.Write([]string{i.What, i.Where, i.How, strconv.Itoa(i.Control), e.Kind, strconv.Itoa(e.With.N),
				number(e.Base.Accuracy()), number(e.With.Accuracy()), number(low), number(high), number(change), number(least), number(most),
				strconv.Itoa(e.Lost), strconv.Itoa(e.Won), strconv.FormatFloat(e.P(), 'g', 3, 64), number(e.BaseMargin), number(e.WithMargin)})
		}
	}
	out.Flush()
	return out.Error()
}

// SaveInterventions writes interventions to a CSV file, aside and renamed.
func SaveInterventions(path string, all []Intervention) error {
	return disk.ReplaceTable(path, func(w io.Writer) error { return WriteInterventions(w, all) })
}
