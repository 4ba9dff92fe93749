package vit

import (
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	. "github.com/gomlx/gomlx/core/graph"
	"github.com/gomlx/gomlx/core/tensors"

	"samediff/sdlib/backend"
)

// What is added to the residual stream is all that it holds:
//
//	resid_post of the last block = embed + Σ_l (attn/out + mlp/out)
//
// and within a block attn/out = b_O + Σ_h W_O[h] z[h], so that a block's output can be
// taken apart by its heads.
func TestResidualDecomposition(t *testing.T) {
	m := golden(t, "square")
	c := m.Config
	be := open(t, backend.Go)
	const B = 2
	trace := forward(t, be, m, randomImages(c, B, 1), Want(c.Nodes()...))

	resid := slices.Clone(trace["embed"])
	add := func(to, what []float32) {
		for i := range to {
			to[i] += what[i]
		}
	}
	near := func(what string, got, want []float32, tolerance float64) {
		t.Helper()
		if d, err := distance(got, want); err != nil || !(d <= tolerance) {
			t.Errorf("%s: %.1e of the scale away, expected at most %.0e (%v)", what, d, tolerance, err)
		}
	}
	for l := range c.Blocks {
		at := func(name string) []float32 { return trace[BlockNode(l, name)] }
		near(BlockNode(l, "resid_pre"), at("resid_pre"), resid, 1e-6)
		add(resid, at("attn/out"))
		near(BlockNode(l, "resid_mid"), at("resid_mid"), resid, 1e-6)
		add(resid, at("mlp/out"))
		near(BlockNode(l, "resid_post"), at("resid_post"), resid, 1e-6)

		// Σ_h in float64, by hand: out[b,t,i] = b_O[i] + Σ_h Σ_d W_O[i, h·d] z[b,t,h,d]
		W, err := tensors.CopyFlatData[float32](m.Weights.Blocks[l].O.W)
		if err != nil {
			t.Fatal(err)
		}
		b, err := tensors.CopyFlatData[float32](m.Weights.Blocks[l].O.B)
		if err != nil {
			t.Fatal(err)
		}
		z, D, d := at("attn/heads"), c.Width, c.HeadDim()
		out := make([]float32, B*c.Tokens()*D)
		for token := range B * c.Tokens() {
			for i := range D {
				sum := float64(b[i])
				for h := range c.Heads {
					for k := range d {
						sum += float64(W[i*D+h*d+k]) * float64(z[(token*c.Heads+h)*d+k])
					}
				}
				out[token*D+i] = float32(sum)
			}
		}
		near(BlockNode(l, "attn/out")+" as a sum over heads", at("attn/out"), out, 1e-6)
	}
}

// Decompose takes the stream of every family apart, and Sum puts it together again.
func TestDecompose(t *testing.T) {
	for _, g := range goldens {
		m := golden(t, g.name)
		last := BlockNode(m.Config.Blocks-1, "resid_post")
		out := run(t, open(t, backend.Go), m, func(w *Weights[*Node], in []*Node) []*Node {
			_, trace := Forward(m.Config, w, in[0], Want(append([]string{last}, PartNodes...)...))
			parts := Decompose(w, trace)
			return []*Node{trace.Get(last), parts.Sum(), parts.Heads[1]}
		}, randomImages(m.Config, 2, 1))
		if d, err := distance(out[1], out[0]); err != nil || !(d <= 1e-6) {
			t.Errorf("%s: the parts sum to %.1e of the scale away from the residual stream, expected at most 1e-6 (%v)", g.name, d, err)
		}
		if n := 2 * m.Config.Heads * m.Config.Tokens() * m.Config.Width; len(out[2]) != n {
			t.Errorf("%s: %d numbers of heads, expected [2, H, T, D] = %d", g.name, len(out[2]), n)
		}
	}
}

