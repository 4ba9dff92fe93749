package main

import (
	"fmt"

	"github.com/spf13/cobra"

	"samediff/sdlib/vit"
)

// dtypes are the types of weights by the names that the command line gives them.
var dtypes = map[string]string{"f32": "F32", "f16": "F16", "bf16": "BF16"}

func (a *app) modelConvertCommand() *cobra.Command {
	var to string
	format, dtype, shard := vit.Safetensors, "f32", vit.DefaultShard/1e6
	h := head{seed: 1}
	var export vit.ONNX
	var mean, std []float64
	cmd := &cobra.Command{
		Use:   "convert MODEL -o FOLDER",
		Short: "Write a model in another format, type, or with a new head",
		Long: `convert writes a model's folder in Hugging Face layout, which transformers loads too:
config.json, preprocessor_config.json, and the weights as model.safetensors, in shards with
an index, or as PyTorch's pytorch_model.bin; in float32, or rounded to half the size. A
number that f16 cannot hold is an error; bf16 holds all, less exactly. With --classes it
takes of a pretrained model what computes the residual stream, and puts a new head on it,
random and of the given seed, as fine-tuning starts with. Of a packed model (sd model pack)
it writes the whole.

Of an ONNX export, float32, float16 or in 8 bits, it finds sizes and weights in the graph
itself. What the graph does not say comes from preprocessor_config.json beside the file, or
from --mean and --std (how images are normalized) and --image (their side, where the graph
takes any). A graph that is not one of the families, whole, is refused.

The folder is written aside and renamed. One that holds a model is replaced; one that holds
anything else is left alone.

` + modelHelp,
		Example: `  sd model convert discrimination-256-quick -o model-bin --format bin
  sd model convert clip-b16 -o clip-start --classes 2 --seed 1
  sd model convert path/to/model -o half --dtype bf16 --format sharded
  sd model convert clip.onnx -o clip --mean .4815,.4578,.4082 --std .2686,.2613,.2758
  sd model convert path/to/packed -o whole`,
		Args: arguments(cobra.ExactArgs(1)),
		RunE: func(cmd *cobra.Command, args []string) error {
			if to == "" {
				return misuse(cmd, "-o is missing: name the folder to write")
			}
			if shard < 1 {
				return misuse(cmd, "--shard is %g MB, expected 1 or more", shard)
			}
			var want *head
			if cmd.Flags().Changed("classes") {
				if h.classes < 1 {
					return misuse(cmd, "--classes is %d, expected 1 or more", h.classes)
				}
				want = &h
			} else if cmd.Flags().Changed("seed") {
				return misuse(cmd, "--seed is that of a new head: give --classes too")
			}
			s, err := a.findExport(cmd, args[0], want, export, mean, std)
			if err != nil {
				return err
			}
			if s.headless != nil {
				return fmt.Errorf("%w: --classes N puts a new one on it", s.headless)
			}
			if err := cmd.Context().Err(); err != nil {
				return err
			}
			if err := s.SaveAs(to, vit.Saving{Format: format, DType: dtypes[dtype], ShardBytes: int(shard * 1e6)}); err != nil {
				return err
			}
			written := subject{dir: to}
			for _, f := range written.files() {
				fmt.Fprintf(a.out, "%s  %.1f MB\n", f.Name, float64(f.Bytes)/1e6)
			}
			_, err = fmt.Fprintln(a.out, to)
			return err
		},
	}
	flags := cmd.Flags()
	flags.StringVarP(&to, "output", "o", "", "folder to write")
	flags.Var(choice[vit.Format]{&format, vit.Formats}, "format", "how the weights are kept: "+join(vit.Formats))
	flags.Var(choice[string]{&dtype, []string{"f32", "f16", "bf16"}}, "dtype", "type of the weights: f32, f16, bf16")
	flags.Float64Var(&shard, "shard", shard, "megabytes of a shard, with --format sharded")
	flags.IntVar(&h.classes, "classes", 0, "put a new head for this many classes on the model")
	flags.Uint64Var(&h.seed, "seed", h.seed, "seed of the new head")
	flags.Float64SliceVar(&mean, "mean", nil, "of an ONNX export: mean of red, green and blue, (byte/255 - mean)/std")
	flags.Float64SliceVar(&std, "std", nil, "of an ONNX export: standard deviation of red, green and blue")
	flags.IntVar(&export.Image, "image", 0, "of an ONNX export: side of the images in pixels")
	return cmd
}

// findExport is find, with what flags say about an ONNX file.
func (a *app) findExport(cmd *cobra.Command, name string, want *head, o vit.ONNX, mean, std []float64) (*subject, error) {
	flags := cmd.Flags()
	if !flags.Changed("mean") && !flags.Changed("std") && !flags.Changed("image") {
		return a.find(cmd.Context(), name, want)
	}
	switch {
	case !vit.IsONNX(name):
		return nil, misuse(cmd, "--mean, --std and --image are for ONNX exports, and %s is none: expected a file that ends in .onnx, or a folder with model.onnx", name)
	case len(mean) != len(std) || len(mean) != 0 && len(mean) != 3:
		return nil, misuse(cmd, "--mean is %v and --std %v, expected three numbers each, for red, green and blue", mean, std)
	case flags.Changed("image") && o.Image < 1:
		return nil, misuse(cmd, "--image is %d, expected 1 or more pixels", o.Image)
	}
	if len(mean) == 3 {
		o.Mean, o.Std = [3]float64(mean), [3]float64(std)
	}
	if want != nil {
		o.Classes, o.Seed = want.classes, want.seed
	}
	m, err := vit.LoadONNX(name, o)
	return &subject{Model: m, source: "ONNX export", dir: name}, err
}
