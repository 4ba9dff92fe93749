package study

import (
	"fmt"
	"strings"
	"time"

	"samediff/sdlib/optimize"
)

// Spent says where the seconds of alignment searches went in this process. What the store had took none.
type Spent struct {
	Caching   float64 // streams of pairs, and states of objects
	Compiling float64 // the steps of searches: tracing and XLA
	Training  float64
	Testing   float64 // with the compilation of tests
}

// Spent returns where the seconds of alignment searches went so far.
func (l *Lab) Spent() Spent {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.spent
}

// String lists the seconds with their shares: "40 s: caching 10 (25 %), compiling 5 (12 %), ...".
func (s Spent) String() string {
	all := s.Caching + s.Compiling + s.Training + s.Testing
	var parts []string
	for _, p := range []struct {
		name    string
		seconds float64
	}{{"caching", s.Caching}, {"compiling", s.Compiling}, {"training", s.Training}, {"testing", s.Testing}} {
		parts = append(parts, fmt.Sprintf("%s %.1f (%.0f %%)", p.name, p.seconds, 100*p.seconds/max(all, 1e-9)))
	}
	return fmt.Sprintf("%.1f s: %s", all, strings.Join(parts, ", "))
}

// clock starts one; the function that it returns adds the seconds since to what add chooses.
func (l *Lab) clock(add func(s *Spent) *float64) (stop func()) {
	begin := time.Now()
	return func() { l.add(add, time.Since(begin).Seconds()) }
}

func (l *Lab) add(to func(s *Spent) *float64, seconds float64) {
	l.mu.Lock()
	defer l.mu.Unlock()
	*to(&l.spent) += seconds
}

func onCaching(s *Spent) *float64 { return &s.Caching }
func onTesting(s *Spent) *float64 { return &s.Testing }

// searched adds what a search took.
func (l *Lab) searched(t optimize.Times) {
	l.add(func(s *Spent) *float64 { return &s.Compiling }, t.Compile)
	l.add(func(s *Spent) *float64 { return &s.Training }, t.Data+t.Step)
}
