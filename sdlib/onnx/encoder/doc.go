// Package encoder finds the image encoder in an ONNX graph: a vision transformer's sizes and every weight in its place.
//
//	m, err := onnx.Open("model.onnx")
//	e, err := encoder.Read(m, encoder.Options{})
//	fmt.Println(e.Image, e.Patch, e.Width, len(e.Blocks), e.Heads)
//	q, err := e.Blocks[3].Q.W.Float32s() // [D, D]
//
// # How
//
// An exporter writes what a model computes and not what it is. Names of weights survive or do not ("onnx::MatMul_1541"); LayerNorm
// comes as one operation or as nine, GELU as one or as five; queries, keys and values from three layers or from one; weights as
// floats, or as bytes whose product is scaled later. So names are not asked. The graph is read as mathematics:
//
//  1. Node by node, each value becomes a term: the mean of x, a sum of x and y, a linear layer of x with weights W. Sums, products and
//     powers are put in one normal form, in which a LayerNorm is a LayerNorm however it was taken apart (algebra.go), and so is a
//     layer that was rounded to 8 bits (layers.go).
//  2. Reshaping and transposing make no new terms. They change a value's layout, which says what each of its axes counts (layout.go):
//     heads and components are two factors of one axis, the outputs of a layer, wherever they stand.
//  3. Shapes are computed, for one image (literal.go, shapes.go).
//  4. From the convolution that cuts the image into patches, the residual stream is followed from sum to sum (embed.go, block.go,
//     readout.go), and whatever is added to it has to be attention or an MLP behind a LayerNorm, with scores divided by √d, a softmax
//     over the keys, and no mask.
//
// What is found is therefore what the graph computes, not what it looks like. A graph that does something else is refused, with the
// node where it does. Nothing is executed.
//
// # What it knows
//
// Pre-norm transformers on square images: tokens in front of the patches with positions (CLS, a distillation token) or without
// (registers), learned positions, also resampled in the graph; a LayerNorm before block 0; three kinds of GELU; LayerScale; heads that
// read CLS, the mean patch, or both. PyTorch's two exporters, optimum, and onnxruntime's dynamic quantization, per tensor and per
// channel, symmetric and not, write graphs that it reads; make_onnx.py in the testdata of package vit makes them for the tests.
//
// # What a graph does not say
//
// How images are normalized. And of graphs that take images of any size: which size they are meant for, where positions are resampled.
package encoder
