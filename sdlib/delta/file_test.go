package delta

import (
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"samediff/sdlib/safetensors"
	"samediff/sdlib/vit"
)

// saved packs a small model and returns it, its base, and the folder it was saved to.
func saved(t testing.TB) (d *Delta, base *vit.Model, dir string) {
	t.Helper()
	base = newModel(t, small, 1)
	d = pack(t, base, tune(t, base, .5, .3, .1), Method{Rank: 2})
	d.Checks = []Check{{Set: "test (IID)", Images: 400, Before: .97, After: .965, Heads: .01}}
	dir = filepath.Join(t.TempDir(), "packed")
	if err := d.Save(dir); err != nil {
		t.Fatal(err)
	}
	return d, base, dir
}

// from is a find that has one base.
func from(base *vit.Model) func(Base) (*vit.Model, error) {
	return func(Base) (*vit.Model, error) { return base, nil }
}

func TestRoundTrip(t *testing.T) {
	d, base, dir := saved(t)
	want := modelHash(t, apply(t, d, base))
	read, err := Read(dir)
	if err != nil {
		t.Fatal(err)
	}
	if read.Config != d.Config || read.Base != d.Base || read.Method != d.Method || read.Lost != d.Lost || !slices.Equal(read.Checks, d.Checks) {
		t.Errorf("read %+v, saved %+v", read, d)
	}
	var asked Base
	m, err := Load(dir, func(b Base) (*vit.Model, error) { asked = b; return base, nil })
	if err != nil {
		t.Fatal(err)
	}
	if modelHash(t, m) != want || asked != d.Base {
		t.Errorf("another model came back, of base %+v", asked)
	}
	if err := read.Save(dir); err != nil { // over itself
		t.Fatal(err)
	}
	again, err := Load(dir, from(base))
	if err != nil || modelHash(t, again) != want {
		t.Errorf("saved a second time it is another model (%v)", err)
	}
	if entries, err := os.ReadDir(filepath.Dir(dir)); err != nil || len(entries) != 1 {
		t.Errorf("Save left %v (%v)", entries, err)
	}
}

// Whole folders are read as package vit reads them, and heads are what LoadBackbone makes of the whole model.
func TestLoadWholeAndBackbone(t *testing.T) {
	d, base, dir := saved(t)
	whole := filepath.Join(t.TempDir(), "whole")
	if err := apply(t, d, base).SaveAs(whole, vit.Saving{}); err != nil {
		t.Fatal(err)
	}
	a, err := Load(whole, nil)
	if err != nil {
		t.Fatal(err)
	}
	b, err := Load(dir, from(base))
	if err != nil {
		t.Fatal(err)
	}
	if modelHash(t, a) != modelHash(t, b) {
		t.Error("the whole model is another than the packed one")
	}
	want, err := vit.LoadBackbone(whole, 3, 9, 16)
	if err != nil {
		t.Fatal(err)
	}
	for _, folder := range []string{whole, dir} {
		got, err := LoadBackbone(folder, 3, 9, 16, from(base))
		if err != nil {
			t.Fatal(err)
		}
		if got.Config != want.Config || modelHash(t, got) != modelHash(t, want) {
			t.Errorf("%s: LoadBackbone gives another model than package vit does of the whole", folder)
		}
	}
	if _, err := vit.Load(dir); err == nil || !strings.Contains(err.Error(), "difference to another model") {
		t.Errorf("package vit says %v of a packed folder", err)
	}
}

