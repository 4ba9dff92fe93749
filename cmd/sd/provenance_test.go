package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"samediff/sdlib/vit"
)

// What was done to a model's weights is said of what was trained from it, and again of what that was packed to, wherever they appear.
func TestProvenance(t *testing.T) {
	store, dir := t.TempDir(), t.TempDir()
	t.Setenv("SD_STORE", store)
	t.Setenv("SD_BACKEND", "go")
	base, err := vit.Load(folder(t))
	if err != nil {
		t.Fatal(err)
	}
	base.Origin = &vit.Origin{Name: "Tiny", Weights: vit.EightBit, License: "none"}
	from, packed, whole := filepath.Join(dir, "from"), filepath.Join(dir, "packed"), filepath.Join(dir, "whole")
	if err := base.Save(from); err != nil {
		t.Fatal(err)
	}
	const said = "(8-bit weights)"
	train := sd("train", "quick", "--start", from, "--losses", "none", "--images", "16", "--val", "0", "--epochs", "1", "--batch", "8", "--warmup", "0", "-q").want(t, exitOK).out
	model, _, ok := strings.Cut(strings.TrimPrefix(train, "model     "), " "+said+"\n")
	if !ok {
		t.Fatalf("train prints\n%s", train)
	}
	sd("model", "pack", model, "--base", from, "-o", packed, "-q").want(t, exitOK)
	sd("model", "convert", packed, "-o", whole, "-q").want(t, exitOK)
	page, svg := filepath.Join(dir, "page.html"), filepath.Join(dir, "heads.svg")
	for _, name := range []string{model, packed, whole} {
		if show := sd("model", "show", name).want(t, exitOK).out; !strings.Contains(show, "Tiny, fine-tuned\n") || strings.Count(show, "fine-tuned") != 1 || !strings.Contains(show, "weights        8-bit weights\n") {
			t.Errorf("model show says\n%s", show)
		}
		if table := sd("eval", name, "--images", "16", "-q").want(t, exitOK).out; !strings.Contains(table, name+" "+said) {
			t.Errorf("eval says\n%s", table)
		}
		if text := sd("eval", name, "--images", "16", "-q", "--json").want(t, exitOK).out; !strings.Contains(text, `"weights": "8-bit weights"`) {
			t.Errorf("eval --json says\n%s", text)
		}
		if table := sd("table", "2", "--model", name, "-q").want(t, exitOK).out; !strings.Contains(table, name+" "+said) {
			t.Errorf("table 2 says\n%s", table)
		}
		sd("attention", name, "--html", page, "--images", "1", "-q").want(t, exitOK)
		sd("figure", "2", "--model", name, "-o", svg, "-q").want(t, exitOK)
		for _, file := range []string{page, svg} {
			if text, err := os.ReadFile(file); err != nil || !strings.Contains(string(text), name+" "+said) {
				t.Errorf("%s of %s does not say %q (%v)", filepath.Base(file), name, said, err)
			}
		}
	}
}
