package vit

import (
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/gomlx/gomlx/core/tensors"

	"samediff/sdlib/internal/jsontext"
	"samediff/sdlib/safetensors"
)

// relabel writes the names of the classes in a folder's config.json.
func relabel(t *testing.T, dir string, names ...string) {
	t.Helper()
	path := filepath.Join(dir, configFile)
	var config map[string]any
	text, err := os.ReadFile(path)
	if err == nil {
		err = jsontext.Unmarshal(text, &config)
	}
	if err != nil {
		t.Fatal(err)
	}
	labels := map[string]string{}
	for i, name := range names {
		labels[string(rune('0'+i))] = name
	}
	config["id2label"] = labels
	writeTestJSON(t, path, config)
}

// A file whose first class is same is read with the classes in this package's order, and so saved: its names go with its weights.
func TestLabelsSwapped(t *testing.T) {
	c := CourseQuick
	m, err := New(c, 1)
	if err != nil {
		t.Fatal(err)
	}
	head := func(m *Model) (w, b []float32) {
		return tensors.MustCopyFlatData[float32](m.Weights.Head.W), tensors.MustCopyFlatData[float32](m.Weights.Head.B)
	}
	tensors.MustMutableFlatData(m.Weights.Head.B, func(b []float32) { b[0], b[1] = 3, 4 })
	dir := save(t, m)
	relabel(t, dir, "Same", "different")
	swapped, err := Load(dir)
	if err != nil {
		t.Fatal(err)
	}
	if err := swapped.Answers(); err != nil || swapped.Labels != nil {
		t.Errorf("labels %q, %v", swapped.Labels, err)
	}
	w, b := head(m)
	gotW, gotB := head(swapped)
	if !slices.Equal(gotB, []float32{b[1], b[0]}) || !slices.Equal(gotW, slices.Concat(w[c.Width:], w[:c.Width])) {
		t.Errorf("the head's bias is %v, want the classes in the other order", gotB)
	}
	again, err := Load(save(t, swapped))
	if err != nil {
		t.Fatal(err)
	}
	if _, b := head(again); !slices.Equal(b, gotB) {
		t.Errorf("saved and loaded, the bias is %v, want %v", b, gotB)
	}
	if a, b := hash(t, again), hash(t, swapped); a != b {
		t.Error("a model saved is another model")
	}
}

func hash(t *testing.T, m *Model) string {
	t.Helper()
	h, err := m.Hash()
	if err != nil {
		t.Fatal(err)
	}
	return h
}

// Other names are kept, and a model that has them does not answer the task.
func TestLabelsKept(t *testing.T) {
	m, err := New(CourseQuick, 1)
	if err != nil {
		t.Fatal(err)
	}
	dir := save(t, m)
	for _, test := range []struct{ names, labels []string }{
		{[]string{"cat", "dog"}, []string{"cat", "dog"}},
		{[]string{"DIFFERENT", "Same"}, nil},
		{[]string{"LABEL_0", "LABEL_1"}, nil},
	} {
		relabel(t, dir, test.names...)
		got, err := Load(dir)
		if err != nil {
			t.Fatal(err)
		}
		if !slices.Equal(got.Labels, test.labels) {
			t.Errorf("%q is read as %q, want %q", test.names, got.Labels, test.labels)
		}
		if err := got.Answers(); errors.Is(err, ErrOtherClasses) != (test.labels != nil) {
			t.Errorf("%q: %v", test.names, err)
		}
		to := filepath.Join(t.TempDir(), "converted")
		if err := got.SaveAs(to, Saving{DType: "F16"}); err != nil {
			t.Fatal(err)
		}
		converted, err := ReadAbout(to)
		if err != nil || !slices.Equal(converted.Labels, test.labels) {
			t.Errorf("%q is converted to %q, %v", test.names, converted.Labels, err)
		}
	}
	if m.Labels = []string{"one"}; m.check() == nil {
		t.Error("one label for two classes passes")
	}
}

// A head that is damaged or of another shape is an error of its own, and no backbone.
func TestDamagedHead(t *testing.T) {
	for name, change := range map[string]func(x *safetensors.Tensor){
		"holds NaN":  func(x *safetensors.Tensor) { copy(x.Data, []byte{0, 0, 0xc0, 0x7f}) },
		"has shape":  func(x *safetensors.Tensor) { x.Shape = []int{1, x.Shape[0]} },
		"is missing": func(x *safetensors.Tensor) { x.Name = "classifier.other" },
	} {
		dir := copyModel(t)
		rewrite(t, dir, func(all []safetensors.Tensor) []safetensors.Tensor {
			for i := range all {
				if all[i].Name == "classifier.bias" {
					change(&all[i])
				}
			}
			return all
		})
		if err := loadError(t, dir, "classifier.bias", name); errors.Is(err, ErrNoHead) {
			t.Errorf("%s: a backbone: %v", name, err)
		}
	}
	dir := copyModel(t)
	relabel(t, dir, "a", "b", "c", "d", "e")
	if err := loadError(t, dir, "classifier.bias has shape"); errors.Is(err, ErrNoHead) {
		t.Errorf("five names for fewer classes: %v", err)
	}
}

// DeiT's two heads are named.
func TestTwoHeads(t *testing.T) {
	dir := t.TempDir()
	if err := os.CopyFS(dir, os.DirFS(filepath.Join("testdata", "deit"))); err != nil {
		t.Fatal(err)
	}
	rewrite(t, dir, func(all []safetensors.Tensor) []safetensors.Tensor {
		var more []safetensors.Tensor
		for _, x := range all {
			if rest, ok := strings.CutPrefix(x.Name, "classifier."); ok {
				for _, head := range []string{"cls_classifier.", "distillation_classifier."} {
					x.Name = head + rest
					more = append(more, x)
				}
			} else {
				more = append(more, x)
			}
		}
		return more
	})
	if err := loadError(t, dir, "DeiT's two heads"); !errors.Is(err, ErrNoHead) {
		t.Errorf("error %v, want ErrNoHead", err)
	}
	if _, err := LoadBackbone(dir, 2, 1, 0); err != nil {
		t.Error(err)
	}
}

// Names that a wrapper has put something in front of, nested too, are found; others give one line.
func TestWrappedNames(t *testing.T) {
	want, err := Load(copyModel(t))
	if err != nil {
		t.Fatal(err)
	}
	for _, prefix := range []string{"module.", "_orig_mod.", "module._orig_mod.", "model.module.", "wrong."} {
		dir := copyModel(t)
		rewrite(t, dir, func(all []safetensors.Tensor) []safetensors.Tensor {
			for i := range all {
				all[i].Name = prefix + all[i].Name
			}
			return all
		})
		if prefix == "wrong." {
			if err := loadError(t, dir, "has none of the", "wrong."); len(err.Error()) > 600 {
				t.Errorf("%d characters: %v", len(err.Error()), err)
			}
			continue
		}
		if m, err := Load(dir); err != nil {
			t.Errorf("%s: %v", prefix, err)
		} else if hash(t, m) != hash(t, want) {
			t.Errorf("%s: another model", prefix)
		}
	}
}

func TestPointerOfLFS(t *testing.T) {
	for _, name := range []string{weightsFile, configFile, processorFile} {
		dir := copyModel(t)
		if err := os.WriteFile(filepath.Join(dir, name), []byte("version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 123\n"), 0o666); err != nil {
			t.Fatal(err)
		}
		loadError(t, dir, name, "git lfs pull")
	}
}