// A base that is a folder is found from the packed one's, wherever both are moved.
func TestBaseFolder(t *testing.T) {
	parent := t.TempDir()
	base := newModel(t, small, 1)
	folder, dir := filepath.Join(parent, "clip"), filepath.Join(parent, "deep", "packed")
	if err := base.Save(folder); err != nil {
		t.Fatal(err)
	}
	name, err := RelativeName(folder, dir)
	if err != nil || name != "../../clip" {
		t.Errorf("the base's name is %q (%v), expected ../../clip", name, err)
	}
	if inside, err := RelativeName(filepath.Join(dir, "base"), dir); err != nil || inside != "./base" {
		t.Errorf("a base inside the folder is called %q (%v), expected ./base", inside, err)
	}
	d, err := Pack(t.Context(), base, tune(t, base, .1), Options{Base: name})
	if err != nil {
		t.Fatal(err)
	}
	if err := d.Save(dir); err != nil {
		t.Fatal(err)
	}
	moved := parent + "-moved"
	if err := os.Rename(parent, moved); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(moved) })
	if _, err := Load(filepath.Join(moved, "deep", "packed"), nil); err != nil {
		t.Error(err)
	}
	if err := os.RemoveAll(filepath.Join(moved, "clip")); err != nil {
		t.Fatal(err)
	}
	if _, err := Load(filepath.Join(moved, "deep", "packed"), nil); !errors.Is(err, fs.ErrNotExist) || !strings.Contains(err.Error(), `"../../clip"`) {
		t.Errorf("without its base: error %v", err)
	}
}

func TestLoadRefusesBases(t *testing.T) {
	d, base, dir := saved(t)
	wide := small
	wide.Width = 48
	one := changed(t, base, func(w weight, values []float32) {
		if w.name == "vision_model.embeddings.class_embedding" {
			values[0] = math.Nextafter32(values[0], 2)
		}
	})
	missing := errors.New("the base is not here")
	for _, test := range []struct {
		find func(Base) (*vit.Model, error)
		says []string
	}{
		{from(one), []string{`base "base"`, "another than the difference was taken to", d.Base.Hash[:12], dir}},
		{from(newModel(t, small, 2)), []string{"another than the difference was taken to"}},
		{from(newModel(t, wide, 1)), []string{"another kind of model", "width 96", dir}},
		{func(Base) (*vit.Model, error) { return nil, missing }, []string{missing.Error(), dir}},
		{nil, []string{`base "base"`, "find is nil"}},
	} {
		_, err := Load(dir, test.find)
		for _, part := range test.says {
			if err == nil || !strings.Contains(err.Error(), part) {
				t.Errorf("error %v, expected %q", err, part)
			}
		}
	}
	// Another head, size of images and normalization are no other base.
	head, err := base.WithHead(9, 3, 16)
	if err != nil {
		t.Fatal(err)
	}
	head.Config.Mean[0] = .5
	if _, err := Load(dir, from(head)); err != nil {
		t.Error(err)
	}
}

// Every byte of the file of differences counts, and what is left of a cut file is refused.
func TestReadRefusesDamage(t *testing.T) {
	_, _, dir := saved(t)
	path := filepath.Join(dir, DataFile)
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	damage := map[string][]byte{"empty": nil, "cut": data[:len(data)/2], "longer": append(slices.Clone(data), 0)}
	for _, at := range []int{0, 9, len(data) / 2, len(data) - 1} {
		damage[fmt.Sprintf("byte %d", at)] = slices.Concat(data[:at], []byte{data[at] ^ 1}, data[at+1:])
	}
	for name, content := range damage {
		if err := os.WriteFile(path, content, 0o644); err != nil {
			t.Fatal(err)
		}
		if _, err := Read(dir); err == nil || !strings.Contains(err.Error(), "is damaged") || !strings.Contains(err.Error(), path) {
			t.Errorf("%s: error %v", name, err)
		}
	}
	if err := os.Remove(path); err != nil {
		t.Fatal(err)
	}
	if _, err := Read(dir); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("no file: error %v", err)
	}
}

