package vit

import (
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	. "github.com/gomlx/gomlx/core/graph"
	"github.com/gomlx/gomlx/core/tensors"

	"samediff/sdlib/backend"
	"samediff/sdlib/safetensors"
)

// tolerance is how far a value may be from transformers', relative to the largest
// absolute value of its tensor. PyTorch in float32 is itself up to 2e-6 from
// float64 on these models (metadata of the golden files).
const tolerance = 1e-5

// goldens are the tiny models of testdata, all of whose weights are random, and the
// sizes of images for which there are files beside the folder's own.
var goldens = []struct {
	name   string
	family Family
	sizes  []int
}{
	{"square", ViT, []int{48}},
	{"other", ViT, nil},
	{"mae", ViT, nil},
	{"deit", DeiT, []int{24}},
	{"clip", CLIP, nil},
	{"siglip", SigLIP, []int{40}},
	{"dinov2", DINOv2, []int{32, 24, 56}},
	{"registers", DINOv2Registers, []int{32, 16, 56}},
}

// golden is the model of a folder of testdata. MAE's has no head: it gets a random one.
func golden(t testing.TB, name string) *Model {
	t.Helper()
	load := Load
	if name == "mae" {
		load = func(dir string) (*Model, error) { return LoadBackbone(dir, 2, 1, 0) }
	}
	m, err := load("testdata/" + name)
	if err != nil {
		t.Fatal(err)
	}
	return m
}

// TestGolden compares every value of the forward pass, element by element, with what
// transformers computed from the same files (testdata/make_golden.py).
func TestGolden(t *testing.T) {
	for _, g := range goldens {
		t.Run(g.name, func(t *testing.T) {
			onBackends(t, func(t *testing.T, be *backend.Backend) { compareGolden(t, be, g.name, g.family, g.sizes) })
		})
	}
}

func compareGolden(t *testing.T, be *backend.Backend, name string, family Family, sizes []int) {
	if be.IsXLA() { // where each costs seconds of compiling: one more for the families that resample with and without antialiasing
		if sizes = sizes[:min(1, len(sizes))]; !family.Traits().LayerScale {
			sizes = nil
		}
	}
	m := golden(t, name)
	if m.Config.Family != family {
		t.Fatalf("a model of family %s, expected %s", m.Config.Family, family)
	}
	configs := []Config{m.Config}
	files := []*safetensors.File{openGolden(t, name, "golden.safetensors")}
	for _, size := range sizes {
		c, err := m.Config.at(size)
		if err != nil {
			t.Fatal(err)
		}
		configs, files = append(configs, c), append(files, openGolden(t, name, fmt.Sprintf("golden-%d.safetensors", size)))
	}
	var inputs []any
	for i, f := range files {
		raw, _ := f.Tensor("images")
		images, err := configs[i].Images(raw.Data)
		if err != nil {
			t.Fatal(err)
		}
		inputs = append(inputs, images)
	}
	// All sizes in one graph: compiling takes longer than computing.
	var names [][2]string // the file's size and the value's name
	var outputs []int     // the file each comes from
	got := run(t, be, m, func(w *Weights[*Node], in []*Node) []*Node {
		names, outputs = nil, nil
		var all []*Node
		for i, c := range configs {
			want := slices.DeleteFunc(files[i].Names(), func(name string) bool { return name == "images" })
			_, trace := Forward(c, w, in[i], Want(want...))
			all = append(all, trace.All()...)
			for _, name := range trace.Names() {
				names, outputs = append(names, [2]string{fmt.Sprintf("%d px", c.Image), name}), append(outputs, i)
			}
		}
		return all
	}, inputs...)

	worst := map[string]float64{} // per kind of value, over blocks and sizes
	var kinds []string
	for i, values := range got {
		node := names[i][1]
		tensor, _ := files[outputs[i]].Tensor(node)
		want, err := tensor.Float32s()
		if err != nil {
			t.Fatal(err)
		}
		d, err := distance(values, want)
		if err != nil {
			t.Fatalf("%s %s: %v", names[i][0], node, err)
		}
		if !(d <= tolerance) {
			t.Errorf("%s, %s is %.1e of its scale away from transformers', expected at most %.0e", names[i][0], node, d, tolerance)
		}
		kind := node
		if strings.HasPrefix(node, "block") {
			_, kind, _ = strings.Cut(node, "/")
		}
		if _, seen := worst[kind]; !seen {
			kinds = append(kinds, kind)
		}
		worst[kind] = max(worst[kind], d)
	}
	// embed, final and logits, and per block all but resid_pre (the resid_post below) and attn/scores (inside
	// PyTorch's attention); of other sizes the hidden states and attention maps alone. MAE has no logits.
	L, expected := m.Config.Blocks, 0
	expected += 3 + L*(len(blockNodes)-2) + len(sizes)*(3+2*L)
	if name == "mae" {
		expected--
	}
	if len(got) != expected {
		t.Errorf("compared %d values, expected %d", len(got), expected)
	}
	var budget strings.Builder
	for _, kind := range kinds {
		fmt.Fprintf(&budget, "\n%-14s %.1e", kind, worst[kind])
	}
	t.Logf("%s: largest difference from transformers, relative to the tensor's scale (made with %s)%s",
		name, files[0].Metadata()["made_with"], budget.String())
}

