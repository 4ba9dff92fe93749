package encoder

import (
	"errors"
	"fmt"
	"math"
	"slices"
	"strings"

	"samediff/sdlib/onnx"
)

// An Encoder is the image encoder that a graph computes. Sizes are in pixels and vector components. Matrices are [out, in], as PyTorch
// stores them.
type Encoder struct {
	Image      int     // side of the square image
	Patch      int     // side of a square patch
	Width      int     // of the residual stream
	Heads      int     // of each block
	MLP        int     // hidden size of a block's MLP
	NormEps    float64 // ε of every LayerNorm
	Activation string  // of the MLP: "gelu", "quick_gelu", "gelu_pytorch_tanh" or "relu"

	Front     []Weight // [D] each: tokens in front of the patches that have positions, CLS first
	Registers Weight   // [n, D]: tokens without positions, behind CLS; no shape where there are none
	Positions Weight   // [len(Front) + PosGrid², D]
	PosGrid   int      // side of the grid that positions were learned on
	Resampled string   // how they are brought to the image's grid, "" where they are not
	Embed     Layer    // W [D, 3, patch, patch]
	PreNorm   *Norm    // before block 0, nil where there is none
	Blocks    []Block
	Norm      Norm // after the last block
	Head      *Layer
	Reads     Readout // what the head reads

	// Rest are the outputs that are neither the head's nor the stream's, each with what computes it.
	Rest []string
}

// Readout is what a head reads of the tokens after the last LayerNorm.
type Readout string

// The readouts.
const (
	ReadNothing Readout = "" // there is no head
	ReadCLS     Readout = "CLS"
	ReadMean    Readout = "mean of patches"
	ReadCLSMean Readout = "CLS, mean patch"
)

// Layer is y = x Wᵀ + b. B has no shape where there is no bias: in the patch embedding, the head, or queries, keys and values of all blocks.
type Layer struct{ W, B Weight }

// Norm is a LayerNorm's gain and bias, both [D].
type Norm struct{ Scale, Shift Weight }

// Block is one block: attention, then an MLP, each behind a LayerNorm.
type Block struct {
	Norm1      Norm
	Q, K, V, O Layer // W [D, D]; component h·d + i is component i of head h
	Norm2      Norm
	Up, Down   Layer   // W [MLP, D] and [D, MLP]
	Scale1     *Weight // [D] LayerScale of what attention adds, nil where there is none
	Scale2     *Weight // and of what the MLP adds
}

// Bits returns the size of the smallest elements among the encoder's matrices in the file: 8 where they were rounded to bytes.
func (e *Encoder) Bits() int {
	least := e.Embed.W.Bits()
	for _, b := range e.Blocks {
		for _, l := range []Layer{b.Q, b.K, b.V, b.O, b.Up, b.Down} {
			least = min(least, l.W.Bits())
		}
	}
	return least
}

// Options say what a graph may leave open.
type Options struct {
	// Image is the side of the images, in pixels, for a graph that takes images of any size; 0 where the graph says it.
	Image int
}

// ErrSize says that a graph takes images of any size, and nothing says of which it is meant to.
var ErrSize = errors.New("the graph takes images of any size")

// Read finds the image encoder in a graph. The error says what was expected, what was found, and at which node.
func Read(m *onnx.Model, o Options) (*Encoder, error) {
	input, err := imageInput(m)
	if err != nil {
		return nil, fmt.Errorf("onnx: %w", err)
	}
	s := input.Shape
	if s[0].Size > 1 {
		return nil, fmt.Errorf("onnx: the graph takes %d images at once, neither more nor less: export it for one, or for any number", s[0].Size)
	}
	sides := []int{o.Image}
	switch {
	case s[2].Size > 0 && s[2].Size == s[3].Size:
		if o.Image != 0 && o.Image != s[2].Size {
			return nil, fmt.Errorf("onnx: the graph takes images of %d by %d pixels, and not of %d: export it for that size", s[2].Size, s[3].Size, o.Image)
		}
		sides[0] = s[2].Size
	case s[2].Size > 0 || s[3].Size > 0:
		return nil, fmt.Errorf("onnx: the graph takes images of height %v and width %v, expected squares", s[2], s[3])
	case o.Image == 0:
		sides = candidates(m)
	}
	for _, side := range sides {
		if side < 1 || side > maxLiteral {
			return nil, fmt.Errorf("onnx: images of side %d, expected 1 to %d pixels", side, maxLiteral)
		}
		var r *reader
		if r, err = read(m, input.Name, max(s[1].Size, 3), side); err != nil {
			return nil, fmt.Errorf("onnx: %w", err)
		}
		var e *Encoder
		if e, err = r.encoder(); err != nil {
			continue
		}
		e.Image = side
		if e.Resampled != "" && len(sides) > 1 { // any size would do
			err = nil
			break
		}
		return e, nil
	}
	if err == nil || len(sides) == 0 {
		return nil, fmt.Errorf("onnx: %w: say of which (a preprocessor_config.json beside the file does, or Options.Image)", ErrSize)
	}
	return nil, fmt.Errorf("onnx: this is no image encoder that can be read: %w", err)
}