func TestReadRefusesDescriptions(t *testing.T) {
	_, _, dir := saved(t)
	path := filepath.Join(dir, File)
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	for _, test := range []struct{ old, new, says string }{
		{"{", "", "no valid JSON"},
		{`"samediff delta"`, `"lora"`, `format "lora"`},
		{`"version": 1`, `"version": 2`, "reads version 1"},
		{`"sha256": "`, `"sha256": "0`, "was changed since it was written"},
	} {
		if err := os.WriteFile(path, []byte(strings.Replace(string(text), test.old, test.new, 1)), 0o644); err != nil {
			t.Fatal(err)
		}
		if _, err := Read(dir); err == nil || !strings.Contains(err.Error(), test.says) {
			t.Errorf("%s for %s: error %v, expected %q", test.new, test.old, err, test.says)
		}
	}
}

// Differences that a stranger wrote, with the right hash: everything that does not belong is named.
func TestReadRefusesHostileDifferences(t *testing.T) {
	const matrix, bias = "vision_model.encoder.layers.0.mlp.fc1.weight", "vision_model.encoder.layers.0.mlp.fc1.bias"
	zeros := func(name, dtype string, shape ...int) safetensors.Tensor {
		t := safetensors.Tensor{Name: name, DType: dtype, Shape: shape}
		t.Data = make([]byte, t.Len()*map[string]int{"F16": 2, "F32": 4, "F64": 8, "I32": 4, "I8": 1}[dtype])
		return t
	}
	infinite := safetensors.Float32s(bias+change, []int{384}, slices.Repeat([]float32{float32(math.Inf(1))}, 384))
	for _, test := range []struct {
		put, without []safetensors.Tensor
		says         string
	}{
		{nil, []safetensors.Tensor{{Name: "visual_projection.weight"}}, "visual_projection.weight is missing"},
		{[]safetensors.Tensor{zeros("visual_projection.weight", "F32", 3, 96)}, nil, "has shape [3 96], expected [2 96]"},
		{[]safetensors.Tensor{zeros(bias+change, "F16", 96)}, nil, "has shape [96], expected [384]"},
		{[]safetensors.Tensor{zeros(bias+change, "F64", 384)}, nil, "is F64, expected F16 or F32"},
		{[]safetensors.Tensor{zeros(bias+change, "I32", 384)}, nil, "is I32, expected F16 or F32"},
		{[]safetensors.Tensor{infinite}, nil, "no finite number"},
		{[]safetensors.Tensor{zeros(matrix+left, "F16", 384, 3)}, nil, "has shape [2 96], expected [3 96]"},
		{[]safetensors.Tensor{zeros(matrix+left, "F16", 384, 0), zeros(matrix+right, "F16", 0, 96)}, nil, "has shape [384 0], expected [384 1]"},
		{[]safetensors.Tensor{zeros(matrix+left, "F16", 384, 5000), zeros(matrix+right, "F16", 5000, 96)}, nil, "expected [384 76]"},
		{[]safetensors.Tensor{zeros(matrix+left, "F16", 384)}, nil, "has shape [384]"},
		{nil, []safetensors.Tensor{{Name: matrix + right}}, "has A without B, or B without A"},
		{[]safetensors.Tensor{zeros(matrix+left, "I8", 384, 2)}, nil, "expected A and B in 8 bits with their steps, or neither"},
		{[]safetensors.Tensor{zeros(matrix+left, "I8", 384, 2), zeros(matrix+right, "I8", 2, 96)}, nil, "expected A and B in 8 bits with their steps"},
		{[]safetensors.Tensor{zeros(matrix+steps, "F32", 2)}, nil, "or neither in 8 bits and no steps"},
		{[]safetensors.Tensor{zeros(matrix+left, "I8", 384, 2), zeros(matrix+right, "I8", 2, 96), zeros(matrix+steps, "F32", 3)}, nil, "has shape [3], expected [2]"},
		{[]safetensors.Tensor{zeros(bias+change, "I8", 384)}, nil, "is I8, expected F16 or F32"},
		{[]safetensors.Tensor{zeros(matrix+change, "F16", 384, 96)}, nil, "is no part of a difference"},
		{[]safetensors.Tensor{zeros(bias+left, "F16", 384, 1)}, nil, "is no part of a difference"},
		{[]safetensors.Tensor{zeros("text_model.weight", "F16", 1)}, nil, "text_model.weight is no part of a difference"},
	} {
		d, _, dir := saved(t)
		for _, x := range test.without {
			delete(d.kept, x.Name)
		}
		for _, x := range test.put {
			d.keep(x)
		}
		write(t, dir, slices.Collect(maps.Values(d.kept)))
		if _, err := Read(dir); err == nil || !strings.Contains(err.Error(), test.says) {
			t.Errorf("error %v, expected %q", err, test.says)
		}
	}

	// Finite factors whose product is not.
	d, base, dir := saved(t)
	big := zeros(matrix+left, "F32", 384, 1)
	other := zeros(matrix+right, "F32", 1, 96)
	for _, x := range []safetensors.Tensor{big, other} {
		copy(x.Data, []byte{0xff, 0xff, 0x7f, 0x7f}) // the largest float32
		d.keep(x)
	}
	write(t, dir, slices.Collect(maps.Values(d.kept)))
	if _, err := Load(dir, from(base)); err == nil || !strings.Contains(err.Error(), matrix+" is not finite") {
		t.Errorf("an infinite product: error %v", err)
	}
}

