// Package study ties the steps of an experiment to a store of results, so that each
// is computed once and asked for as often as one likes.
//
//	lab, err := study.Open(study.Options{})
//	m, err := lab.Train(ctx, study.Quick)        // minutes the first time, then a read
//	b, err := lab.Evaluate(ctx, m)               // accuracy on every set
//	s, err := lab.Heads(ctx, m)                  // local and global attention heads
//
// A notebook cell is a new process, so a cell simply asks again for what an earlier one
// made; so do the command line and jobs on other machines that share the store.
//
// # What a result depends on
//
// The key of a result holds its parameters (configurations, recipes, seeds) and the keys
// of the results it is made from. A model's key is that of its training, or the hash of
// its weights when it was read from a file. The backend is not part of the key: backends
// agree up to rounding, and each result's meta.json says which one made it.
//
// # Presets
//
// [Quick] and [Course] are discrimination models that two CPU cores train in minutes.
// Change a field and you have another experiment with a key of its own:
//
//	t := study.Quick
//	t.Recipe.Disentangle.Weight = 0 // without the auxiliary loss (paper, section 7)
package study
