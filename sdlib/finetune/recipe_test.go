package finetune

import (
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
)

// Whole numbers may be written as programs with one kind of number write them, and a byte order mark may stand in front.
func TestRecipeSpellings(t *testing.T) {
	r, err := ParseRecipe([]byte("\xef\xbb\xbf" + `{"epochs": 3.0, "batch":64.00, "lr": 1.0, "seed": 7.0, "pipeline": {"within_object": [1.0,2.0, 3.0], "weight": 1.0}}`))
	if err != nil {
		t.Fatal(err)
	}
	want := Recipe{Epochs: 3, Batch: 64, LR: 1, Seed: 7, Pipeline: Pipeline{WithinObject: []int{1, 2, 3}, Weight: 1}}
	if !reflect.DeepEqual(r, want) {
		t.Errorf("read %+v, want %+v", r, want)
	}
	for text, says := range map[string]string{
		`{"epochs": 3.5}`:    "epochs is 3.5, expected a whole number",
		`{"epochs": "many"}`: "epochs is text, expected a whole number",
		`{"epoch": 3}`:       `no field "epoch"`,
		`{} {}`:              "more behind",
		"{\n\"epochs\": }":   "line 2",
	} {
		if _, err := ParseRecipe([]byte(text)); err == nil || !strings.Contains(err.Error(), says) {
			t.Errorf("%s: error %v, want one with %q", text, err, says)
		}
	}
	if _, err := ReadRecipe("/dev/zero"); err == nil || !strings.Contains(err.Error(), "no regular file") {
		t.Errorf("a device: %v", err)
	}
	path := filepath.Join(t.TempDir(), "recipe.json")
	if err := os.WriteFile(path, []byte(`{"epochs": -`), 0o666); err != nil {
		t.Fatal(err)
	}
	if _, err := ReadRecipe(path); err == nil || !strings.Contains(err.Error(), path) {
		t.Errorf("error %v, want the file's path", err)
	}
}
