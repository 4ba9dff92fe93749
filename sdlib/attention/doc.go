// Package attention scores the heads of a vision transformer by where they look: at the
// object itself, at the object it is compared with, or elsewhere (paper, section 3).
//
//	images, err := attention.Select(set, 250, 1)               // 250 same and 250 different
//	s, err := attention.Analyze(ctx, be, m, set, images, nil)  // every head of every block
//	s.Local[3][1]                                              // block 3, head 1: 0 local ... 1 global
//	for _, line := range s.Lines() { ... }                     // the largest head of each block
//
// # What is measured
//
// A head's attention A says for each query token (row) how much it reads from each key
// token (column); rows sum to 1. For an object o that covers the patches O, and a set X
// of tokens,
//
//	mass(o → X) = 1/|O| Σ_{q∈O} Σ_{k∈X} A[q, k]
//
// is the share of the object's attention that goes to X. Seen from o, every token has
// exactly one place: CLS, own (O itself), partner (the object it is compared with),
// others (in RMTS the other pair), background. So the five masses add up to 1, and
// [Scores.Shares] reports their means. A patch that two objects share is own to both.
//
// CLS stands for all tokens in front of the patches: with DeiT's distillation token and
// DINOv2's registers. SigLIP has none, and there nothing goes to it.
//
// The scores of [Measures] are one number per image, averaged over the images:
//
//	Local       max_o mass(o → all patches but O), without CLS     0 local, 1 global
//	Within      min_o mass(o → O)
//	Pair        max_o mass(o → partner)
//	Background  max_o mass(o → background)
//	Between     max over the two pairs of the mean over its objects of mass(o → others); RMTS only
//
// with o running over all objects of the image, the display pair of RMTS included. The
// minimum in Within is the maximum in Local seen from the other side: both are decided by
// the object whose attention is most global, and where a head ignores CLS,
// Within = 1 - Local, which is how the paper defines it.
//
// # Parts, intervals, stages
//
// [Scores.Same] and [Scores.Different] are averaged over the images with that answer. In RMTS
// [Scores.Sample] and [Scores.Display] look from the objects of one pair alone; there Between
// is what goes from this pair to the other.
//
// Every score has an interval: the images are drawn anew with replacement, 1,000 times
// ([Bootstrap], [Resamples]). The largest head of a block has one too. [Scores.Stages] finds the block
// where each line peaks, in the scores and in each resample: how sure is it that the model looks
// within objects before it looks between them? [PerImage] has the scores of each image for
// statistics of one's own.
//
// The intervals say what other images would change. They do not say what another training would.
//
// # What the paper's code computes
//
// The released code differs from the paper's text (docs/paper.md, D14), and
// [Scores.Original] follows the code: in RMTS it looks at the sample pair alone; its heat map is the sum
// of two maxima, max_o mass(o → partner) + max_o mass(o → background), which can exceed
// 1 where each object looks elsewhere; and Within is 1 minus that sum, so that attention
// to CLS, and to the display pair, counts as attention within the object.
//
// # Watch for
//
//   - Attention to CLS is in none of the five scores, only in Shares.CLS. A head that
//     parks its attention there is neither local nor global: Local and Within are both low.
//   - Objects cover few patches and the background many: a head with uniform attention
//     has a Local score near 1 and a Within score near 0.
//   - Weights are where a head reads, not what it does with it.
//
// The maps are reduced inside the graph. What leaves the device per batch are a few
// sums per head, not B·L·H·T² weights. [Maps] returns the full weights of chosen heads
// for one image, to be laid over it.
package attention
