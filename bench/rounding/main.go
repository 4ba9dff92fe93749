// Command rounding measures what 8-bit weights may change: how far CLIP ViT-B/16 as `sd model fetch clip-b16` makes it from a Python
// package lies from OpenAI's own weights, which are not here to compare with.
//
//	go run ./bench/rounding -images 100 -seeds 3
//
// A weight w was rounded to the nearest multiple of a step s that each row of a matrix has; what is lost lies between -s/2 and s/2. So the
// program adds to each weight a number drawn uniformly from there, and compares the model with these weights to the one with the rounded
// weights: to first order, this distance has the same distribution as that of the rounded weights from the original ones.
package main

import (
	"context"
	"flag"
	"fmt"
	"math"
	"math/rand/v2"
	"os"
	"slices"

	"github.com/gomlx/gomlx/core/tensors"

	"samediff/sdlib/attention"
	"samediff/sdlib/backend"
	"samediff/sdlib/hub"
	"samediff/sdlib/runner"
	"samediff/sdlib/stimuli"
	"samediff/sdlib/vit"
)

func main() {
	images := flag.Int("images", 100, "images: half of them same, half different")
	seeds := flag.Int("seeds", 3, "draws of what was lost")
	flag.Parse()
	if err := run(context.Background(), *images, *seeds); err != nil {
		fmt.Fprintln(os.Stderr, "rounding:", err)
		os.Exit(1)
	}
}

// A view is what a model shows on the images.
type view struct {
	scores *attention.Scores
	stream [][]float32 // resid_post of each block, and the logits, of all images
}

func run(ctx context.Context, images, seeds int) error {
	c, err := vit.FindCheckpoint("clip-b16")
	if err != nil {
		return err
	}
	dir, ok := c.Folder(hub.Options{})
	if !ok {
		return fmt.Errorf("the weights are not here: sd model fetch clip-b16")
	}
	m, err := vit.Load(dir)
	if err != nil {
		return err
	}
	if m.Origin.String() != vit.EightBit {
		return fmt.Errorf("%s holds no 8-bit weights, but %q", dir, m.Origin)
	}
	be, err := backend.Open("")
	if err != nil {
		return err
	}
	set, err := stimuli.Open(stimuli.Config{Geometry: stimuli.B16, Split: stimuli.Test, Size: max(images, 100), Seed: 1})
	if err != nil {
		return err
	}
	chosen, err := attention.Select(set, images/2, 1)
	if err != nil {
		return err
	}
	rounded, err := look(ctx, be, m, set, chosen)
	if err != nil {
		return err
	}
	fmt.Printf("CLIP ViT-B/16, %s; %d images of discrimination, %d pixels; %s\n", m.Origin, len(chosen), m.Config.Image, be)
	for _, line := range rounded.scores.Lines()[:2] {
		l := peak(line.Values)
		fmt.Printf("largest attention %s: block %d, head %d, %.3f\n", line.Name, l, line.Heads[l], line.Values[l])
	}
	fmt.Println()
	worst := make([][]float64, 0, seeds)
	for seed := range seeds {
		other, noise, err := perturbed(m, uint64(seed+1))
		if err != nil {
			return err
		}
		v, err := look(ctx, be, other, set, chosen)
		if err != nil {
			return err
		}
		if seed == 0 {
			fmt.Printf("lost of a weight, as a share of its matrix' standard deviation: %.2f%% on average, %.2f%% at most\n\n", 100*noise.mean, 100*noise.max)
		}
		worst = append(worst, compare(rounded, v))
	}
	fmt.Printf("%-28s", "draw")
	for seed := range seeds {
		fmt.Printf(" %9d", seed+1)
	}
	fmt.Println()
	for i, name := range lines(m.Config.Blocks) {
		fmt.Printf("%-28s", name)
		for _, w := range worst {
			fmt.Printf(" %9.2g", w[i])
		}
		fmt.Println()
	}
	return nil
}

// look runs a model on the images.
func look(ctx context.Context, be *backend.Backend, m *vit.Model, set *stimuli.Set, images []int) (view, error) {
	var v view
	var err error
	if v.scores, err = attention.Analyze(ctx, be, m, set, images, nil); err != nil {
		return v, err
	}
	var names []string
	for l := range m.Config.Blocks {
		names = append(names, vit.BlockNode(l, "resid_post"))
	}
	names = append(names, "logits")
	v.stream = make([][]float32, len(names))
	err = runner.Nodes(ctx, be, m, set, images, names, nil, func(items []int, values []*tensors.Tensor) error {
		for i, x := range values {
			all, err := tensors.CopyFlatData[float32](x)
			if err != nil {
				return err
			}
			each := len(all) / x.Shape().Dim(0)
			v.stream[i] = append(v.stream[i], all[:each*len(items)]...)
		}
		return nil
	})
	return v, err
}

