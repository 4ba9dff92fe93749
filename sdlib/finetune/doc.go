// Package finetune trains vision transformers on same-different tasks and asks how well
// they answer: the paper's section 2, its auxiliary losses (section 7, appendix L), and
// one loss more.
//
//	m, err := vit.New(vit.CourseQuick, 1)
//	res, err := finetune.Train(ctx, be, m, train, val, finetune.Quick, finetune.Options{Dir: "run"})
//	e, err := finetune.Evaluate(ctx, be, res.Model, test, finetune.Condition{}, nil)
//	e.All.Accuracy()                       // .97 to .985
//
// # Recipes
//
// A [Recipe] says everything about a training but the model and the images, and the
// three together determine the weights, to the bit on one machine: order of images and
// probes' starting weights come from the recipe's seed, so does the choice of heads in
// the pipeline loss. [Paper] and its variants are the paper's recipes, [Quick], [Course]
// and [RMTS] those of models that two CPU cores train in minutes. Change a field and
// you have another experiment:
//
//	r := finetune.Quick
//	r.Disentangle.Weight = 0               // without the auxiliary loss
//	r.Keep = finetune.Best                 // of all epochs, the best on the validation set
//
// Every option's zero value is the plain choice. The steps are those of package optimize:
// AdamW with PyTorch's constants. They and each loss are tested against PyTorch, step by step.
//
// # Losses
//
// What is minimized is the cross-entropy of the answers plus the weighted sum of the
// auxiliary losses that are on. The paper's section 7 asks what a model fails for lack
// of, and gives it that:
//
//   - [Disentangle]: probes read shape and color from the two halves of the residual
//     stream. It asks for objects that are represented by their properties, separately.
//     Its control, Identity, asks for the same knowledge without the separation.
//   - [Pipeline]: chosen heads of chosen blocks attend within objects, then within
//     pairs, then between pairs: the stages of a relational computation. It prescribes
//     where heads look and not what they read there.
//   - [Relation], which the paper lacks: a probe reads from each pair's tokens whether
//     the pair is the same. It asks for the intermediate judgment itself, and is what
//     lets a small model learn RMTS.
//
// A probe is trained along with the model and thrown away afterwards: [Result] has the
// model alone. That a probe reads a property says that the stream carries it where the
// probe looks; whether the model uses it is a question for interventions.
//
// # What the paper does, and its code
//
// Names such as D8 are those of docs/paper.md.
//
//   - D7: the text has 200 epochs for all; the published DINOv2 checkpoints were saved
//     after 30. [PaperDINOv2] has 30.
//   - D8: the code hands the validation accuracy to an exponential schedule that takes it
//     for the number of epochs, so the learning rate hardly moves. [Exponential] decays
//     per epoch; Faithful.DecayByAccuracy repeats the code.
//   - D9, D10: accuracies here are divided by the true size of a set, and the IID and the
//     compositional test set are two sets.
//   - D11: the text has the disentanglement loss after layer 3 of 12, the logs after 2, 3
//     or 4. Disentangle.After says it, counting blocks from 0: layer 3 is After = 2.
//   - D12: the text minimizes 1 - score of the attention in the pipeline loss, the code
//     -log(score). Pipeline.Log chooses the code's. The code counts rows four times over
//     in the denominator, a constant under the logarithm; here rows are counted once.
//   - D13: in the released code the pipeline loss crashes for a model trained from scratch;
//     here it works for every model.
//   - Not said in the paper: the losses' weights (the code has 1), and how the pipeline
//     loss's kinds combine. Here each kind is averaged over its blocks, and the kinds are
//     added up.
//
// # Long runs
//
// With Options.Dir a run goes on where it was interrupted, and ends as one that was left
// alone; package optimize says how. log.jsonl has a line per epoch, with the seconds it
// spent on data, steps and evaluation.
//
// # Watch for
//
//   - Accuracy on the training images is counted while they are learned: it lags behind
//     within an epoch, and with Fresh it is an accuracy on unseen images.
//   - Keep = Best selects on the validation set, so its accuracy there is too high by the
//     luck of the best epoch. Report a test set's.
//   - One run is one seed. What a loss changes shows only over several.
package finetune
