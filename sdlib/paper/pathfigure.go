package paper

import (
	"errors"
	"fmt"
	"math"

	"samediff/sdlib/figure"
	"samediff/sdlib/patch"
	"samediff/sdlib/study"
)

// A PathPanel is what every head sends to some heads, or to the answer ([study.Lab.Paths]).
type PathPanel struct {
	Title string
	study.PathsFound
}

// PathFigure shows which heads others read: for each panel, heads by blocks, the share of the way from an
// image's margin to its source's that what the head has on the source brings about when it
// reaches the receivers alone; red towards the source's answer, blue away from it. Where total is
// not nil it is in front of them: the same by all paths of the head together, which is the
// interchange of the head ([study.Lab.Interchange] of patch.HeadSite). Each map has a scale of its own.
func PathFigure(total *study.Recovering, panels ...PathPanel) (*figure.Figure, error) {
	if len(panels) == 0 {
		return nil, errors.New("paper: a figure of paths was given no panels: expected those of Lab.Paths")
	}
	var all []*figure.Figure
	if total != nil {
		if total.Site != patch.HeadSite || len(total.Cells) != 1 || len(panels[0].Cells) == 0 {
			return nil, fmt.Errorf("paper: the paths of all heads together are interchanges of %q, got %q", patch.HeadSite, total.Site)
		}
		heads := len(panels[0].Cells[0])
		var byBlock [][]patch.Recovery
		for k := 0; k < len(total.Cells[0]); k += heads {
			byBlock = append(byBlock, total.Cells[0][k:k+heads])
		}
		all = append(all, pathHeat("All paths of a head", byBlock))
	}
	for _, p := range panels {
		if len(p.Cells) == 0 {
			return nil, fmt.Errorf("paper: the panel %q has no paths: expected those of Lab.Paths", p.Title)
		}
		title := "To " + p.Receiver()
		if p.Title != "" {
			title = p.Title + "\n" + title
		}
		all = append(all, pathHeat(title, p.Cells))
	}
	columns := min(3, len(all))
	if len(all) == 4 {
		columns = 2
	}
	return checked(figure.Grid{Figures: all, Columns: columns, NoLetters: true}.Figure())
}

// pathHeat draws the share of the margin that comes along, heads by blocks.
func pathHeat(title string, cells [][]patch.Recovery) *figure.Figure {
	rows := make([][]float64, len(cells[0])) // [H][L]
	most, best := .01, ""
	for block, heads := range cells {
		for h, c := range heads {
			rows[h] = append(rows[h], c.Margin)
			if math.Abs(c.Margin) >= most {
				most, best = math.Abs(c.Margin), fmt.Sprintf(" The most, %+.3f, comes from block %d, head %d.", c.Margin, block, h)
			}
		}
	}
	return figure.HeatMap{Values: rows, Min: -most, Max: most, Map: figure.RdBu(), Title: title, XLabel: "block", YLabel: "head", BarLabel: "margin recovered",
		Alt: fmt.Sprintf("%s. Heat map, heads by blocks: share of the margin that comes along, over %d pairs of images.%s", title, cells[0][0].Flipped.N, best)}.Figure()
}

// PathTable lists the senders that bring the most along, whichever way.
func PathTable(p study.PathsFound, count int) figure.Table {
	t := figure.Table{Title: "Paths to " + p.Receiver(), Columns: []string{"from", "pairs", "margin", "95 % interval", "flipped", "95 % interval"}}
	for _, h := range p.Strongest() {
		if len(t.Rows) == count {
			break
		}
		c := p.Cells[h.Block][h.Head]
		low, high := c.Flipped.Interval()
		t.Add(h, c.Flipped.N, fmt.Sprintf("%+.3f", c.Margin), fmt.Sprintf("%+.3f to %+.3f", c.Low, c.High), c.Flipped.Accuracy(), fmt.Sprintf("%.3f–%.3f", low, high))
	}
	return t
}
