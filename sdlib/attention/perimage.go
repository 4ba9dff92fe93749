package attention

import (
	"context"
	"fmt"
	"math"

	. "github.com/gomlx/gomlx/core/graph"
	"github.com/gomlx/gomlx/core/tensors"

	"samediff/sdlib/backend"
	"samediff/sdlib/progress"
	"samediff/sdlib/runner"
	"samediff/sdlib/stimuli"
	"samediff/sdlib/vit"
)

// score computes every measure of every head for each image: float64 [B, measures, L, H].
// Its inputs are pixels, and the places and members that regions writes.
var score = runner.New("score heads", scoreGraph)

func scoreGraph(c vit.Config, _ struct{}, w *vit.Weights[*Node], in []*Node) []*Node {
	r := newReducer(in[1], in[2])
	_, trace := vit.Forward(c, w, in[0], vit.Want("block*/attn/weights"))
	var masses []*Node
	for _, A := range trace.All() {
		masses = append(masses, Mass(A, r.rows, r.seen))
	}
	return []*Node{r.summarize(Stack(masses, 0))}
}

// PerImage holds the scores of every head on every image, for statistics of one's own.
// [PerImage.Scores] are those that this package knows.
type PerImage struct {
	Task          stimuli.Task
	Images        []int // indices in the set, [n]
	Labels        []int // 1 same, 0 different, [n]
	Blocks, Heads int   // L and H

	values []float64 // [n, measures, L, H]
}

// newPerImage returns scores of 0.
func newPerImage(c vit.Config, set *stimuli.Set, images []int) *PerImage {
	p := &PerImage{Task: set.Config().Task, Images: images, Blocks: c.Blocks, Heads: c.Heads}
	for _, i := range images {
		p.Labels = append(p.Labels, set.Stimulus(i).Label)
	}
	p.values = make([]float64, len(images)*p.width())
	return p
}

// width is the number of scores of an image.
func (p *PerImage) width() int { return measures * p.Blocks * p.Heads }

// Measure scores every head of a model on each of some images of a set, given by their
// indices; nil stands for all. Its errors are those of [Analyze].
func Measure(ctx context.Context, be *backend.Backend, m *vit.Model, set *stimuli.Set, images []int, report progress.Func) (*PerImage, error) {
	c := m.Config
	if err := runner.Fits(c, set); err != nil {
		return nil, fmt.Errorf("attention: %w", err)
	}
	images, err := runner.Choose(set, images)
	if err != nil {
		return nil, fmt.Errorf("attention: %w", err)
	}
	p := newPerImage(c, set, images)
	draw := runner.Images(c, set, images)
	err = score.Run(ctx, be, m, struct{}{}, runner.Work{
		N: len(images),
		Feed: func(items []int) ([]any, error) {
			in, err := draw(items)
			if err != nil {
				return nil, err
			}
			where, members, err := placesOf(set, runner.Pick(images, items), c)
			return append(in, where, members), err
		},
		Take: func(items []int, out []*tensors.Tensor) error {
			rows, err := runner.Rows[float64](out[0], len(items))
			for i, row := range rows {
				copy(p.values[items[i]*p.width():], row)
			}
			return err
		},
		Report: report,
	})
	if err != nil {
		return nil, err
	}
	return p, p.finite()
}

// placesOf returns what regions writes for some images, int32 [B, O, T] and float32 [B, pairs, O].
func placesOf(set *stimuli.Set, images []int, c vit.Config) (where, members *tensors.Tensor, err error) {
	B, O, T := len(images), set.ObjectsPerImage(), c.Tokens()
	of, in := make([]int32, B*O*T), make([]float32, B*pairs*O)
	for i, image := range images {
		err := regions(set.Stimulus(image), of[i*O*T:(i+1)*O*T], in[i*pairs*O:(i+1)*pairs*O], T, c.Prefix())
		if err != nil {
			return nil, nil, err
		}
	}
	return tensors.FromFlatDataAndDimensions(of, B, O, T), tensors.FromFlatDataAndDimensions(in, B, pairs, O), nil
}

// finite returns an error for weights that overflow, which names a head that they spoil.
func (p *PerImage) finite() error {
	for i, v := range p.values {
		if math.IsNaN(v) || math.IsInf(v, 0) {
			return fmt.Errorf("attention: the attention of block %d, head %d is not a number: the model's weights are damaged or too large", i/p.Heads%p.Blocks, i%p.Heads)
		}
	}
	return nil
}

// Of returns the scores of the i-th image.
func (p *PerImage) Of(i int) Measures {
	return p.measures(p.values[i*p.width():], 0)
}

// measures reads the scores of a group from a row [measures, L, H]. Between is there in RMTS alone.
func (p *PerImage) measures(row []float64, group int) Measures {
	var m Measures
	for i, field := range m.fields()[:p.used()] {
		*field = p.matrix(row, group+i)
	}
	return m
}

// used is the number of measures that the task has: Between is RMTS's.
func (p *PerImage) used() int {
	if p.Task == stimuli.RMTS {
		return perGroup
	}
	return between
}

// matrix copies a measure of a row [measures, L, H]: [L][H].
func (p *PerImage) matrix(row []float64, measure int) [][]float64 {
	m := make([][]float64, p.Blocks)
	for l := range m {
		at := (measure*p.Blocks + l) * p.Heads
		m[l] = append(m[l], row[at:at+p.Heads]...)
	}
	return m
}
