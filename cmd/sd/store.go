package main

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"samediff/sdlib/artifact"
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

// stored returns the store and what is in it.
func (a *app) stored(ctx context.Context) (*artifact.Store, []artifact.Info, error) {
	s, err := artifact.Open(a.store)
	if err != nil {
		return nil, nil, err
	}
	infos, err := s.List(ctx)
	return s, infos, err
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
