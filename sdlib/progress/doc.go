// Package progress reports how far a long computation is: how many units of how many are done, how fast, how long it still takes.
//
// Whoever computes drives a [Meter] and knows nothing of screens; whoever shows supplies a [Func] and knows nothing of the
// computation. A nil Func is silence, so library code takes one and never asks where it runs:
//
//	func Train(cfg Config, report progress.Func) error {
//		meter := progress.New("train", "images", cfg.Epochs*cfg.Images, report)
//		meter.Start(resumed) // what an earlier run has done already counts as done but not as speed
//		defer meter.Finish("")
//		for ... {
//			meter.Set(done, fmt.Sprintf("loss %.2f", loss))
//		}
//	}
//
// A command passes [Terminal] of its standard error, a notebook cell passes its own Func.
//
// # The rate
//
// The rate shown is an average in which what happened t seconds ago weighs exp(-t/15). It is steady to the eye, follows a change
// within half a minute, and forgets the first step, in which a graph compiles. The last update shows the mean of the whole run
// instead, which is the number to write down.
package progress
