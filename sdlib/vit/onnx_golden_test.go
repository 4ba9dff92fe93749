package vit

import (
	"archive/zip"
	"io"
	"os"
	"path"
	"path/filepath"
	"strings"
	"testing"

	. "github.com/gomlx/gomlx/core/graph"

	"samediff/sdlib/safetensors"
)

// exports unpacks exported models, each family in a folder with its preprocessor_config.json, and lists the ONNX files.
func exports(t testing.TB, archive string) (dir string, files []string) {
	t.Helper()
	dir = t.TempDir()
	z, err := zip.OpenReader(filepath.Join("testdata/onnx", archive))
	if err != nil {
		t.Fatal(err)
	}
	defer z.Close()
	write := func(name string, data []byte, err error) {
		if err == nil {
			err = os.MkdirAll(filepath.Dir(filepath.Join(dir, name)), 0o777)
		}
		if err == nil {
			err = os.WriteFile(filepath.Join(dir, name), data, 0o666)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	for _, f := range z.File {
		in, err := f.Open()
		if err != nil {
			t.Fatal(err)
		}
		data, err := io.ReadAll(in)
		write(f.Name, data, err)
		processor := path.Join(path.Dir(f.Name), processorFile)
		data, err = os.ReadFile(filepath.Join("testdata/onnx/config", processor))
		write(processor, data, err)
		if strings.HasSuffix(f.Name, ".onnx") {
			files = append(files, f.Name)
		}
	}
	return dir, files
}

// TestONNX reads models of every family, exported in every way, and compares what they compute with what transformers does with the same
// weights (testdata/make_onnx.py, make_optimum.py).
func TestONNX(t *testing.T) {
	for _, set := range []struct {
		archive, golden string
		count           int
	}{{"models.zip", "golden.safetensors", 53}, {"optimum.zip", "optimum.safetensors", 6}} {
		dir, files := exports(t, set.archive)
		if len(files) != set.count {
			t.Errorf("%s has %d files, expected %d", set.archive, len(files), set.count)
		}
		golden, err := safetensors.Open(filepath.Join("testdata/onnx", set.golden))
		if err != nil {
			t.Fatal(err)
		}
		defer golden.Close()
		for _, file := range files {
			t.Run(strings.TrimSuffix(file, ".onnx"), func(t *testing.T) { compareONNX(t, dir, file, golden) })
		}
	}
}

func compareONNX(t *testing.T, dir, file string, golden *safetensors.File) {
	name, file := strings.TrimSuffix(file, ".onnx"), filepath.Join(dir, file)
	family, way := path.Dir(name), path.Base(name)
	o, size := ONNX{}, "20"
	if way == "any-size" && family == "dinov2" { // its positions go with images of any size
		o.Image = 30
	}
	if way == "resampled" || o.Image != 0 {
		size = "30"
	}
	values := []string{"final", "logits"}
	if _, ok := golden.Tensor(name + "/logits"); !ok { // a backbone, or one with another head
		if _, err := LoadONNX(file, o); err == nil || !strings.Contains(err.Error(), "LoadBackbone") {
			t.Errorf("Load of a backbone: error %v, expected one that names LoadBackbone", err)
		}
		o.Classes, values = 2, values[:1]
	}
	m, err := LoadONNX(file, o)
	if err != nil {
		t.Fatal(err)
	}
	if m.Config.Family.String() != family {
		t.Errorf("a model of family %s, expected %s", m.Config.Family, family)
	}
	rounded := strings.Contains(way, "int8") || name == "clip/anonymous"
	if rounded != (m.Origin.String() == EightBit) {
		t.Errorf("origin %+v, expected 8-bit weights: %v", m.Origin, rounded)
	}
	raw, ok := golden.Tensor(path.Join(family, size, "images"))
	if !ok {
		raw, _ = golden.Tensor(name + "/images")
	}
	images, err := m.Config.Images(raw.Data)
	if err != nil {
		t.Fatal(err)
	}
	got := run(t, open(t, "go"), m, func(w *Weights[*Node], in []*Node) []*Node {
		_, trace := Forward(m.Config, w, in[0], Want(values...))
		return trace.All()
	}, images)
	for i, value := range values {
		tensor, _ := golden.Tensor(name + "/" + value)
		want, err := tensor.Float32s()
		if err != nil {
			t.Fatal(err)
		}
		d, err := distance(got[i], want)
		if err != nil {
			t.Fatal(err)
		}
		if d > tolerance {
			t.Errorf("%s: differ by %.1e of their scale, expected at most %.0e", value, d, tolerance)
		}
		t.Logf("%s: %.1e", value, d)
	}
}
