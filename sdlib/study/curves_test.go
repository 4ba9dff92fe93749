package study

import (
	"bytes"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"samediff/sdlib/artifact"
	"samediff/sdlib/backend"
	"samediff/sdlib/finetune"
)

// The curve of a training is its history, and what the file has is not trained again.
func TestCurves(t *testing.T) {
	curved := tiny()
	curved.Val, curved.Recipe.Epochs = 16, 3
	Presets["tiny"], Presets["tiny-blind"] = curved, tiny()
	t.Cleanup(func() { delete(Presets, "tiny"); delete(Presets, "tiny-blind") })
	ctx, l := t.Context(), lab(t, t.TempDir(), backend.Go)
	if none, err := l.Curves(ctx, "tiny", []uint64{1, 2}, true); err != nil || none != nil {
		t.Errorf("of what is trained there is %v (%v), expected nothing", none, err)
	}
	all, err := l.Curves(ctx, "tiny", []uint64{1, 2}, false)
	if err != nil {
		t.Fatal(err)
	}
	m, err := l.Train(ctx, curved.WithSeed(2))
	if err != nil {
		t.Fatal(err)
	}
	if len(all) != 6 || all[5].Seed != 2 || all[5].Model != m.ID || all[5].Images != 3*16 || all[5].Score.N != 16 || all[5].Score.Accuracy() != m.History[2].Val {
		t.Errorf("curves %+v, expected three epochs of two seeds, the last with validation accuracy %g", all, m.History[2].Val)
	}
	path := filepath.Join(t.TempDir(), "curves.csv")
	if err := SaveCurves(path, all); err != nil {
		t.Fatal(err)
	}
	read, err := ReadCurves(path)
	if err != nil {
		t.Fatal(err)
	}
	for i := range all {
		all[i].Model = artifact.ID(all[i].Model.Short()) // all that the file has of it
	}
	if !reflect.DeepEqual(read, all) {
		t.Errorf("read %+v, expected %+v", read, all)
	}
	elsewhere := lab(t, t.TempDir(), "none: all is known")
	if again, err := elsewhere.Curves(ctx, "tiny", []uint64{1, 2}, false, read...); err != nil || !reflect.DeepEqual(again, all) {
		t.Errorf("what is known came back as %v (%v)", again, err)
	}
	if _, err := l.Curves(ctx, "tiny-blind", []uint64{1}, true); err == nil || !strings.Contains(err.Error(), "has no validation set") {
		t.Errorf("without a validation set: %v", err)
	}
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	lines := bytes.SplitAfter(text, []byte("\n"))
	without := bytes.Join([][]byte{lines[0], lines[1], lines[3]}, nil)
	if _, err := parseCurves(without); err == nil || !strings.Contains(err.Error(), "line 3: epoch 3 after 48 images of tiny with seed 1 stands behind epoch 1") {
		t.Errorf("an epoch is missing: %v", err)
	}
	cells := strings.Split(string(lines[1]), ",")
	cells[6] = "17" // of 16
	if _, err := parseCurves([]byte(string(lines[0]) + strings.Join(cells, ","))); err == nil || !strings.Contains(err.Error(), "line 2: 17 of 16 are counted") {
		t.Errorf("a count that is none: %v", err)
	}
}

func TestReached(t *testing.T) {
	var curve []CurvePoint
	for i, right := range []int{50, 60, 91, 89, 95} {
		curve = append(curve, CurvePoint{Epoch: i + 1, Images: 6400 * (i + 1), Score: finetune.Score{N: 100, Correct: right}})
	}
	if first, never := Reached(curve, .9), Reached(curve, .96); first != 3*6400 || never != 0 {
		t.Errorf(".9 is reached after %d images, .96 after %d, expected 19200 and never, 0", first, never)
	}
}

func FuzzParseCurves(f *testing.F) {
	head := strings.Join(curveColumns, ",") + "\n"
	f.Add([]byte(head + "course-masked,1,0123456789ab,1,6400,1600,1000,0.6250,0.6010,0.6484\ncourse-masked,1,0123456789ab,2,12800,1600,1600,1.0000,0.9976,1.0000\n"))
	f.Add([]byte(head + "m,-1,,0,0,0,0,NaN,,\n"))
	f.Fuzz(func(t *testing.T, text []byte) { readAgain(t, curveFile, text) })
}
