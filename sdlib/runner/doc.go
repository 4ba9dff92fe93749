// Package runner streams images, or anything else that comes in batches, through a
// vision transformer. Every analysis is a [Pass]: a graph function and the parameters it
// depends on. The batch loop, the size of a batch, progress and interruption are here, once.
//
//	var logits = runner.New("logits", func(c vit.Config, _ struct{}, w *vit.Weights[*graph.Node], in []*graph.Node) []*graph.Node {
//		y, _ := vit.Forward(c, w, in[0], vit.LogitsOnly())
//		return []*graph.Node{y} // [B, C]
//	})
//
//	err := logits.Run(ctx, be, m, struct{}{}, runner.Work{
//		N:    set.Len(),
//		Feed: runner.Images(m.Config, set, nil),
//		Take: func(items []int, out []*tensors.Tensor) error { ... }, // row i of out[0] belongs to items[i]
//	})
//
// # Compiled once
//
// Weights are inputs of the graph. So a pass is compiled once for each configuration of a
// model, each value of its parameters and each size of batch; all models of that
// configuration share the program, as do all calls in a process. Compiling takes seconds
// and a batch milliseconds. What differs between calls without changing the graph, such
// as which heads are switched off ([vit.Heads]), belongs into an input. [Compiled] counts.
//
// A graph function must depend on its arguments alone: what it read from elsewhere would
// be compiled in, and a later call would get the program of an earlier one. Make passes
// package variables with functions that capture nothing.
//
// # Batches
//
// A batch is a power of two, as large as [Size] allows for the configuration, and never
// much larger than the work. The last batch is filled up with its last item, whose further
// results Take does not see, so that one program serves all. While the device computes a
// batch the next one is drawn.
package runner
