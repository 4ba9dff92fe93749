package pretrain

import "context"

// stopping is a context that is canceled once it was asked so many times, whatever the time between.
type stopping struct {
	context.Context
	left int
}

func (s *stopping) Err() error {
	if s.left--; s.left < 0 {
		return context.Canceled
	}
	return s.Context.Err()
}
