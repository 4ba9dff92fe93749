package delta

import (
	"fmt"
	"slices"

	"samediff/sdlib/pictures"
	"samediff/sdlib/safetensors"
	"samediff/sdlib/vit"
)

// A Base is the model that a difference is taken to.
type Base struct {
	// Name says where it is found: the name of a checkpoint, such as "clip-b16", or a folder as seen from the packed model's
	// own, which then begins with "./" or "../".
	Name string `json:"name"`
	Hash string `json:"hash"` // of its weights, see [Hash]
	// Weights says what was done to them ([vit.Origin].Weights): "8-bit weights". "" is nothing that is known.
	Weights string `json:"weights,omitempty"`
}

// A Method says how many components of each matrix's difference are kept, and in how many bits. At most one of Rank, Error and Bytes is
// set; none is DefaultRank.
type Method struct {
	Rank int `json:"rank,omitempty"` // the same for all matrices
	// Error bounds ‖what is cut off‖ / ‖the difference‖, over all matrices together, 0 to 1, with as few bytes as that takes.
	// Rounding to 16 bits adds some 3e-4, to 8 bits some .02. Small bounds take minutes.
	Error float64 `json:"error,omitempty"`
	Bytes int     `json:"bytes,omitempty"` // bounds the file's size, and as little is cut off as that allows
	// Bits is the size of a number of A and B, 8 or 16; 0 is 16. 8 bits change a component by about a percent, while half of the
	// difference or more is cut off with the components that are left out, so that twice the rank in 8 bits is nearer to the model.
	Bits int `json:"bits,omitempty"`
}

// String is the method in a few words: "rank 4".
func (m Method) String() string {
	text := fmt.Sprintf("rank %d", m.Rank)
	switch {
	case m.Error > 0:
		text = fmt.Sprintf("error %g", m.Error)
	case m.Bytes > 0:
		text = fmt.Sprintf("%g MB", float64(m.Bytes)/1e6)
	}
	if m.Bits != 0 {
		text += fmt.Sprintf(", %d bits", m.Bits)
	}
	return text
}

// DefaultRank is the rank of the zero Method.
const DefaultRank = 4

// A Check compares the packed model with the one that was packed, on images of one set.
type Check struct {
	Set    string  `json:"set"`    // "test (IID)"
	Images int     `json:"images"` // number of them
	Before float64 `json:"before"` // accuracy of the model that was packed
	After  float64 `json:"after"`  // accuracy of the packed one
	Heads  float64 `json:"heads"`  // largest change of any head's score
}

// A Delta is a model as a difference to a base.
type Delta struct {
	Config vit.Config // of the model
	// Labels and Preparation are the model's ([vit.Model]).
	Labels      []string
	Preparation pictures.Preparation
	Base        Base
	Method      Method
	// Lost is the share of the difference that was cut off or rounded away: ‖packed - tuned‖ / ‖tuned - base‖, Frobenius, over all
	// weights but the head.
	Lost   float64
	Checks []Check // what is known of the loss in use; may be empty

	kept map[string]safetensors.Tensor // as in the file
}

// about is what the model's folder says of it.
func (d *Delta) about() vit.About {
	return vit.About{Config: d.Config, Labels: d.Labels, Preparation: d.Preparation}
}

// What a weight's name has behind it in the file.
const (
	left   = ".A"      // [m, r]
	right  = ".B"      // [r, n]
	steps  = ".step"   // [r], where A and B are in 8 bits
	change = ".change" // of the weight's shape
	whole  = ""        // the weight itself
)

// Ranks returns the rank of each matrix's difference, by the matrix's name; 0 for one that did not change. Matrices kept as
// a difference in 16 bits have their full rank.
func (d *Delta) Ranks() map[string]int {
	ranks := map[string]int{}
	for _, w := range weightsOf(d.Config) {
		if w.head || w.cols == 1 {
			continue
		}
		ranks[w.name] = 0
		if a, ok := d.kept[w.name+left]; ok {
			ranks[w.name] = a.Shape[1]
		} else if _, ok := d.kept[w.name+change]; ok {
			ranks[w.name] = min(w.rows, w.cols)
		}
	}
	return ranks
}

// A weight is one of a model's, seen as a matrix.
type weight struct {
	name       string
	shape      []int // in a file
	rows, cols int   // vectors have one column
	head       bool
}

// weightsOf lists a configuration's weights in the order of vit.Config.Names.
func weightsOf(c vit.Config) []weight {
	names := c.Names()
	head := vit.Unflatten(c, names).Head
	shapes := c.Shapes()
	all := make([]weight, len(names))
	for i, name := range names {
		w := weight{name: name, shape: shapes[i], rows: 1, cols: 1, head: name == head.W || name == head.B}
		dims := w.shape
		for len(dims) > 1 && dims[0] == 1 { // [1, positions, D]
			dims = dims[1:]
		}
		w.rows = dims[0]
		for _, d := range dims[1:] {
			w.cols *= d
		}
		all[i] = w
	}
	return all
}

func (w weight) size() int { return w.rows * w.cols }

// limit is the largest rank at which A and B are smaller than the matrix, 0 for a vector.
func (w weight) limit() int {
	if w.cols == 1 {
		return 0
	}
	return (w.size() - 1) / (w.rows + w.cols)
}

// fits returns an error unless a model of configuration tuned can be kept as a difference to one of configuration base.
func fits(base, tuned vit.Config) error {
	b, t := base, tuned
	for _, c := range []*vit.Config{&b, &t} { // these may differ: weights are the same for images of any size
		c.Image, c.PosGrid, c.Classes, c.Mean, c.Std = 0, 0, 0, t.Mean, t.Std
	}
	if b != t {
		return fmt.Errorf("delta: the base is another kind of model: expected family %s, patch %d, width %d, blocks %d, heads %d, mlp %d, registers %d, norm_eps %g, got %s, %d, %d, %d, %d, %d, %d, %g",
			t.Family, t.Patch, t.Width, t.Blocks, t.Heads, t.MLP, t.Registers, t.NormEps,
			b.Family, b.Patch, b.Width, b.Blocks, b.Heads, b.MLP, b.Registers, b.NormEps)
	}
	of := weightsOf(base)
	for i, w := range weightsOf(tuned) {
		if !w.head && !slices.Equal(w.shape, of[i].shape) {
			return fmt.Errorf("delta: %s has shape %v in the model and %v in the base: positions must have been learned on the same grid, "+
				"as they are where this library fine-tunes for images of another size", w.name, w.shape, of[i].shape)
		}
	}
	return nil
}