// A = softmax of the scores, which are q·k/√d: each query's weights over the keys are
// positive and sum to 1, and A v are the heads' outputs.
func TestAttention(t *testing.T) {
	m := golden(t, "other")
	c := m.Config
	const B = 3
	trace := forward(t, open(t, backend.Go), m, randomImages(c, B, 2), Want("block*/attn/*"))
	T, H, d := c.Tokens(), c.Heads, c.HeadDim()
	at := func(b, token, h int) int { return ((b*T+token)*H + h) * d }
	for l := range c.Blocks {
		of := func(name string) []float32 { return trace[BlockNode(l, "attn/"+name)] }
		q, k, v, heads, scores, weights := of("q"), of("k"), of("v"), of("heads"), of("scores"), of("weights")
		uniform := 0
		for row := range B * H * T {
			b, h, query := row/(H*T), row/T%H, row%T
			sum, z := 0., make([]float64, d)
			for key := range T {
				dot := 0.
				for i := range d {
					dot += float64(q[at(b, query, h)+i]) * float64(k[at(b, key, h)+i])
				}
				if want := dot / math.Sqrt(float64(d)); math.Abs(float64(scores[row*T+key])-want) > 1e-5 {
					t.Fatalf("block %d, head %d: score of query %d and key %d is %g, expected %g", l, h, query, key, scores[row*T+key], want)
				}
				w := float64(weights[row*T+key])
				if !(w > 0) {
					t.Fatalf("block %d, head %d: weight of query %d and key %d is %g, expected a positive number", l, h, query, key, w)
				}
				sum += w
				for i := range d {
					z[i] += w * float64(v[at(b, key, h)+i])
				}
			}
			if math.Abs(sum-1) > 1e-6 {
				t.Fatalf("block %d, head %d: weights of query %d sum to %g, expected 1", l, h, query, sum)
			}
			for i := range d {
				if got := float64(heads[at(b, query, h)+i]); math.Abs(got-z[i]) > 1e-5 {
					t.Fatalf("block %d, head %d: output %d of query %d is %g, expected %g", l, h, i, query, got, z[i])
				}
			}
			if lo, hi := slices.Min(weights[row*T:row*T+T]), slices.Max(weights[row*T:row*T+T]); hi < 2*lo {
				uniform++
			}
		}
		if uniform > B*H*T/4 {
			t.Errorf("block %d: %d of %d queries attend about uniformly: the model is too tame to test attention with", l, uniform, B*H*T)
		}
	}
}

// ForwardFrom, given the residual stream as a block left it, goes on exactly as the whole
// pass did, in every family and after every block.
func TestForwardFrom(t *testing.T) {
	for _, name := range []string{"other", "deit", "clip", "siglip", "dinov2", "registers"} {
		t.Run(name, func(t *testing.T) {
			m := golden(t, name)
			c := m.Config
			images := randomImages(c, 2, 3)
			onBackends(t, func(t *testing.T, be *backend.Backend) {
				if be.IsXLA() && (name == "deit" || name == "siglip" || name == "dinov2") {
					return // compiling takes seconds, and these have nothing that the others lack
				}
				full := forward(t, be, m, images, Want("embed", "block*/resid_post"))
				var streams []any // -1, 0, ...
				for l := -1; l < c.Blocks; l++ {
					from := "embed"
					if l >= 0 {
						from = BlockNode(l, "resid_post")
					}
					streams = append(streams, tensors.FromFlatDataAndDimensions(full[from], 2, c.Tokens(), c.Width))
				}
				got := run(t, be, m, func(w *Weights[*Node], in []*Node) (all []*Node) {
					for i, resid := range in {
						logits, _ := ForwardFrom(c, w, i-1, resid)
						all = append(all, logits)
					}
					return all
				}, streams...)
				for i, logits := range got {
					if !slices.Equal(logits, full["logits"]) {
						t.Errorf("going on from block %d gives %v, the whole pass %v: expected the same bits", i-1, logits, full["logits"])
					}
				}
			})
		})
	}
}

