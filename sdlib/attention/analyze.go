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
var score = runner.New("score heads", func(c vit.Config, _ struct{}, w *vit.Weights[*Node], in []*Node) []*Node {
	r := newReducer(in[1], in[2])
	_, trace := vit.Forward(c, w, in[0], vit.Want("block*/attn/weights"))
	var masses []*Node
	for _, A := range trace.All() {
		masses = append(masses, Mass(A, r.rows, r.seen))
	}
	return []*Node{r.summarize(Stack(masses, 0))}
})

// Analyze scores every head of a model on images of a set, given by their indices; nil
// stands for all. [Select] draws them as the paper did.
//
// It fails for an index outside the set, for a set of another geometry than the
// model's, and for an image without a pair of objects.
func Analyze(ctx context.Context, be *backend.Backend, m *vit.Model, set *stimuli.Set, images []int, report progress.Func) (*Scores, error) {
	c := m.Config
	if err := runner.Fits(c, set); err != nil {
		return nil, fmt.Errorf("attention: %w", err)
	}
	images, err := runner.Choose(set, images)
	if err != nil {
		return nil, fmt.Errorf("attention: %w", err)
	}
	total := make([]float64, measures*c.Blocks*c.Heads)
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
			for _, row := range rows {
				for i, v := range row {
					total[i] += v
				}
			}
			return err
		},
		Report: report,
	})
	if err != nil {
		return nil, err
	}
	return newScores(c, set.Config().Task, total, len(images))
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
