package vit

import (
	"math"
	"slices"
	"strings"
	"sync"
	"testing"

	. "github.com/gomlx/gomlx/core/graph"
	"github.com/gomlx/gomlx/core/tensors"

	"samediff/sdlib/backend"
)

func TestNodes(t *testing.T) {
	c := Config{Blocks: 11}
	nodes := c.Nodes()
	if len(nodes) != 1+11*12+2 {
		t.Errorf("%d names, expected %d", len(nodes), 1+11*12+2)
	}
	for _, want := range []string{"embed", "block00/resid_pre", "block03/attn/weights", "block10/resid_post", "final", "logits"} {
		if !slices.Contains(nodes, want) {
			t.Errorf("%q is missing from %q", want, nodes)
		}
	}
	if got := BlockNode(100, "attn/q"); got != "block100/attn/q" {
		t.Errorf("BlockNode(100, attn/q) = %q", got)
	}
}

// Want keeps what it names, in the order of the computation, each value once, and in the shape that is documented.
func TestWant(t *testing.T) {
	m := golden(t, "square")
	c := m.Config
	B, T, D, H := 2, c.Tokens(), c.Width, c.Heads
	shapes := map[string][]int{
		"embed": {B, T, D}, "resid_pre": {B, T, D}, "attn/q": {B, T, H, D / H}, "attn/k": {B, T, H, D / H}, "attn/v": {B, T, H, D / H},
		"attn/scores": {B, H, T, T}, "attn/weights": {B, H, T, T}, "attn/heads": {B, T, H, D / H}, "attn/out": {B, T, D},
		"resid_mid": {B, T, D}, "mlp/hidden": {B, T, c.MLP}, "mlp/out": {B, T, D}, "resid_post": {B, T, D},
		"final": {B, T, D}, "logits": {B, c.Classes},
	}
	for _, test := range []struct {
		want, got []string
	}{
		{nil, nil},
		{[]string{"*"}, []string{"embed", "final", "logits"}}, // a star stops at a slash
		{[]string{"logits", "embed", "logits", "emb*"}, []string{"embed", "logits"}},
		{[]string{"block0[02]/attn/weights"}, []string{"block00/attn/weights", "block02/attn/weights"}},
		{[]string{"block*/resid_post"}, []string{"block00/resid_post", "block01/resid_post", "block02/resid_post"}},
		{[]string{"block01/attn/*"}, []string{"block01/attn/q", "block01/attn/k", "block01/attn/v", "block01/attn/scores",
			"block01/attn/weights", "block01/attn/heads", "block01/attn/out"}},
		{c.Nodes(), c.Nodes()},
	} {
		run(t, open(t, backend.Go), m, func(w *Weights[*Node], in []*Node) []*Node {
			logits, trace := Forward(c, w, in[0], Want(test.want...))
			if !slices.Equal(trace.Names(), test.got) {
				t.Errorf("Want(%q) keeps %q, expected %q", test.want, trace.Names(), test.got)
			}
			for i, name := range trace.Names() {
				kind := name
				if strings.HasPrefix(name, "block") {
					_, kind, _ = strings.Cut(name, "/")
				}
				x := trace.Get(name)
				if !slices.Equal(x.Shape().Dimensions, shapes[kind]) || x != trace.All()[i] {
					t.Errorf("%s has shape %s, expected %v", name, x.Shape(), shapes[kind])
				}
			}
			return []*Node{logits}
		}, randomImages(c, B, 1))
	}
}