// imageInput returns the graph's input for images.
func imageInput(m *onnx.Model) (onnx.Value, error) {
	var images []onnx.Value
	var names []string
	for _, v := range m.Inputs {
		names = append(names, v.Name)
		if len(v.Shape) == 4 {
			images = append(images, v)
		}
	}
	switch {
	case len(images) != 1:
		return onnx.Value{}, fmt.Errorf("the graph has the inputs %q, expected one of the shape [batch, 3, height, width] for images", names)
	case images[0].Shape[1].Size != 3 && images[0].Shape[1].Size != 0:
		return onnx.Value{}, fmt.Errorf("the input %q takes images of %d channels, expected 3, in front of height and width", images[0].Name, images[0].Shape[1].Size)
	}
	return images[0], nil
}

// candidates lists the sides of images that could fit a graph which takes any: those for which it has a table of positions. Only one
// of them can, unless positions are resampled.
func candidates(m *onnx.Model) []int {
	var sides []int
	for _, n := range m.Nodes {
		if n.Op != "Conv" && n.Op != "ConvInteger" || len(n.Inputs) < 2 {
			continue
		}
		w := m.Initializers[n.Inputs[1]]
		if w == nil || len(w.Shape) != 4 || w.Shape[1] != 3 {
			continue
		}
		for _, t := range m.Initializers {
			rank := len(t.Shape)
			if rank < 2 || t.Shape[rank-1] != w.Shape[0] {
				continue
			}
			for special := range 3 {
				g := int(math.Sqrt(float64(t.Shape[rank-2] - special)))
				if g > 0 && g*g+special == t.Shape[rank-2] && g*w.Shape[2] <= maxLiteral && !slices.Contains(sides, g*w.Shape[2]) {
					sides = append(sides, g*w.Shape[2])
				}
			}
		}
		break
	}
	slices.Sort(sides)
	return sides[:min(len(sides), 8)]
}

// encoder finds the encoder in what has been read, from the pixels on.
func (r *reader) encoder() (*Encoder, error) {
	e := new(Encoder)
	stream, err := r.embedding(e)
	if err != nil {
		return nil, err
	}
	for l := 0; ; l++ {
		next, err := r.block(e, l, stream)
		if err != nil {
			return nil, fmt.Errorf("block %d: %w", l, err)
		}
		if next == nil {
			break
		}
		stream = next
	}
	if len(e.Blocks) == 0 {
		return nil, fmt.Errorf("after the embedding: expected a block, x + attention(LayerNorm(x)) and so on, found that x goes to %s", r.goesTo(stream))
	}
	if err := r.readout(e, stream); err != nil {
		return nil, err
	}
	return e, nil
}

// goesTo describes what reads a term, and the first thing in the graph that is not understood.
func (r *reader) goesTo(t *term) string {
	var all []string
	for _, u := range r.users[t] {
		if u.kind == normalized || u.kind == norm && len(u.args) < 3 { // on the way to a LayerNorm
			continue
		}
		all = append(all, u.String())
	}
	text := "nothing that is understood"
	if all != nil {
		text = strings.Join(all[:min(3, len(all))], "; ")
	}
	for _, name := range r.names() {
		if v := r.values[name]; v.is(other) {
			return text + " (what is not understood begins with " + v.String() + ")"
		}
	}
	return text
}

// norm returns the weights of a LayerNorm, all of which have the same ε.
func (e *Encoder) norm(t *term) (n Norm, err error) {
	if t.kind != norm || len(t.args) != 3 {
		return n, fmt.Errorf("expected a LayerNorm with gain and bias, found %v", t)
	}
	if n.Scale, err = t.args[1].flat(t.f.size); err != nil {
		return n, err
	}
	if n.Shift, err = t.args[2].flat(t.f.size); err != nil {
		return n, err
	}
	switch {
	case e.NormEps == 0:
		e.NormEps = decimal(t.c)
	case e.NormEps != decimal(t.c):
		return n, fmt.Errorf("expected a LayerNorm with ε = %g, as the others have, found %g: %v", e.NormEps, decimal(t.c), t)
	}
	if !(e.NormEps > 0) || t.f.size != e.Width {
		return n, fmt.Errorf("expected a LayerNorm over %d components with a positive ε, found one over %d with %g: %v", e.Width, t.f.size, e.NormEps, t)
	}
	return n, nil
}

// decimal returns the short decimal number that was written as a float32: 1e-12 and not 9.999999960041972e-13.
func decimal(x float64) float64 {
	var short float64
	fmt.Sscan(fmt.Sprintf("%.6g", x), &short)
	if float32(short) != float32(x) {
		return x
	}
	return short
}
