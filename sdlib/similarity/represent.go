package similarity

import (
	"context"
	"fmt"

	. "github.com/gomlx/gomlx/core/graph"
	"github.com/gomlx/gomlx/core/tensors"

	"samediff/sdlib/backend"
	"samediff/sdlib/progress"
	"samediff/sdlib/runner"
	"samediff/sdlib/stimuli"
	"samediff/sdlib/vit"
)

// A Reading says which tokens of the stream represent an image.
type Reading string

// The readings.
const (
	CLS     Reading = "cls"     // the first token, [D]; not in families without CLS, and not of the embedding, where it is the same for all images
	Mean    Reading = "mean"    // the mean of all patches, [D]
	Objects Reading = "objects" // the mean of each object's tokens, one after the other, [O·D]
)

// Readings lists them.
var Readings = []Reading{CLS, Mean, Objects}

// Places returns the values of the forward pass that are represented: what each block leaves,
// and before them the embedding, where it says anything of an image.
func (at Reading) Places(c vit.Config) []string {
	var names []string
	if at != CLS {
		names = append(names, "embed")
	}
	for l := range c.Blocks {
		names = append(names, vit.BlockNode(l, "resid_post"))
	}
	return names
}

// Represent returns what a model's residual stream holds of images of a set, given by their
// indices (nil for all), at the reading's [Reading.Places].
func Represent(ctx context.Context, be *backend.Backend, m *vit.Model, set *stimuli.Set, images []int, at Reading, report progress.Func) ([]Representation, error) {
	c := m.Config
	err := runner.Fits(c, set)
	if err == nil {
		images, err = runner.Choose(set, images)
	}
	if err != nil {
		return nil, fmt.Errorf("similarity: %w", err)
	}
	O := 1
	switch {
	case at == CLS && !c.Family.Traits().CLS:
		return nil, fmt.Errorf("similarity: a model of family %s has no CLS: read %s or %s", c.Family, Mean, Objects)
	case at == Objects:
		if O = set.ObjectsPerImage(); O == 0 {
			return nil, fmt.Errorf("similarity: the set has no objects: read %s or %s", CLS, Mean)
		}
	case at != CLS && at != Mean:
		return nil, fmt.Errorf("similarity: no reading %q: expected one of %q", at, Readings)
	}
	names := at.Places(c)
	var all []Representation
	for _, name := range names {
		all = append(all, Representation{Name: name, N: len(images), F: O * c.Width})
	}
	draw := runner.Images(c, set, images)
	err = represent.Run(ctx, be, m, at == CLS, runner.Work{
		N: len(images), Report: report,
		Feed: func(items []int) ([]any, error) {
			in, err := draw(items)
			return append(in, weights(c, set, runner.Pick(images, items), at, O)), err
		},
		Bytes: 4 * (c.Blocks + 1) * c.Tokens() * c.Width, // the streams
		Take: func(items []int, out []*tensors.Tensor) error {
			rows, err := runner.Rows[float32](out[0], len(items)) // [places, O, D] of each
			for _, row := range rows {
				for l := range all {
					all[l].X = append(all[l].X, row[l*all[l].F:(l+1)*all[l].F]...)
				}
			}
			return err
		},
	})
	return all, err
}

// represent computes weighted sums of tokens of the embedding, unless its parameter leaves that
// out, and after every block: [B, places, O, D]. Inputs: pixels, and weights [B, O, T].
var represent = runner.New("representations", func(c vit.Config, blocksAlone bool, w *vit.Weights[*Node], in []*Node) []*Node {
	want := []vit.Option{vit.Want("block*/resid_post")}
	if !blocksAlone {
		want = append(want, vit.Want("embed"))
	}
	_, trace := vit.Forward(c, w, in[0], want...)
	var all []*Node
	for _, x := range trace.All() {
		all = append(all, Einsum("bot,btd->bod", in[1], x))
	}
	return []*Node{Stack(all, 1)}
})

// weights returns those that read tokens of some images, float32 [B, O, T].
func weights(c vit.Config, set *stimuli.Set, images []int, at Reading, O int) *tensors.Tensor {
	T := c.Tokens()
	w := make([]float32, len(images)*O*T)
	for i, image := range images {
		row := w[i*O*T : (i+1)*O*T]
		switch at {
		case CLS:
			row[0] = 1
		case Mean:
			for t := c.Prefix(); t < T; t++ {
				row[t] = 1 / float32(T-c.Prefix())
			}
		default:
			for o, object := range set.Stimulus(image).Objects {
				for _, patch := range object.Tokens {
					row[o*T+c.Prefix()+patch] = 1 / float32(len(object.Tokens))
				}
			}
		}
	}
	return tensors.FromFlatDataAndDimensions(w, len(images), O, T)
}
