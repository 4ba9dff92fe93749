package finetune

import (
	"fmt"

	. "github.com/gomlx/gomlx/core/graph"
	"github.com/gomlx/gomlx/core/tensors"

	"samediff/sdlib/optimize"
	"samediff/sdlib/stimuli"
	"samediff/sdlib/vit"
)

// deviceData is a set of stimuli on the device: pixels as bytes, gathered by index
// and normalized inside the graph, so that a step sends nothing but its indices.
type deviceData struct {
	pixels    *tensors.Tensor // uint8 [N, height, width, 3]
	labels    *tensors.Tensor // int32 [N]
	tokens    *tensors.Tensor // int32 [N, O, P] patches, without CLS
	shapes    *tensors.Tensor // int32 [N, O]
	colors    *tensors.Tensor // int32 [N, O]
	pairs     *tensors.Tensor // int32 [N, Q, 2] the objects of each pair
	relations *tensors.Tensor // int32 [N, Q] 1 same, 0 different
}

func (d *deviceData) all() []*tensors.Tensor {
	return []*tensors.Tensor{d.pixels, d.labels, d.tokens, d.shapes, d.colors, d.pairs, d.relations}
}

// data draws the training images: once, or for a recipe with Fresh those of another set in
// every epoch.
func (r Recipe) data(c vit.Config, set *stimuli.Set) *optimize.Drawn {
	d := &optimize.Drawn{N: set.Len()}
	if r.Fresh {
		d.Fresh = r.Epochs
	}
	d.Draw = func(epoch int) ([]*tensors.Tensor, error) {
		set := set
		if epoch > 0 {
			fresh := set.Config()
			fresh.Seed = freshSeed(fresh.Seed, epoch)
			var err error
			if set, err = stimuli.Open(fresh); err != nil {
				return nil, fmt.Errorf("finetune: draw the images of epoch %d: %w", epoch+1, err)
			}
		}
		data, err := load(c, set)
		if err != nil {
			return nil, err
		}
		return data.all(), nil
	}
	return d
}

// freshSeed is the seed of an epoch's images: epoch 0 has the training set's own. The
// upper half of the seed counts epochs, so that runs with seeds 1, 2, 3, ... share no images.
func freshSeed(seed uint64, epoch int) uint64 { return seed + uint64(epoch)<<32 }

// load draws all stimuli of a set.
func load(c vit.Config, set *stimuli.Set) (*deviceData, error) {
	pixels, err := c.Images(set.Images(nil))
	if err != nil {
		return nil, err
	}
	n, o := set.Len(), set.ObjectsPerImage()
	shapes, colors := set.Attributes()
	pairs, relations := pairsOf(set)
	q := len(relations) / n
	return &deviceData{
		pixels:    pixels,
		labels:    tensors.FromFlatDataAndDimensions(set.Labels(), n),
		tokens:    tensors.FromFlatDataAndDimensions(set.Tokens(), n, o, set.TokensPerObject()),
		shapes:    tensors.FromFlatDataAndDimensions(shapes, n, o),
		colors:    tensors.FromFlatDataAndDimensions(colors, n, o),
		pairs:     tensors.FromFlatDataAndDimensions(pairs, n, q, 2),
		relations: tensors.FromFlatDataAndDimensions(relations, n, q),
	}, nil
}

// pairsOf returns the objects of each image's pairs, [n, Q, 2], and the pairs' relations,
// [n, Q]; -1 where an image has fewer than Q, which is at least 1.
func pairsOf(set *stimuli.Set) (objects, relations []int32) {
	q := 1
	for i := range set.Len() {
		q = max(q, len(set.Stimulus(i).Pairs))
	}
	for i := range set.Len() {
		pairs := set.Stimulus(i).Pairs
		for j := range q {
			first, second, relation := -1, -1, -1
			if j < len(pairs) {
				first, second, relation = pairs[j].First, pairs[j].Second, pairs[j].Label
			}
			objects = append(objects, int32(first), int32(second))
			relations = append(relations, int32(relation))
		}
	}
	return objects, relations
}

// batch is a batch's data inside a graph, in the order of deviceData.all.
type batch struct{ nodes []*Node }

func (b batch) images() *Node    { return b.nodes[0] }
func (b batch) labels() *Node    { return b.nodes[1] }
func (b batch) tokens() *Node    { return b.nodes[2] }
func (b batch) shapes() *Node    { return b.nodes[3] }
func (b batch) colors() *Node    { return b.nodes[4] }
func (b batch) pairs() *Node     { return b.nodes[5] }
func (b batch) relations() *Node { return b.nodes[6] }
func (b batch) size() int        { return b.labels().Shape().Dim(0) }
