package finetune

import (
	"fmt"
	"math"

	. "github.com/gomlx/gomlx/core/graph"
	"github.com/gomlx/gomlx/core/tensors"

	"samediff/sdlib/stimuli"
	"samediff/sdlib/vit"
)

// deviceData is a set of stimuli on the device: pixels as bytes, gathered by index
// and normalized inside the graph, so that a step sends nothing but its indices.
type deviceData struct {
	pixels *tensors.Tensor // uint8 [N, height, width, 3]
	labels *tensors.Tensor // int32 [N]
	tokens *tensors.Tensor // int32 [N, O, P] patches, without CLS
	shapes *tensors.Tensor // int32 [N, O]
	colors *tensors.Tensor // int32 [N, O]
}

func (d *deviceData) all() []*tensors.Tensor {
	return []*tensors.Tensor{d.pixels, d.labels, d.tokens, d.shapes, d.colors}
}

// load draws all stimuli of a set.
func load(c vit.Config, set *stimuli.Set) (*deviceData, error) {
	g := set.Geometry()
	if g.Image != c.Image || g.Patch != c.Patch {
		return nil, fmt.Errorf("finetune: the stimuli have %d-pixel images and %d-pixel patches, the model %d and %d: give both the same geometry",
			g.Image, g.Patch, c.Image, c.Patch)
	}
	pixels, err := c.Images(set.Images(nil))
	if err != nil {
		return nil, err
	}
	n, o := set.Len(), set.ObjectsPerImage()
	shapes, colors := set.Attributes()
	return &deviceData{
		pixels: pixels,
		labels: tensors.FromFlatDataAndDimensions(set.Labels(), n),
		tokens: tensors.FromFlatDataAndDimensions(set.Tokens(), n, o, set.TokensPerObject()),
		shapes: tensors.FromFlatDataAndDimensions(shapes, n, o),
		colors: tensors.FromFlatDataAndDimensions(colors, n, o),
	}, nil
}

// batch is a batch's data inside a graph, in the order of deviceData.all.
type batch struct{ nodes []*Node }

// pick gathers the rows of a whole set that the indices, int32 [B], name.
func (b batch) pick(indices *Node) batch {
	picked := make([]*Node, len(b.nodes))
	for i, x := range b.nodes {
		picked[i] = Gather(x, ExpandAxes(indices, -1))
	}
	return batch{picked}
}

func (b batch) images() *Node { return b.nodes[0] }
func (b batch) labels() *Node { return b.nodes[1] }
func (b batch) tokens() *Node { return b.nodes[2] }
func (b batch) shapes() *Node { return b.nodes[3] }
func (b batch) colors() *Node { return b.nodes[4] }
func (b batch) size() int     { return b.labels().Shape().Dim(0) }

func sqrt32(n int) float32 { return float32(math.Sqrt(float64(n))) }
