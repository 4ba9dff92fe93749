// Package optimize trains named tensors: it minimizes a loss, which is a graph function of
// parameters and of a batch of data. It knows no model and no task. Fine-tuning is one use
// of it; an intervention's rotation and mask, or a linear probe, is another.
//
//	res, err := optimize.Minimize(ctx, be, optimize.Problem{
//		Params: []optimize.Param{{Name: "w", Start: w}, {Name: "b", Start: b}},
//		Data:   optimize.Table(x, y),                              // [N, D] and [N], on the device
//		Loss: func(in optimize.Inputs) (*graph.Node, map[string]*graph.Node) {
//			x, y := in.Batch[0], in.Batch[1]
//			...
//			return loss, map[string]*graph.Node{"correct": correct} // scalars, means over the batch
//		},
//		Measures: []string{"correct"},
//	}, optimize.Settings{LR: 1e-3, Epochs: 10, Batch: 64}, optimize.Options{Dir: "run"})
//	res.Param("w")                                                 // the trained tensor
//	res.History[9].Mean("correct")
//
// A [Problem] says what is minimized, [Settings] how, and [Options] where checkpoints and
// reports go.
//
// # Steps
//
// The optimizer is [AdamW] or [Adam], by PyTorch's definition and with its constants, as are
// clipping and the schedules of the learning rate; all of them are tested against PyTorch,
// step by step. Parameters of a [Group] have a learning rate and a decay of their own:
//
//	Params:  {Name: "rotation", Start: R}, {Name: "mask", Start: m, Group: "mask"}
//	Scalars: {"temperature": optimize.Falling(1, .005)}
//	Settings{Optimizer: optimize.Adam, LR: .001, Groups: map[string]optimize.Group{"mask": {LR: .01}}, Schedule: optimize.Linear, ...}
//
// Parameters, moments and sums stay on the device, and each step's results take the place of
// what it read. A step sends the indices of its rows, the learning rate and the scalars.
//
// # Data
//
// [Table] keeps all rows on the device, [Drawn] draws them on the host, for every epoch anew
// if need be, while the device still learns the epoch before. What is too large for the
// device is read row by row: any [Data] can have a [Rows.Read], which is called a step ahead.
// What the loss reads whole, such as the weights of a frozen model, are Problem.Constants.
// What a step changes by another rule than the optimizer's, such as a teacher that follows its student, is Problem.Carried.
//
// # Many at once
//
// Small problems leave a device idle. With Problem.Sets = S every parameter has a first axis
// of S independent values, and the loss is [S]: one graph trains S probes, seeds or learning
// rates. The gradient of the sum of the losses is each set's own, and each is clipped,
// scheduled and kept as if it were alone; up to rounding the result is that of S runs.
//
// # Several devices
//
// With Options.Devices = n each of n devices computes its part of every batch, and gradients
// and sums are averaged over them before the update, which all make alike (XLA's SPMD, with
// one collective operation for all gradients). Every device has a copy of the state and of
// the rows that stay; a checkpoint is the first one's. The number of devices is not part of
// the run: it may be another when the run goes on. "xla:cpu,devices=2" tries it without GPUs.
//
// # Long runs
//
// A step is a function of the state before it and of the step's number, and the state is
// what a checkpoint holds. So a run that is started again in the same Options.Dir ends with
// the same values, to the bit, as one that was left alone: after kill -9, a full disk or
// lost power. Each checkpoint carries a checksum of all its bytes. One that is damaged, or
// was written by another version, is set aside with a warning, and the one before is taken;
// one of another problem or of other settings is an error.
//
// [Watch] shows the parameters after chosen steps of such a run, to measure what becomes of them.
//
// # Watch for
//
//   - Problem.Key has to name what the functions and data depend on. What it leaves out, a
//     resumed run cannot notice.
//   - What a loss measures of its batch is measured before the step: means over an epoch lag
//     behind the parameters at its end.
//   - Keep = Best selects by validation, so the kept measure is too good by the luck of the
//     best epoch. Report another set's.
//   - The last incomplete batch of an epoch is dropped. As the order differs in every epoch,
//     so do the rows that are left out.
package optimize
