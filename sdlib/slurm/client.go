package slurm

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os/exec"
	"strings"
)

// ErrNone says that there is no Slurm on this machine.
var ErrNone = errors.New("no Slurm here")

// Here returns an error that wraps [ErrNone] where Slurm's commands are not in PATH.
func Here() error {
	if _, err := exec.LookPath("sbatch"); err != nil {
		return fmt.Errorf("%w: sbatch is not in PATH: run this on a login node of the cluster, or leave --submit away and submit the script there", ErrNone)
	}
	return nil
}

// Submit gives a script to sbatch and returns the array's ID.
func Submit(ctx context.Context, script string) (id string, err error) {
	if err := Here(); err != nil {
		return "", err
	}
	out, err := command(ctx, "sbatch", "--parsable", script)
	if err != nil {
		return "", err
	}
	id, _, _ = strings.Cut(strings.TrimSpace(out), ";") // behind it stands the cluster, where there are several
	if strings.Trim(id, "0123456789") != "" || id == "" {
		return "", fmt.Errorf("sbatch --parsable says %q: expected the ID of a job", out)
	}
	return id, nil
}

// Requeue puts a running task, "4711_3", into the queue again. requeued is false where Slurm is
// about to end the task for another reason: a user canceled it, or Slurm requeues it by itself.
// (The variable SLURM_JOB_ID of one task is the ID of the whole array, and must not be used.)
func Requeue(ctx context.Context, task string) (requeued bool, err error) {
	out, err := command(ctx, "squeue", "--noheader", "--format=%T", "--jobs="+task)
	if err != nil {
		return false, err
	}
	if strings.TrimSpace(out) != "RUNNING" {
		return false, nil
	}
	_, err = command(ctx, "scontrol", "requeue", task)
	return err == nil, err
}

// A State is what Slurm says of a task of an array.
type State struct {
	Task   string // "0"
	State  string // "RUNNING", "PENDING", "COMPLETED", ...; "" where Slurm does not say any more
	Node   string
	Reason string // why it is pending
	Time   string // that it has run, as Slurm writes it
}

// States returns what Slurm says of an array's tasks: squeue of those that it has, sacct, where
// there is accounting, of the rest.
func States(ctx context.Context, id string) (map[string]State, error) {
	if err := Here(); err != nil {
		return nil, err
	}
	all := map[string]State{}
	if out, err := command(ctx, "sacct", "--noheader", "--parsable2", "--allocations", "--format=JobID,State,NodeList,Reason,Elapsed", "--jobs="+id); err == nil {
		read(all, id, out)
	}
	out, err := command(ctx, "squeue", "--noheader", "--array", "--states=all", "--format=%i|%T|%N|%r|%M", "--jobs="+id)
	if err != nil && !strings.Contains(err.Error(), "Invalid job id") { // which says that it is over
		return nil, err
	}
	read(all, id, out)
	return all, nil
}

// read adds lines such as "4711_3|RUNNING|gpu-2|None|1:02:03" of an array to its tasks.
func read(all map[string]State, id, lines string) {
	for line := range strings.Lines(lines) {
		fields := strings.Split(strings.TrimSpace(line), "|")
		if len(fields) != 5 {
			continue
		}
		task, ok := strings.CutPrefix(fields[0], id+"_")
		if !ok {
			continue
		}
		s := State{Task: task, Node: fields[2], Reason: fields[3], Time: fields[4]}
		s.State, _, _ = strings.Cut(fields[1], " ") // "CANCELLED by 1000"
		if s.Reason == "None" {
			s.Reason = ""
		}
		if strings.HasPrefix(s.Node, "None") { // "None assigned"
			s.Node = ""
		}
		all[task] = s
	}
}

// command runs one of Slurm's and returns what it prints. Its own words are the error.
func command(ctx context.Context, name string, args ...string) (string, error) {
	cmd := exec.CommandContext(ctx, name, args...)
	var out, said bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &said
	if err := cmd.Run(); err != nil {
		text := strings.Join(strings.Fields(said.String()), " ")
		if text == "" {
			text = err.Error()
		}
		return out.String(), fmt.Errorf("%s: %s", name, strings.TrimPrefix(text, name+": "))
	}
	return out.String(), nil
}
