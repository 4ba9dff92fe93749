// Package patch intervenes in a vision transformer and asks what that does to its answers.
// Where a head looks (package attention) and what it writes (package attribution) are
// observations; whether the model needs it is an experiment.
//
//	e, err := patch.NewExperiment(be, m, set, images)                              // the same images, again and again
//	defer e.Close()
//	base, err := e.Base(ctx, nil)                                                  // nothing is changed
//	off, err := e.KnockOut(ctx, patch.KnockOut{Heads: heads, By: patch.Mean}, nil) // some heads replaced
//	cut, err := e.Cut(ctx, patch.Cut{                                              // CLS can't read the objects
//		Edges:  []patch.Edge{{From: patch.Objects, To: patch.CLS}},
//		Blocks: patch.Blocks{First: 4, Last: 6},
//	}, nil)
//	effects, err := patch.Compare(set, images, base, off)                          // accuracy by kind of pair
//	change, low, high := effects[0].Change()                                       // with a paired 95 % interval
//
// # Knocking out heads
//
// A [KnockOut] replaces what heads hand on, at every token: by nothing (zero ablation), by
// the head's mean over the images, or by its output on another image. Zero takes the head
// out together with whatever constant the blocks above have come to expect of it; the mean leaves the
// constant and takes the information; another image's output leaves the model with a value
// that does occur. Where the three disagree, the constant mattered.
//
// A claim that chosen heads matter needs a control: [Random] draws as many heads of the
// same blocks, since any head of an early block may be worth more than one of a late block.
//
// # Cutting edges
//
// A [Cut] removes attention between groups of tokens: an [Edge] says that information goes
// from one group (keys) to another (queries). The tokens of a group differ from image to
// image. In a range of blocks that does without "objects → CLS" at no cost, CLS hears of
// the objects by another way, or at another depth. [Edges] together with CLS → CLS are all
// the attention there is, each part of it once.
//
// Removed before the softmax, the tokens read elsewhere what they no longer read here;
// removed after it, they read less. The two bound what "without the edge" can mean.
//
// # Interchange
//
// [Experiment.Interchange] takes values from another image, the source, and puts them where they are in this
// one: of the residual stream at a point, of what an attention layer, an MLP or a head adds,
// at the tokens of a group. If the answer becomes the source's, what told the two apart
// was there ([Recovered]). The method is called activation patching, causal tracing or interchange
// intervention (Geiger et al. 2021, Meng et al. 2022). It says most where image and source
// differ in little: [Twins] have the same objects' places and the other answer.
// [Counterfactuals] are the pairs of images that package stimuli makes for alignment search.
//
//	images, twins, err := patch.Twins(set)
//	e, err := patch.NewExperiment(be, m, set, images)
//	with, err := e.Interchange(ctx, twins, patch.Swap{Site: patch.Stream, Point: 3, Group: patch.CLS}, nil)
//
// [Experiment.Attribution] estimates all points at once from a gradient. [Experiment.Path]
// follows a single way from one head to another: what the first has on the source
// reaches the second alone, and everything else keeps its value.
//
// # Watch for
//
//   - An intervention that does nothing shows that the model can do without, not that it
//     does: other heads may compute the same, and later heads may make up for a loss.
//   - The residual stream is an edge that nothing cuts: what a token knows, it keeps.
//   - The margin, logit(same) - logit(different), sees what accuracy does not yet, and a
//     model whose answers all move to "same" keeps an accuracy of ½. Look at the kinds of pairs.
//   - The answers are pairs: the same images with and without. [Effect.Change] and
//     [Effect.P] use that; the intervals of the two accuracies do not.
package patch
