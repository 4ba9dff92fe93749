// Package delta keeps what fine-tuning changed in a model: a small file beside the name of the model that it began from.
//
// A ViT-B has 86 million weights, 344 MB in float32. A short fine-tuning moves all of them, each a little, and what matters of
// the movement lies in few directions of each matrix: that is what LoRA builds on (Hu et al. 2022), which
// trains a change of low rank. Here the change is trained without a bound and cut to low rank afterwards. A matrix W [m, n] of
// the fine-tuned model is kept as
//
//	W ≈ W₀ + A B,  A [m, r], B [r, n]
//
// with W₀ from the base and A B the best approximation of rank r of W - W₀ in the Frobenius norm, its truncated singular value
// decomposition (Eckart and Young 1936). At rank 4 and 16 bits a ViT-B takes 1.7 MB.
//
// # The way in
//
//	d, err := delta.Pack(ctx, base, tuned, delta.Options{Base: "clip-b16", Method: delta.Method{Rank: 4}})
//	err = d.Save("models/clip-discrimination")
//
// and on another machine, whose base is where find looks for it ([samediff/sdlib/study.Bases] knows the checkpoints of the
// paper and the models of the course):
//
//	m, err := delta.Load("models/clip-discrimination", study.Bases(hub.Options{}))
//
// [Load] and [LoadBackbone] read plain folders too, as functions of the same name in package vit do, so that a program needs one
// of them for both.
//
// # What is kept how
//
//	matrices             A and B, of rank r, in 16 bits or 8; the patch embedding as [D, 3·patch²], positions as [positions, D]
//	biases, LayerNorms,  the difference, in 16 bits
//	LayerScale, CLS
//	head                 itself, in float32: the base has another one or none
//	what did not change  nothing
//
// [Method] says how the ranks are chosen: one for all matrices, or as many components as an error or a size allows, the most
// useful per byte first. A matrix whose A and B would be larger than itself is kept as a difference.
//
// Numbers in 16 bits are float16, or float32 where that would cost more than a thousandth of the tensor's norm (changes so small
// that float16 has no digits for them). In 8 bits ([Method].Bits) each component has a step of its own; that changes it by about a percent.
//
// # The same model everywhere
//
// A base is named by the hash of its weights ([Hash]), without the head, and Load refuses another: CLIP in 8 bits is not CLIP in
// float32. The file of differences is named by its hash too. Load rounds every product and every sum to float32, in a fixed order
// and never fused, so that all machines get the same weights to the bit, and share the results that are kept under
// their hash. Pack gives the same bits on machines of one architecture: its random start has a fixed seed, gonum's
// sums have a fixed order, and singular vectors a fixed sign.
//
// # Watch for
//
//   - A packed model is another model than the one that was packed. That its answers agree does not say that its inside does: compare
//     head scores, or whatever will be measured, before and after (`sd model pack --images`).
//   - [Delta.Lost] says how much of the difference was cut off. It may be most of it in a model that answers as before: AdamW moves
//     every weight by about as much in each step, which spreads a difference over all directions. So it compares ranks of one
//     model, and says little by itself.
//   - A model trained from scratch, or for long, has no small difference to anything.
package delta
