package study

import (
	"errors"
	"flag"
	"io/fs"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"samediff/sdlib/internal/fixture"
	"samediff/sdlib/internal/flips"
	"samediff/sdlib/internal/repo"
	"samediff/sdlib/vit"
)

// sealed is a folder with a model and its metrics.
func sealed(t *testing.T, seed uint64) string {
	t.Helper()
	c := vit.CourseQuick
	c.Blocks, c.Width, c.MLP = 1, 6, 6
	m := fixture.Model(t, c, seed)
	dir := filepath.Join(t.TempDir(), "model")
	if err := m.SaveAs(dir, vit.Saving{DType: "F16"}); err != nil {
		t.Fatal(err)
	}
	if err := (&Metrics{Name: "model", Command: "sd model build model", Training: Quick}).write(dir); err != nil {
		t.Fatal(err)
	}
	return dir
}

// Of 100 bits that are flipped in a model's folder all are noticed.
func TestFlips(t *testing.T) {
	lab, err := Open(Options{Store: t.TempDir()})
	if err != nil {
		t.Fatal(err)
	}
	dir := sealed(t, 1)
	if _, err := lab.Load(dir); err != nil {
		t.Fatal(err)
	}
	entries, err := os.ReadDir(dir)
	if err != nil || len(entries) != 4 {
		t.Fatalf("%v, %v, want config, preprocessor, weights, metrics", entries, err)
	}
	var files []string
	for _, e := range entries {
		files = append(files, filepath.Join(dir, e.Name()))
	}
	flips.Each(t, 100, files, func(which string) {
		if _, err := lab.Load(dir); err == nil {
			t.Errorf("not noticed: %s", which)
		}
	})
}

// Cloned without git-lfs, the weights are a pointer to them: not another model's.
func TestSealOfPointer(t *testing.T) {
	dir := sealed(t, 1)
	path := filepath.Join(dir, "model.safetensors")
	if err := os.WriteFile(path, []byte("version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 5\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	if err := CheckSeal(dir); err == nil || !strings.Contains(err.Error(), path) || !strings.Contains(err.Error(), "git lfs pull") {
		t.Errorf("the error is %v", err)
	}
	for want, name := range map[string]string{"is a file: expected a folder": path, "render.py": "photographs=" + dir} {
		if _, err := ImportSet(name, vit.CourseQuick); err == nil || !strings.Contains(err.Error(), want) || !strings.Contains(err.Error(), dir) {
			t.Errorf("the set %s: %v, expected an error with %q and the folder", name, err, want)
		}
	}
}

// Another model's weights do not get these accuracies; a folder without weights passes as far as it goes.
func TestSealOfAnother(t *testing.T) {
	dir, other := sealed(t, 1), sealed(t, 2)
	weights, err := os.ReadFile(filepath.Join(other, "model.safetensors"))
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(dir, "model.safetensors")
	if err := os.WriteFile(path, weights, 0o666); err != nil {
		t.Fatal(err)
	}
	if err := CheckSeal(dir); err == nil || !strings.Contains(err.Error(), path) {
		t.Errorf("error %v, want one that names the weights", err)
	}
	if err := os.Remove(path); err != nil {
		t.Fatal(err)
	}
	if err := CheckSeal(dir); err != nil {
		t.Error(err)
	}
}

var seal = flag.Bool("seal", false, "write the seals that folders in models/ lack")

// The folders in models/ are sealed and whole.
func TestSealsOfTheCourse(t *testing.T) {
	root, ok := repo.Root()
	if !ok {
		t.Skip("not in the repository")
	}
	for _, c := range CourseModels() {
		dir := filepath.Join(root, "models", c.Name)
		m, err := readMetrics(dir)
		if errors.Is(err, fs.ErrNotExist) && c.packed() {
			continue // one of the fine-tuned pretrained models that are not here yet
		}
		if err != nil {
			t.Error(err)
			continue
		}
		if len(m.Files) == 0 {
			t.Errorf("%s has no seal: if its files are right, go test ./sdlib/study -run TestSealsOfTheCourse -seal writes one", dir)
			if *seal {
				t.Log(m.write(dir))
			}
		}
		if err := CheckSeal(dir); err != nil {
			t.Error(err)
		}
	}
}

// A folder says what its model learned, wherever it lies.
func TestLoadSaysWhatWasLearned(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "somewhere else")
	if err := os.Rename(sealed(t, 1), dir); err != nil {
		t.Fatal(err)
	}
	lab, err := Open(Options{Store: t.TempDir()})
	if err != nil {
		t.Fatal(err)
	}
	m, err := lab.Load(dir)
	if err != nil {
		t.Fatal(err)
	}
	if !reflect.DeepEqual(m.Training, Quick) {
		t.Errorf("training %+v, expected %+v", m.Training, Quick)
	}
}
