package main

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"samediff/sdlib/vit"
)

// tinyFolder is a folder with a small model.
func tinyFolder(t *testing.T) string {
	t.Helper()
	m, err := vit.New(vit.Config{Image: 8, Patch: 4, Width: 4, Blocks: 1, Heads: 1, MLP: 4, Classes: 2, NormEps: 1e-6,
		Mean: [3]float64{.5, .5, .5}, Std: [3]float64{.5, .5, .5}}, 1)
	if err != nil {
		t.Fatal(err)
	}
	dir := filepath.Join(t.TempDir(), "model")
	if err := m.Save(dir); err != nil {
		t.Fatal(err)
	}
	return dir
}

// What a MODEL is not is said in a line, without the hub.
func TestShowRefusals(t *testing.T) {
	t.Setenv("HF_HUB_OFFLINE", "1")
	dir := t.TempDir()
	file := filepath.Join(dir, "file")
	if err := os.WriteFile(file, []byte("x"), 0o666); err != nil {
		t.Fatal(err)
	}
	for model, want := range map[string]string{
		file:                      "is a file: expected a folder with config.json",
		filepath.Join(dir, "no"):  "there is no folder",
		"./mistyped":              "there is no folder ./mistyped",
		dir:                       "holds no model",
		filepath.Join(dir, "a/b"): "there is no folder",
	} {
		var out, errs bytes.Buffer
		if status := run(t.Context(), []string{"model", "show", model}, &out, &errs); status != exitFailure || !strings.Contains(errs.String(), want) || strings.Count(errs.String(), "\n") != 1 {
			t.Errorf("%s: status %d, %q, want one line with %q", model, status, &errs, want)
		}
	}
}

// A head that does not fit is an error, and not a backbone; what is assumed of images is said.
func TestShowBorders(t *testing.T) {
	dir := tinyFolder(t)
	show := func() (int, string, string) {
		var out, errs bytes.Buffer
		status := run(t.Context(), []string{"model", "show", dir}, &out, &errs)
		return status, out.String(), errs.String()
	}
	if status, out, errs := show(); status != exitOK || errs != "" || !strings.Contains(out, "2 classes (different, same)") || !strings.Contains(out, "both sides to 8 (bilinear)") {
		t.Errorf("status %d, %s%s", status, out, errs)
	}
	if err := os.Remove(filepath.Join(dir, "preprocessor_config.json")); err != nil {
		t.Fatal(err)
	}
	if status, out, errs := show(); status != exitOK || !strings.Contains(errs, "no preprocessor_config.json") || !strings.Contains(out, "assumed ") {
		t.Errorf("without a processor: status %d, %s%s", status, out, errs)
	}
	path := filepath.Join(dir, "config.json")
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, bytes.Replace(text, []byte(`"1": "same"`), []byte(`"1": "same", "2": "both"`), 1), 0o666); err != nil {
		t.Fatal(err)
	}
	if status, _, errs := show(); status != exitFailure || !strings.Contains(errs, "classifier.bias has shape [2], expected [3]") {
		t.Errorf("three labels for two classes: status %d, %s", status, errs)
	}
}
