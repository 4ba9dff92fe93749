package das

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestReadRecipe(t *testing.T) {
	path := filepath.Join(t.TempDir(), "recipe.json")
	for text, want := range map[string]string{
		"\ufeff{\"pairs\": 20.0, \"steps\": 2, \"batch\": 10, \"lr\": 0.01}\n": "",
		`{"pairs": 20, "step": 2}`: `"step"`,
		`{"pairs": "many"}`:        "pairs is text, expected a whole number",
		`{"pairs": 20} {}`:         "more behind",
		"{\n\"pairs\": 20,\n}":     "line 3",
	} {
		if err := os.WriteFile(path, []byte(text), 0o666); err != nil {
			t.Fatal(err)
		}
		r, err := ReadRecipe(path)
		switch {
		case want == "" && (err != nil || r.Pairs != 20 || r.LR != .01):
			t.Errorf("%q is read as %+v, %v", text, r, err)
		case want != "" && (err == nil || !strings.Contains(err.Error(), want) || !strings.Contains(err.Error(), path)):
			t.Errorf("%q: %v, expected an error with %q and the file", text, err, want)
		}
	}
	if _, err := ReadRecipe("/dev/zero"); err == nil || !strings.Contains(err.Error(), "no regular file") {
		t.Errorf("of a device without an end: %v", err)
	}
}

func FuzzParseRecipe(f *testing.F) {
	f.Add([]byte(`{"pairs":2000,"epochs":20,"batch":64,"lr":0.001,"mask_lr":0.01,"temperature":{"from":1,"to":0.005,"per_epoch":true}}`))
	f.Add([]byte(`{"pairs":-1,"steps":9223372036854775807,"batch":0,"sparsity":1e308,"shuffle":"x"}`))
	f.Fuzz(func(t *testing.T, text []byte) {
		if r, err := ParseRecipe(text); err == nil && r.Validate() == nil && r.steps() < 1 {
			t.Errorf("%q is taken for a recipe of %d steps", text, r.steps())
		}
	})
}
