package das

import (
	"math"
	"slices"
	"strings"
	"testing"

	"samediff/sdlib/internal/fixture"
	"samediff/sdlib/optimize"
	"samediff/sdlib/safetensors"
	"samediff/sdlib/vit"
)

// The losses of 20 steps of low-rank and boundless search, and the rotation after them, equal those of
// pyvene's layers in PyTorch, from the same start on the same batches: testdata/make_forms.py.
func TestFormsGolden(t *testing.T) {
	batches, err := safetensors.Open("testdata/search.safetensors")
	if err != nil {
		t.Fatal(err)
	}
	defer batches.Close()
	f, err := safetensors.Open("testdata/forms.safetensors")
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	shape, _ := goldenFloats(t, batches, "base")
	steps, B, D := shape.Shape[0], shape.Shape[1], shape.Shape[3]
	m, err := vit.Load("../finetune/testdata/model")
	if err != nil {
		t.Fatal(err)
	}
	be := fixture.Backend(t, "")
	for method, name := range map[Method]string{LowRank: "lowrank", Boundless: "boundless"} {
		_, losses := goldenFloats(t, f, name+"_losses")
		_, start := goldenFloats(t, f, name+"_start")
		rotation, want := goldenFloats(t, f, name+"_rotation")
		k := rotation.Shape[1]
		q := Search{Method: method, Rank: k, Recipe: Recipe{Pairs: B, Epochs: steps, Batch: B, LR: .05, MaskLR: .02, Warmup: .2, Schedule: optimize.Linear,
			Sparsity: .01, Temperature: Temperature{From: 1, To: .05}}}
		data, P := goldenSteps(t, batches)
		search := training{c: m.Config, q: q, P: P}
		if method == LowRank {
			search.form = lowRank(k)
		} else {
			search.form = bounded{}
		}
		got, err := optimize.Minimize(t.Context(), be, search.problem(m, data, start), q.settings(), optimize.Options{})
		if err != nil {
			t.Fatal(err)
		}
		worst := 0.
		for i, loss := range losses {
			worst = max(worst, math.Abs(got.History[i].Mean("loss")-float64(loss)))
		}
		R, err := finalRotation(be, start, got.Param(skewParam), search.squarings(limit64))
		if err != nil {
			t.Fatal(err)
		}
		mask, err := search.form.mask(got, D)
		if err != nil {
			t.Fatal(err)
		}
		end := float64(k)
		if method == Boundless {
			_, ends := goldenFloats(t, f, "boundless_end")
			if end = float64(ends[0]); math.Abs(float64(mask[0])-end) > 1e-4 {
				t.Errorf("the boundary is at %.5f, in pyvene at %.5f", mask[0], end)
			}
		}
		off := apart(R, want, D, k, end)
		t.Logf("%s: losses within %.1e, what is swapped %.1e, %d dimensions", name, worst, off, (&Intervention{Mask: mask}).Dims())
		if worst > 1e-4 || off > 5e-4 {
			t.Errorf("%s: losses are off by %.1e, what is swapped by %.1e", name, worst, off)
		}
		if slices.Max(losses)-slices.Min(losses) < .1 {
			t.Errorf("%s: the golden losses hardly change: they test nothing", name)
		}
	}
}

// apart is the largest entry of the difference between R s Rᵀ for the first k columns of R [D, D] and those of
// want [D, k], which is what reaches the stream. Directions that are swapped alike may turn among themselves,
// which the loss does not see, so that Adam steps there along rounding errors.
func apart(R, want []float32, D, k int, end float64) (worst float64) {
	for a := range D {
		for b := range D {
			diff := 0.
			for j := range k {
				s := 1.
				if k == D { // boundless, at the last temperature
					T := .05 * float64(D) / boundarySharpness
					s = 1 / (1 + math.Exp(-float64(j)/T)) / (1 + math.Exp(-(end-float64(j))/T))
				}
				diff += s * float64(R[a*D+j]*R[b*D+j]-want[a*k+j]*want[b*k+j])
			}
			worst = max(worst, math.Abs(diff))
		}
	}
	return worst
}

// Every method that learns lowers its loss, keeps its rotation orthogonal, and swaps as many directions as it should.
func TestForms(t *testing.T) {
	be, m := fixture.Go(t), lively(t, small, 1)
	s := streams(t, be, m)
	for _, q := range []Search{
		{Method: LowRank, Rank: 1}, {Method: LowRank, Rank: 5}, {Method: Boundless}, {Method: Boundless, Control: RandomRotation}, {Method: LowRank, Rank: 5, Control: WrongObject},
	} {
		q.Block, q.Recipe, q.Seed = 1, brief, 5
		v, err := Train(t.Context(), be, m, s, q, Options{})
		if err != nil {
			t.Fatalf("%+v: %v", q, err)
		}
		checkOrthogonal(t, v.Rotation)
		if first, last := v.History[0].Loss, v.History[len(v.History)-1].Loss; q.Control == NoControl && last > first {
			t.Errorf("%s: the loss rose from %.3f to %.3f", q.Method, first, last)
		}
		mask := v.Swapped()
		if !slices.IsSortedFunc(mask, func(a, b float32) int { return int(b - a) }) || v.Dims() < 1 {
			t.Errorf("%s: %v is swapped, expected the first directions", q.Method, mask)
		}
		if q.Method == LowRank && v.Dims() != q.Rank {
			t.Errorf("%d directions are swapped, expected %d", v.Dims(), q.Rank)
		}
		dir := t.TempDir()
		if err := v.Save(dir); err != nil {
			t.Fatal(err)
		}
		if again, err := Load(dir); err != nil || again.Search != v.Search || again.Name() != v.Name() {
			t.Errorf("read %+v, %v, wrote %+v", again, err, v.Search)
		}
	}
	for want, q := range map[string]Search{
		"0 directions by lowrank":              {Method: LowRank},
		"12 directions by lowrank":             {Method: LowRank, Rank: small.Width},
		"nothing is learned by the method pca": {Method: PCA, Rank: 2},
		"no method \"best\"":                   {Method: "best"},
		"3 directions by boundless, which":     {Method: Boundless, Rank: 3},
		"nothing would be left to learn":       {Method: LowRank, Rank: 2, Control: RandomRotation},
	} {
		q.Block, q.Recipe = 1, brief
		if _, err := Train(t.Context(), be, m, s, q, Options{}); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("the error is %v, expected it to speak of %q", err, want)
		}
	}
}

// A low-rank search of the whole width but one direction, at its start, does what a mask of as many ones does.
func TestLowRankIsAMask(t *testing.T) {
	be, m := fixture.Go(t), lively(t, small, 1)
	s := streams(t, be, m)
	q := Search{Block: 1, Method: LowRank, Rank: small.Width - 1, Recipe: brief, Seed: 3}
	q.Recipe.Steps, q.Recipe.LR = 1, 1e-12
	v, err := Train(t.Context(), be, m, s, q, Options{})
	if err != nil {
		t.Fatal(err)
	}
	plain := random(s, 1, true) // of the same seed
	plain.Mask[small.Width-1] = -1
	a, err := v.Answers(t.Context(), be, m, s, nil)
	if err != nil {
		t.Fatal(err)
	}
	b, err := plain.Answers(t.Context(), be, m, s, nil)
	if err != nil {
		t.Fatal(err)
	}
	if !slices.Equal(a.Answers, b.Answers) || v.Dims() != small.Width-1 {
		t.Errorf("%d directions: %v, a mask %v", v.Dims(), a.Answers, b.Answers)
	}
}
