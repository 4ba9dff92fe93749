package vit_test

import (
	"fmt"

	. "github.com/gomlx/gomlx/core/graph"

	"samediff/sdlib/backend"
	"samediff/sdlib/vit"
)

// check ends a program with what went wrong; in a notebook, nb.Must does this.
func check[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}

// A model with random weights, one black image, and what the model computes with it.
func Example() {
	be := check(backend.Open("go"))
	m := check(vit.New(vit.CourseQuick, 1))
	images := check(m.Config.Images(make([]uint8, 64*64*3)))

	var names []string
	p := check(vit.Compile(be, m.Config, func(w *vit.Weights[*Node], in []*Node) []*Node {
		_, trace := vit.Forward(m.Config, w, in[0], vit.Want("embed", "block03/attn/*", "logits"))
		names = trace.Names()
		return trace.All()
	}))
	defer p.Close()
	for i, x := range check(p.Run(m, images)) {
		fmt.Printf("%-20s %v\n", names[i], x.Shape().Dimensions)
	}
	// Output:
	// embed                [1 17 96]
	// block03/attn/q       [1 17 3 32]
	// block03/attn/k       [1 17 3 32]
	// block03/attn/v       [1 17 3 32]
	// block03/attn/scores  [1 3 17 17]
	// block03/attn/weights [1 3 17 17]
	// block03/attn/heads   [1 17 3 32]
	// block03/attn/out     [1 17 96]
	// logits               [1 2]
}

// Head 2 of block 1 is switched off: its outputs are multiplied by 0, the others' by 1.
func ExampleEdit() {
	be := check(backend.Open("go"))
	m := check(vit.Load("testdata/square"))
	images := check(m.Config.Images(make([]uint8, 32*32*3)))

	p := check(vit.Compile(be, m.Config, func(w *vit.Weights[*Node], in []*Node) []*Node {
		before, _ := vit.Forward(m.Config, w, in[0])
		off := vit.Edit("block01/attn/heads", func(_ string, z *Node) *Node { // z [B, T, H, D/H]
			return Mul(z, Const(z.Graph(), [][][][]float32{{{{1}, {1}, {0}}}}))
		})
		after, _ := vit.Forward(m.Config, w, in[0], off)
		return []*Node{before, after}
	}))
	defer p.Close()
	out := check(p.Run(m, images))
	fmt.Printf("logits           %.2f\n", out[0].Value())
	fmt.Printf("without the head %.2f\n", out[1].Value())
	// Output:
	// logits           [[3.19 1.27]]
	// without the head [[3.81 0.15]]
}

// The residual stream after block 1 is taken from one image and given to the blocks
// above it, as every intervention of the paper does.
func ExampleForwardFrom() {
	be := check(backend.Open("go"))
	m := check(vit.Load("testdata/square"))
	images := check(m.Config.Images(make([]uint8, 32*32*3)))

	read := check(vit.Compile(be, m.Config, func(w *vit.Weights[*Node], in []*Node) []*Node {
		logits, trace := vit.Forward(m.Config, w, in[0], vit.Want("block01/resid_post"))
		return []*Node{logits, trace.Get("block01/resid_post")}
	}))
	defer read.Close()
	out := check(read.Run(m, images))

	goOn := check(vit.Compile(be, m.Config, func(w *vit.Weights[*Node], in []*Node) []*Node {
		logits, _ := vit.ForwardFrom(m.Config, w, 1, in[0]) // blocks 2, 3, ... and the head
		return []*Node{logits}
	}))
	defer goOn.Close()
	again := check(goOn.Run(m, out[1]))
	fmt.Println("stream", out[1].Shape().Dimensions)
	fmt.Println("the same logits, bit for bit:", out[0].Equal(again[0]))
	// Output:
	// stream [1 17 24]
	// the same logits, bit for bit: true
}

// What every head writes in the direction that tells the answers apart: the stream is
// taken apart, and each part multiplied by the difference of the head's two rows.
func ExampleDecompose() {
	be := check(backend.Open("go"))
	m := check(vit.Load("testdata/square"))
	images := check(m.Config.Images(make([]uint8, 32*32*3)))

	p := check(vit.Compile(be, m.Config, func(w *vit.Weights[*Node], in []*Node) []*Node {
		_, trace := vit.Forward(m.Config, w, in[0], vit.Want(vit.PartNodes...))
		parts := vit.Decompose(w, trace)
		direction := Sub(Slice(w.Head.W, AxisElem(1)), Slice(w.Head.W, AxisElem(0))) // [1, D]
		written := Einsum("bhtd,xd->bht", parts.Heads[2], direction)                 // by the heads of block 2
		return []*Node{Slice(written, AxisElem(0), AxisRange(), AxisElem(0))}        // at CLS
	}))
	defer p.Close()
	fmt.Printf("%.2f\n", check(p.Run(m, images))[0].Value())
	// Output:
	// [[[-0.68] [0.97] [-1.40]]]
}

// A pretrained model for images of another size: its positions, learned on a grid of 4 by
// 4 patches, are resampled to 6 by 6 inside the graph, and a new head has two answers.
func ExampleLoadBackbone() {
	m := check(vit.LoadBackbone("testdata/clip-whole", 2, 1, 48))
	c := m.Config
	fmt.Println(c.Family, "with", c.Tokens(), "tokens,", c.Prefix(), "in front of", c.Grid(), "x", c.Grid(), "patches")
	fmt.Println("positions", m.Weights.Pos.Shape().Dimensions, "head", m.Weights.Head.W.Shape().Dimensions)
	// Output:
	// clip with 37 tokens, 1 in front of 6 x 6 patches
	// positions [1 17 24] head [2 24]
}

// What sets the families apart.
func ExampleFamily_Traits() {
	for _, f := range vit.Families {
		t := f.Traits()
		fmt.Printf("%-21s  %-17s  reads %-15s  LayerScale %t\n", f, t.Activation, t.Readout, t.LayerScale)
	}
	// Output:
	// vit                    gelu               reads CLS              LayerScale false
	// deit                   gelu               reads CLS              LayerScale false
	// clip                   quick_gelu         reads CLS              LayerScale false
	// siglip                 gelu_pytorch_tanh  reads mean of patches  LayerScale false
	// dinov2                 gelu               reads CLS, mean patch  LayerScale true
	// dinov2_with_registers  gelu               reads CLS, mean patch  LayerScale true
}
