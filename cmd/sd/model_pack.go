package main

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"

	"samediff/sdlib/delta"
	"samediff/sdlib/figure"
	"samediff/sdlib/progress"
	"samediff/sdlib/study"
	"samediff/sdlib/vit"
)

func (a *app) modelPackCommand() *cobra.Command {
	var base, name, to string
	var ranks []int
	var bound, megabytes float64
	var images, bits int
	cmd := &cobra.Command{
		Use:   "pack TUNED --base BASE",
		Short: "Keep what fine-tuning changed in a model, as a small file",
		Long: `pack keeps a fine-tuned model as a difference to the model that it began from: of each
matrix the best approximation of low rank, in 16 bits or 8, of each bias and norm the whole
difference, and the head itself. A ViT-B of 344 MB takes 1.7 MB at rank 4. Whoever has
the base can load it: every command takes such a folder for a MODEL, and sd model convert
writes the whole for transformers. BASE is a checkpoint that was fetched (clip-b16), a
model of the course, or a folder; it is recorded by its name and the hash of its weights.

--rank is the same for all matrices; --error and --mb choose ranks that lose at most a
share of the difference, or that fit so many megabytes. --images compares both models on
so many fresh images: their accuracy, and the largest change of any attention head's score.
The first says whether the answers survive, the second whether the inside does. Several
ranks make a table to choose from; twice the rank with --bits 8 takes as much room. Nothing
is written without -o.`,
		Example: `  sd model pack 3fa2 --base clip-b16 --rank 1,2,4,8,16 --images 400
  sd model pack 3fa2 --base clip-b16 --rank 4 --images 400 -o models/clip-discrimination
  sd model convert models/clip-discrimination -o whole`,
		Args: arguments(cobra.ExactArgs(1)),
		RunE: func(cmd *cobra.Command, args []string) error {
			if base == "" {
				return misuse(cmd, "--base is missing: name the model that %s began from", args[0])
			}
			methods, err := packMethods(cmd, ranks, bound, megabytes, bits)
			if err != nil {
				return err
			}
			if to != "" && len(methods) > 1 {
				return misuse(cmd, "several ranks are given: -o writes one")
			}
			if images < 0 {
				return misuse(cmd, "--images is %d, expected 0 or more", images)
			}
			lab, err := a.lab()
			if err != nil {
				return err
			}
			tuned, err := lab.Find(cmd.Context(), args[0])
			if err != nil {
				return err
			}
			from, recorded, err := a.base(base, to)
			if err != nil {
				return err
			}
			if name != "" {
				recorded = name
			}
			t := figure.Table{Columns: []string{"kept", "MB", "cut off, %"}}
			if images > 0 {
				t.Columns = append(t.Columns, "accuracy before", "after", "a head's score by")
			}
			for _, m := range methods {
				d, err := a.pack(cmd.Context(), lab, tuned, from, delta.Options{Base: recorded, Method: m}, images)
				if err != nil {
					return err
				}
				size, err := d.Bytes()
				if err != nil {
					return err
				}
				row := []any{d.Method, fmt.Sprintf("%.2f", float64(size)/1e6), fmt.Sprintf("%.1f", 100*d.Lost)}
				for _, c := range d.Checks {
					row = append(row, c.Before, c.After, c.Heads)
				}
				t.Add(row...)
				if to != "" {
					if err := d.Save(to); err != nil {
						return err
					}
				}
			}
			if err := a.printTable(t); err != nil || to == "" {
				return err
			}
			_, err = fmt.Fprintln(a.out, to)
			return err
		},
	}
	flags := cmd.Flags()
	flags.StringVar(&base, "base", "", "the model that TUNED began from")
	flags.StringVar(&name, "name", "", "name that the base is recorded under (default BASE; of a folder, its path from the one of -o)")
	flags.StringVarP(&to, "output", "o", "", "folder to write")
	flags.IntSliceVar(&ranks, "rank", []int{delta.DefaultRank}, "rank of every matrix's difference; several, with commas, to compare")
	flags.Float64Var(&bound, "error", 0, "largest share of the difference that may be cut off, 0 to 1, instead of a rank")
	flags.Float64Var(&megabytes, "mb", 0, "size of the file in megabytes, instead of a rank")
	flags.IntVar(&bits, "bits", 16, "size of a number of the difference, 8 or 16")
	flags.IntVar(&images, "images", 0, "fresh images to compare both models on")
	return cmd
}

