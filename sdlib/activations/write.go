package activations

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"maps"
	"os"
	"strings"

	"github.com/gomlx/compute/dtypes"
	"github.com/gomlx/compute/shapes"
	. "github.com/gomlx/gomlx/core/graph"
	"github.com/gomlx/gomlx/core/tensors"

	"samediff/sdlib/backend"
	"samediff/sdlib/progress"
	"samediff/sdlib/runner"
	"samediff/sdlib/safetensors"
	"samediff/sdlib/vit"
)

// Write runs a model on pictures and writes the values of a plan to the file at path, in the
// order of the pictures. The file is written aside and renamed: it is there whole, or not at
// all. Where the system can reserve it, space on the disk is taken before anything is computed.
//
// The metadata, which may be nil, are kept in the file. Unless they are given, Write adds
// "hash" (of the model's weights), "precision" and "backend".
func Write(ctx context.Context, be *backend.Backend, m *vit.Model, from Pictures, p Plan, path string, metadata map[string]string, report progress.Func) error {
	if err := p.check(); err != nil {
		return err
	}
	if m.Config != p.Config {
		return fmt.Errorf("activations: the plan is for another model: expected %+v, got %+v", p.Config, m.Config)
	}
	if n := from.Len(); n != p.N {
		return fmt.Errorf("activations: the plan is for %d pictures, there are %d", p.N, n)
	}
	if err := onlyTrace(path); err != nil {
		return err
	}
	metadata, err := p.metadata(be, m, metadata)
	if err != nil {
		return err
	}
	return safetensors.WriteStream(path, p.layout(), metadata, func(at func(string, int, []byte) error) error {
		if p.Tokens != nil {
			var index []byte
			for _, patch := range p.Tokens.Index {
				index = binary.LittleEndian.AppendUint32(index, uint32(patch))
			}
			if err := at(tokensName, 0, index); err != nil {
				return err
			}
		}
		return keep.Run(ctx, be, m, kept{strings.Join(p.Nodes, " "), p.Tokens != nil, p.Precision}, p.work(from, at, report))
	})
}

// metadata returns metadata with what the library adds.
func (p Plan) metadata(be *backend.Backend, m *vit.Model, given map[string]string) (map[string]string, error) {
	all := map[string]string{"backend": be.Choice, "precision": "f32"}
	if p.Precision != vit.F32 {
		all["precision"] = string(p.Precision)
	}
	if _, ok := given["hash"]; !ok {
		hash, err := m.Hash()
		if err != nil {
			return nil, err
		}
		all["hash"] = hash
	}
	maps.Copy(all, given)
	return all, nil
}

// onlyTrace returns an error where a path holds a file that is no trace, such as a model's weights.
func onlyTrace(path string) error {
	info, err := os.Stat(path)
	if err != nil || info.Size() == 0 {
		return nil // whoever writes there says what is wrong
	}
	there, err := safetensors.Open(path)
	if err == nil {
		defer there.Close()
		if has := there.Metadata(); has["hash"] != "" && has["precision"] != "" {
			return nil
		}
	}
	return fmt.Errorf("activations: %s is there, and no trace: choose another name, or remove it", path)
}

// work feeds pictures, and writes what comes.
func (p Plan) work(from Pictures, at func(string, int, []byte) error, report progress.Func) runner.Work {
	each := make([]int, len(p.Nodes)) // bytes of a picture
	total := 0
	for i, t := range p.layout()[:len(p.Nodes)] {
		each[i] = 4 * t.Len() / p.N
		total += each[i]
	}
	return runner.Work{
		N: p.N, Batch: p.Batch, Bytes: total, Unit: "images", Report: report,
		Feed: func(items []int) ([]any, error) {
			n := len(items) // but for those that repeat the last one: it is read once
			for n > 1 && items[n-1] == items[n-2] {
				n--
			}
			pixels, err := from.Pixels(items[:n])
			if err != nil {
				return nil, err
			}
			for last := pixels[len(pixels)/n*(n-1):]; n < len(items); n++ {
				pixels = append(pixels, last...)
			}
			images, err := p.Config.Images(pixels)
			if err != nil {
				return nil, err
			}
			if n := images.Shape().Dim(0); n != len(items) {
				return nil, fmt.Errorf("pixels of %d pictures of %d x %d, expected %d: do the pictures fit the model?", n, p.Config.Image, p.Config.Image, len(items))
			}
			if p.Tokens == nil {
				return []any{images}, nil
			}
			return []any{images, p.Tokens.of(items)}, nil
		},
		Take: func(items []int, out []*tensors.Tensor) error {
			for i, x := range out {
				var err error
				fetch := tensors.ConstFlatData(x, func(flat []float32) {
					err = at(p.Nodes[i], items[0]*each[i], safetensors.Float32Bytes(flat[:len(items)*each[i]/4]))
				})
				if err = errors.Join(fetch, err); err != nil {
					return err
				}
			}
			return nil
		},
	}
}

// of returns the tokens of some pictures, int32 [B, O, P].
func (t *Tokens) of(items []int) *tensors.Tensor {
	var index []int32
	for _, i := range items {
		index = append(index, t.Index[i*t.Objects*t.Each:(i+1)*t.Objects*t.Each]...)
	}
	return tensors.FromFlatDataAndDimensions(index, len(items), t.Objects, t.Each)
}

// kept is what the graph depends on beside the configuration.
type kept struct {
	nodes     string // separated by spaces
	tokens    bool   // only some, which are an input
	precision vit.Precision
}

// keep returns the values of a forward pass, of all tokens or of those that its second input names.
var keep = runner.New("activations", func(c vit.Config, k kept, w *vit.Weights[*Node], in []*Node) []*Node {
	_, trace := vit.Forward(c, w, in[0], vit.Want(strings.Fields(k.nodes)...), vit.Compute(k.precision))
	values := trace.All()
	for i, name := range trace.Names() {
		if axis := tokenAxis(name); k.tokens && axis > 0 {
			values[i] = gather(values[i], axis, in[1], c.Prefix())
		}
	}
	return values
})

// gather picks tokens along an axis of x: patches is int32 [B, O, P], without the prefix
// tokens in front, and the result [B, O, P, ...] is 0 where a patch is -1. A gather copies
// numbers, so they stay what they are, whatever a device makes of products.
func gather(x *Node, axis int, patches *Node, prefix int) *Node {
	if axis == 2 {
		x = Transpose(x, 1, 2)
	}
	dims := x.Shape().Dimensions // [B, T, ...]
	there := GreaterOrEqual(patches, ZerosLike(patches))
	token := AddScalar(MaxScalar(patches, 0), prefix)
	image := Iota(x.Graph(), shapes.Make(dtypes.Int32, patches.Shape().Dimensions...), 0)
	row := Add(MulScalar(image, dims[1]), token) // of [B·T, ...]
	flat := Reshape(x, append([]int{dims[0] * dims[1]}, dims[2:]...)...)
	picked := Gather(flat, ExpandAxes(row, -1)) // [B, O, P, ...]
	return Where(there, picked, ZerosLike(picked))
}
