package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"runtime/debug"
	"slices"
	"strings"

	"github.com/spf13/cobra"
)

// Exit statuses, explained in doc.go and in `sd help`.
const (
	exitOK          = 0
	exitFailure     = 1
	exitUsage       = 2
	exitInterrupted = 130
)

// run executes a command line and returns the exit status. It is main without the process.
func run(ctx context.Context, args []string, stdout, stderr io.Writer) (status int) {
	a := &app{out: stdout, err: stderr}
	defer func() {
		if p := recover(); p != nil {
			status = a.report(fmt.Errorf("internal error: %v: this is a bug, not your doing; `sd --verbose ...` shows where it happened", p))
			if a.verbose {
				fmt.Fprintf(stderr, "%s", debug.Stack())
			}
		}
	}()
	root := newRoot(a)
	root.SetArgs(args)
	root.SetOut(stdout)
	root.SetErr(stderr)
	return a.report(root.ExecuteContext(ctx))
}

// report writes an error as one line and returns the exit status it stands for.
func (a *app) report(err error) int {
	var usage *usageError
	switch {
	case err == nil:
		return exitOK
	case errors.Is(err, context.Canceled):
		if other := besides(err); other != nil { // the checkpoint could not be written
			fmt.Fprintf(a.err, "sd: interrupted; and %s\n", oneLine(other))
		} else {
			fmt.Fprintln(a.err, "sd: interrupted; the same command goes on where it stopped")
		}
		return exitInterrupted
	case errors.As(err, &usage):
		fmt.Fprintf(a.err, "sd: %s (see `%s --help`)\n", oneLine(err), usage.command)
		return exitUsage
	}
	fmt.Fprintf(a.err, "sd: %s\n", oneLine(err))
	return exitFailure
}

// besides returns what went wrong beside an interruption: an error that was joined with it, or nil.
func besides(err error) error {
	for err != nil {
		if joined, ok := err.(interface{ Unwrap() []error }); ok {
			for _, e := range joined.Unwrap() {
				if !errors.Is(e, context.Canceled) {
					return e
				}
			}
			return nil
		}
		err = errors.Unwrap(err)
	}
	return nil
}

// oneLine joins the lines of an error: scripts read errors line by line.
func oneLine(err error) string {
	var lines []string
	for line := range strings.Lines(err.Error()) {
		if line = strings.TrimSpace(line); line != "" {
			lines = append(lines, line)
		}
	}
	return strings.ReplaceAll(strings.Join(lines, "; "), ":; ", ": ")
}

// A usageError is a command line that makes no sense, as opposed to one that fails.
type usageError struct {
	error
	command string // whose help explains
}

func (e *usageError) Unwrap() error { return e.error }

func misuse(cmd *cobra.Command, format string, args ...any) error {
	return &usageError{fmt.Errorf(format, args...), cmd.CommandPath()}
}

// arguments makes the error of an argument check a usage error.
func arguments(check cobra.PositionalArgs) cobra.PositionalArgs {
	return func(cmd *cobra.Command, args []string) error {
		if err := check(cmd, args); err != nil {
			return misuse(cmd, "%w", err)
		}
		return nil
	}
}

// oneOf checks that each argument is one of a few names.
func oneOf(what string, names []string) cobra.PositionalArgs {
	return func(_ *cobra.Command, args []string) error {
		for _, arg := range args {
			if !slices.Contains(names, arg) {
				return fmt.Errorf("no %s %q: expected one of %s", what, arg, strings.Join(names, ", "))
			}
		}
		return nil
	}
}

// group makes a command that only holds others: alone it shows its help.
func group(cmd *cobra.Command, commands ...*cobra.Command) *cobra.Command {
	cmd.AddCommand(commands...)
	cmd.SuggestionsMinimumDistance = 2 // two letters wrong is a slip of the keyboard
	cmd.Args = func(cmd *cobra.Command, args []string) error {
		if len(args) == 0 {
			return nil
		}
		hint := ""
		if near := cmd.SuggestionsFor(args[0]); len(near) > 0 {
			hint = fmt.Sprintf("; did you mean %s?", strings.Join(near, " or "))
		}
		return misuse(cmd, "%s has no command %q%s", cmd.CommandPath(), args[0], hint)
	}
	cmd.RunE = func(cmd *cobra.Command, _ []string) error { return cmd.Help() }
	return cmd
}
