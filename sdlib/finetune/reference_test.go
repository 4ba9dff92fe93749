package finetune

import (
	"math"
	"testing"

	. "github.com/gomlx/gomlx/core/graph"

	"samediff/sdlib/internal/fixture"
	"samediff/sdlib/stimuli"
	"samediff/sdlib/vit"
)

// This file computes the losses a second time, in plain Go from logits, residual streams and
// attention weights: image by image, object by object, token by token. Where the patches
// begin it takes from the sizes of the stream and of the image, not from the model's configuration.

// plainLosses returns what the first step of a recipe reports, on the whole of a set.
func plainLosses(t *testing.T, m *vit.Model, r Recipe, set *stimuli.Set) Epoch {
	t.Helper()
	x := fetch(t, m, r, set)
	var task, shape, color, identity, relation mean
	for i := range set.Len() {
		s := set.Stimulus(i)
		task.add(answer(x.logits[i], s.Label))
		for _, o := range s.Objects {
			for _, patch := range o.Tokens {
				v := x.token(r.Disentangle.After, i, patch)
				if r.Disentangle.Identity {
					identity.add(x.ask("identity", v, 16*o.Shape+o.Color))
					continue
				}
				shape.add(x.ask("shape", v[:len(v)/2], o.Shape))
				color.add(x.ask("color", v[len(v)/2:], o.Color))
			}
		}
		for _, p := range s.Pairs { // the mean of its two objects, each the mean of its tokens
			v := make([]float64, m.Config.Width)
			for _, o := range []stimuli.Object{s.Objects[p.First], s.Objects[p.Second]} {
				for _, patch := range o.Tokens {
					for d, value := range x.token(r.Relation.After, i, patch) {
						v[d] += value / float64(2*len(o.Tokens))
					}
				}
			}
			relation.add(x.ask("relation", v, p.Label))
		}
	}
	e := Epoch{Task: task.of(0), Train: task.of(1), Shape: shape.of(1), Color: color.of(1), Identity: identity.of(1), Relation: relation.of(1)}
	e.Aux = r.Disentangle.Weight*(shape.of(0)+color.of(0)+identity.of(0)) + r.Relation.Weight*relation.of(0)
	for _, kind := range []struct {
		blocks     []int
		directions func(s stimuli.Stimulus) [][2]int
		score      *float64
	}{
		{r.Pipeline.WithinObject, toItself, &e.WithinObject},
		{r.Pipeline.WithinPair, toPartner, &e.WithinPair},
		{r.Pipeline.BetweenPairs, toOtherPair, &e.BetweenPairs},
	} {
		var lost mean
		for _, l := range kind.blocks {
			for _, h := range r.Pipeline.Chosen(l, m.Config.Heads) {
				for i := range set.Len() {
					s, score := set.Stimulus(i), mean{}
					for _, d := range kind.directions(s) {
						score.add([2]float64{x.mass(l, i, h, s.Objects[d[0]], s.Objects[d[1]])})
					}
					if r.Pipeline.Log {
						lost.add([2]float64{-math.Log(score.of(0)), score.of(0)})
					} else {
						lost.add([2]float64{1 - score.of(0), score.of(0)})
					}
				}
			}
		}
		e.Aux += r.Pipeline.Weight * lost.of(0)
		*kind.score = lost.of(1)
	}
	e.Loss = e.Task + e.Aux
	return e
}

// The directions of attention that each kind of the pipeline loss rewards: from object, to object.

func toItself(s stimuli.Stimulus) (all [][2]int) {
	for o := range s.Objects {
		all = append(all, [2]int{o, o})
	}
	return all
}

func toPartner(s stimuli.Stimulus) (all [][2]int) {
	for _, p := range s.Pairs {
		all = append(all, [2]int{p.First, p.Second}, [2]int{p.Second, p.First})
	}
	return all
}

