package attribution

import (
	"context"

	. "github.com/gomlx/gomlx/core/graph"
	"github.com/gomlx/gomlx/core/tensors"

	"samediff/sdlib/backend"
	"samediff/sdlib/progress"
	"samediff/sdlib/runner"
	"samediff/sdlib/stimuli"
	"samediff/sdlib/vit"
)

// A Reading follows one image through the residual stream. The first index of its lists
// counts the blocks passed: 0 is the embedding, L what the last block leaves.
type Reading struct {
	Image  int         `json:"image"`  // index in the set
	Logits [][]float64 `json:"logits"` // [L+1][C] what the final norm and the head make of the stream
	Norms  []Norm      `json:"norms"`  // at CLS, where the family has it; at each object; at the background, where there is any
	Spots  []Spot      `json:"spots"`  // the logits at the same places
}

// A Spot is what the final norm, by the statistics of each token itself, and the head make of
// some tokens, as if the head read them: the mean of their logits.
type Spot struct {
	At     string      `json:"at"`     // as of a Norm
	Logits [][]float64 `json:"logits"` // [L+1][C]
}

// A Norm is how long the vectors of the stream are at some tokens: the mean of their
// Euclidean norms.
type Norm struct {
	At     string    `json:"at"`     // "CLS", the role of an object, or "background"
	Values []float64 `json:"values"` // [L+1]
}

// Lens reads the residual streams of images of a set, given by their indices (nil for all),
// after every block: the logit lens, and the lengths of the vectors.
//
// It fails for a set of another geometry than the model's, and for an index outside the set.
func Lens(ctx context.Context, be *backend.Backend, m *vit.Model, set *stimuli.Set, images []int, report progress.Func) ([]Reading, error) {
	c := m.Config
	images, err := choose(c, set, images)
	if err != nil {
		return nil, err
	}
	all := make([]Reading, 0, len(images))
	draw := runner.Images(c, set, images)
	err = lens.Run(ctx, be, m, struct{}{}, runner.Work{
		N: len(images),
		Feed: func(items []int) ([]any, error) {
			in, err := draw(items)
			return append(in, groupWeights(c, set, runner.Pick(images, items))), err
		},
		Bytes: 4 * (c.Blocks + 1) * c.Tokens() * c.Width, // the streams
		Take: func(items []int, out []*tensors.Tensor) error {
			logits, err := finite(out[0], len(items), images[items[0]:])
			if err != nil {
				return err
			}
			norms, err := finite(out[1], len(items), images[items[0]:])
			if err != nil {
				return err
			}
			spots, err := finite(out[2], len(items), images[items[0]:])
			if err != nil {
				return err
			}
			for i, item := range items {
				all = append(all, newReading(c, images[item], set.Stimulus(images[item]), logits[i], norms[i], spots[i]))
			}
			return nil
		},
		Report: report,
	})
	return all, err
}

// lens computes for each image the logits [B, L+1, C] that the head would read, the mean norms
// [B, L+1, G] over G groups of tokens, and the groups' mean logits [B, L+1, G, C]. Its inputs are pixels and the groups'
// weights, [B, G, T].
var lens = runner.New("logit lens", func(c vit.Config, _ struct{}, w *vit.Weights[*Node], in []*Node) []*Node {
	_, trace := vit.Forward(c, w, in[0], vit.Want("embed", "block*/resid_post"))
	var logits, norms, spots []*Node
	B, T, seen := in[0].Shape().Dim(0), c.Tokens(), c.Prefix()+1 // seen: tokens enough for any head to read
	for _, x := range trace.All() {                              // [B, T, D]
		y, _ := vit.ForwardFrom(c, w, c.Blocks-1, x)
		logits = append(logits, y)
		norms = append(norms, Einsum("bgt,bt->bg", in[1], Sqrt(ReduceSum(Square(x), -1))))
		alone := BroadcastToDims(Reshape(x, B*T, 1, c.Width), B*T, seen, c.Width) // a token wherever the head looks
		z, _ := vit.ForwardFrom(c, w, c.Blocks-1, alone)
		spots = append(spots, Einsum("bgt,btc->bgc", in[1], Reshape(z, B, T, c.Classes)))
	}
	return []*Node{Stack(logits, 1), Stack(norms, 1), Stack(spots, 1)}
})

// A group is some of an image's tokens.
type group struct {
	name   string
	tokens []int // of 0..T-1
}

// groups returns the groups of an image's tokens, in the order of a Reading's Norms; some may have no token.
func groups(c vit.Config, s stimuli.Stimulus) []group {
	first := group{name: "CLS"}
	if c.Family.Traits().CLS {
		first.tokens = []int{0}
	}
	all := []group{first}
	covered := make([]bool, c.Tokens())
	for _, o := range s.Objects {
		g := group{name: string(o.Role)}
		for _, patch := range o.Tokens {
			g.tokens = append(g.tokens, c.Prefix()+patch)
			covered[c.Prefix()+patch] = true
		}
		all = append(all, g)
	}
	rest := group{name: "background"}
	for t := c.Prefix(); t < c.Tokens(); t++ {
		if !covered[t] {
			rest.tokens = append(rest.tokens, t)
		}
	}
	return append(all, rest)
}

// groupWeights returns the weights that average over each group of some images' tokens,
// float32 [B, G, T]. G is that of the image with the most objects.
func groupWeights(c vit.Config, set *stimuli.Set, images []int) *tensors.Tensor {
	G, T := set.ObjectsPerImage()+2, c.Tokens()
	weights := make([]float32, len(images)*G*T)
	for i, image := range images {
		for k, g := range groups(c, set.Stimulus(image)) {
			for _, t := range g.tokens {
				weights[(i*G+k)*T+t] = 1 / float32(len(g.tokens))
			}
		}
	}
	return tensors.FromFlatDataAndDimensions(weights, len(images), G, T)
}

// newReading makes a reading of an image's numbers, [L+1, C], [L+1, G] and [L+1, G, C].
func newReading(c vit.Config, image int, s stimuli.Stimulus, logits, norms, spots []float64) Reading {
	r := Reading{Image: image}
	G := len(norms) / (c.Blocks + 1)
	for l := range c.Blocks + 1 {
		r.Logits = append(r.Logits, logits[l*c.Classes:(l+1)*c.Classes])
	}
	for k, g := range groups(c, s) {
		if len(g.tokens) == 0 {
			continue
		}
		n, spot := Norm{At: g.name}, Spot{At: g.name}
		for l := range c.Blocks + 1 {
			n.Values = append(n.Values, norms[l*G+k])
			at := (l*G + k) * c.Classes
			spot.Logits = append(spot.Logits, spots[at:at+c.Classes])
		}
		r.Norms, r.Spots = append(r.Norms, n), append(r.Spots, spot)
	}
	return r
}
