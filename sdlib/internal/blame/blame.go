// Package blame names the line of a graph function in which it panicked. GoMLX turns such
// panics into errors whose text is the innermost operation's and a long stack; who wrote the
// function wants the first line of that and a place in his own code.
package blame

import (
	"errors"
	"fmt"
	"path/filepath"
	"runtime"
	"strings"
)

// An Error says what a graph function panicked with, and where the caller's code was.
type Error struct{ text string }

func (e *Error) Error() string { return e.text }

// Catch, deferred around a graph function, turns its panic into one of an *Error, which
// GoMLX hands on as an error. The line named is the innermost one outside of GoMLX and of
// this module's packages.
func Catch(prefix string) {
	r := recover()
	if r == nil {
		return
	}
	text := prefix + strings.TrimPrefix(firstLine(fmt.Sprint(r)), prefix)
	callers := make([]uintptr, 100)
	frames := runtime.CallersFrames(callers[:runtime.Callers(2, callers)])
	for more := true; more; {
		var f runtime.Frame
		f, more = frames.Next()
		ours := strings.HasPrefix(f.Function, "samediff/sdlib/") && !strings.HasSuffix(f.File, "_test.go")
		if !ours && !strings.HasPrefix(f.Function, "github.com/gomlx/") && !strings.HasPrefix(f.Function, "runtime.") {
			text += fmt.Sprintf(" (at %s:%d)", filepath.Base(f.File), f.Line)
			break
		}
	}
	panic(&Error{text})
}

// Message is what an error of GoMLX says: an [Error]'s text where there is one, else the
// first line, without the stack.
func Message(err error) string {
	if e := (*Error)(nil); errors.As(err, &e) {
		return e.text
	}
	return firstLine(err.Error())
}

func firstLine(s string) string {
	line, _, _ := strings.Cut(s, "\n")
	return line
}
