package vit

import (
	"math"
	"strings"
	"testing"

	. "github.com/gomlx/gomlx/core/graph"

	"samediff/sdlib/backend"
)

// What the precisions cost: the largest difference from float32 relative to a tensor's
// scale, on the tiny models of all families. A rounding to p bits is at most 2⁻ᵖ of a
// number, and the errors of a few blocks of products add up to some of these.
func TestPrecision(t *testing.T) {
	bits := map[Precision]float64{BF16: 8, TF32: 11}
	onBackends(t, func(t *testing.T, be *backend.Backend) {
		for _, name := range []string{"other", "clip", "siglip", "dinov2"} {
			m := golden(t, name)
			images := randomImages(m.Config, 2, 1)
			var kinds []string
			out := run(t, be, m, func(w *Weights[*Node], in []*Node) (all []*Node) {
				for _, p := range []Precision{F32, TF32, BF16} {
					_, trace := Forward(m.Config, w, in[0], Compute(p), Want("final", "logits", BlockNode(m.Config.Blocks-1, "attn/weights")))
					kinds = trace.Names()
					all = append(all, trace.All()...)
				}
				return all
			}, images)
			n := len(kinds)
			for i, kind := range kinds {
				for j, p := range []Precision{TF32, BF16} {
					d, err := distance(out[(j+1)*n+i], out[i])
					if err != nil {
						t.Fatal(err)
					}
					unit := math.Exp2(-bits[p])
					t.Logf("%-8s %-5s %-20s %.1e", name, p, kind, d)
					if !(d < 20*unit) || d < unit/100 {
						t.Errorf("%s in %s: %s is %.1e of its scale away from float32, expected about %.0e", name, p, kind, d, unit)
					}
				}
			}
			if be.IsXLA() {
				break // compiling takes seconds
			}
		}
	})
}

// The gradient goes through the lower precisions, about as exact as the pass itself.
func TestPrecisionGradient(t *testing.T) {
	m := golden(t, "dinov2")
	images := randomImages(m.Config, 2, 1)
	of := func(p Precision) [][]float32 {
		return run(t, open(t, backend.Go), m, func(w *Weights[*Node], in []*Node) []*Node {
			logits, _ := Forward(m.Config, w, in[0], Compute(p))
			return Gradient(ReduceAllSum(Mul(logits, logits)), w.Pos, w.Patch.W, w.Blocks[0].Q.W, w.Blocks[1].Scale2, w.Head.B)
		}, images)
	}
	exact := of(F32)
	for p, most := range map[Precision]float64{TF32: .02, BF16: .15} {
		for i, g := range of(p) {
			if d, err := distance(g, exact[i]); err != nil || !(d < most) || d == 0 {
				t.Errorf("%s: gradient %d is %.1e of its scale away, expected less than %g (%v)", p, i, d, most, err)
			}
		}
	}
}

func TestUnknownPrecision(t *testing.T) {
	m := golden(t, "other")
	_, err := tryRun(open(t, backend.Go), m, func(w *Weights[*Node], in []*Node) []*Node {
		logits, _ := Forward(m.Config, w, in[0], Compute("f16"))
		return []*Node{logits}
	}, randomImages(m.Config, 1, 1))
	if err == nil || !strings.Contains(err.Error(), `there is no precision "f16": expected "bf16", "tf32"`) {
		t.Errorf("an unknown precision: error %v", err)
	}
}
