package study

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"samediff/sdlib/vit"
)

// A training from CLIP's 8-bit weights is another than one from the hub's: their keys differ, and say which it was.
func TestSourceOfWeights(t *testing.T) {
	assets := t.TempDir()
	t.Setenv("HF_HUB_CACHE", t.TempDir())
	t.Setenv("HF_ASSETS_CACHE", assets)
	training := Presets["clip-b16"]
	key := func() string {
		t.Helper()
		r, err := training.resolve()
		if err != nil {
			t.Fatal(err)
		}
		id, err := r.key().ID()
		if err != nil {
			t.Fatal(err)
		}
		return r.Source + "|" + string(id)
	}
	hub := key()
	c, err := vit.FindCheckpoint("clip-b16")
	if err != nil {
		t.Fatal(err)
	}
	dir := filepath.Join(assets, "samediff", "models", "clip-b16-"+c.Package.File.SHA256[:12])
	if err := os.MkdirAll(dir, 0o777); err != nil {
		t.Fatal(err)
	}
	text, err := json.Marshal(c.Package.Origin)
	if err == nil {
		err = os.WriteFile(filepath.Join(dir, "origin.json"), text, 0o666)
	}
	if err != nil {
		t.Fatal(err)
	}
	rounded := key()
	if !strings.HasPrefix(hub, c.Repo+"@"+c.Revision+"|") || !strings.Contains(rounded, vit.EightBit) || !strings.Contains(rounded, c.Package.File.SHA256) ||
		strings.Split(hub, "|")[1] == strings.Split(rounded, "|")[1] {
		t.Errorf("keys %s and %s", hub, rounded)
	}
}
