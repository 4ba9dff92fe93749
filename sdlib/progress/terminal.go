package progress

import (
	"fmt"
	"io"
	"os"
	"strings"
	"sync"
	"time"
	"unicode/utf8"

	"golang.org/x/term"
)

const (
	logEvery = 5 * time.Second // between the lines of a task where w is no terminal
	barWidth = 10
)

// Terminal returns a Func that writes to w. On a terminal it rewrites one line in place, cut to the terminal's width. Elsewhere, as
// in a log file, it writes a plain line every five seconds and one at the end. Errors of w are ignored: a computation does not fail
// because nobody can watch it.
//
// One Func shows one task after the other. A task that begins before the last one has finished gets a line of its own.
func Terminal(w io.Writer) Func {
	width := func() int { return 0 }
	if f, ok := w.(*os.File); ok && term.IsTerminal(int(f.Fd())) && os.Getenv("TERM") != "dumb" {
		width = func() int {
			columns, _, err := term.GetSize(int(f.Fd()))
			if err != nil || columns <= 0 {
				return 80
			}
			return columns
		}
	}
	s := &screen{w: w, width: width}
	return s.show
}

// A screen remembers what it wrote last.
type screen struct {
	w     io.Writer
	width func() int // columns of the terminal now; 0: no terminal

	mu   sync.Mutex
	task string        // whose line is being rewritten, or was last logged
	last time.Duration // Elapsed of the last line logged
	open bool          // the cursor stands in a line that may be rewritten
}

func (s *screen) show(u Update) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if columns := s.width(); columns > 0 {
		s.rewrite(u, columns)
	} else {
		s.log(u)
	}
}

func (s *screen) rewrite(u Update, columns int) {
	line := u.String()
	if u.Total > 0 && !u.Finished && barWidth+1+utf8.RuneCountInString(line) < columns { // numbers before ornament
		line = bar(u.Fraction()) + " " + line
	}
	start, end := "\r", "\x1b[K" // back to the first column; clear what the longer line before has left
	if s.open && s.task != u.Task {
		start = "\n"
	}
	if u.Finished {
		end += "\n"
	}
	s.task, s.open = u.Task, !u.Finished
	io.WriteString(s.w, start+cut(line, columns-1)+end) // the last column would wrap on some terminals
}

func (s *screen) log(u Update) {
	if u.Task != s.task || u.Elapsed < s.last { // another task, or the same one anew
		s.task, s.last = u.Task, 0
	}
	if u.Finished || u.Elapsed-s.last >= logEvery {
		s.last = u.Elapsed
		fmt.Fprintln(s.w, u)
	}
}

func bar(fraction float64) string {
	full := int(fraction * barWidth)
	return strings.Repeat("█", full) + strings.Repeat("░", barWidth-full)
}

// cut shortens a line to a number of columns, one per character.
func cut(line string, columns int) string {
	if utf8.RuneCountInString(line) <= columns {
		return line
	}
	runes := []rune(line)
	return string(runes[:max(0, columns-1)]) + "…"
}