// Asking for the trace does not change the logits.
func TestTraceChangesNothing(t *testing.T) {
	m := golden(t, "other")
	images := randomImages(m.Config, 4, 3)
	onBackends(t, func(t *testing.T, be *backend.Backend) {
		traced, plain := forward(t, be, m, images, Want(m.Config.Nodes()...)), forward(t, be, m, images)
		if !slices.Equal(traced["logits"], plain["logits"]) {
			t.Errorf("with the whole trace the logits are %v, without %v", traced["logits"], plain["logits"])
		}
	})
}

// LogitsOnly gives the logits and the gradients of the whole pass, and leaves no value out that
// is asked for.
func TestLogitsOnly(t *testing.T) {
	for _, name := range []string{"other", "deit", "clip", "siglip", "registers"} {
		t.Run(name, func(t *testing.T) {
			m := golden(t, name)
			c := m.Config
			images := randomImages(c, 3, 5)
			be := open(t, backend.Go)
			pass := func(opts ...Option) [][]float32 {
				return run(t, be, m, func(w *Weights[*Node], in []*Node) []*Node {
					logits, _ := Forward(c, w, in[0], opts...)
					first, last := w.Blocks[0], w.Blocks[c.Blocks-1]
					of := []*Node{w.Pos, first.Q.W, first.Up.W, last.Q.W, last.K.W, last.V.B, last.O.W, last.Up.W, last.Norm1.Scale, w.Norm.Shift}
					return append(Gradient(ReduceAllSum(Square(logits)), of...), logits)
				}, images)
			}
			whole, only := pass(), pass(LogitsOnly())
			for i := range whole {
				if d, err := distance(only[i], whole[i]); err != nil || !(d <= 1e-5) {
					t.Errorf("value %d differs by %.1e of its scale from the whole pass's, expected at most 1e-5 (%v)", i, d, err)
				}
			}
			at := BlockNode(c.Blocks-1, "resid_post")
			full, asked := forward(t, be, m, images, Want(at)), forward(t, be, m, images, Want(at), LogitsOnly())
			if !slices.Equal(full[at], asked[at]) {
				t.Errorf("LogitsOnly changes %s, which was asked for", at)
			}
		})
	}
	// What it leaves out is the work of the last block: fewer operations are not seen here, but shapes are.
	m := golden(t, "other")
	shape := func(opts ...Option) (dims []int) {
		run(t, open(t, backend.Go), m, func(w *Weights[*Node], in []*Node) []*Node {
			p := newPass(m.Config, in[0].Graph(), fromPixels, opts)
			last := m.Config.Blocks - 1
			y := p.block(p.embed(w, in[0]), w.Blocks[last], last, p.needed(last))
			dims = y.Shape().Dimensions
			return []*Node{y}
		}, randomImages(m.Config, 1, 1))
		return dims
	}
	if got := shape(LogitsOnly()); got[1] != 1 {
		t.Errorf("with LogitsOnly the last block leaves %v, expected one token", got)
	}
	if got := shape(); got[1] != m.Config.Tokens() {
		t.Errorf("without LogitsOnly the last block leaves %v, expected %d tokens", got, m.Config.Tokens())
	}
}

// An image's logits do not depend on what else is in the batch.
func TestBatch(t *testing.T) {
	m := golden(t, "other")
	c := m.Config
	const B = 5
	images := randomImages(c, B, 4)
	pixels, err := tensors.CopyFlatData[uint8](images)
	if err != nil {
		t.Fatal(err)
	}
	be := open(t, backend.Go)
	all := forward(t, be, m, images)["logits"]
	for i := range B {
		one, err := c.Images(pixels[i*len(pixels)/B : (i+1)*len(pixels)/B])
		if err != nil {
			t.Fatal(err)
		}
		got := forward(t, be, m, one)["logits"]
		if d, err := distance(got, all[i*c.Classes:(i+1)*c.Classes]); err != nil || d > 1e-6 {
			t.Errorf("image %d alone: logits %v, in the batch %v", i, got, all[i*c.Classes:(i+1)*c.Classes])
		}
	}
}

