package main

import (
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"sync"

	"github.com/spf13/cobra"
	"k8s.io/klog/v2"

	"samediff/sdlib/backend"
	"samediff/sdlib/figure"
	"samediff/sdlib/progress"
	"samediff/sdlib/stimuli"
	"samediff/sdlib/study"
)

// app is what all commands share: the global flags and where output goes.
type app struct {
	store, backend string
	quiet, verbose bool
	task           stimuli.Task // see addTask
	out, err       io.Writer
}

func newRoot(a *app) *cobra.Command {
	root := &cobra.Command{
		Use:   "sd",
		Short: "Same or different: train vision transformers on relations and look inside",
		Long: `sd trains small vision transformers to tell whether two objects are the same, and
analyzes how they do it, after "Beyond the Doors of Perception: Vision Transformers
Represent Relations Between Objects" (Lepori, Tartaglini et al., NeurIPS 2024).

Everything that is computed stays in a store, so asking again is a read: a model, its
accuracies and its attention scores are shared by the command line and the notebooks.
A MODEL is a preset ("quick", "course"), a model of the course (sd model ls), the first
digits of an ID in the store, or a folder with config.json and model.safetensors.

Results go to standard output, progress and errors to standard error. Exit status:
0 success, 1 failure, 2 wrong usage, 130 interrupted (the same command goes on).`,
		Example: `  sd doctor
  sd train quick
  sd eval quick`,
		Version:       version(),
		SilenceErrors: true,
		SilenceUsage:  true,
		PersistentPreRun: func(*cobra.Command, []string) {
			if !a.verbose {
				klog.SetSlogLogger(slog.New(slog.DiscardHandler)) // GoMLX's and go-xla's remarks
			}
		},
	}
	flags := root.PersistentFlags()
	flags.StringVar(&a.store, "store", "", "folder of the store (default $SD_STORE, else .sd in the repository)")
	flags.StringVar(&a.backend, "backend", "", "what computes: xla:cuda, xla:cpu or go (default $SD_BACKEND, else the best that works)")
	flags.BoolVarP(&a.quiet, "quiet", "q", false, "no progress, nothing but errors on standard error")
	flags.BoolVarP(&a.verbose, "verbose", "v", false, "show what the libraries below log, and where a bug happened")
	root.SetFlagErrorFunc(func(cmd *cobra.Command, err error) error { return misuse(cmd, "%w", err) })
	group(root, a.doctorCommand(), a.stimuliCommand(), a.trainCommand(), a.pretrainCommand(), a.picturesCommand(), a.seedsCommand(), a.evalCommand(), a.attentionCommand(), a.patchCommand(), a.dasCommand(), a.novelCommand(), a.probeCommand(), a.similarityCommand(),
		a.generalizeCommand(), a.figureCommand(), a.tableCommand(), a.planCommand(), a.runCommand(), a.slurmCommand(), a.paperCommand(), a.reportCommand(), a.modelCommand(), a.storeCommand(), a.demoCommand())
	return root
}

// lab opens the store. What it computes is shown on standard error, after a line that names the backend.
func (a *app) lab(more ...func(*study.Options)) (*study.Lab, error) {
	o := study.Options{Store: a.store, Backend: a.backend, Task: a.task}
	for _, change := range more {
		change(&o)
	}
	if !a.quiet {
		show := progress.Terminal(a.err)
		tell := sync.OnceFunc(func() {
			if be, err := backend.Open(a.backend); err == nil { // open already: something is being computed
				fmt.Fprintln(a.err, be)
			}
		})
		o.Progress, o.Hub.Progress = func(u progress.Update) { tell(); show(u) }, show
		o.Notify = func(message string) { fmt.Fprintln(a.err, "sd:", message) }
	}
	return study.Open(o)
}

// addJSON gives a command the flag --json.
func addJSON(cmd *cobra.Command, to *bool) {
	cmd.Flags().BoolVar(to, "json", false, "print JSON, for programs")
}

func (a *app) printJSON(v any) error {
	e := json.NewEncoder(a.out)
	e.SetEscapeHTML(false)
	e.SetIndent("", "  ")
	return e.Encode(v)
}

func (a *app) printTable(t figure.Table) error {
	text, err := t.Text()
	if err == nil {
		_, err = io.WriteString(a.out, text)
	}
	return err
}

// saveFigure writes a figure to a file and says so.
func (a *app) saveFigure(f *figure.Figure, path string) error {
	if err := f.Save(path); err != nil {
		return err
	}
	_, err := fmt.Fprintln(a.out, path)
	return err
}
