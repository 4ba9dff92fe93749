// Package golden compares the forward pass with what transformers computed from the same
// weights: files that hold images, and every named value of the pass on them. Those of
// sdlib/vit/testdata are of tiny models of every family.
package golden

import (
	"encoding/json"
	"fmt"
	"math"
	"path/filepath"
	"slices"
	"strings"

	. "github.com/gomlx/gomlx/core/graph"
	"github.com/gomlx/gomlx/core/tensors"

	"samediff/sdlib/backend"
	"samediff/sdlib/safetensors"
	"samediff/sdlib/vit"
)

// Tolerance is how far a value in float32 may be from transformers', relative to the scale of its tensor.
const Tolerance = 1e-5

// The kinds of values of the forward pass.
const (
	Hidden    = "hidden states"     // embeddings, the residual stream after each attention and each block, the final norm
	Attention = "attention weights" // of every head
	Inside    = "inside blocks"     // queries, keys, values, outputs of heads, attention and MLP
	Logits    = "logits"
)

// Kinds are all of them.
var Kinds = []string{Hidden, Attention, Inside, Logits}

func kindOf(node string) string {
	switch {
	case node == "logits":
		return Logits
	case strings.HasSuffix(node, "attn/weights"):
		return Attention
	case !strings.HasPrefix(node, "block"), strings.Contains(node, "/resid_"):
		return Hidden
	}
	return Inside
}

// Distances are, for each kind of value, the largest difference from transformers of any
// tensor of that kind, relative to the tensor's largest absolute value.
type Distances map[string]float64

// Add takes over larger distances.
func (d Distances) Add(more Distances) {
	for kind, x := range more {
		d[kind] = max(d[kind], x) // NaN stays NaN
	}
}

// Worst is that of all kinds.
func (d Distances) Worst() (x float64) {
	for _, y := range d {
		x = max(x, y)
	}
	return x
}

// Text is what a table shows of a kind, a dash where there is nothing to compare with.
func (d Distances) Text(kind string) string {
	if x, ok := d[kind]; ok {
		return Scientific(x)
	}
	return "–"
}

// Scientific is a distance with two digits.
func Scientific(x float64) string { return fmt.Sprintf("%.1e", x) }

// At returns the configuration of the same model for images of another side.
func At(c vit.Config, side int) vit.Config {
	learned := c.PosGrid
	if learned == 0 {
		learned = c.Grid()
	}
	c.Image, c.PosGrid = side, 0
	if learned != c.Grid() {
		c.PosGrid = learned
	}
	return c
}

// Compare runs a model on the images of a file that holds what transformers computed
// from the same weights, in each precision, and returns the distances and the
// logits in float32.
func Compare(be *backend.Backend, m *vit.Model, path string, precisions ...vit.Precision) ([]Distances, []float32, error) {
	golden, err := safetensors.Open(path)
	if err != nil {
		return nil, nil, err
	}
	defer golden.Close()
	c := m.Config
	raw, ok := golden.Tensor("images")
	if !ok || len(raw.Shape) != 4 {
		return nil, nil, fmt.Errorf("%s has no images", path)
	}
	if side := raw.Shape[1]; side != c.Image {
		c = At(c, side)
	}
	images, err := c.Images(slices.Clone(raw.Data))
	if err != nil {
		return nil, nil, err
	}
	var names []string
	program, err := vit.Compile(be, m.Config, func(w *vit.Weights[*Node], in []*Node) (all []*Node) {
		want := slices.DeleteFunc(slices.Clone(golden.Names()), func(name string) bool { return name == "images" })
		if !slices.Contains(want, "logits") {
			want = append(want, "logits")
		}
		for _, p := range precisions {
			_, trace := vit.Forward(c, w, in[0], vit.Want(want...), vit.Compute(p))
			names, all = trace.Names(), append(all, trace.All()...)
		}
		return all
	})
	if err != nil {
		return nil, nil, err
	}
	defer program.Close()
	values, err := program.Run(m, images)
	if err != nil {
		return nil, nil, err
	}
	found := make([]Distances, len(precisions))
	var answer []float32
	for i, value := range values {
		name, d := names[i%len(names)], i/len(names)
		got, err := tensors.CopyFlatData[float32](value)
		if err != nil {
			return nil, nil, err
		}
		if name == "logits" && d == 0 {
			answer = got
		}
		theirs, ok := golden.Tensor(name)
		if !ok {
			continue // the logits of a model without a head
		}
		want, err := theirs.Float32s()
		if err != nil {
			return nil, nil, err
		}
		x, err := distance(got, want)
		if err != nil {
			return nil, nil, fmt.Errorf("%s of %s: %w", name, filepath.Dir(path), err)
		}
		if found[d] == nil {
			found[d] = Distances{}
		}
		found[d].Add(Distances{kindOf(name): x})
	}
	return found, answer, nil
}

// distance returns the largest difference of two tensors over the largest absolute value of want, its scale.
func distance(got, want []float32) (float64, error) {
	if len(got) != len(want) {
		return 0, fmt.Errorf("%d numbers, expected %d", len(got), len(want))
	}
	diff, scale := 0., 0.
	for i := range want {
		diff = max(diff, math.Abs(float64(got[i])-float64(want[i]))) // NaN stays NaN
		scale = max(scale, math.Abs(float64(want[i])))
	}
	if scale == 0 {
		return 0, fmt.Errorf("all %d expected numbers are 0", len(want))
	}
	return diff / scale, nil
}

// Load reads a classifier, or the encoder of a model that is none.
func Load(dir string) (*vit.Model, error) {
	m, err := vit.Load(dir)
	if err == nil {
		return m, nil
	}
	backbone, other := vit.LoadBackbone(dir, 2, 1, 0)
	if other != nil {
		return nil, err
	}
	return backbone, nil
}

// MadeWith says which versions a golden file was made with.
func MadeWith(path string) (string, error) {
	f, err := safetensors.Open(path)
	if err != nil {
		return "", err
	}
	defer f.Close()
	var versions struct{ Transformers, Torch string }
	if err := json.Unmarshal([]byte(f.Metadata()["made_with"]), &versions); err != nil {
		return "", fmt.Errorf("%s: %w", path, err)
	}
	return fmt.Sprintf("transformers %s, torch %s", versions.Transformers, versions.Torch), nil
}
