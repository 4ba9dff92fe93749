package progress

import (
	"fmt"
	"strings"
	"time"
	"unicode"
)

// An Update is the state of one task at one moment.
type Update struct {
	Task     string        // what is being done: "train"
	Done     int           // units done, those of earlier runs included
	Total    int           // units to do; 0 where it is unknown
	Unit     string        // "images"
	Rate     float64       // units per second; 0 before it is known
	Elapsed  time.Duration // since Start
	Left     time.Duration // expected; 0 where it is unknown and at the end
	Note     string        // "loss .31  val .92"
	Finished bool          // no update of this task follows
}

// A Func shows updates. A Meter calls it from one goroutine at a time. The nil Func is silence.
type Func func(Update)

// Fraction returns what part is done, between 0 and 1, and 0 where the total is unknown.
func (u Update) Fraction() float64 {
	if u.Total <= 0 {
		return 0
	}
	return min(1, max(0, float64(u.Done)/float64(u.Total)))
}

// String returns the update as one line: "train  42%  2688/6400 images  896 images/s  4s left  loss .31".
func (u Update) String() string {
	parts := []string{u.Task}
	if u.Total > 0 {
		parts = append(parts, fmt.Sprintf("%3d%%", int(100*u.Fraction())), fmt.Sprintf("%d/%d %s", u.Done, u.Total, u.Unit))
	} else {
		parts = append(parts, fmt.Sprintf("%d %s", u.Done, u.Unit))
	}
	if u.Rate > 0 {
		parts = append(parts, formatRate(u.Rate)+" "+u.Unit+"/s")
	}
	switch {
	case u.Finished:
		parts = append(parts, "in "+formatDuration(u.Elapsed))
	case u.Left > 0:
		parts = append(parts, formatDuration(u.Left)+" left")
	}
	if u.Note != "" {
		parts = append(parts, u.Note)
	}
	return strings.Map(func(r rune) rune {
		if unicode.IsControl(r) { // a line break or an escape sequence would spoil the line
			return ' '
		}
		return r
	}, strings.Join(parts, "  "))
}

// formatRate keeps three digits: more would only flicker.
func formatRate(r float64) string {
	switch {
	case r >= 100:
		return fmt.Sprintf("%.0f", r)
	case r >= 10:
		return fmt.Sprintf("%.1f", r)
	}
	return fmt.Sprintf("%.2f", r)
}

// formatDuration prints 42s, 3m05s or 2h07m.
func formatDuration(d time.Duration) string {
	d = d.Round(time.Second)
	switch {
	case d < time.Minute:
		return fmt.Sprintf("%ds", d/time.Second)
	case d < time.Hour:
		return fmt.Sprintf("%dm%02ds", d/time.Minute, d%time.Minute/time.Second)
	}
	return fmt.Sprintf("%dh%02dm", d/time.Hour, d%time.Hour/time.Minute)
}
