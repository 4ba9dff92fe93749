// Package probe asks what a linear reading of a model's residual stream knows, and whether the
// model uses it (paper, section 5 and appendix K.3).
//
// A probe is a linear classifier of a few tokens' vectors: of a pair of objects, is it the same
// or different? If a probe can tell, the answer is there. That does not show that the model
// reads it. So an intervention adds the probe's direction for the opposite relation to the
// pair's tokens, and runs the blocks above: if the model's own answer flips, it used what the
// probe found.
//
//	items, err := probe.NewItems(set, images, probe.Relation, "", 0)
//	x, err := probe.FromActivations(values, items)          // values kept at the tokens of objects
//	places := []probe.Place{{"block03/resid_post", x}, ...}
//	probes, err := probe.Train(ctx, be, places, items, probe.Paper, key, optimize.Options{})
//	probes[3].Score(testX, testItems)
//
// # Two probes
//
// [Train] is the paper's: AdamW for 10 epochs on the tokens as they are, all blocks side by side
// in one graph. It has a start, an order and a number of steps, and its weights need not have
// settled. [Fit] is logistic regression to convergence, of which there is one for each penalty.
//
// # Controls
//
// A probe of thousands of features can learn much by heart. What it finds counts against
//
//   - shuffled answers ([Items.Shuffled]), in training and test: chance, unless something leaks;
//   - [Noise] of the same size in place of the features: what the items alone allow;
//   - shapes or colors that are held out ([Items.Part]): is *same* abstract?
//   - a model with random weights: what the architecture hands through untrained.
//
// # Interventions
//
// [Intervene] adds directions to the tokens of one pair after a block. Beside the direction of
// the opposite relation stand the paper's control, the direction of the relation that is there
// ([Present]), a random one of the same length ([Random]), and the difference of the class
// means ([Means]), which needs no probe. [Measure] says how long the directions are against the
// stream, which decides what a factor α means, and how they turn from block to block.
//
// # Watch for
//
//   - The paper's probe of block l reads its input, its intervention changes its output (D19).
//     Here both are at the same point; [InputOf] gives the paper's.
//   - The length of the paper's directions is an accident of its optimizer, so α = 1 means
//     another push in each model and block (D21). Compare along α, or after [Measure].
//   - What is added after the last block reaches only what the head reads. If that is CLS, no
//     answer changes; the result is derived from the model's own answers.
//   - A model that answers wrongly "flips" without any intervention: the floor is the share of wrong answers.
//
// Shapes: n items, F features = tokens of an item · D, C classes; B images, Q pairs of an image,
// V variants of an intervention (direction and α), T tokens, D width, P tokens of an object.
package probe