// Switching off one head changes the logits, the trace shows the head's output as 0 and
// the other heads' as they were, and nothing below the head changes.
func TestEdit(t *testing.T) {
	m := golden(t, "square")
	c := m.Config
	images := randomImages(c, 2, 1)
	const name, head = "block01/attn/heads", 2
	d := c.HeadDim()
	off := Edit(name, func(_ string, z *Node) *Node { // z [B, T, H, D/H]
		mask := make([]float32, c.Heads)
		for h := range mask {
			mask[h] = 1
		}
		mask[head] = 0
		return Mul(z, Reshape(Const(z.Graph(), mask), 1, 1, c.Heads, 1))
	})
	be := open(t, backend.Go)
	want := Want(name, "block00/resid_post", "block01/resid_post")
	before, after := forward(t, be, m, images, want), forward(t, be, m, images, want, off)
	for i, x := range before[name] {
		expected := x
		if i/d%c.Heads == head {
			expected = 0
		}
		if after[name][i] != expected {
			t.Fatalf("%s[%d] is %g after the edit, expected %g", name, i, after[name][i], expected)
		}
	}
	if !slices.Equal(before["block00/resid_post"], after["block00/resid_post"]) {
		t.Error("an edit in block 1 changed block 0")
	}
	for _, changed := range []string{"block01/resid_post", "logits"} {
		if d, err := distance(after[changed], before[changed]); err != nil || d < .01 {
			t.Errorf("%s moved by %.1e of its scale, %v: expected a clear change", changed, d, err)
		}
	}
}

// Edits with a pattern see every value it matches, several edits of a value apply in
// order, and one that changes nothing changes nothing.
func TestEdits(t *testing.T) {
	m := golden(t, "other")
	c := m.Config
	be := open(t, backend.Go)
	images := randomImages(c, 2, 2)
	before := forward(t, be, m, images)["logits"]

	var seen []string
	after := forward(t, be, m, images, Edit("*", func(name string, x *Node) *Node {
		seen = append(seen, name)
		return x
	}))["logits"]
	if want := []string{"embed", "final", "logits"}; !slices.Equal(seen, want) {
		t.Errorf("the edit saw %q, expected %q", seen, want)
	}
	if !slices.Equal(before, after) {
		t.Error("an edit that returns what it is given changed the logits")
	}
	after = forward(t, be, m, images,
		Edit("logits", func(_ string, x *Node) *Node { return AddScalar(x, 3) }),
		Edit("logits", func(_ string, x *Node) *Node { return MulScalar(x, 2) }))["logits"]
	for i, x := range before {
		if want := 2 * (x + 3); math.Abs(float64(after[i]-want)) > 1e-5 {
			t.Errorf("logit %d is %g, expected 2·(%g + 3) = %g", i, after[i], x, want)
		}
	}
	// An intervention as in the paper: one image's stream after block 0 is put in another's place.
	resid := forward(t, be, m, images, Want("block00/resid_post"))["block00/resid_post"]
	half := len(resid) / 2
	swapped := tensors.FromFlatDataAndDimensions(slices.Concat(resid[half:], resid[:half]), 2, c.Tokens(), c.Width)
	after = run(t, be, m, func(w *Weights[*Node], in []*Node) []*Node {
		logits, _ := Forward(c, w, in[0], Edit("block00/resid_post", func(string, *Node) *Node { return in[1] }))
		return []*Node{logits}
	}, images, swapped)[0]
	if want := slices.Concat(before[c.Classes:], before[:c.Classes]); !slices.Equal(after, want) {
		t.Errorf("with streams swapped after block 0 the logits are %v, expected them swapped: %v", after, want)
	}
}

