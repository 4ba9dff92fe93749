package study

import (
	"bytes"
	"encoding/csv"
	"math"
	"reflect"
	"strings"
	"testing"

	"samediff/sdlib/backend"
	"samediff/sdlib/patch"
	"samediff/sdlib/vit"
)

// Paths are computed once. From the last block a head reaches the answer in no other way but directly, so its path is its
// interchange where the MLP passes it on.
func TestPaths(t *testing.T) {
	ctx, store := t.Context(), t.TempDir()
	l := lab(t, store, backend.Go)
	m, err := l.Find(ctx, "discrimination-256-quick")
	if err != nil {
		t.Fatal(err)
	}
	set, err := m.HeadSet()
	if err != nil {
		t.Fatal(err)
	}
	const pairs = 4
	found, err := l.Paths(ctx, m, set, pairs, true)
	if err != nil {
		t.Fatal(err)
	}
	total, err := l.Interchange(ctx, m, set, patch.HeadSite, pairs)
	if err != nil {
		t.Fatal(err)
	}
	L, H := m.Config.Blocks, m.Config.Heads
	for h := range H {
		a, b := found.Cells[L-1][h], total.Cells[0][(L-1)*H+h]
		if math.Abs(a.Margin-b.Margin) > 1e-5 || a.Flipped != b.Flipped || a.Low > a.Margin || a.High < a.Margin {
			t.Errorf("head %d of the last block recovers %+v directly, by all paths %+v", h, a, b)
		}
	}
	reader := lab(t, store, "no such backend")
	if again, err := reader.Paths(ctx, m, set, pairs, true); err != nil || !reflect.DeepEqual(again, found) {
		t.Errorf("read from the store, the paths are %+v, %v", again, err)
	}
	to := []vit.Head{{Block: 2, Head: 0}, {Block: 3, Head: 1}}
	told, err := l.Paths(ctx, m, set, pairs, false, to...)
	if err != nil || len(told.Cells) != 2 || told.Receiver() != "block 2, head 0 and block 3, head 1" {
		t.Fatalf("paths to %v: %+v, %v; expected those from two blocks", to, told, err)
	}
	order := told.Strongest()
	if len(order) != 2*H || math.Abs(told.Cells[order[0].Block][order[0].Head].Margin) < math.Abs(told.Cells[order[1].Block][order[1].Head].Margin) {
		t.Errorf("the strongest senders are %v", order)
	}
	var text bytes.Buffer
	if err := WritePaths(&text, found, told); err != nil {
		t.Fatal(err)
	}
	lines, err := csv.NewReader(&text).ReadAll()
	if err != nil || len(lines) != 1+L*H+2*H || lines[1][0] != "0.0" || lines[1][1] != "answer" || lines[1][2] != "pass on" || lines[1+L*H][1] != "2.0+3.1" || lines[1+L*H][2] != "kept" {
		t.Errorf("the CSV file (%v) is %v", err, lines)
	}
	for want, run := range map[string]func() error{
		"no head comes before block 0, head 1": func() error { _, err := l.Paths(ctx, m, set, pairs, false, vit.Head{Head: 1}); return err },
		"no block 9, head 0":                   func() error { _, err := l.Paths(ctx, m, set, pairs, false, vit.Head{Block: 9}); return err },
		"-1 pairs":                             func() error { _, err := l.Paths(ctx, m, set, -1, false); return err },
		"no set was given":                     func() error { _, err := l.Paths(ctx, m, nil, 1, false); return err },
	} {
		if err := run(); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("the error is %v, expected it to speak of %q", err, want)
		}
	}
}
