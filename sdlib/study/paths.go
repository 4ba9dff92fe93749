package study

import (
	"cmp"
	"context"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"math"
	"slices"
	"strconv"
	"strings"

	"samediff/sdlib/internal/disk"
	"samediff/sdlib/patch"
	"samediff/sdlib/stimuli"
	"samediff/sdlib/vit"
)

// PathQuery asks what the heads of a block, one at a time, send to others, or to the answer, over pairs
// of images as those of [Exchange].
type PathQuery struct {
	Pairs int        `json:"pairs"`          // at most; 0 for all
	Block int        `json:"block"`          // of the senders
	To    []vit.Head `json:"to,omitempty"`   // receivers in later blocks; none for the answer
	MLPs  bool       `json:"mlps,omitempty"` // MLPs on the way pass on what reaches them, see [patch.Path]
}

// PathAnswers is what the model answers to the pairs.
type PathAnswers struct {
	Base   patch.Answers   `json:"base"`
	Source patch.Answers   `json:"source"`
	With   []patch.Answers `json:"with"` // for each head of the block
}

// Paths is what paths from the heads of a block bring along ([patch.Experiment.Path]).
var Paths = Analysis[PathQuery, PathAnswers]{
	Name: "path patching", Version: 1,
	Compute: func(ctx context.Context, on On, p PathQuery) (x PathAnswers, err error) {
		e, sources, err := Exchange{Pairs: p.Pairs}.open(ctx, on, &x.Base, &x.Source)
		if err != nil {
			return x, err
		}
		defer e.Close()
		for h := range on.Model.Config.Heads {
			with, err := e.Path(ctx, sources, patch.Path{From: vit.Head{Block: p.Block, Head: h}, To: p.To, MLPs: p.MLPs}, on.Report)
			if err != nil {
				return x, err
			}
			x.With = append(x.With, with)
		}
		return x, nil
	},
	Images: func(_ *stimuli.Set, p PathQuery) int {
		const passes, heads = 4, 12 // of a ViT-B; the analysis does not know the model
		return passes * heads * max(p.Pairs, 1)
	},
}

// PathsFound is what paths from every head of the blocks in front of the receivers bring along.
type PathsFound struct {
	To    []vit.Head         `json:"to,omitempty"` // none for the answer
	MLPs  bool               `json:"mlps,omitempty"`
	Cells [][]patch.Recovery `json:"cells"` // by the sender's block and head
}

// Receiver names where the paths lead: "the answer", "block 3, head 1 and block 3, head 2".
func (p PathsFound) Receiver() string {
	if len(p.To) == 0 {
		return "the answer"
	}
	var names []string
	for _, h := range p.To {
		names = append(names, h.String())
	}
	return strings.Join(names, " and ")
}

// Paths returns what every head of an earlier block sends to some heads, together, or with none the
// answer directly: path patching over at most so many pairs of images of a set, the pairs of
// [Lab.Interchange], whose change at a head is what all its paths carry together. With mlps the MLPs on the way pass on
// what reaches them. Results are kept block by block, so an interrupted call goes on.
func (l *Lab) Paths(ctx context.Context, m *Model, set *stimuli.Set, pairs int, mlps bool, to ...vit.Head) (PathsFound, error) {
	found := PathsFound{To: to, MLPs: mlps}
	if set == nil {
		return found, errors.New("path patching: no set was given: expected one of stimuli.Open or Model.HeadSet")
	}
	if _, err := m.Config.HeadMask(to...); err != nil {
		return found, fmt.Errorf("path patching: %w", err)
	}
	senders := m.Config.Blocks // blocks of heads that a path can begin at
	for _, h := range to {
		senders = min(senders, h.Block)
	}
	if senders == 0 {
		return found, fmt.Errorf("path patching: no head comes before %s: expected receivers from block 1 on", found.Receiver())
	}
	of, images, sources, err := Exchange{Pairs: pairs}.pairs(set)
	if err != nil {
		return found, fmt.Errorf("path patching: %w", err)
	}
	for block := range senders {
		x, err := Paths.Of(ctx, l, m, set, PathQuery{Pairs: pairs, Block: block, To: to, MLPs: mlps})
		if err != nil {
			return found, err
		}
		var cells []patch.Recovery
		for _, with := range x.With {
			c, err := patch.Recovered(of, images, sources, x.Base, x.Source, with)
			if err != nil {
				return found, err
			}
			cells = append(cells, c)
		}
		found.Cells = append(found.Cells, cells)
	}
	return found, nil
}

// pathColumns are the columns of the CSV file of paths.
var pathColumns = []string{"from", "to", "mlps", "n", "flipped", "share", "low", "high", "margin_recovered", "margin_low", "margin_high"}

// WritePaths writes what paths bring along as CSV, a line for each sender, as BLOCK.HEAD: the share of flipped answers
// with Wilson's 95 % interval and the share of the margin with its own.
func WritePaths(w io.Writer, all ...PathsFound) error {
	out := csv.NewWriter(w)
	out.Write(pathColumns)
	number := func(v float64) string { return strconv.FormatFloat(v, 'f', 4, 64) }
	for _, p := range all {
		to, mlps := "answer", "kept"
		if len(p.To) > 0 {
			var names []string
			for _, h := range p.To {
				names = append(names, fmt.Sprintf("%d.%d", h.Block, h.Head))
			}
			to = strings.Join(names, "+")
		}
		if p.MLPs {
			mlps = "pass on"
		}
		for block, cells := range p.Cells {
			for h, c := range cells {
				low, high := c.Flipped.Interval()
				out.Write([]string{fmt.Sprintf("%d.%d", block, h), to, mlps, strconv.Itoa(c.Flipped.N), strconv.Itoa(c.Flipped.Correct),
					number(c.Flipped.Accuracy()), number(low), number(high), number(c.Margin), number(c.Low), number(c.High)})
			}
		}
	}
	out.Flush()
	return out.Error()
}

// SavePaths writes what paths bring along to a CSV file, aside and renamed.
func SavePaths(path string, all ...PathsFound) error {
	return disk.ReplaceTable(path, func(w io.Writer) error { return WritePaths(w, all...) })
}

// Strongest lists the senders whose paths change the margin the most, in either direction, first.
func (p PathsFound) Strongest() []vit.Head {
	var all []vit.Head
	for block, cells := range p.Cells {
		for h := range cells {
			all = append(all, vit.Head{Block: block, Head: h})
		}
	}
	size := func(h vit.Head) float64 { return math.Abs(p.Cells[h.Block][h.Head].Margin) }
	slices.SortStableFunc(all, func(a, b vit.Head) int { return cmp.Compare(size(b), size(a)) })
	return all
}