type loss struct{ mean, max float64 }

// perturbed returns the model with what rounding took away drawn anew.
func perturbed(m *vit.Model, seed uint64) (*vit.Model, loss, error) {
	rng := rand.New(rand.NewPCG(seed, 8))
	flat := slices.Clone(m.Weights.Flatten(m.Config))
	var matrices []*tensors.Tensor
	for _, b := range m.Weights.Blocks {
		matrices = append(matrices, b.Q.W, b.K.W, b.V.W, b.O.W, b.Up.W, b.Down.W)
	}
	matrices = append(matrices, m.Weights.Head.W)
	var noise loss
	for i, w := range flat {
		if !slices.Contains(matrices, w) {
			continue
		}
		values, err := tensors.CopyFlatData[float32](w)
		if err != nil {
			return nil, noise, err
		}
		columns := w.Shape().Dim(1)
		sum, squares, lost := 0., 0., 0.
		for row := range slices.Chunk(values, columns) {
			s := step(row)
			for j, x := range row {
				sum, squares = sum+float64(x), squares+float64(x)*float64(x)
				row[j] += float32(s * (rng.Float64() - .5))
			}
			lost += s * s / 12 * float64(columns)
		}
		n := float64(len(values))
		share := math.Sqrt(lost/n) / math.Sqrt(squares/n-sum*sum/n/n)
		noise.mean += share / float64(len(matrices))
		noise.max = max(noise.max, share)
		flat[i] = tensors.FromFlatDataAndDimensions(values, w.Shape().Dimensions...)
	}
	return &vit.Model{Config: m.Config, Weights: vit.Unflatten(m.Config, flat)}, noise, nil
}

// step returns the step that a row was rounded in: the least distance of two of its values.
func step(row []float32) float64 {
	sorted := slices.Sorted(slices.Values(row))
	least := math.Inf(1)
	for i := range len(sorted) - 1 {
		// Products of whole numbers and a step differ by less than that in their last bit alone.
		if d := float64(sorted[i+1]) - float64(sorted[i]); d > 1e-4*math.Abs(float64(sorted[len(sorted)-1])) {
			least = min(least, d)
		}
	}
	return least
}

// lines name what compare returns.
func lines(blocks int) []string {
	var all []string
	for l := range blocks {
		all = append(all, fmt.Sprintf("stream after block %d", l))
	}
	return append(all, "image embedding", "heads: Local, mean", "heads: Local, largest", "heads: Within, largest", "heads: Pair, largest", "heads: Background, largest",
		"peak of within object moves", "peak of within pair moves")
}

// compare returns the distances of two views: of streams and embeddings, the root mean square of the difference over that of the value;
// of the heads' scores, absolute ones; of the peaks in Figure 2, by how many blocks they move.
func compare(a, b view) []float64 {
	var all []float64
	for i := range a.stream {
		d, n := 0., 0.
		for j, x := range a.stream[i] {
			y := float64(b.stream[i][j])
			d, n = d+(float64(x)-y)*(float64(x)-y), n+float64(x)*float64(x)
		}
		all = append(all, math.Sqrt(d/n))
	}
	mean, largest := distance(a.scores.Local, b.scores.Local)
	all = append(all, mean, largest)
	for _, s := range [][2][][]float64{{a.scores.Within, b.scores.Within}, {a.scores.Pair, b.scores.Pair}, {a.scores.Background, b.scores.Background}} {
		_, largest := distance(s[0], s[1])
		all = append(all, largest)
	}
	x, y := a.scores.Lines(), b.scores.Lines()
	for i := range 2 {
		all = append(all, float64(peak(y[i].Values)-peak(x[i].Values)))
	}
	return all
}

func distance(a, b [][]float64) (mean, largest float64) {
	n := 0
	for l := range a {
		for h := range a[l] {
			d := math.Abs(a[l][h] - b[l][h])
			mean, largest, n = mean+d, max(largest, d), n+1
		}
	}
	return mean / float64(n), largest
}

func peak(values []float64) int { return slices.Index(values, slices.Max(values)) }
