// Package activations keeps what a model computes inside, on pictures: chosen values of the
// forward pass, as one safetensors file that is written as a stream and read where it lies.
//
//	plan, err := activations.NewPlan(m.Config, set.Len(), "block*/resid_post")
//	plan, err = plan.AtObjects(set, nil) // only the tokens of objects
//	plan.Bytes()                         // how large the file will be
//	err = activations.Write(ctx, be, m, activations.FromSet(set, nil), plan, "resid.safetensors", nil, nil)
//
//	f, err := activations.Open("resid.safetensors")
//	defer f.Close()
//	x, err := f.Node("block03/resid_post")    // a view of the file
//	x.Row(17)                                 // the values of picture 17
//	err = x.Gather(batch, []int{17, 4, 99})   // the rows of a training step, copied
//
// # Why a file
//
// Probes and interventions read the same activations hundreds of times, for every block,
// property and seed, while the model that computed them stays as it is. So it runs once. A
// ViT-B's residual streams of 6,400 images are 3.9 GB for each block, so the whole is never
// held in memory. [Write] computes batch after batch and writes each where it belongs; [Open]
// maps the file, and the system reads what is touched and keeps what fits.
//
// # All tokens, or those of objects
//
// Most analyses look at the tokens of objects alone. With [Plan.AtObjects] only these are kept,
// in the graph, before anything leaves the device: 8 of 197 for two objects of four patches,
// which makes 160 MB of the 3.9 GB.
//
// # The file
//
// A tensor for each value, float32 under its name ([vit.Config.Nodes]), with the pictures as
// its first axis:
//
//	[N, ...]         all tokens: the shape of [vit.Config.NodeShape]
//	[N, O, P, ...]   the tokens of objects, in place of the axis of tokens; of attention's
//	                 scores and weights the rows (queries), [N, O, P, H, T]
//	logits [N, C]    have no tokens
//
// One more tensor, "tokens", int32 [N, O, P], has the patches, counted in raster order without
// the tokens in front. Where an object covers fewer than P patches, or a picture has fewer
// than O objects, it has -1, and the values are 0. Metadata name the hash of the model's
// weights, the precision of products, and the backend. Python reads the file with the library
// safetensors.
package activations
