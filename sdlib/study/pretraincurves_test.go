package study

import (
	"bytes"
	"math"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"samediff/sdlib/pretrain"
)

// The history of a pretraining is kept beside those of others, and read as it was written but for rounding.
func TestPretrainCurves(t *testing.T) {
	p := tinyPretraining(pretrain.Masked)
	p.Scenes.Distinct = 2048
	epoch := func(n int, loss float64) pretrain.Epoch {
		return pretrain.Epoch{Epoch: n, Means: map[string][]float64{"loss": {loss}}}
	}
	masked := p.Curve("0123456789ab", []pretrain.Epoch{epoch(1, 1.25), epoch(2, .75)})
	if len(masked) != 2 || masked[1].Pretraining != "masked, 2048 pictures" || masked[1].Images != 2*48 || masked[1].Guess != 1 || !math.IsNaN(masked[1].Correct) || !Learned(masked) || Learned(masked[:1]) || Learned(nil) {
		t.Errorf("the curve is %+v, expected losses 1.25 and .75 where guessing costs 1", masked)
	}
	named := tinyPretraining(pretrain.Contrastive).Curve("123456789abc", []pretrain.Epoch{{Epoch: 1, Means: map[string][]float64{"loss": {2}, "correct": {.25}}}})
	path := filepath.Join(t.TempDir(), "pretrainings.csv")
	for _, points := range [][]PretrainPoint{masked[:1], named, masked} {
		if err := SavePretrainings(path, points); err != nil {
			t.Fatal(err)
		}
	}
	read, err := ReadPretrainings(path)
	if err != nil {
		t.Fatal(err)
	}
	named[0].Guess = 2.0794 // log 8
	if len(read) != 3 || !reflect.DeepEqual(read[0], named[0]) || read[2].Loss != .75 || read[2].Epoch != 2 {
		t.Errorf("read %+v, expected the other pretraining, then both epochs of the one that was written last", read)
	}
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	for _, bad := range []struct{ old, new, says string }{
		{",2,96,", ",3,96,", "line 4: epoch 3 of masked, 2048 pictures"},
		{",0.7500,", ",NaN,", "line 4: loss NaN"},
		{",0.2500", ",1.2500", "line 2: loss 2, guess 2.0794, correct 1.25"},
		{"123456789abc", "1234", "first 12 hexadecimal digits"},
		{"loss,guess", "guess,loss", "expected the columns"},
	} {
		changed := bytes.Replace(text, []byte(bad.old), []byte(bad.new), 1)
		if _, err := parsePretrainings(changed); err == nil || !strings.Contains(err.Error(), bad.says) {
			t.Errorf("with %q for %q: %v, expected %q", bad.new, bad.old, err, bad.says)
		}
	}
}

func FuzzParsePretrainings(f *testing.F) {
	head := strings.Join(pretrainColumns, ",") + "\n"
	f.Add([]byte(head + "masked,1,0123456789ab,1,12800,0.9000,1.0000,\n"))
	f.Add([]byte(head + "supervised,1,0123456789ab,1,12800,4.1000,,0.0800\n"))
	f.Add([]byte(head + "a,-1,,0,0,NaN,Inf,2\n"))
	f.Fuzz(func(t *testing.T, text []byte) { readAgain(t, pretrainFile, text) })
}