// packMethods returns the methods that the flags ask for.
func packMethods(cmd *cobra.Command, ranks []int, bound, megabytes float64, bits int) (all []delta.Method, err error) {
	given := 0
	for _, flag := range []string{"rank", "error", "mb"} {
		if cmd.Flags().Changed(flag) {
			given++
		}
	}
	if bits != 8 && bits != 16 {
		return nil, misuse(cmd, "--bits is %d, expected 8 or 16", bits)
	}
	if bits == 16 {
		bits = 0 // what is not said
	}
	switch {
	case given > 1:
		return nil, misuse(cmd, "--rank, --error and --mb exclude each other")
	case cmd.Flags().Changed("error"):
		if !(bound > 0 && bound <= 1) {
			return nil, misuse(cmd, "--error is %g, expected more than 0, at most 1", bound)
		}
		return []delta.Method{{Error: bound, Bits: bits}}, nil
	case cmd.Flags().Changed("mb"):
		if !(megabytes > 0 && megabytes < 1e5) {
			return nil, misuse(cmd, "--mb is %g, expected a number of megabytes", megabytes)
		}
		return []delta.Method{{Bytes: int(megabytes * 1e6), Bits: bits}}, nil
	}
	for _, r := range ranks {
		if r < 1 {
			return nil, misuse(cmd, "--rank is %d, expected 1 or more", r)
		}
		all = append(all, delta.Method{Rank: r, Bits: bits})
	}
	return all, nil
}

// base returns the model that --base stands for, with any head, and the name it is recorded under in the folder to.
func (a *app) base(name, to string) (*vit.Model, string, error) {
	if _, err := os.Stat(filepath.Join(name, "config.json")); err != nil {
		m, err := study.Bases(a.hub())(delta.Base{Name: name})
		return m, name, err
	}
	m, err := vit.LoadBackbone(name, 1, 1, 0)
	if err != nil {
		return nil, "", err
	}
	relative, err := delta.RelativeName(name, to)
	return m, relative, err
}

// pack packs a model, and compares it with its packed form if there are images to do so.
func (a *app) pack(ctx context.Context, lab *study.Lab, tuned *study.Model, base *vit.Model, o delta.Options, images int) (*delta.Delta, error) {
	if !a.quiet {
		o.Progress = progress.Terminal(a.err)
	}
	d, err := delta.Pack(ctx, base, tuned.Model, o)
	if err != nil || images == 0 {
		return d, err
	}
	packed, err := d.Apply(base)
	if err != nil {
		return nil, err
	}
	check, err := lab.CheckPacked(ctx, tuned, packed, images, study.HeadSample{PerClass: max(images/2, 1), Seed: study.PaperSample.Seed})
	d.Checks = []delta.Check{check}
	return d, err
}

// packed says what a packed model's folder is, "" for other folders.
func packed(dir string) string {
	if dir == "" || !delta.Packed(dir) {
		return ""
	}
	d, err := delta.Read(dir)
	if err != nil {
		return ""
	}
	var checks strings.Builder
	for _, c := range d.Checks {
		fmt.Fprintf(&checks, "; on %s accuracy %.3f, before packing %.3f (%d images)", c.Set, c.After, c.Before, c.Images)
	}
	return fmt.Sprintf("as a difference to %s, %v, %.1f %% of it cut off%s", d.Base.Name, d.Method, 100*d.Lost, &checks)
}
