package main

import (
	"fmt"
	"time"

	"github.com/spf13/cobra"

	"samediff/sdlib/artifact"
	"samediff/sdlib/figure"
)

func (a *app) storeListCommand() *cobra.Command {
	var asJSON bool
	cmd := &cobra.Command{
		Use:   "ls",
		Short: "List what is in the store",
		Long: `ls lists finished results, oldest first, then those being computed, those left by an
interrupted process (the command that asked for them goes on with them) and damaged
ones. "from" names the results that each was made from. Only file sizes are compared; sd
store verify compares checksums.`,
		Example: `  sd store ls
  sd store ls --json | jq -r '.[] | select(.state == "unfinished") | .id'`,
		Args: arguments(cobra.NoArgs),
		RunE: func(cmd *cobra.Command, _ []string) error {
			s, infos, err := a.stored(cmd.Context())
			if err != nil {
				return err
			}
			if asJSON {
				entries := make([]entry, len(infos))
				for i, info := range infos {
					entries[i] = newEntry(info)
				}
				return a.printJSON(entries)
			}
			t := figure.Table{Columns: []string{"id", "step", "state", "size", "took", "made", "from"}}
			var total int64
			for _, i := range infos {
				t.Add(i.ID.Short(), i.Meta.Step, state(i), size(i.Size), took(i), i.Modified.Local().Format(time.DateTime), inputs(i))
				total += i.Size
			}
			if len(infos) > 0 {
				if err := a.printTable(t); err != nil {
					return err
				}
			}
			_, err = fmt.Fprintf(a.out, "%d results, %s, in %s\n", len(infos), size(total), s.Dir())
			return err
		},
	}
	addJSON(cmd, &asJSON)
	return cmd
}

func (a *app) storeShowCommand() *cobra.Command {
	var asJSON bool
	cmd := &cobra.Command{
		Use:   "show ID",
		Short: "Show what a result is and what made it",
		Long: `show prints all that is recorded about one result: the step and its parameters, the
results it was made from, the program, machine and time it took, and its files with their
checksums. The parameters are the whole of them: with these and the inputs the result
can be made again.`,
		Example: `  sd store show 3fa2
  sd store show 3fa2 --json | jq .meta.params.recipe`,
		Args: arguments(cobra.ExactArgs(1)),
		RunE: func(_ *cobra.Command, args []string) error {
			s, err := artifact.Open(a.store)
			if err != nil {
				return err
			}
			info, err := s.Find(args[0])
			if err != nil {
				return err
			}
			if asJSON {
				return a.printJSON(newEntry(info))
			}
			return a.describe(info)
		},
	}
	addJSON(cmd, &asJSON)
	return cmd
}

// describe prints an artifact line by line.
func (a *app) describe(i artifact.Info) error {
	line := func(name, format string, args ...any) {
		fmt.Fprintf(a.out, "%-9s %s\n", name, fmt.Sprintf(format, args...))
	}
	line("id", "%s", i.ID)
	line("step", "%s, version %d", i.Meta.Step, i.Meta.Version)
	line("state", "%s", state(i))
	if i.Problem != nil {
		line("problem", "%s", oneLine(i.Problem))
	}
	line("folder", "%s", i.Dir)
	if i.State == artifact.Finished {
		line("made", "%s in %s", i.Modified.Local().Format(time.DateTime), took(i))
		line("by", "%s, %s, %s, %d CPUs", i.Meta.Module, i.Meta.Go, i.Meta.System, i.Meta.CPUs)
		line("on", "%s", i.Meta.Machine)
		line("command", "%s", i.Meta.Program)
	}
	for _, id := range i.Meta.Inputs {
		line("from", "%s", id)
	}
	for _, f := range i.Meta.Files {
		line("file", "%s  %s  sha256 %s", f.Name, size(f.Size), f.SHA256)
	}
	line("parameters", "")
	return a.printJSON(i.Meta.Params)
}
