package main

import (
	"errors"
	"fmt"
	"os"

	"github.com/spf13/cobra"

	"samediff/sdlib/doctor"
)

func (a *app) doctorCommand() *cobra.Command {
	var asJSON bool
	var probe string
	cmd := &cobra.Command{
		Use:   "doctor",
		Short: "What works on this machine, and how to mend what does not",
		Long: `doctor examines what this project needs: Go and a C compiler (each notebook cell is
compiled), Python with JupyterLab and the kernel, each backend (it is opened, and
multiplies two small matrices), the store of results and the free disk. It changes
nothing. A line that begins with "-" is about something that is not there and not
necessary, such as a GPU; one that begins with "FAILED" is, and says how to mend it. The
exit status is 1 if something necessary fails. (The paper needs none of this: its
computations are those of section 2 and later, whatever they run on.)`,
		Example: `  sd doctor
  sd doctor --backend xla:cuda
  sd doctor --json`,
		Args: arguments(cobra.NoArgs),
		RunE: func(cmd *cobra.Command, _ []string) error {
			if cmd.Flags().Changed(probeFlag) {
				return a.printJSON(doctor.ProbeBackend(probe))
			}
			o := doctor.Options{Store: a.store, Backend: a.backend}
			if self, err := os.Executable(); err == nil {
				o.Probe = []string{self, "doctor", "--" + probeFlag}
			}
			findings := doctor.Examine(cmd.Context(), o)
			healthy := doctor.Healthy(findings)
			if asJSON {
				if err := a.printJSON(map[string]any{"healthy": healthy, "findings": findings}); err != nil {
					return err
				}
			} else {
				a.printFindings(findings)
			}
			if err := cmd.Context().Err(); err != nil {
				return err
			}
			if !healthy {
				return errors.New("something necessary does not work here: see above how to mend it")
			}
			return nil
		},
	}
	addJSON(cmd, &asJSON)
	cmd.Flags().StringVar(&probe, probeFlag, "", "open one backend, and print in JSON what came of it")
	if err := cmd.Flags().MarkHidden(probeFlag); err != nil {
		panic(err)
	}
	return cmd
}

// probeFlag makes doctor the child process that opens one backend for another doctor.
const probeFlag = "probe"

func (a *app) printFindings(findings []doctor.Finding) {
	marks := map[doctor.State]string{doctor.OK: "ok", doctor.Absent: "-", doctor.Failed: "FAILED"}
	for _, f := range findings {
		fmt.Fprintf(a.out, "%-6s  %-17s  %s\n", marks[f.State], f.Name, f.Detail)
		if f.Mend != "" {
			fmt.Fprintf(a.out, "%-6s  %-17s  to mend: %s\n", "", "", f.Mend)
		}
	}
}
