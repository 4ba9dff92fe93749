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

The folder is written aside and renamed. One that holds a model is replaced; one that holds
anything else is left alone.

` + modelHelp,
		Example: `  sd model convert discrimination-256-quick -o model-bin --format bin
  sd model convert clip-b16 -o clip-start --classes 2 --seed 1
  sd model convert path/to/model -o half --dtype bf16 --format sharded
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
			s, err := a.find(cmd.Context(), args[0], want)
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
	return cmd
}
