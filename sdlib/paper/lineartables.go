package paper

import (
	"fmt"
	"maps"
	"slices"
	"strconv"

	"samediff/sdlib/figure"
	"samediff/sdlib/finetune"
	"samediff/sdlib/probe"
	"samediff/sdlib/study"
)

// withInterval writes a share with Wilson's 95 % interval: "0.983 (0.980–0.986)".
func withInterval(s finetune.Score) string {
	low, high := s.Interval()
	return fmt.Sprintf("%.3f (%.3f–%.3f)", s.Accuracy(), low, high)
}

// ProbeTable shows what the probe of each block gets right: of the items that it was trained
// on, of those it never saw with Wilson's 95 % interval, and of their parts.
func ProbeTable(p study.Probed, s study.ProbeSpec) figure.Table {
	t := figure.Table{Columns: []string{"block", "reads", "training", "test", "95 % interval"}}
	if len(p.Rows) == 0 {
		return t
	}
	parts := slices.Sorted(maps.Keys(p.Rows[0].Test.Parts))
	t.Title = fmt.Sprintf("Probes of %s (%s): %d items for training, %d for the test", s.Target, s.Method, p.Items, p.Rows[0].Test.All.N)
	t.Columns = append(t.Columns, parts...)
	for _, r := range p.Rows {
		low, high := r.Test.All.Interval()
		row := []string{strconv.Itoa(r.Block), r.Place, fmt.Sprintf("%.3f", r.Train.Accuracy()), fmt.Sprintf("%.3f", r.Test.All.Accuracy()), fmt.Sprintf("%.3f–%.3f", low, high)}
		for _, part := range parts {
			row = append(row, fmt.Sprintf("%.3f", r.Test.Parts[part].Accuracy()))
		}
		t.Rows = append(t.Rows, row)
	}
	return t
}

// SteerTable shows how often the answer is the opposite of the label after a direction was
// added, by block; the title has the share without one. Blocks whose numbers follow from the
// model's own answers are marked.
func SteerTable(effects []probe.Effect) figure.Table {
	t := figure.Table{Columns: []string{"block"}}
	if len(effects) == 0 {
		return t
	}
	floor := effects[0].Flipped(nil)
	t.Title = fmt.Sprintf("Answers that are the opposite of the label, of %d; without an intervention %s", floor.N, withInterval(floor))
	rows := map[int][]string{}
	var blocks []int
	for _, e := range effects[1:] {
		if rows[e.Block] == nil {
			name := strconv.Itoa(e.Block)
			if e.Derived {
				name += " (derived)"
			}
			rows[e.Block] = []string{name}
			blocks = append(blocks, e.Block)
		}
		if e.Block == effects[1].Block {
			t.Columns = append(t.Columns, fmt.Sprintf("%s, α %g", e.Direction, e.Alpha))
		}
		rows[e.Block] = append(rows[e.Block], withInterval(e.Flipped(nil)))
	}
	for _, b := range blocks {
		t.Rows = append(t.Rows, rows[b])
	}
	return t
}

// FlipTable takes the effect of the opposite direction apart, at the block and the factor where
// it is largest: which pairs flip an answer and which do not, by how the pair that is changed
// differs, by the relation of the other pair, and by whether the model's own answer was right.
func FlipTable(effects []probe.Effect) figure.Table {
	t := figure.Table{Columns: []string{"changed pair", "differs in", "other pair", "own answer", "pairs", "flipped", "95 % interval"}}
	var best *probe.Effect
	for i, e := range effects {
		if e.Direction == probe.Opposite && (best == nil || e.Flipped(nil).Correct > best.Flipped(nil).Correct) {
			best = &effects[i]
		}
	}
	if best == nil {
		return t
	}
	t.Title = fmt.Sprintf("What flips after block %d, α %g", best.Block, best.Alpha)
	for _, c := range best.Cells {
		other, own := "none", "right"
		switch c.Other {
		case 0:
			other = "different"
		case 1:
			other = "same"
		}
		if !c.Right {
			own = "wrong"
		}
		s := finetune.Score{N: c.N, Correct: c.Opposite}
		low, high := s.Interval()
		t.Add(c.Pair, c.Kind, other, own, c.N, fmt.Sprintf("%.3f", s.Accuracy()), fmt.Sprintf("%.3f–%.3f", low, high))
	}
	return t
}

// GeometryTable shows how long the directions are against the stream, and where they point.
func GeometryTable(g *probe.Geometry) figure.Table {
	t := figure.Table{Title: "Directions: lengths, angles, and α from mean to mean", Columns: []string{
		"probe at", "row of same", "row of different", "cosine of rows", "stream", "same / stream", "means apart", "cosine with means", "α between means", "cosine with next"}}
	if g == nil {
		return t
	}
	for i, p := range g.Places {
		next := ""
		if i+1 < len(g.Places) {
			next = fmt.Sprintf("%.3f", g.Cosine[i][i+1])
		}
		ratio := 0.
		if p.Stream > 0 {
			ratio = p.Same / p.Stream
		}
		t.Add(p.Place, p.Same, p.Different, p.RowCosine, p.Stream, ratio, p.Means, p.MeansCosine, p.Separation, next)
	}
	return t
}
