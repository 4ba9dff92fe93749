package finetune

import (
	"math"
	"path/filepath"
	"testing"

	. "github.com/gomlx/gomlx/core/graph"
	"github.com/gomlx/gomlx/core/tensors"

	"samediff/sdlib/internal/fixture"
	"samediff/sdlib/stimuli"
	"samediff/sdlib/vit"
)

// TestInterval: numbers from statsmodels 0.15.0's proportion_confint(k, n, method="wilson").
func TestInterval(t *testing.T) {
	for _, c := range []struct {
		k, n      int
		low, high float64
	}{
		{0, 10, 0, .2775327998628892},
		{9, 10, .5958499732047615, .9821237869049271},
		{6227, 6400, .9687029013413778, .9766671611327923},
		{10, 10, .7224672001371106, 1},
	} {
		low, high := Score{c.n, c.k}.Interval()
		if math.Abs(low-c.low) > 1e-12 || math.Abs(high-c.high) > 1e-12 {
			t.Errorf("%d of %d: %.10f to %.10f, expected %.10f to %.10f", c.k, c.n, low, high, c.low, c.high)
		}
	}
	if low, high := (Score{}).Interval(); low != 0 || high != 1 {
		t.Errorf("no images: %g to %g, expected 0 to 1", low, high)
	}
}

// TestEvaluate compares the batched evaluation, whose last batch is filled up, with one image after the other.
func TestEvaluate(t *testing.T) {
	be, m, set := fixture.Go(t), newSmall(t, 5), open(t, stimuli.Test, 256+6)
	logits, err := Predict(t.Context(), be, m, set, Condition{}, nil)
	if err != nil {
		t.Fatal(err)
	}
	if len(logits) != set.Len() {
		t.Fatalf("%d predictions for %d images", len(logits), set.Len())
	}
	p, err := vit.Compile(be, m.Config, func(w *vit.Weights[*Node], in []*Node) []*Node {
		logits, _ := vit.Forward(m.Config, w, in[0])
		return []*Node{logits}
	})
	if err != nil {
		t.Fatal(err)
	}
	defer p.Close()
	right, byKind := 0, map[stimuli.Kind]int{}
	for i := range set.Len() {
		x, err := m.Config.Images(set.Images([]int{i}))
		if err != nil {
			t.Fatal(err)
		}
		out, err := p.Run(m, x)
		if err != nil {
			t.Fatal(err)
		}
		one := tensors.MustCopyFlatData[float32](out[0])
		for c := range one {
			if diff := math.Abs(float64(one[c] - logits[i][c])); diff > 1e-5 {
				t.Fatalf("image %d: logits %v in a batch, %v alone", i, logits[i], one)
			}
		}
		if argmax(one) == set.Stimulus(i).Label {
			right++
			byKind[set.Stimulus(i).Kind]++
		}
	}
	e, err := Evaluate(t.Context(), be, m, set, Condition{}, nil)
	if err != nil {
		t.Fatal(err)
	}
	if e.All != (Score{set.Len(), right}) {
		t.Errorf("score %+v, expected %d of %d", e.All, right, set.Len())
	}
	n := 0
	for _, k := range e.Kinds {
		n += k.Score.N
		if k.Score.Correct != byKind[k.Kind] {
			t.Errorf("%s: %d right, expected %d", k.Kind, k.Score.Correct, byKind[k.Kind])
		}
	}
	if n != set.Len() {
		t.Errorf("the kinds have %d images together, expected %d", n, set.Len())
	}
}

// A set's images, read as one's own from PNG files and boxes, are answered as the set's are.
func TestEvaluateOwnImages(t *testing.T) {
	be, m, set := fixture.Go(t), newSmall(t, 5), open(t, stimuli.Test, 16)
	dir := filepath.Join(t.TempDir(), "own")
	if err := set.Export(t.Context(), dir); err != nil {
		t.Fatal(err)
	}
	own, err := stimuli.ImportFolder(dir, set.Geometry())
	if err != nil {
		t.Fatal(err)
	}
	want, err := Evaluate(t.Context(), be, m, set, Condition{}, nil)
	if err != nil {
		t.Fatal(err)
	}
	got, err := Evaluate(t.Context(), be, m, own, Condition{}, nil)
	if err != nil {
		t.Fatal(err)
	}
	if got.All != want.All {
		t.Errorf("score %+v as one's own images, %+v as a set", got.All, want.All)
	}
}
