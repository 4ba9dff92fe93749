package attention

import (
	"context"
	"fmt"
	"math"

	. "github.com/gomlx/gomlx/core/graph"
	"github.com/gomlx/gomlx/core/tensors"

	"samediff/sdlib/backend"
	"samediff/sdlib/progress"
	"samediff/sdlib/stimuli"
	"samediff/sdlib/vit"
)

// batchSize is the number of images per forward pass. The weights of one block of
// ViT-B/16 for 64 images take 120 MB, and a block's are freed before the next one's.
const batchSize = 64

// Analyze scores every head of a model on images of a set, given by their indices; nil
// stands for all. [Select] draws them as the paper did.
//
// It fails for an index outside the set, for a set of another geometry than the
// model's, and for an image without a pair of objects.
func Analyze(ctx context.Context, be *backend.Backend, m *vit.Model, set *stimuli.Set, images []int, report progress.Func) (*Scores, error) {
	return analyze(ctx, be, m, set, images, report, batchSize)
}

func analyze(ctx context.Context, be *backend.Backend, m *vit.Model, set *stimuli.Set, images []int, report progress.Func, size int) (*Scores, error) {
	if err := fits(m.Config, set); err != nil {
		return nil, err
	}
	images, err := check(images, set)
	if err != nil {
		return nil, err
	}
	p, err := vit.Compile(be, m, func(w *vit.Weights[*Node], in []*Node) []*Node {
		r := newReducer(in[1], in[2], in[3])
		_, trace := vit.Forward(m.Config, w, in[0], vit.Want("block*/attn/weights"))
		var masses []*Node
		for _, A := range trace.All() {
			masses = append(masses, r.mass(A))
		}
		return []*Node{r.summarize(Stack(masses, 0))} // [measures, L, H]
	})
	if err != nil {
		return nil, err
	}
	defer p.Close()

	meter := progress.New("score heads", "images", len(images), report)
	defer meter.Finish("")
	total := make([]float64, measures*m.Config.Blocks*m.Config.Heads)
	size = min(size, len(images))
	for done := 0; done < len(images); done += size {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		batch := images[done:min(done+size, len(images))]
		sums, err := run(p, m.Config, set, batch, size)
		if err != nil {
			return nil, err
		}
		for i, v := range sums {
			total[i] += v
		}
		meter.Set(done+len(batch), "")
	}
	return newScores(m.Config, set.Config().Task, total, len(images))
}

// run returns the sums of the measures over a batch, [measures, L, H]. A batch that is
// short is filled up to size with its last image, at weight 0, so that one compiled graph serves all.
func run(p *vit.Program, c vit.Config, set *stimuli.Set, batch []int, size int) ([]float64, error) {
	O, T := set.ObjectsPerImage(), c.Tokens()
	places := make([]int32, size*O*T)
	members := make([]float32, size*pairs*O)
	weights := make([]float32, size)
	filled := make([]int, size)
	for i := range filled {
		filled[i] = batch[min(i, len(batch)-1)]
		if i < len(batch) {
			weights[i] = 1
		}
		err := regions(set.Stimulus(filled[i]), places[i*O*T:(i+1)*O*T], members[i*pairs*O:(i+1)*pairs*O], T, c.Prefix())
		if err != nil {
			return nil, err
		}
	}
	pixels, err := c.Images(set.Images(filled))
	if err != nil {
		return nil, err
	}
	inputs := []*tensors.Tensor{
		pixels,
		tensors.FromFlatDataAndDimensions(places, size, O, T),
		tensors.FromFlatDataAndDimensions(members, size, pairs, O),
		tensors.FromFlatDataAndDimensions(weights, size),
	}
	return floats[float64](p, inputs)
}

// floats runs a program of one output, frees its inputs and returns the output's numbers.
func floats[T float32 | float64](p *vit.Program, inputs []*tensors.Tensor) ([]T, error) {
	var args []any
	for _, in := range inputs {
		defer in.FinalizeAll()
		args = append(args, in)
	}
	out, err := p.Run(args...)
	if err != nil {
		return nil, err
	}
	defer out[0].FinalizeAll()
	flat, err := tensors.CopyFlatData[T](out[0])
	if err != nil {
		return nil, fmt.Errorf("attention: read the result: %w", err)
	}
	return flat, nil
}

// newScores turns sums over n images, [measures, L, H], into scores.
func newScores(c vit.Config, task stimuli.Task, sums []float64, n int) (*Scores, error) {
	L, H := c.Blocks, c.Heads
	mean := func(measure int) [][]float64 {
		m := make([][]float64, L)
		for l := range m {
			m[l] = make([]float64, H)
			for h := range m[l] {
				m[l][h] = sums[(measure*L+l)*H+h] / float64(n)
			}
		}
		return m
	}
	for i, v := range sums {
		if math.IsNaN(v) || math.IsInf(v, 0) {
			return nil, fmt.Errorf("attention: the attention of block %d, head %d is not a number: the model's weights are damaged or too large", i/H%L, i%H)
		}
	}
	s := &Scores{Task: task, Images: n,
		Measures: Measures{Local: mean(local), Within: mean(within), Pair: mean(pair), Background: mean(ground)},
		Original: Measures{Local: mean(firstPair), Within: mean(firstPair), Pair: mean(firstPair), Background: mean(firstGround)},
		Shares: Shares{CLS: mean(shares + cls), Own: mean(shares + own), Partner: mean(shares + partner),
			Others: mean(shares + others), Background: mean(shares + background)},
	}
	for l := range L {
		for h := range H {
			global := s.Original.Pair[l][h] + s.Original.Background[l][h] // a sum of maxima (D14)
			s.Original.Local[l][h], s.Original.Within[l][h] = global, 1-global
		}
	}
	if task == stimuli.RMTS {
		s.Between, s.Original.Between = mean(between), mean(between)
	}
	return s, nil
}

// fits tells whether a set's images are what the model sees.
func fits(c vit.Config, set *stimuli.Set) error {
	if g := set.Geometry(); g.Image != c.Image || g.Patch != c.Patch {
		return fmt.Errorf("attention: the stimuli have %d-pixel images and %d-pixel patches, the model %d and %d: give both the same geometry",
			g.Image, g.Patch, c.Image, c.Patch)
	}
	return nil
}

// check returns the indices of the images to look at, all of them for nil.
func check(images []int, set *stimuli.Set) ([]int, error) {
	if images == nil {
		images = make([]int, set.Len())
		for i := range images {
			images[i] = i
		}
	}
	if len(images) == 0 {
		return nil, fmt.Errorf("attention: no images to look at: expected indices of a set of %d, or nil for all of them", set.Len())
	}
	for _, i := range images {
		if i < 0 || i >= set.Len() {
			return nil, fmt.Errorf("attention: there is no image %d in a set of %d: expected 0 to %d", i, set.Len(), set.Len()-1)
		}
	}
	return images, nil
}
