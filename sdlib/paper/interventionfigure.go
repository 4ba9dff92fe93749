package paper

import (
	"errors"
	"fmt"
	"math"
	"slices"

	"samediff/sdlib/figure"
	"samediff/sdlib/patch"
	"samediff/sdlib/study"
)

// A KnockOutPanel is one model in a [KnockOutFigure]: what [study.Lab.HeadSweep] and
// [study.Lab.HeadGroups] return. Either may be empty.
type KnockOutPanel struct {
	Title  string
	Sweep  []study.Intervention
	Groups []study.Intervention
}

// KnockOutFigure shows what models lose without some of their heads, one model below the
// other: on the left the accuracy lost without each single head, red for a loss and blue
// for a gain; on the right the accuracy without the strongest heads by each measure of
// attention, beside draws of as many random heads of the same blocks. The paper has no such
// figure: its section 3 shows where heads look, this one whether they are needed.
func KnockOutFigure(panels ...KnockOutPanel) (*figure.Figure, error) {
	if len(panels) == 0 {
		return nil, errors.New("paper: a figure of knock-outs was given no panels: expected those of one model or more")
	}
	var rows []*figure.Figure
	for _, p := range panels {
		var parts []*figure.Figure
		if len(p.Sweep) > 0 {
			parts = append(parts, sweepMap(p.Sweep))
		}
		if len(p.Groups) > 0 {
			parts = append(parts, groupDots(p.Groups))
		}
		if len(parts) == 0 {
			return nil, fmt.Errorf("paper: the panel %q has no knock-outs: expected those of Lab.HeadSweep or Lab.HeadGroups", p.Title)
		}
		rows = append(rows, figure.Grid{Title: p.Title, Figures: parts, NoLetters: true}.Figure())
	}
	return checked(figure.Grid{Figures: rows, Columns: 1, NoLetters: len(rows) < 2}.Figure())
}

// sweepMap draws the accuracy lost without each head, heads by blocks.
func sweepMap(sweep []study.Intervention) *figure.Figure {
	var lost [][]float64 // [L][H]
	scale := .05         // smaller losses are pale
	worst := sweep[0]
	for _, i := range sweep {
		for i.Head.Block >= len(lost) {
			lost = append(lost, nil)
		}
		v := loss(i)
		lost[i.Head.Block] = append(lost[i.Head.Block], v)
		scale = max(scale, math.Abs(v))
		if v > loss(worst) {
			worst = i
		}
	}
	all := worst.All()
	return figure.HeatMap{
		Values: transpose(lost), Min: -scale, Max: scale, Map: figure.RdBu(),
		Title: "Without one head (" + worst.How + ")", XLabel: "block", YLabel: "head", BarLabel: "accuracy lost",
		Alt: fmt.Sprintf("Heat map of %d heads (rows) in %d blocks (columns): the accuracy lost when the head is knocked out, by %s. "+
			"Without any, the accuracy is %.3f over %d images. The most is lost without %s, %.3f.",
			len(lost[0]), len(lost), worst.How, all.Base.Accuracy(), all.Base.N, worst.Head, loss(worst)),
	}.Figure()
}

// loss is the accuracy that an intervention takes.
func loss(i study.Intervention) float64 {
	change, _, _ := i.All().Change()
	return 0 - change // no negative zero
}

// groupDots draws the accuracy without the strongest heads and without random ones.
func groupDots(groups []study.Intervention) *figure.Figure {
	d := figure.Dots{
		Groups: []figure.DotGroup{{Name: "strongest"}, {Name: "random,\nsame blocks", Color: figure.SeriesColor(6)}},
		Title:  "Without several heads (" + groups[0].How + ")", YLabel: "accuracy", YMax: 1.01,
		Guides: []figure.Guide{{Value: groups[0].All().Base.Accuracy(), Name: "all heads"}, {Value: .5, Name: "chance"}},
	}
	lowest := .5
	for _, g := range groups {
		c := slices.Index(d.Categories, g.What)
		if c < 0 {
			c = len(d.Categories)
			d.Categories = append(d.Categories, g.What)
			for i := range d.Groups {
				d.Groups[i].Values = append(d.Groups[i].Values, nil)
			}
		}
		to := &d.Groups[min(g.Control, 1)]
		to.Values[c] = append(to.Values[c], g.All().With.Accuracy())
		lowest = min(lowest, g.All().With.Accuracy())
	}
	d.YMin = max(0, math.Floor(lowest*10)/10-.05)
	return d.Figure()
}

