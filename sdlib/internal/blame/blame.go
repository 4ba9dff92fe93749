// Package blame names the line at which a graph function panicked. GoMLX turns such a panic
// into an error with the text of the innermost operation and a long stack. Who wrote the
// function wants the first line of the one and a place in his own code from the other.
package blame

import (
	"errors"
	"fmt"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
)

// An Error says what a graph function panicked with, and where.
type Error struct{ text string }

func (e *Error) Error() string { return e.text }

// Catch, deferred by a package that calls graph functions of others, turns a panic into one
// of an *Error, which GoMLX hands on as an error. It names the innermost line that is
// neither GoMLX's nor of the packages given by their names in sdlib: the caller's own, and
// those that only it calls.
func Catch(packages ...string) {
	r := recover()
	if r == nil {
		return
	}
	text := strings.TrimPrefix(Line(r), packages[0]+": ")
	_, here, _, _ := runtime.Caller(0)
	sdlib := filepath.Join(filepath.Dir(here), "..", "..")
	callers := make([]uintptr, 100)
	frames := runtime.CallersFrames(callers[:runtime.Callers(3, callers)]) // without Callers, Catch and panic
	for more := true; more; {
		var f runtime.Frame
		f, more = frames.Next()
		name, in := strings.CutPrefix(filepath.Dir(f.File), sdlib+string(filepath.Separator))
		ours := in && slices.Contains(packages, name) && !strings.HasSuffix(f.File, "_test.go")
		if !ours && !strings.Contains(f.File, "github.com/gomlx/") && !strings.HasPrefix(f.Function, "runtime.") {
			text += fmt.Sprintf(" (at %s:%d)", filepath.Base(f.File), f.Line)
			break
		}
	}
	panic(&Error{text})
}

// Of returns what an error of GoMLX says: the *Error in it, or an error of its first line.
func Of(err error) error {
	if e := (*Error)(nil); errors.As(err, &e) {
		return e
	}
	return errors.New(Line(err))
}

// Line is what an error or a panic says, without the stack that GoMLX's errors carry.
func Line(r any) string {
	line, _, _ := strings.Cut(fmt.Sprint(r), "\n")
	return line
}