// Whatever a user gets wrong comes back as one line that says what was expected.
func TestErrors(t *testing.T) {
	m := golden(t, "square")
	c := m.Config
	be := open(t, backend.Go)
	images := randomImages(c, 2, 1)
	with := func(opts ...Option) graphFunc {
		return func(w *Weights[*Node], in []*Node) []*Node {
			logits, _ := Forward(c, w, in[0], opts...)
			return []*Node{logits}
		}
	}
	edit := func(name string, f func(x *Node) *Node) graphFunc {
		return with(Edit(name, func(_ string, x *Node) *Node { return f(x) }))
	}
	from := func(l int, opts ...Option) graphFunc {
		return func(w *Weights[*Node], in []*Node) []*Node {
			logits, _ := ForwardFrom(c, w, l, in[0], opts...)
			return []*Node{logits}
		}
	}
	stream := tensors.FromFlatDataAndDimensions(make([]float32, 2*c.Tokens()*c.Width), 2, c.Tokens(), c.Width)
	identity := func(_ string, x *Node) *Node { return x }
	freed := randomImages(c, 1, 1)
	freed.MustFinalizeAll()

	for _, test := range []struct {
		name   string
		fn     graphFunc
		inputs []any
		want   string
	}{
		{"unknown name", with(Want("embeddings")), []any{images}, `there is no value "embeddings" in a model of 3 blocks: expected embed, block00/* ... block02/*`},
		{"block that is not", with(Want("block03/attn/q")), []any{images}, `there is no value "block03/attn/q"`},
		{"unknown among known", with(Want("embed", "final", "logit")), []any{images}, `there is no value "logit"`},
		{"malformed pattern", with(Want("block[0/attn/q")), []any{images}, `"block[0/attn/q" is no name of a value and no pattern`},
		{"edit of an unknown name", with(Edit("block00/attn", identity)), []any{images}, `there is no value "block00/attn"`},
		{"not asked for", func(w *Weights[*Node], in []*Node) []*Node {
			_, trace := Forward(c, w, in[0], Want("embed"))
			return []*Node{trace.Get("final")}
		}, []any{images}, `"final" is not in the trace, which has [embed]: ask for it with vit.Want`},

		{"edit to another shape", edit("block01/resid_post", func(x *Node) *Node { return ReduceSum(x, 1) }), []any{images},
			"an edit made (Float32)[2, 24] out of block01/resid_post (Float32)[2, 17, 24]: expected the same shape"},
		{"edit to another type", edit("embed", func(x *Node) *Node { return GreaterThan(x, ZerosLike(x)) }), []any{images},
			"an edit made (Bool)[2, 17, 24] out of embed"},
		{"edit to nothing", edit("logits", func(*Node) *Node { return nil }), []any{images}, "an edit made nothing (nil) out of logits"},
		{"edit that does not compute", edit("embed", func(x *Node) *Node { return Mul(x, ReduceSum(x, 2)) }), []any{images}, "vit: "},
		{"edit that panics", edit("embed", func(*Node) *Node { panic("so be it") }), []any{images}, "vit: so be it"},
		{"edit with an index out of range", edit("embed", func(x *Node) *Node { return []*Node{x}[len(x.Shape().Dimensions)] }), []any{images}, "index out of range [3]"},
		{"no edit", with(Edit("embed", nil)), []any{images}, `the edit of "embed" is nil`},
		{"no function", nil, []any{images}, "the graph function is nil"},
		{"no input", with(), nil, "index out of range [0]"},

		{"images of another size", with(), []any{tensors.FromFlatDataAndDimensions(make([]uint8, 2*16*16*3), 2, 16, 16, 3)},
			"images of shape (Uint8)[2, 16, 16, 3], expected (Uint8)[B, 32, 32, 3]"},
		{"one image", with(), []any{tensors.FromFlatDataAndDimensions(make([]uint8, 32*32*3), 32, 32, 3)}, "images of shape (Uint8)[32, 32, 3]"},
		{"channels first", with(), []any{tensors.FromFlatDataAndDimensions(make([]uint8, 2*32*32*3), 2, 3, 32, 32)}, "images of shape (Uint8)[2, 3, 32, 32], expected (Uint8)[B, 32, 32, 3]"},
		{"images in 0..1", with(), []any{tensors.FromFlatDataAndDimensions(make([]float32, 2*32*32*3), 2, 32, 32, 3)},
			"images of shape (Float32)[2, 32, 32, 3], expected bytes"},
		{"no tensor", with(), []any{"images"}, "input 0: a string makes no tensor"},
		{"nil", with(), []any{nil}, "input 0: a <nil> makes no tensor"},
		{"nil tensor", with(), []any{(*tensors.Tensor)(nil)}, "input 0: a tensor that is nil or was freed"},
		{"freed tensor", with(), []any{freed}, "input 0: a tensor that is nil or was freed"},
		{"ragged slices", with(), []any{images, [][]float32{{1, 2}, {3}}}, "input 1: a [][]float32 makes no tensor"},

		{"on from a block that is not", from(3), []any{stream}, "there is no block 3 to go on from: expected -1 (the embedding) to 2"},
		{"on from before the embedding", from(-2), []any{stream}, "there is no block -2 to go on from"},
		{"on from images", from(0), []any{images}, "a residual stream of shape (Uint8)[2, 32, 32, 3], expected (Float32)[B, 17, 24]"},
		{"want below the start", from(1, Want("block01/attn/weights")), []any{stream},
			`"block01/attn/weights" lies below the residual stream that this pass starts from: the first value it computes is block02/resid_pre`},
		{"edit below the start", from(-1, Edit("embed", identity)), []any{stream}, `"embed" lies below the residual stream`},
		{"on from the last block", from(2, Want("block02/resid_post")), []any{stream}, "the first value it computes is final"},
	} {
		out, err := tryRun(be, m, test.fn, test.inputs...)
		switch {
		case err == nil:
			t.Errorf("%s: computed %v, expected the error %q", test.name, out, test.want)
		case !strings.HasPrefix(err.Error(), "vit: ") || strings.HasPrefix(err.Error(), "vit: vit: ") || !strings.Contains(err.Error(), test.want) || strings.Contains(err.Error(), "\n"):
			t.Errorf("%s: error\n%v\nexpected one line with\n%s", test.name, err, test.want)
		}
	}
	for _, pixels := range [][]uint8{nil, make([]uint8, 32*32*3-1), make([]uint8, 32*32)} {
		if _, err := c.Images(pixels); err == nil || !strings.Contains(err.Error(), "expected a multiple of 3072 (images of 32x32, 3 channels)") {
			t.Errorf("Images of %d bytes: error %v", len(pixels), err)
		}
	}
}

