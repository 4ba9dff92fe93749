package main

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"samediff/sdlib/artifact"
	"samediff/sdlib/figure"
	"samediff/sdlib/study"
)

func (a *app) storeCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "store",
		Short: "List, show, remove and verify what was computed",
		Long: `The store keeps every result (model, accuracy, score) in a folder named by the hash
of all that it depends on: the step, its version, its parameters and the results it was
made from. That is why asking for something twice computes it once, and why a number can be
traced to what made it. Everything in the store may be removed: it only costs the time to
compute it again. The folder is --store, else $SD_STORE, else .sd in the repository.
An ID may be shortened to its first digits as long as they are unique.`,
	}
	return group(cmd, a.storeListCommand(), a.storeShowCommand(), a.storeRemoveCommand(), a.storeCollectCommand(), a.storeVerifyCommand())
}

// entry is an artifact as --json shows it.
type entry struct {
	ID       artifact.ID    `json:"id"`
	State    artifact.State `json:"state"`
	Bytes    int64          `json:"bytes"`
	Modified time.Time      `json:"modified"`
	Folder   string         `json:"folder"`
	Owner    string         `json:"owner,omitempty"`
	Problem  string         `json:"problem,omitempty"`
	Meta     artifact.Meta  `json:"meta"`
}

func newEntry(i artifact.Info) entry {
	e := entry{ID: i.ID, State: i.State, Bytes: i.Size, Modified: i.Modified, Folder: i.Dir, Owner: i.Owner, Meta: i.Meta}
	if i.Problem != nil {
		e.Problem = i.Problem.Error()
	}
	return e
}

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
			s, err := artifact.Open(a.store)
			if err != nil {
				return err
			}
			infos, err := s.List(cmd.Context())
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
		Long: `show tells all that is recorded about one result: the step and its parameters, the
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

func (a *app) storeRemoveCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "rm ID...",
		Short: "Remove results",
		Long: `rm removes results from the store, without asking: the finished one, what an
interrupted computation left of it, and damaged copies. Each ID may be shortened as long
as it is unique. What was made from a removed result stays, and a result that is being
computed is not removed.`,
		Example: `  sd store rm 3fa2`,
		Args:    arguments(cobra.MinimumNArgs(1)),
		RunE: func(_ *cobra.Command, args []string) error {
			s, err := artifact.Open(a.store)
			if err != nil {
				return err
			}
			for _, prefix := range args {
				info, err := s.Find(prefix)
				if err != nil {
					return err
				}
				if err := s.Remove(info.ID); err != nil {
					return err
				}
				fmt.Fprintf(a.out, "removed %s (%s, %s)\n", info.ID.Short(), info.Meta.Step, size(info.Size))
			}
			return nil
		},
	}
	return cmd
}

func (a *app) storeCollectCommand() *cobra.Command {
	var dry bool
	cmd := &cobra.Command{
		Use:   "gc",
		Short: "Remove what is kept only to save time, and damaged copies",
		Long: `gc frees space without losing a result: it removes the activations that probes and
interventions read again and again, which are the largest files by far and are computed
anew when they are asked for, and copies that were set aside as damaged. Models,
accuracies and scores stay, and so does what is being computed. --dry-run tells what it
would remove.`,
		Example: `  sd store gc --dry-run
  sd store gc`,
		Args: arguments(cobra.NoArgs),
		RunE: func(cmd *cobra.Command, _ []string) error {
			s, err := artifact.Open(a.store)
			if err != nil {
				return err
			}
			infos, err := s.List(cmd.Context())
			if err != nil {
				return err
			}
			count, total, verb := 0, int64(0), "removed"
			if dry {
				verb = "would remove"
			}
			for _, i := range infos {
				cache := i.State == artifact.Finished && slices.Contains(study.Caches, i.Meta.Step)
				if aside := i.State == artifact.Damaged && i.Problem == nil; !cache && !aside {
					continue
				}
				if !dry {
					if cache {
						err = s.Remove(i.ID)
					} else {
						err = s.RemoveDamaged(i)
					}
					if err != nil {
						return err
					}
				}
				count, total = count+1, total+i.Size
				fmt.Fprintf(a.out, "%s %s (%s, %s, %s)\n", verb, i.ID.Short(), i.Meta.Step, i.State, size(i.Size))
			}
			_, err = fmt.Fprintf(a.out, "%s %d results, %s\n", verb, count, size(total))
			return err
		},
	}
	cmd.Flags().BoolVar(&dry, "dry-run", false, "remove nothing, tell what would be")
	return cmd
}

// verdict is what verify says about one result.
type verdict struct {
	ID      artifact.ID `json:"id"`
	Step    string      `json:"step"`
	OK      bool        `json:"ok"`
	Problem string      `json:"problem,omitempty"`
}

func (a *app) storeVerifyCommand() *cobra.Command {
	var asJSON bool
	cmd := &cobra.Command{
		Use:   "verify [ID...]",
		Short: "Read results in full and compare their checksums",
		Long: `verify reads every file of the results with these IDs, or of all finished results,
