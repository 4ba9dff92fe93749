package study

import (
	"encoding/csv"
	"fmt"
	"io"
	"maps"
	"slices"
	"strconv"

	"samediff/sdlib/artifact"
	"samediff/sdlib/finetune"
	"samediff/sdlib/internal/disk"
	"samediff/sdlib/probe"
)

// A LinearRow is one number of a probe or an intervention.
type LinearRow struct {
	Spec ProbeSpec
	What string // "train" or "test" of a probe; "intervention"; "own answers", which flip without one
	// Block is counted from 0; -1 of the model's own answers.
	Block     int
	Direction probe.Direction // "" of a probe
	Alpha     float64
	Unit      AlphaUnit // of Alpha
	Part      string    // "all", a pair or a kind
	Derived   bool
	Score     finetune.Score // right answers of a probe, answers that are the opposite of the label of an intervention
}

// LinearRows sets out what probes found and what interventions did, where there are any, with
// factors in a unit: of all items, and of each pair and kind.
func LinearRows(s ProbeSpec, p Probed, unit AlphaUnit, effects []probe.Effect) []LinearRow {
	var all []LinearRow
	for _, r := range p.Rows {
		all = append(all, LinearRow{Spec: s, What: "train", Block: r.Block, Part: "all", Score: r.Train},
			LinearRow{Spec: s, What: "test", Block: r.Block, Part: "all", Score: r.Test.All})
		for _, part := range slices.Sorted(maps.Keys(r.Test.Parts)) {
			all = append(all, LinearRow{Spec: s, What: "test", Block: r.Block, Part: part, Score: r.Test.Parts[part]})
		}
	}
	for _, e := range effects {
		row := LinearRow{Spec: s, What: "intervention", Block: e.Block, Direction: e.Direction, Alpha: e.Alpha, Unit: unit, Part: "all", Derived: e.Derived, Score: e.Flipped(nil)}
		if e.Block < 0 {
			row.What = "own answers"
		}
		all = append(all, row)
		parts := map[string]bool{}
		for _, c := range e.Cells {
			parts[c.Pair], parts[string(c.Kind)] = true, true
		}
		for _, part := range slices.Sorted(maps.Keys(parts)) {
			row.Part = part
			row.Score = e.Flipped(func(c probe.Cell) bool { return c.Pair == part || string(c.Kind) == part })
			all = append(all, row)
		}
	}
	return all
}

var linearColumns = []string{"model", "weights", "target", "pair", "method", "control", "held_out", "what", "block", "direction", "alpha", "unit", "part", "derived", "n", "count", "share", "low", "high"}

// unitNames are the names of units in files.
var unitNames = map[AlphaUnit]string{Rows: "rows", MeansApart: string(MeansApart)}

// WriteLinear writes rows of a model, by its name and the first digits of the hash of its weights, as CSV, with Wilson's 95 %
// interval of each share.
func WriteLinear(w io.Writer, model string, id artifact.ID, rows []LinearRow) error {
	out := csv.NewWriter(w)
	out.Write(linearColumns)
	for _, r := range rows {
		low, high := r.Score.Interval()
		alpha, unit := "", ""
		if r.Direction != "" {
			unit, alpha = unitNames[r.Unit], strconv.FormatFloat(r.Alpha, 'g', -1, 64)
		}
		out.Write([]string{model, id.Short(), string(r.Spec.Target), r.Spec.Pair, string(r.Spec.Method), string(r.Spec.Control), string(r.Spec.HeldOut), r.What, strconv.Itoa(r.Block),
			string(r.Direction), alpha, unit, r.Part, strconv.FormatBool(r.Derived), strconv.Itoa(r.Score.N), strconv.Itoa(r.Score.Correct),
			fmt.Sprintf("%.4f", r.Score.Accuracy()), fmt.Sprintf("%.4f", low), fmt.Sprintf("%.4f", high)})
	}
	out.Flush()
	return out.Error()
}

// SaveLinear writes rows to a file, aside and renamed.
func SaveLinear(path, model string, id artifact.ID, rows []LinearRow) error {
	return disk.ReplaceTable(path, func(w io.Writer) error { return WriteLinear(w, model, id, rows) })
}