// An EdgePanel is one model in an [EdgeFigure]: what [study.Lab.EdgeCuts] returns.
type EdgePanel struct {
	Title string
	Cuts  []study.Intervention
}

// EdgeFigure shows which way the answer takes: the accuracy lost when tokens of one
// group no longer read those of another, for each edge (rows) in ranges of blocks (columns).
// The paper suspects that objects are compared first, and that what comes of it reaches
// CLS over the background (section 3).
func EdgeFigure(panels ...EdgePanel) (*figure.Figure, error) {
	if len(panels) == 0 {
		return nil, errors.New("paper: a figure of edges was given no panels: expected those of one model or more")
	}
	var maps []*figure.Figure
	for _, p := range panels {
		if len(p.Cuts) == 0 {
			return nil, fmt.Errorf("paper: the panel %q has no edges: expected those of Lab.EdgeCuts", p.Title)
		}
		maps = append(maps, p.figure())
	}
	return checked(figure.Grid{Figures: maps, Columns: 1, NoLetters: len(maps) < 2}.Figure())
}

func (p EdgePanel) figure() *figure.Figure {
	var edges []patch.Edge
	var ranges []patch.Blocks
	for _, i := range p.Cuts {
		if !slices.Contains(edges, i.Edge) {
			edges = append(edges, i.Edge)
		}
		if !slices.Contains(ranges, i.Blocks) {
			ranges = append(ranges, i.Blocks)
		}
	}
	heat := figure.HeatMap{
		Values: make([][]float64, len(edges)), Map: figure.RdBu(), Title: p.Title,
		XLabel: "blocks in which the edge is cut", BarLabel: "accuracy lost", CellFormat: "%.2f",
		Width: 2.9 + .42*float64(len(ranges)), Height: .9 + .26*float64(len(edges)),
	}
	for e, edge := range edges {
		heat.Values[e] = make([]float64, len(ranges))
		heat.YTicks = append(heat.YTicks, edgeName(edge))
	}
	scale, worst := .05, p.Cuts[0]
	for _, i := range p.Cuts {
		v := loss(i)
		heat.Values[slices.Index(edges, i.Edge)][slices.Index(ranges, i.Blocks)] = v
		scale = max(scale, math.Abs(v))
		if v > loss(worst) {
			worst = i
		}
	}
	heat.Min, heat.Max = -scale, scale
	for k, b := range ranges {
		name := b.String()
		if k == len(ranges)-1 && len(ranges) > 1 && b.First == 0 {
			name = "all"
		}
		heat.XTicks = append(heat.XTicks, name)
	}
	all := worst.All()
	heat.Alt = fmt.Sprintf("%s. Heat map of %d edges (rows) cut in %d ranges of blocks (columns), %s: the accuracy lost of %.3f over %d images. "+
		"The most is lost without %s in blocks %s, %.3f.", p.Title, len(edges), len(ranges), worst.How, all.Base.Accuracy(), all.Base.N, worst.Edge, worst.Blocks, loss(worst))
	return heat.Figure()
}

// edgeName says an edge in words where its ends are seen from an object.
func edgeName(e patch.Edge) string {
	switch e {
	case patch.Edge{From: patch.Own, To: patch.Objects}:
		return "object → itself"
	case patch.Edge{From: patch.Partner, To: patch.Objects}:
		return "object → partner"
	case patch.Edge{From: patch.Others, To: patch.Objects}:
		return "pair → other pair"
	}
	return e.String()
}
