// Package das finds where a model keeps a property: distributed alignment search (Geiger et al.
// 2024; section 4 of the paper).
//
//	q := das.Search{Block: 2, Recipe: das.Paper, Seed: 1}
//	pairs, err := q.TrainingPairs(config, stimuli.ColorProperty)  // base and counterfactual images
//	err = das.Keep(ctx, be, m, pairs, das.Searched(m.Config), dir, nil)   // runs the model once
//	s, err := das.Open(dir, m.Config, pairs)
//	v, err := das.Train(ctx, be, m, s, q, das.Options{})
//	a, err := v.Answers(ctx, be, m, tests, nil)                           // tests: streams of pairs of another split
//	a.Score().Accuracy()                                                  // how often the answer became the target
//
// # The idea
//
// Two objects differ in color, and the model says so. If the color of one of them is a part of
// the residual stream of its own, say what lies in a subspace, then that part can be taken
// out and replaced by that of an object of the other color, from another image: the rest of the
// model should now see two equal objects, and answer "same". Nobody knows the subspace, so it is
// learned. R is an orthogonal matrix, whose columns are directions of the stream, and s [D] says
// which of them are swapped. With row vectors b and c, the states of the base and the
// counterfactual object after block l,
//
//	out = [(1 - s) ⊙ bR + s ⊙ cR] Rᵀ,    s = σ(m/T)
//
// R and m are trained such that the answers become what a swapped color should make them; the
// model stays as it is. A penalty of Σ s asks for few directions, and the falling temperature T
// for whole ones: in a test s is 1 where m > 0, else 0. If an intervention works on pairs that it
// was not learned from, and controls fail, then the model's answer depends on that subspace as on
// the property: it keeps objects' colors apart from the rest, in their own tokens.
//
// # What belongs to a result
//
//   - An intervention that does nothing brings about the target where the model is wrong anyway:
//     1 - base accuracy. Every [Answers] has the base answers beside the others.
//   - After the last block of a model whose head reads CLS nothing can be changed any more. Those
//     results are not computed but derived, and say so.
//   - A search has much freedom: D(D-1)/2 angles and 2,000 pairs. A [Control] shows what that
//     freedom alone reaches.
//   - In RMTS the counterfactual image's own label is the target in about half of the pairs. So in
//     late blocks a search that carries over the label, and no property, reaches .5.
//
// # Is it too free?
//
// An intervention that works could have been learned by heart, or make use of what the model itself does not
// (Makelov et al. 2023). Two controls ask: [RandomWeights] searches where there is nothing to find, [HeldOut] is
// tested on values that the search has not seen. Other methods say what the freedom is worth:
//
//   - [LowRank] learns as many directions and no mask, [Boundless] a boundary in place of a mask;
//   - [Probe], [PCA] and [Means] take directions that are not learned by what swapping them does;
//   - [Whole] swaps everything.
//
// # Novel representations
//
// Does the model compare what the subspace holds, or look up values that it knows? [Intervention.NovelAnswers]
// writes vectors into the subspaces of both objects that no object has ([Novelty]): the same
// vector should make them the same, two vectors different (section 5, Appendix J).
//
// # What is computed
//
// A step needs the base's stream after block l and the source's tokens there, which never change,
// and the blocks above l. So the model runs once over all pairs, and [Keep] writes the streams after
// all blocks to files that serve every block, control and seed. A step then runs the blocks above
// alone, the last one for CLS alone, and no gradient of a weight; the pairs stay on the device.
//
// R is Q·e^S, with Q a random orthogonal matrix and S skew-symmetric, made of D(D-1)/2 numbers: so
// PyTorch's parametrization "orthogonal" has it. It is orthogonal whatever S is, up to rounding;
// the rotation that is kept is computed in float64.
//
// Searches are trained one by one, and sd das says where the seconds went. As one graph four would take as long: a step
// of the course's model takes 86 ms of two CPU cores' time alone and 92 ms as one of four, which makes up
// for compiling once, 1.1 s for each in place of 3.5 (go test -run - -bench Stacked -benchtime 1x ./sdlib/das).
//
// # Watch for
//
//   - Swapping uses the same R and s for all tokens of an object. Training shuffles the source's
//     tokens, so that what is found is about the object and not about a place in it.
//   - A subspace is one of many that would do as well: another seed finds another. [Angles] and [Overlap] say how far
//     apart two are. Searches of one seed start from the same rotation, so that theirs are no independent finds: in the
//     course's model those of one property and two seeds overlap little more than random ones (notebooks/04-perceptual.ipynb).
//   - That a subspace works does not mean that the model uses it on its own: an intervention may
//     work through a direction that never varies by itself. The controls do not rule that out.
//
// Shapes: B pairs of a batch, N of all, T tokens, P tokens of an object, K tokens written to, D width.
package das
