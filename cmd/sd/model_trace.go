package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"samediff/sdlib/activations"
	"samediff/sdlib/backend"
	"samediff/sdlib/figure"
	"samediff/sdlib/pictures"
	"samediff/sdlib/progress"
	"samediff/sdlib/vit"
)

// precisions are what --precision takes.
var precisions = map[string]vit.Precision{"f32": vit.F32, "bf16": vit.BF16, "tf32": vit.TF32}

func (a *app) modelTraceCommand() *cobra.Command {
	var folder, tensor, to string
	var resize, list bool
	nodes, precision, batch := "final", "f32", 16
	cmd := &cobra.Command{
		Use:   "trace MODEL",
		Short: "Write what a model computes inside, for images of your own",
		Long: `trace runs a model on images and writes the values asked for as one safetensors file,
float32: a tensor for each node, over all images, in their order; the metadata name the
images, the model and the hash of its weights, the precision, and what computed. --list
prints the names and shapes of the nodes. In --nodes * stands for anything but a slash:
'block*/attn/weights' are the attention maps of all blocks. The values are written as they
come, so that the file may be larger than memory.

Images are the PNG, JPEG and WebP files of a folder, sorted by name, turned as the camera
says and on white where they are transparent, or a tensor of bytes [n, height, width, 3] in
a safetensors file (the only tensor in it, or the one called images). They must have the
size that the model takes; --resize brings a folder's to it as the model's own
preprocessor_config.json says (filter, shorter side, crop; sd model show prints it), to
Pillow's bytes. Hidden files are passed over.

` + modelHelp,
		Example: `  sd model trace discrimination-256-quick --list
  sd model trace quick --nodes 'block*/attn/weights,logits' --images photos --resize -o trace.safetensors
  sd model trace clip-b16 --nodes final --tensor images.safetensors -o final.safetensors --precision bf16`,
		Args: arguments(cobra.ExactArgs(1)),
		RunE: func(cmd *cobra.Command, args []string) error {
			switch {
			case list:
			case (folder == "") == (tensor == ""):
				return misuse(cmd, "expected either --images FOLDER or --tensor FILE")
			case to == "":
				return misuse(cmd, "-o is missing: name the file to write")
			case resize && tensor != "":
				return misuse(cmd, "--resize is for --images: a tensor's images have the size they have")
			case batch < 1:
				return misuse(cmd, "--batch is %d, expected 1 or more", batch)
			}
			s, err := a.find(cmd.Context(), args[0], nil)
			if err != nil {
				return err
			}
			if list {
				t, err := nodeTable(s.Config)
				if err != nil {
					return err
				}
				return a.printTable(t)
			}
			t := &tracing{subject: s, name: args[0], precision: precision, batch: batch}
			if t.nodes, err = s.match(nodes); err != nil {
				return err
			}
			if tensor != "" {
				images, err := pictures.OpenTensor(tensor, s.Config.Image)
				if err != nil {
					return err
				}
				defer images.Close()
				return t.write(cmd.Context(), a, images, to)
			}
			var how *pictures.Preparation
			if resize {
				how = &s.Preparation
			}
			images, err := pictures.OpenFolder(folder, s.Config.Image, how)
			if size := (*pictures.SizeError)(nil); errors.As(err, &size) {
				return fmt.Errorf("%w: --resize scales them", err)
			}
			if err != nil {
				return err
			}
			if t.names, err = json.Marshal(images.Names()); err != nil {
				return err
			}
			return t.write(cmd.Context(), a, images, to)
		},
	}
	flags := cmd.Flags()
	flags.StringVar(&nodes, "nodes", nodes, "names or patterns of the values to keep, separated by commas")
	flags.StringVar(&folder, "images", "", "folder of PNG, JPEG and WebP images")
	flags.StringVar(&tensor, "tensor", "", "safetensors file with images, bytes [n, height, width, 3]")
	flags.StringVarP(&to, "output", "o", "", "file to write")
	flags.BoolVar(&resize, "resize", false, "bring the images of a folder to the model's size, as its own file says")
	flags.BoolVar(&list, "list", false, "print the nodes and their shapes, and compute nothing")
	flags.Var(choice[string]{&precision, []string{"f32", "bf16", "tf32"}}, "precision", "of the matrix products: f32, bf16, tf32")
	flags.IntVar(&batch, "batch", batch, "images at a time")
	return cmd
}

// nodeTable lists the values of a pass; those of blocks once.
func nodeTable(c vit.Config) (figure.Table, error) {
	t := figure.Table{Columns: []string{"node", "shape", "KB per image"}}
	for _, name := range c.Nodes() {
		shape, err := c.NodeShape(name, 1)
		if err != nil {
			return t, err
		}
		plan, err := activations.NewPlan(c, 1, name)
		if err != nil {
			return t, err
		}
		if rest, ok := strings.CutPrefix(name, "block00/"); ok && c.Blocks > 1 {
			name = fmt.Sprintf("block{00..%02d}/%s", c.Blocks-1, rest)
		} else if !ok && strings.HasPrefix(name, "block") {
			continue
		}
		t.Add(name, strings.Replace(shapeText(shape), "[1,", "[B,", 1), fmt.Sprintf("%.1f", float64(plan.Bytes())/1e3))
	}
	return t, nil
}

// match returns the nodes that a list of names and patterns means, in the order of the computation.
func (s *subject) match(list string) ([]string, error) {
	var patterns []string
	for pattern := range strings.SplitSeq(list, ",") {
		pattern = strings.TrimSpace(pattern)
		if _, err := s.Config.MatchNodes(pattern); err != nil {
			return nil, fmt.Errorf("the model has no node %q: --list prints those it has", pattern)
		}
		patterns = append(patterns, pattern)
	}
	nodes, err := s.Config.MatchNodes(patterns...)
	if slices.Contains(nodes, "logits") && s.headless != nil {
		return nil, fmt.Errorf("logits: %w: sd model convert --classes N puts one on it", s.headless)
	}
	return nodes, err
}

// A tracing is one run of the command.
type tracing struct {
	*subject
	name      string // MODEL as it was given
	names     []byte // of the images, a JSON list; nil where they have none
	nodes     []string
	precision string
	batch     int
}

// write computes the nodes of all images and writes them to a file.
func (t *tracing) write(ctx context.Context, a *app, images activations.Pictures, to string) error {
	n := images.Len()
	plan, err := activations.NewPlan(t.Config, n, t.nodes...)
	if err != nil {
		return err
	}
	plan.Precision, plan.Batch = precisions[t.precision], min(t.batch, n)
	metadata := map[string]string{"model": t.name}
	if slices.Contains(t.nodes, "logits") && t.Labels != nil {
		names, err := json.Marshal(t.Labels)
		if err != nil {
			return err
		}
		metadata["classes"] = string(names)
	}
	if t.names != nil {
		metadata["images"] = string(t.names)
	}
	be, err := backend.Open(a.backend)
	if err != nil {
		return err
	}
	var show progress.Func
	if !a.quiet {
		fmt.Fprintf(a.err, "%v; the file will have %.1f MB\n", be, float64(plan.Bytes())/1e6)
		show = progress.Terminal(a.err)
	}
	if err := activations.Write(ctx, be, t.Model, images, plan, to, metadata, show); err != nil {
		if ctx.Err() != nil {
			return errors.Join(ctx.Err(), errors.New("no trace was written"))
		}
		return err
	}
	_, err = fmt.Fprintf(a.out, "%d images, %d nodes in %s\n", n, len(t.nodes), to)
	return err
}
