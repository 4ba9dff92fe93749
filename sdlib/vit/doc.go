// Package vit is one vision transformer, written to be read and to be opened.
//
// The model is the plain pre-norm ViT of Dosovitskiy et al. (2021), which the paper
// fine-tunes and studies: an image is cut into patches, each patch becomes a vector,
// a CLS vector is put in front, and L blocks of attention and MLP add to these
// vectors. What runs through the blocks is the residual stream. A linear layer reads
// the answer, different (0) or same (1), from CLS. All of it stands in forward.go.
//
//	m, err := vit.New(vit.CourseQuick, 1)                       // random weights, seed 1
//	p, err := vit.Compile(be, m, func(w *vit.Weights[*graph.Node], in []*graph.Node) []*graph.Node {
//		logits, trace := vit.Forward(m.Config, w, in[0], vit.Want("block03/attn/weights"))
//		return []*graph.Node{logits, trace.Get("block03/attn/weights")}
//	})
//	out, err := p.Run(images)                                   // [B, C], [B, H, T, T]
//
// # Looking inside
//
// [Forward] returns the logits and a [Trace]: the intermediate values asked for with
// [Want], under names such as "embed", "block03/attn/weights", "block03/resid_post"
// and "final" ([Config.Nodes] lists them). What is not asked for is not kept. [Edit]
// replaces a named value on its way, and [ForwardFrom] runs only the blocks above a
// given one: every intervention of the paper is "edit a residual stream, then go on".
//
// # Shapes
//
// One alphabet throughout: B batch, T tokens (CLS included), D width, H heads, L blocks,
// C classes, g patches per side of the image (T = g² + 1).
//
// # Watch for
//
//   - Images are bytes, [B, height, width, 3]. Scaling and normalization belong to the
//     model ([Config.Mean], [Config.Std]) and happen inside the graph, so training and
//     analysis can't disagree about them.
//   - Blocks and heads count from 0, as in the paper's code. "After block l" is
//     block l's resid_post.
//   - A graph function runs once per shape of its inputs, when it is compiled, not once
//     per image. What is wrong in it, a misspelled name or shapes that do not fit, comes
//     back as an error of [Program.Run] that names the line.
//   - Files are in Hugging Face layout, config.json and model.safetensors, which
//     transformers' ViTForImageClassification reads.
package vit