and compares it with the SHA-256 recorded when it was made. A damaged result is set aside,
so that the next one to ask for it computes it again. The exit status is 1 if any was
damaged.`,
		Example: `  sd store verify
  sd store verify 3fa2`,
		RunE: func(cmd *cobra.Command, args []string) error {
			s, err := artifact.Open(a.store)
			if err != nil {
				return err
			}
			infos, err := chosen(cmd.Context(), s, args)
			if err != nil {
				return err
			}
			verdicts, damaged := []verdict{}, 0
			for _, i := range infos {
				v := verdict{ID: i.ID, Step: i.Meta.Step, OK: true}
				err := s.Verify(cmd.Context(), i.ID)
				if damage := (*artifact.DamageError)(nil); errors.As(err, &damage) {
					v.OK, v.Problem = false, oneLine(err)
					damaged++
				} else if err != nil {
					return err
				}
				verdicts = append(verdicts, v)
			}
			if err := a.printVerdicts(verdicts, asJSON); err != nil {
				return err
			}
			if damaged > 0 {
				return fmt.Errorf("%d of %d results are damaged", damaged, len(verdicts))
			}
			return nil
		},
	}
	addJSON(cmd, &asJSON)
	return cmd
}

func (a *app) printVerdicts(verdicts []verdict, asJSON bool) error {
	if asJSON {
		return a.printJSON(verdicts)
	}
	for _, v := range verdicts {
		line := "ok       " + v.ID.Short() + "  " + v.Step
		if !v.OK {
			line = "damaged  " + v.ID.Short() + "  " + v.Problem
		}
		fmt.Fprintln(a.out, line)
	}
	return nil
}

// chosen returns the results that the prefixes name, or all that are in the place of finished ones.
func chosen(ctx context.Context, s *artifact.Store, prefixes []string) ([]artifact.Info, error) {
	var infos []artifact.Info
	for _, prefix := range prefixes {
		info, err := s.Find(prefix)
		if err != nil {
			return nil, err
		}
		infos = append(infos, info)
	}
	if len(prefixes) > 0 {
		return infos, nil
	}
	all, err := s.List(ctx)
	for _, i := range all {
		if i.State == artifact.Finished || i.Problem != nil { // without a problem, a damaged one was set aside before
			infos = append(infos, i)
		}
	}
	return infos, err
}

func state(i artifact.Info) string {
	if i.Owner != "" {
		return fmt.Sprintf("%s by %s", i.State, i.Owner)
	}
	return string(i.State)
}

func took(i artifact.Info) string {
	if i.State != artifact.Finished {
		return ""
	}
	d := time.Duration(i.Meta.Seconds * float64(time.Second))
	if d < 10*time.Second {
		return d.Round(10 * time.Millisecond).String()
	}
	return d.Round(time.Second).String()
}

func inputs(i artifact.Info) string {
	var ids []string
	for _, id := range i.Meta.Inputs {
		ids = append(ids, id.Short())
	}
	return strings.Join(ids, " ")
}

// size writes a number of bytes for people.
func size(bytes int64) string {
	switch {
	case bytes >= 1<<30:
		return fmt.Sprintf("%.1f GiB", float64(bytes)/(1<<30))
	case bytes >= 1<<20:
		return fmt.Sprintf("%.1f MiB", float64(bytes)/(1<<20))
	case bytes >= 1<<10:
		return fmt.Sprintf("%.1f KiB", float64(bytes)/(1<<10))
	}
	return fmt.Sprintf("%d B", bytes)
}
