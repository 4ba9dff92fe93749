package repo

import (
	"os"
	"path/filepath"
	"testing"
)

func TestRoot(t *testing.T) {
	root := t.TempDir()
	deep := filepath.Join(root, "a", "b")
	inner := filepath.Join(root, "a", "go.mod") // another module on the way up is passed over
	if err := os.MkdirAll(deep, 0o755); err != nil {
		t.Fatal(err)
	}
	for path, text := range map[string]string{
		filepath.Join(root, "go.mod"): "// comment\nmodule samediff\n\ngo 1.26\n",
		inner:                         "module other\n",
	} {
		if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	t.Setenv("SD_ROOT", "")
	t.Chdir(deep)
	want, _ := filepath.EvalSymlinks(root)
	if got, ok := Root(); !ok || got != want {
		t.Errorf("Root() from %s = %q, %v; want %q", deep, got, ok, want)
	}
	t.Setenv("SD_ROOT", "/elsewhere")
	if got, ok := Root(); !ok || got != "/elsewhere" {
		t.Errorf("Root() with SD_ROOT = %q, %v; want /elsewhere", got, ok)
	}
}
