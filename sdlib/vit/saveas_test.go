package vit

import (
	"encoding/json"
	"math"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"

	. "github.com/gomlx/gomlx/core/graph"
	"github.com/gomlx/gomlx/core/tensors"

	"samediff/sdlib/backend"
	"samediff/sdlib/safetensors"
)

// A model is the same in every format, and its weights are those nearest to it in half precision.
func TestSaveAs(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "a", "model") // every format replaces the one before
	for _, name := range []string{"clip", "deit", "registers", "siglip"} {
		m := golden(t, name)
		for _, test := range []struct {
			saving Saving
			file   string
			exact  float64 // the error of a rounding, relative to the number
		}{
			{Saving{}, "model.safetensors", 0},
			{Saving{Format: Sharded, ShardBytes: 10_000}, "model.safetensors.index.json", 0},
			{Saving{Format: Bin}, "pytorch_model.bin", 0},
			{Saving{Format: Safetensors, DType: "BF16"}, "model.safetensors", 1. / 256},
			{Saving{Format: Safetensors, DType: "F16"}, "model.safetensors", 1. / 2048},
			{Saving{Format: Bin, DType: "F16"}, "pytorch_model.bin", 1. / 2048},
		} {
			if err := m.SaveAs(dir, test.saving); err != nil {
				t.Fatal(err)
			}
			if _, err := os.Stat(filepath.Join(dir, test.file)); err != nil {
				t.Error(err)
			}
			got, err := Load(dir)
			if err != nil {
				t.Fatal(err)
			}
			if got.Config != m.Config {
				t.Errorf("%s, %+v: read %+v, wrote %+v", name, test.saving, got.Config, m.Config)
			}
			for i, w := range m.Weights.Flatten(m.Config) {
				a, b := tensors.MustCopyFlatData[float32](w), tensors.MustCopyFlatData[float32](got.Weights.Flatten(m.Config)[i])
				for j := range a {
					if d := math.Abs(float64(a[j] - b[j])); d > test.exact*math.Abs(float64(a[j]))+0x1p-25 && d > 0 || test.exact == 0 && d != 0 {
						t.Fatalf("%s, %+v: %s holds %g, expected %g", name, test.saving, m.Config.Names()[i], b[j], a[j])
					}
				}
			}
			var config struct{ DType string }
			text, err := os.ReadFile(filepath.Join(dir, configFile))
			if err == nil {
				err = json.Unmarshal(text, &config)
			}
			if want := map[string]string{"": "float32", "F16": "float16", "BF16": "bfloat16"}[test.saving.DType]; err != nil || config.DType != want {
				t.Errorf("%+v: config.json says dtype %q, expected %q (%v)", test.saving, config.DType, want, err)
			}
		}
	}
	if entries, err := os.ReadDir(filepath.Dir(dir)); err != nil || len(entries) != 1 {
		t.Errorf("beside the model lie %v (%v)", entries, err)
	}
}

// Shards hold all weights once, none more than was asked for, and say how large they are together.
func TestShards(t *testing.T) {
	m, dir := golden(t, "square"), filepath.Join(t.TempDir(), "model")
	const most = 20_000
	if err := m.SaveAs(dir, Saving{Format: Sharded, ShardBytes: most}); err != nil {
		t.Fatal(err)
	}
	var index struct {
		Metadata struct {
			Size int `json:"total_size"`
		}
		Of map[string]string `json:"weight_map"`
	}
	text, err := os.ReadFile(filepath.Join(dir, "model.safetensors.index.json"))
	if err == nil {
		err = json.Unmarshal(text, &index)
	}
	if err != nil {
		t.Fatal(err)
	}
	if index.Metadata.Size != 4*m.Config.Params() || len(index.Of) != len(m.Config.Names()) {
		t.Errorf("the index has %d weights of %d bytes, expected %d of %d", len(index.Of), index.Metadata.Size, len(m.Config.Names()), 4*m.Config.Params())
	}
	files, err := filepath.Glob(filepath.Join(dir, "model-*.safetensors"))
	if err != nil || len(files) < 4*m.Config.Params()/most {
		t.Fatalf("shards %v, %v", files, err)
	}
	for _, path := range files {
		f, err := safetensors.Open(path)
		if err != nil {
			t.Fatal(err)
		}
		bytes := 0
		for _, name := range f.Names() {
			x, _ := f.Tensor(name)
			bytes += len(x.Data)
		}
		if bytes > most || f.Metadata()["format"] != "pt" {
			t.Errorf("%s holds %d bytes, metadata %v", path, bytes, f.Metadata())
		}
		f.Close()
	}
}

func TestSaveAsRefuses(t *testing.T) {
	m := golden(t, "other")
	const tooLarge = `"classifier.bias" holds 100000 at position 0, which is too large for F16: F32 holds it`
	for want, s := range map[string]Saving{
		`no format "zip"`:     {Format: "zip"},
		`written as "F8"`:     {DType: "F8"},
		"shards of -1 bytes":  {Format: Sharded, ShardBytes: -1},
		tooLarge:              {DType: "F16"},
		"holds homework.docx": {},
	} {
		m, dir := *m, filepath.Join(t.TempDir(), "model")
		if err := m.SaveAs(dir, Saving{}); err != nil {
			t.Fatal(err)
		}
		before, err := os.ReadFile(filepath.Join(dir, weightsFile))
		if err != nil {
			t.Fatal(err)
		}
		switch want {
		case tooLarge:
			m.Weights = Unflatten(m.Config, m.Weights.Flatten(m.Config))
			m.Weights.Head.B = tensors.FromValue([]float32{1e5, 0, 0, 0, 0})
		case "holds homework.docx":
			if err := os.WriteFile(filepath.Join(dir, "homework.docx"), nil, 0o644); err != nil {
				t.Fatal(err)
			}
		}
		if err := m.SaveAs(dir, s); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("SaveAs(%+v): error %v, expected %q", s, err, want)
		}
		if after, err := os.ReadFile(filepath.Join(dir, weightsFile)); err != nil || !slices.Equal(before, after) {
			t.Errorf("SaveAs(%+v) failed and changed the model that was there (%v)", s, err)
		}
		if entries, _ := os.ReadDir(filepath.Dir(dir)); len(entries) != 1 {
			t.Errorf("SaveAs(%+v) failed and left %v", s, entries)
		}
	}
}

// Every value has the shape that NodeShape says.
func TestNodeShape(t *testing.T) {
	for _, name := range []string{"other", "siglip", "registers"} {
		m := golden(t, name)
		p, err := Compile(open(t, backend.Go), m.Config, func(w *Weights[*Node], in []*Node) []*Node {
			_, trace := Forward(m.Config, w, in[0], Want(m.Config.Nodes()...))
			return trace.All()
		})
		if err != nil {
			t.Fatal(err)
		}
		defer p.Close()
		out, err := p.Run(m, randomImages(m.Config, 2, 1))
		if err != nil {
			t.Fatal(err)
		}
		for i, node := range m.Config.Nodes() {
			if shape, err := m.Config.NodeShape(node, 2); err != nil || !reflect.DeepEqual(shape, out[i].Shape().Dimensions) {
				t.Errorf("%s, %s: NodeShape says %v (%v), it is %v", name, node, shape, err, out[i].Shape())
			}
		}
	}
	if _, err := B16.NodeShape("block12/resid_post", 1); err == nil {
		t.Error("there is no block 12 in 12 blocks")
	}
}
