package main

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"

	"github.com/spf13/cobra"

	"samediff/sdlib/doctor"
	"samediff/sdlib/slurm"
)

func (a *app) slurmCheckCommand() *cobra.Command {
	var o slurmFlags
	var node string
	cmd := &cobra.Command{
		Use:   "check",
		Short: "Try on a node of the cluster what a plan needs",
		Long: `check runs this program on a node (srun), while it holds a lock in the store here, and tries
there what the tasks of a plan need: that the node sees the program and the same store, and
can write it; that the lock which this machine holds is held there too, without which two
nodes would compute the same result into one folder; and which backend works. It waits in
the queue as any other job does. The flags are those of sd slurm.`,
		Example: `  sd slurm check --partition gpu --gpus 1 --time 10`,
		Args:    arguments(cobra.NoArgs),
		RunE: func(cmd *cobra.Command, _ []string) error {
			lab, err := a.lab()
			if err != nil {
				return err
			}
			if node != "" {
				return a.checkNode(cmd, lab.Store.Dir(), node, o.GPUs)
			}
			options, err := o.options(cmd)
			if err != nil {
				return err
			}
			if err := slurm.Here(); err != nil {
				return err
			}
			leave, err := lab.Store.Join(cmd.Context(), "")
			if err != nil {
				return err
			}
			defer leave()
			token := filepath.Join(slurm.Dir(lab.Store.Dir(), "check"), fmt.Sprint(os.Getpid()))
			if err := errors.Join(os.MkdirAll(filepath.Dir(token), 0o777), os.WriteFile(token, nil, 0o666)); err != nil {
				return err
			}
			defer os.Remove(token)
			self, err := os.Executable()
			if err != nil {
				return err
			}
			words := []string{self, "slurm", "check", "--node", token, "--store", lab.Store.Dir(), "--gpus", options.GPUs, "--backend", a.backend}
			srun := exec.CommandContext(cmd.Context(), "srun", append(options.Srun(), slurm.Shell(options, words)...)...)
			srun.Stdout, srun.Stderr = a.out, a.err
			if err := srun.Run(); err != nil {
				return fmt.Errorf("the check on a node did not end well (%w): see above", err)
			}
			return nil
		},
	}
	o.add(cmd)
	cmd.Flags().StringVar(&node, "node", "", "be the process on the node: a file that it must see")
	if err := cmd.Flags().MarkHidden("node"); err != nil {
		panic(err)
	}
	return cmd
}

// checkNode is what check runs on a node.
func (a *app) checkNode(cmd *cobra.Command, store, token, gpus string) error {
	host, err := os.Hostname()
	if err != nil {
		return err
	}
	if name := os.Getenv("SLURMD_NODENAME"); name != "" {
		host = name
	}
	fmt.Fprintf(a.out, "node      %s\n", host)
	if _, err := os.Stat(token); err != nil {
		return fmt.Errorf("the store %s is not shared: %s does not see %s, which was written elsewhere: put the store where all nodes see it (--store): %w", store, host, filepath.Base(token), err)
	}
	fmt.Fprintf(a.out, "store     %s, the same as where the check began\n", store)
	lab, err := a.lab()
	if err != nil {
		return err
	}
	leave, err := lab.Store.Join(cmd.Context(), host)
	if err != nil {
		return err
	}
	leave()
	fmt.Fprintln(a.out, "locks     held there are seen here")
	self, err := os.Executable()
	if err != nil {
		return err
	}
	if _, err := a.checkGPUs(cmd.Context(), gpus); err != nil {
		return err
	}
	p := doctor.ProbeIn(cmd.Context(), []string{self, "doctor", "--" + probeFlag}, a.backend)
	if p.Err != nil {
		return p.Err
	}
	_, err = fmt.Fprintf(a.out, "backend   %s\n", p.Backend)
	return err
}