// The gradient of every weight of every family against finite differences, through
// LayerScale, resampled positions and all. For a loss L and a random
// direction v in the space of one weight,
//
//	⟨∂L/∂w, v⟩ = (4 D(ε) - D(2ε)) / 3 + O(ε⁴),  D(ε) = (L(w + εv) - L(w - εv)) / 2ε
//
// (Richardson's extrapolation of the central difference). In float32 L carries an
// error of about 1e-7, hence a large ε.
func TestGradients(t *testing.T) {
	for _, name := range []string{"other", "deit", "clip", "siglip", "dinov2", "registers"} {
		t.Run(name, func(t *testing.T) { checkGradients(t, golden(t, name)) })
	}
}

func checkGradients(t *testing.T, m *Model) {
	const ε, tolerance = .05, 2e-3
	c := m.Config
	be := open(t, backend.Go)
	images := randomImages(c, 2, 5)
	names := c.Names()
	rng := rand.New(rand.NewPCG(6, 0))
	coefficients := make([]float32, 2*c.Classes) // L = Σ coefficients · logits
	for i := range coefficients {
		coefficients[i] = float32(rng.NormFloat64())
	}
	loss := func(w *Weights[*Node], images *Node) *Node {
		logits, _ := Forward(c, w, images)
		return ReduceAllSum(Mul(logits, Reshape(Const(logits.Graph(), coefficients), 2, c.Classes)))
	}
	gradients := run(t, be, m, func(w *Weights[*Node], in []*Node) []*Node {
		return Gradient(loss(w, in[0]), w.Flatten(c)...)
	}, images)

	// One program that moves every weight by its input: weights + step.
	flat := m.Weights.Flatten(c)
	p, err := Compile(be, m.Config, func(w *Weights[*Node], in []*Node) []*Node {
		moved := w.Flatten(c)
		for i := range moved {
			moved[i] = Add(moved[i], in[1+i])
		}
		return []*Node{loss(Unflatten(c, moved), in[0])}
	})
	if err != nil {
		t.Fatal(err)
	}
	defer p.Close()
	inputs := []any{images}
	for _, w := range flat {
		inputs = append(inputs, tensors.FromShape(w.Shape()))
	}
	at := func(i int, v []float32, step float64) float64 {
		moved := make([]float32, len(v))
		for j := range v {
			moved[j] = float32(step) * v[j]
		}
		args := slices.Clone(inputs)
		args[1+i] = tensors.FromFlatDataAndDimensions(moved, flat[i].Shape().Dimensions...)
		out, err := p.Run(m, args...)
		if err != nil {
			t.Fatal(err)
		}
		return float64(tensors.ToScalar[float32](out[0]))
	}
	worst, size := 0., math.Abs(at(0, make([]float32, flat[0].Shape().Size()), 0))
	for i, g := range gradients {
		v := make([]float32, len(g))
		norm := 0.
		for j := range v {
			v[j] = float32(rng.NormFloat64())
			norm += float64(v[j]) * float64(v[j])
		}
		analytic, length := 0., 0.
		for j := range v {
			v[j] /= float32(math.Sqrt(norm))
			analytic += float64(g[j]) * float64(v[j])
			length += float64(g[j]) * float64(g[j])
		}
		D := func(ε float64) float64 { return (at(i, v, ε) - at(i, v, -ε)) / (2 * ε) }
		numeric := (4*D(ε) - D(2*ε)) / 3
		// Relative to the gradient's length in a random direction, length/√n, and to the rounding of L.
		scale := math.Sqrt(length/float64(len(g))) + .02*max(1, size)
		if length == 0 && !strings.HasSuffix(names[i], c.Family.Traits().layout.k+".bias") {
			t.Errorf("%s has gradient 0", names[i])
		}
		d := math.Abs(analytic-numeric) / scale
		worst = max(worst, d)
		if !(d <= tolerance) {
			t.Errorf("%s: derivative %g, by differences %g (%.1e of the scale %.2g)", names[i], analytic, numeric, d, scale)
		}
	}
	t.Logf("largest difference %.1e of a derivative's scale, over %d weights", worst, len(gradients))
}