// write writes a file of differences, and its hash to the description.
func write(t testing.TB, dir string, all []safetensors.Tensor) {
	t.Helper()
	path := filepath.Join(dir, DataFile)
	if err := safetensors.WriteFile(path, all, nil); err != nil {
		t.Fatal(err)
	}
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	sign(t, dir, data)
}

// sign writes the hash of a file of differences to the description.
func sign(t testing.TB, dir string, data []byte) {
	t.Helper()
	path := filepath.Join(dir, File)
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	var about description
	if err := json.Unmarshal(text, &about); err != nil {
		t.Fatal(err)
	}
	about.SHA256 = fmt.Sprintf("%x", sha256.Sum256(data))
	if about.Check, err = about.sum(); err != nil {
		t.Fatal(err)
	}
	if text, err = json.Marshal(about); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, text, 0o644); err != nil {
		t.Fatal(err)
	}
}

func TestSaveLeavesOtherFoldersAlone(t *testing.T) {
	d, base, _ := saved(t)
	dir := t.TempDir()
	if err := base.Save(dir); err != nil {
		t.Fatal(err)
	}
	if err := d.Save(dir); err == nil || !strings.Contains(err.Error(), "model.safetensors") {
		t.Errorf("a whole model was to be replaced: error %v", err)
	}
	if _, err := vit.Load(dir); err != nil {
		t.Errorf("the model that was there: %v", err)
	}
}

// Whatever the bytes are, reading them ends with a model or an error.
func FuzzDecode(f *testing.F) {
	tiny := vit.Config{Image: 4, Patch: 2, Width: 4, Blocks: 1, Heads: 1, MLP: 4, Classes: 2, NormEps: 1e-6, Std: [3]float64{1, 1, 1}}
	base, err := vit.New(tiny, 1)
	if err != nil {
		f.Fatal(err)
	}
	d, err := Pack(f.Context(), base, changed(f, base, func(_ weight, values []float32) { values[0]++ }), Options{Base: "base", Method: Method{Rank: 1}})
	if err != nil {
		f.Fatal(err)
	}
	data, err := d.encode()
	if err != nil {
		f.Fatal(err)
	}
	f.Add(data)
	f.Add(data[:len(data)-3])
	f.Fuzz(func(t *testing.T, data []byte) {
		d := &Delta{Config: tiny}
		if err := d.decode(data); err != nil {
			return
		}
		if m, err := d.apply(base); err == nil && m.Config != tiny {
			t.Errorf("configuration %+v", m.Config)
		}
	})
}