func openGolden(t *testing.T, name, file string) *safetensors.File {
	t.Helper()
	f, err := safetensors.Open(filepath.Join("testdata", name, file))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { f.Close() })
	return f
}

// The vision tower of a whole CLIP, and MAE's encoder, are what a backbone is loaded
// from; the tower of the whole CLIP is that of the model "clip".
func TestLoadBackbone(t *testing.T) {
	tower, err := LoadBackbone("testdata/clip-whole", 2, 7, 0)
	if err != nil {
		t.Fatal(err)
	}
	whole := golden(t, "clip")
	names := tower.Config.Names()
	for i, w := range tower.Weights.Flatten(tower.Config) {
		theirs := whole.Weights.Flatten(whole.Config)[i]
		if head := names[i] == "visual_projection.weight"; !head && !w.Equal(theirs) || head && !slices.Equal(w.Shape().Dimensions, []int{2, 24}) {
			t.Errorf("%s is not that of the model, or no new head: %s", names[i], w.Shape())
		}
	}
	// The new head depends on the seed alone, and is as random as a new model's.
	head := func(seed uint64) []float32 {
		m, err := LoadBackbone("testdata/clip-whole", 2, seed, 48)
		if err != nil {
			t.Fatal(err)
		}
		if m.Config.Image != 48 || m.Config.PosGrid != 4 || m.Config.Classes != 2 {
			t.Errorf("loaded %+v, expected images of 48, positions of a 4x4 grid, 2 classes", m.Config)
		}
		return tensors.MustCopyFlatData[float32](m.Weights.Head.W)
	}
	if a, b := head(1), head(1); !slices.Equal(a, b) || slices.Equal(a, head(2)) || slices.Max(a) > 2*initStd || slices.Max(a) < initStd/2 {
		t.Errorf("heads of seeds 1, 1 and 2: %v, %v, %v", a[:3], b[:3], head(2)[:3])
	}
	// Older files are those of a model without a head: no prefix, a pooler.
	dir := copyModel(t)
	rewrite(t, dir, func(all []safetensors.Tensor) (kept []safetensors.Tensor) {
		for _, x := range all {
			if x.Name = strings.TrimPrefix(x.Name, "vit."); !strings.HasPrefix(x.Name, "classifier.") {
				kept = append(kept, x)
			}
		}
		return append(kept, safetensors.Float32s("pooler.dense.bias", []int{24}, make([]float32, 24)))
	})
	square := golden(t, "square")
	if m, err := LoadBackbone(dir, 2, 1, 0); err != nil || m.Config != square.Config || !m.Weights.Norm.Scale.Equal(square.Weights.Norm.Scale) {
		t.Errorf("a model without a head: %v", err)
	}
	rewrite(t, dir, func(all []safetensors.Tensor) []safetensors.Tensor {
		return append(all, safetensors.Float32s("projector.weight", []int{1}, []float32{1}))
	})
	if _, err := LoadBackbone(dir, 2, 1, 0); err == nil || !strings.Contains(err.Error(), "projector.weight is not a weight of this model") {
		t.Errorf("a weight that nobody knows: error %v", err)
	}
	// MAE's has a decoder.
	if m, err := LoadBackbone("testdata/mae", 5, 1, 0); err != nil || m.Config.Family != ViT || m.Config.Classes != 5 {
		t.Errorf("MAE's encoder: %v", err)
	}
	for _, test := range []struct {
		dir     string
		classes int
		image   int
		want    string
	}{
		{"clip-whole", 0, 0, "classes is 0"},
		{"clip-whole", 2, 7, "a patch of 8 pixels in an image of 7"},
		{"nowhere", 2, 0, "config.json"},
	} {
		if _, err := LoadBackbone("testdata/"+test.dir, test.classes, 1, test.image); err == nil || !strings.Contains(err.Error(), test.want) {
			t.Errorf("%+v: error %v", test, err)
		}
	}
	for name, want := range map[string]string{ // Load takes whole classifiers only, and says what does
		"clip-whole": "LoadBackbone reads the rest", "mae": "without a head for an answer (classifier); it has the decoder of its pretraining",
	} {
		if _, err := Load("testdata/" + name); !errors.Is(err, ErrNoHead) || !strings.Contains(err.Error(), want) {
			t.Errorf("Load of %s: error %v, expected %q", name, err, want)
		}
	}
}