func toOtherPair(s stimuli.Stimulus) (all [][2]int) {
	for a, p := range s.Pairs {
		for b, q := range s.Pairs {
			if a != b {
				all = append(all, [2]int{p.First, q.First}, [2]int{p.First, q.Second}, [2]int{p.Second, q.First}, [2]int{p.Second, q.Second})
			}
		}
	}
	return all
}

// values are a model's on the images of a set, and its probes' at the start of a recipe.
type values struct {
	logits      [][]float64 // [B][C]
	resid, attn [][]float32 // by block: [B, T, D] as the block leaves it, and [B, H, T, T]
	T, D, H     int
	front       int // tokens in front of the patches
	probes      map[string][]float32
}

func fetch(t *testing.T, m *vit.Model, r Recipe, set *stimuli.Set) values {
	t.Helper()
	c := m.Config
	pixels, err := c.Images(set.Images(nil))
	if err != nil {
		t.Fatal(err)
	}
	out := run(t, fixture.Go(t), m, func(w *vit.Weights[*Node], in []*Node) []*Node {
		logits, trace := vit.Forward(c, w, in[0], vit.Want("block*/resid_post", "block*/attn/weights"))
		all := []*Node{logits}
		for l := range c.Blocks {
			all = append(all, trace.Get(vit.BlockNode(l, "resid_post")), trace.Get(vit.BlockNode(l, "attn/weights")))
		}
		return all
	}, pixels)
	x := values{T: out[1].Shape().Dim(1), D: c.Width, H: c.Heads, probes: map[string][]float32{}}
	x.front = x.T - set.Geometry().Patches()
	for i, logit := range numbers(out[0]) {
		if i%c.Classes == 0 {
			x.logits = append(x.logits, nil)
		}
		last := &x.logits[len(x.logits)-1]
		*last = append(*last, float64(logit))
	}
	for l := range c.Blocks {
		x.resid, x.attn = append(x.resid, numbers(out[1+2*l])), append(x.attn, numbers(out[2+2*l]))
	}
	for _, p := range r.probeParams(c) {
		x.probes[p.Name] = numbers(p.Start)
	}
	return x
}

// token returns the residual stream after block l at a patch of image i: [D].
func (x values) token(l, i, patch int) []float64 {
	v := make([]float64, x.D)
	for d := range v {
		v[d] = float64(x.resid[l][(i*x.T+x.front+patch)*x.D+d])
	}
	return v
}

// mass returns the share of an object's attention that goes to another, in head h of block l on image i.
func (x values) mass(l, i, h int, from, to stimuli.Object) float64 {
	sum := 0.
	for _, q := range from.Tokens {
		for _, k := range to.Tokens {
			sum += float64(x.attn[l][((i*x.H+h)*x.T+x.front+q)*x.T+x.front+k])
		}
	}
	return sum / float64(len(from.Tokens))
}

// ask returns a probe's answer about a vector.
func (x values) ask(probe string, v []float64, label int) [2]float64 {
	W, b := x.probes["probe."+probe+".weight"], x.probes["probe."+probe+".bias"]
	logits := make([]float64, len(b))
	for i := range logits {
		logits[i] = float64(b[i])
		for d := range v {
			logits[i] += float64(W[i*len(v)+d]) * v[d]
		}
	}
	return answer(logits, label)
}

// answer returns -log softmax(logits)[label], and 1 where the label's logit is the largest, else 0.
func answer(logits []float64, label int) [2]float64 {
	sum, right := 0., 1.
	for _, x := range logits {
		sum += math.Exp(x)
		if x > logits[label] {
			right = 0
		}
	}
	return [2]float64{math.Log(sum) - logits[label], right}
}

// A mean is that of pairs of numbers, 0 of none.
type mean struct {
	sums [2]float64
	n    int
}

func (m *mean) add(x [2]float64) {
	m.sums[0], m.sums[1], m.n = m.sums[0]+x[0], m.sums[1]+x[1], m.n+1
}

func (m *mean) of(i int) float64 { return m.sums[i] / float64(max(m.n, 1)) }