// A pattern in ForwardFrom stands for the values that are computed there.
func TestForwardFromPatterns(t *testing.T) {
	m := golden(t, "square")
	stream := tensors.FromFlatDataAndDimensions(make([]float32, m.Config.Tokens()*m.Config.Width), 1, m.Config.Tokens(), m.Config.Width)
	run(t, open(t, backend.Go), m, func(w *Weights[*Node], in []*Node) []*Node {
		logits, trace := ForwardFrom(m.Config, w, 0, in[0], Want("block*/attn/weights"))
		if want := []string{"block01/attn/weights", "block02/attn/weights"}; !slices.Equal(trace.Names(), want) {
			t.Errorf("the trace has %q, expected %q", trace.Names(), want)
		}
		return []*Node{logits}
	}, stream)
}

// A program runs again: with a batch of another size, with the same after an error,
// from several goroutines; and no more once it is closed.
func TestProgram(t *testing.T) {
	m := golden(t, "other")
	c := m.Config
	want := forward(t, open(t, backend.Go), m, randomImages(c, 3, 1))["logits"]
	p, err := Compile(open(t, backend.Go), m.Config, func(w *Weights[*Node], in []*Node) []*Node {
		logits, _ := Forward(c, w, in[0])
		return []*Node{logits}
	})
	if err != nil {
		t.Fatal(err)
	}
	check := func(n int) {
		if n == 0 {
			if _, err := p.Run(m, 1.5); err == nil || !strings.Contains(err.Error(), "images of shape") {
				t.Errorf("run on a number: error %v", err)
			}
			return
		}
		pixels, err := tensors.CopyFlatData[uint8](randomImages(c, 3, 1))
		if err != nil {
			t.Error(err)
			return
		}
		images, err := c.Images(pixels[:n*len(pixels)/3])
		if err != nil {
			t.Error(err)
			return
		}
		out, err := p.Run(m, images)
		if err != nil {
			t.Error(err)
			return
		}
		got, err := tensors.CopyFlatData[float32](out[0])
		if err != nil {
			t.Error(err)
			return
		}
		if d, err := distance(got, want[:n*c.Classes]); err != nil || d > 1e-6 {
			t.Errorf("batch of %d: logits %v, expected %v", n, got, want[:n*c.Classes])
		}
	}
	for _, n := range []int{1, 0, 0, 3, 1} {
		check(n)
	}
	var all sync.WaitGroup
	for i := range 8 {
		all.Go(func() { check(i % 4) })
	}
	all.Wait()
	p.Close()
	if _, err := p.Run(m, randomImages(c, 3, 1)); err == nil || !strings.Contains(err.Error(), "finalized") {
		t.Errorf("run after Close: error %v", err)
	}
}
