// Parity writes models in the layout of Hugging Face, with what this library computes
// with them, for check_saved.py to hold against transformers (README.md).
package main

import (
	"flag"
	"fmt"
	"maps"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"

	. "github.com/gomlx/gomlx/core/graph"
	"github.com/gomlx/gomlx/core/tensors"

	"samediff/sdlib/backend"
	"samediff/sdlib/safetensors"
	"samediff/sdlib/vit"
)

func main() {
	out := flag.String("out", "", "folder to write the models to")
	seed := flag.Uint64("seed", 1, "seed of weights and images")
	name := flag.String("backend", "", "backend, as for backend.Open")
	flag.Parse()
	if err := write(*out, *seed, *name); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

// models are what a student trains, one that differs from it in every respect, and a
// small one of every other family, with positions learned at another size.
var models = func() map[string]vit.Config {
	all := map[string]vit.Config{
		"course-quick": vit.CourseQuick,
		"course":       vit.Course,
		"odd": {Image: 30, Patch: 5, Width: 28, Blocks: 3, Heads: 4, MLP: 50, Classes: 7, NormEps: 1e-6,
			Mean: [3]float64{.485, .456, .406}, Std: [3]float64{.229, .224, .225}},
		"b32": vit.B32,
	}
	for _, f := range vit.Families {
		if f == vit.ViT {
			continue
		}
		t := f.Traits()
		c := vit.Config{Family: f, Image: 56, Patch: 8, PosGrid: 9, Width: 48, Blocks: 3, Heads: 4, MLP: 96, Classes: 5,
			NormEps: t.NormEps, Mean: t.Mean, Std: t.Std}
		if t.Registers {
			c.Registers = 4
		}
		all[f.String()] = c
	}
	return all
}()

func write(out string, seed uint64, name string) error {
	if out == "" {
		return fmt.Errorf("parity: -out is missing: name a folder to write to")
	}
	be, err := backend.Open(name)
	if err != nil {
		return err
	}
	fmt.Fprintln(os.Stderr, be)
	for _, name := range slices.Sorted(maps.Keys(models)) {
		dir := filepath.Join(out, name)
		if err := one(be, dir, models[name], seed); err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
		fmt.Println(dir)
	}
	return nil
}

// one saves a model all of whose weights are random, then loads it and computes with it.
func one(be *backend.Backend, dir string, c vit.Config, seed uint64) error {
	m, err := vit.New(c, seed)
	if err != nil {
		return err
	}
	rng := rand.New(rand.NewPCG(seed, 1))
	for _, w := range m.Weights.Flatten(c) {
		scale := .3
		if w.Rank() > 1 { // a matrix, or an embedding: leave the size of its input about as it is
			scale = .02
		}
		err := tensors.MutableFlatData(w, func(flat []float32) {
			for i := range flat {
				flat[i] += float32(scale * rng.NormFloat64())
			}
		})
		if err != nil {
			return err
		}
	}
	if err := m.Save(dir); err != nil {
		return err
	}
	if m, err = vit.Load(dir); err != nil {
		return err
	}

	const n = 4
	pixels := make([]uint8, n*c.Image*c.Image*3)
	for i := range pixels {
		pixels[i] = uint8(rng.UintN(256))
	}
	images, err := c.Images(pixels)
	if err != nil {
		return err
	}
	p, err := vit.Compile(be, m, func(w *vit.Weights[*Node], in []*Node) []*Node {
		logits, trace := vit.Forward(c, w, in[0], vit.Want("final"))
		return []*Node{logits, trace.Get("final")}
	})
	if err != nil {
		return err
	}
	defer p.Close()
	values, err := p.Run(images)
	if err != nil {
		return err
	}
	all := []safetensors.Tensor{{Name: "images", DType: "U8", Shape: []int{n, c.Image, c.Image, 3}, Data: pixels}}
	for i, name := range []string{"logits", "final"} {
		flat, err := tensors.CopyFlatData[float32](values[i])
		if err != nil {
			return err
		}
		all = append(all, safetensors.Float32s(name, values[i].Shape().Dimensions, flat))
	}
	return safetensors.WriteFile(filepath.Join(dir, "computed.safetensors"), all, map[string]string{"backend": be.Choice})
}
