// Package attribution takes a vision transformer's answer apart: which head or MLP wrote
// it, and after which block it could have been read.
//
//	all, err := attribution.Contributions(ctx, be, m, set, images, nil)
//	all[0].Heads[3][1]                        // what block 3, head 1 adds to the answer to images[0]
//	mean := attribution.Mean(all)             // over the images
//
//	readings, err := attribution.Lens(ctx, be, m, set, images, nil)
//	readings[0].Logits[2]                     // the logits, if they were read after two blocks
//
// # The residual stream is a sum
//
// Heads and MLPs only add to the residual stream. At each token the last block leaves
//
//	x = Embed + Σ_l (Σ_h Heads[l][h] + Bias[l] + MLP[l])
//
// where Heads[l][h] is what head h of block l writes through its columns of the output
// layer, and Bias[l] is that layer's bias, which belongs to no head ([vit.Decompose]).
// Whatever reads the stream linearly therefore reads a sum over the same parts.
//
// # Direct logit attribution
//
// The model's head reads the stream through the final LayerNorm. Let u be the direction in
// which it reads same against different. Then
//
//	logit(same) - logit(different) = u · LayerNorm(x) + bias
//	LayerNorm(x) = (x - mean x)/σ ⊙ γ + β
//
// σ depends on x, so the norm is not linear. [Contributions] holds σ at its value for the
// image, as is usual; then the norm is a linear map, u · LayerNorm(x) = v · x + u · β with
//
//	v = (γ⊙u - mean(γ⊙u))/σ
//
// and v · part is the part's contribution. The contributions add up to the answer (Elhage et
// al. 2021, "A Mathematical Framework for Transformer Circuits"). In families whose head
// reads several tokens, each product is a sum over them.
//
// # The logit lens
//
// [Lens] puts the final norm and the head on the stream after every block (nostalgebraist
// 2020, "interpreting GPT: the logit lens") and says what the model would have answered
// had it stopped there. It also measures how long the vectors are by then, because a head
// that adds a vector of a given length changes a short stream more than a long one. [Spot] does
// the same to other tokens than those that the head reads: each is normalized by its own mean and
// variance at the depth where it is read, and not by those of CLS or of the last block.
//
// # Watch for
//
//   - A contribution is direct: it counts what a part writes for the reader of the answer,
//     and not what later blocks make of it. An early head may decide the answer and
//     contribute nothing. Switching it off ([vit.Heads]) is the test.
//   - A part switched off rarely takes away just its contribution: later blocks read a
//     different stream, and σ changes.
//   - The lens reads early streams with a head that was trained on the last one. That it
//     reads nothing early does not mean that nothing is there; a probe may find it.
package attribution
