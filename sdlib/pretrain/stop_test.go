package pretrain

import "samediff/sdlib/progress"

// stopAfter returns a Progress that calls stop at the n-th report of progress.
func stopAfter(shown *int, n int, stop func()) progress.Func {
	return func(progress.Update) {
		if *shown++; *shown == n {
			stop()
		}
	}
}
