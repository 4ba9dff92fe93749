package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"path"
	"slices"
	"strings"

	"github.com/gomlx/gomlx/core/graph"
	"github.com/gomlx/gomlx/core/tensors"
	"github.com/spf13/cobra"

	"samediff/sdlib/backend"
	"samediff/sdlib/figure"
	"samediff/sdlib/progress"
	"samediff/sdlib/safetensors"
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

Images are the PNG and JPEG files of a folder, sorted by name, on white where they are
transparent, or a tensor of bytes [n, height, width, 3] in a safetensors file (the only
tensor in it, or the one called images). They must have the size that the model takes;
--resize scales a folder's to it, bilinearly and without keeping their proportions.

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
				return a.printTable(nodeTable(s.Config))
			}
			t := &tracing{subject: s, name: args[0], precision: precision, batch: batch}
			if t.nodes, err = s.match(nodes); err != nil {
				return err
			}
			if tensor != "" {
				t.images, err = openTensor(tensor, s.Config)
			} else {
				t.images, err = openFolder(folder, s.Config, resize)
			}
			if err != nil {
				return err
			}
			defer t.images.Close()
			if err := t.write(cmd.Context(), a, to); err != nil {
				return err
			}
			_, err = fmt.Fprintf(a.out, "%d images, %d nodes in %s\n", t.images.Len(), len(t.nodes), to)
			return err
		},
	}
	flags := cmd.Flags()
	flags.StringVar(&nodes, "nodes", nodes, "names or patterns of the values to keep, separated by commas")
	flags.StringVar(&folder, "images", "", "folder of PNG and JPEG images")
	flags.StringVar(&tensor, "tensor", "", "safetensors file with images, bytes [n, height, width, 3]")
	flags.StringVarP(&to, "output", "o", "", "file to write")
	flags.BoolVar(&resize, "resize", false, "scale the images of a folder to the model's size")
	flags.BoolVar(&list, "list", false, "print the nodes and their shapes, and compute nothing")
	flags.Var(choice[string]{&precision, []string{"f32", "bf16", "tf32"}}, "precision", "of the matrix products: f32, bf16, tf32")
	flags.IntVar(&batch, "batch", batch, "images at a time")
	return cmd
}

// nodeTable lists the values of a pass; those of blocks once.
func nodeTable(c vit.Config) figure.Table {
	t := figure.Table{Columns: []string{"node", "shape", "KB per image"}}
	for _, name := range c.Nodes() {
		shape, err := c.NodeShape(name, 1)
		if err != nil { // a name of its own
			panic(err)
		}
		if rest, ok := strings.CutPrefix(name, "block00/"); ok && c.Blocks > 1 {
			name = fmt.Sprintf("block{00..%02d}/%s", c.Blocks-1, rest)
		} else if !ok && strings.HasPrefix(name, "block") {
			continue
		}
		t.Add(name, strings.Replace(shapeText(shape), "[1,", "[B,", 1), fmt.Sprintf("%.1f", float64(4*product(shape))/1e3))
	}
	return t
}

func product(shape []int) int {
	n := 1
	for _, d := range shape {
		n *= d
	}
	return n
}

// match returns the nodes that a list of names and patterns means, in the order of the computation.
func (s *subject) match(list string) ([]string, error) {
	wanted := map[string]bool{}
	for pattern := range strings.SplitSeq(list, ",") {
		pattern, found := strings.TrimSpace(pattern), false
		for _, name := range s.Config.Nodes() {
			if ok, _ := path.Match(pattern, name); ok {
				wanted[name], found = true, true
			}
		}
		if !found {
			return nil, fmt.Errorf("the model has no node %q: --list prints those it has", pattern)
		}
	}
	if wanted["logits"] && s.headless != nil {
		return nil, fmt.Errorf("logits: %w: sd model convert --classes N puts one on it", s.headless)
	}
	return slices.DeleteFunc(s.Config.Nodes(), func(name string) bool { return !wanted[name] }), nil
}

// A tracing is one run of the command.
type tracing struct {
	*subject
	name      string // MODEL as it was given
	images    images
	nodes     []string
	precision string
	batch     int
}

// write computes the nodes of all images and writes them to a file.
func (t *tracing) write(ctx context.Context, a *app, to string) error {
	n := t.images.Len()
	each := make([]int, len(t.nodes)) // bytes per image
	plan := make([]safetensors.Tensor, len(t.nodes))
	total := 0
	for i, node := range t.nodes {
		shape, err := t.Config.NodeShape(node, n)
		if err != nil {
			return err
		}
		plan[i] = safetensors.Tensor{Name: node, DType: "F32", Shape: shape}
		each[i] = 4 * product(shape[1:])
		total += n * each[i]
	}
	be, err := backend.Open(a.backend)
	if err != nil {
		return err
	}
	metadata := map[string]string{"model": t.name, "precision": t.precision, "backend": be.Choice}
	if metadata["hash"], err = t.Hash(); err != nil {
		return err
	}
	if names := t.images.Names(); names != nil {
		list, err := json.Marshal(names)
		if err != nil {
			return err
		}
		metadata["images"] = string(list)
	}
	program, err := vit.Compile(be, t.Model.Config, func(w *vit.Weights[*graph.Node], in []*graph.Node) []*graph.Node {
		_, trace := vit.Forward(t.Config, w, in[0], vit.Want(t.nodes...), vit.Compute(precisions[t.precision]))
		return trace.All()
	})
	if err != nil {
		return err
	}
	defer program.Close()
	var show progress.Func
	if !a.quiet {
		fmt.Fprintf(a.err, "%v; the file will have %.1f MB\n", be, float64(total)/1e6)
		show = progress.Terminal(a.err)
	}
	meter := progress.New("trace", "images", n, show)
	err = safetensors.WriteStream(to, plan, metadata, func(at func(string, int, []byte) error) error {
		size := t.Config.Image * t.Config.Image * 3
		pixels := make([]uint8, min(t.batch, n)*size)
		for begin := 0; begin < n; begin += t.batch {
			if err := ctx.Err(); err != nil {
				return err
			}
			count := min(t.batch, n-begin)
			for i := range count { // the last batch keeps images of the one before: another shape would be another program
				if err := t.images.Read(begin+i, pixels[i*size:(i+1)*size]); err != nil {
					return err
				}
			}
			input, err := t.Config.Images(slices.Clone(pixels)) // the tensor may still be read when the next batch comes
			if err != nil {
				return err
			}
			values, err := program.Run(t.Model, input)
			if err != nil {
				return err
			}
			for i, node := range t.nodes {
				flat, err := tensors.CopyFlatData[float32](values[i])
				if err != nil {
					return err
				}
				values[i].FinalizeAll()
				flat = flat[:count*each[i]/4]
				if err := at(node, begin*each[i], safetensors.Float32s("", nil, flat).Data); err != nil {
					return err
				}
			}
			meter.Set(begin+count, "")
		}
		return nil
	})
	switch {
	case err == nil:
		meter.Finish("")
	case ctx.Err() != nil:
		return errors.Join(ctx.Err(), errors.New("no trace was written"))
	}
	return err
}
