package runner

import (
	"context"
	"strings"

	. "github.com/gomlx/gomlx/core/graph"
	"github.com/gomlx/gomlx/core/tensors"

	"samediff/sdlib/backend"
	"samediff/sdlib/progress"
	"samediff/sdlib/stimuli"
	"samediff/sdlib/vit"
)

// keep returns the named values of a forward pass. Its parameter is the names, separated by spaces.
var keep = New("look inside", func(c vit.Config, names string, w *vit.Weights[*Node], in []*Node) []*Node {
	_, trace := vit.Forward(c, w, in[0], vit.Want(strings.Fields(names)...))
	return trace.All()
})

// Nodes runs a model on images of a set, given by their indices (nil for all), and hands
// over the named values ([vit.Config.Nodes]) of each batch, tensors of shape [B, ...] in the
// order of names, of which the first len(items) rows count; items count in images. The
// tensors are freed when take returns.
func Nodes(ctx context.Context, be *backend.Backend, m *vit.Model, set *stimuli.Set, images []int, names []string, report progress.Func,
	take func(items []int, values []*tensors.Tensor) error) error {
	if err := Fits(m.Config, set); err != nil {
		return err
	}
	images, err := Choose(set, images)
	if err != nil {
		return err
	}
	order, bytes, err := arrange(m.Config, names)
	if err != nil {
		return err
	}
	return keep.Run(ctx, be, m, strings.Join(names, " "), Work{
		N: len(images), Feed: Images(m.Config, set, images), Bytes: bytes, Report: report,
		Take: func(items []int, out []*tensors.Tensor) error {
			values := make([]*tensors.Tensor, len(names))
			for i, at := range order {
				values[i] = out[at]
			}
			return take(items, values)
		},
	})
}

// arrange returns where each name stands among the values of a trace, which come in the
// order of the computation, and the bytes of all of them for one image.
func arrange(c vit.Config, names []string) (order []int, bytes int, err error) {
	place := map[string]int{}
	for _, node := range c.Nodes() {
		for _, name := range names {
			if _, there := place[node]; name == node && !there {
				place[node] = len(place)
			}
		}
	}
	for _, name := range names {
		shape, err := c.NodeShape(name, 1)
		if err != nil {
			return nil, 0, err
		}
		size := 4
		for _, d := range shape {
			size *= d
		}
		order, bytes = append(order, place[name]), bytes+size
	}
	return order, bytes, nil
}
