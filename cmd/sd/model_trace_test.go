package main

import (
	"bytes"
	"context"
	"encoding/json"
	"image"
	"image/color"
	"image/jpeg"
	"image/png"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"samediff/sdlib/safetensors"
)

func openTrace(t *testing.T, path string) *safetensors.File {
	t.Helper()
	f, err := safetensors.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { f.Close() })
	return f
}

func values(t *testing.T, f *safetensors.File, name string) []float32 {
	t.Helper()
	x, _ := f.Tensor(name)
	v, err := x.Float32s()
	if err != nil {
		t.Fatal(err)
	}
	return v
}

// What trace writes is what transformers computed from the same images, whatever the batch.
func TestModelTraceTensor(t *testing.T) {
	t.Setenv("SD_STORE", t.TempDir())
	model := filepath.Join(testdata, "other") // its golden file has two images
	golden := filepath.Join(model, "golden.safetensors")
	want := openTrace(t, golden)
	for _, batch := range []string{"1", "2", "5"} {
		to := filepath.Join(t.TempDir(), "trace.safetensors")
		r := sd("model", "trace", model, "--nodes", "logits, block*/attn/weights", "--tensor", golden, "-o", to, "--batch", batch, "--backend", "go").want(t, exitOK)
		if r.out != "2 images, 3 nodes in "+to+"\n" || !strings.Contains(r.errors, "the file will have") {
			t.Errorf("trace prints %q and %q", r.out, r.errors)
		}
		got := openTrace(t, to)
		if names := got.Names(); !slices.Equal(names, []string{"block00/attn/weights", "block01/attn/weights", "logits"}) {
			t.Fatalf("the file holds %v", names)
		}
		for _, name := range got.Names() {
			a, _ := got.Tensor(name)
			b, _ := want.Tensor(name)
			if !slices.Equal(a.Shape, b.Shape) {
				t.Fatalf("%s has shape %v, want %v", name, a.Shape, b.Shape)
			}
			theirs := values(t, want, name)
			for i, x := range values(t, got, name) {
				if math.Abs(float64(x-theirs[i])) > 1e-5 {
					t.Fatalf("batch %s: %s holds %g at %d, transformers has %g", batch, name, x, i, theirs[i])
				}
			}
		}
		m := got.Metadata()
		if m["model"] != model || m["precision"] != "f32" || m["backend"] != "go" || len(m["hash"]) != 64 || m["images"] != "" {
			t.Errorf("metadata %v", m)
		}
	}
	// Less exact products give other values.
	to := filepath.Join(t.TempDir(), "trace.safetensors")
	sd("model", "trace", model, "--nodes", "logits", "--tensor", golden, "-o", to, "--precision", "bf16", "--backend", "go", "--quiet").want(t, exitOK)
	if slices.Equal(values(t, openTrace(t, to), "logits"), values(t, want, "logits")) {
		t.Error("bf16 computes what f32 does")
	}
}

// painted is an image in one color.
func painted(side int, c color.Color) image.Image {
	m := image.NewNRGBA(image.Rect(0, 0, side, side))
	for i := range side * side {
		m.Set(i%side, i/side, c)
	}
	return m
}

func write(t *testing.T, path string, m image.Image) {
	t.Helper()
	var b bytes.Buffer
	err := png.Encode(&b, m)
	if filepath.Ext(path) != ".png" {
		b.Reset()
		err = jpeg.Encode(&b, m, &jpeg.Options{Quality: 100})
	}
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, b.Bytes(), 0o600); err != nil {
		t.Fatal(err)
	}
}

func TestModelTraceFolder(t *testing.T) {
	t.Setenv("SD_STORE", t.TempDir())
	model, photos := filepath.Join(testdata, "other"), t.TempDir() // it takes 18 x 18 pixels
	red := color.NRGBA{255, 0, 0, 255}
	write(t, filepath.Join(photos, "b.png"), painted(18, red))
	write(t, filepath.Join(photos, "a.png"), painted(18, color.White))
	write(t, filepath.Join(photos, "c.png"), painted(18, color.Transparent)) // on white
	if err := os.WriteFile(filepath.Join(photos, "notes.txt"), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	to := filepath.Join(t.TempDir(), "trace.safetensors")
	args := []string{"model", "trace", model, "--nodes", "embed", "--images", photos, "-o", to, "--backend", "go", "--batch", "2", "--quiet"}
	sd(args...).want(t, exitOK)
	f := openTrace(t, to)
	var names []string
	if err := json.Unmarshal([]byte(f.Metadata()["images"]), &names); err != nil || !slices.Equal(names, []string{"a.png", "b.png", "c.png"}) {
		t.Errorf("the images are %v (%v), want them sorted by name", names, err)
	}
	x := values(t, f, "embed")
	each := len(x) / 3
	if !slices.Equal(x[:each], x[2*each:]) || slices.Equal(x[:each], x[each:2*each]) {
		t.Error("want the transparent image to be the white one, and the red one another")
	}

	// Another size is an error, unless it is to be scaled; a scaled red image is a red image.
	write(t, filepath.Join(photos, "d.jpg"), painted(40, red))
	sd(args...).want(t, exitFailure).says(t, "d.jpg has 40 x 40 pixels, expected 18 x 18: --resize scales them")
	sd(append(args, "--resize")...).want(t, exitOK)
	x = values(t, openTrace(t, to), "embed")
	for i := range each {
		if d := math.Abs(float64(x[each+i] - x[3*each+i])); d > .05 { // JPEG's red is 254, 0, 0
			t.Fatalf("the scaled image differs from the one of the right size by %g", d)
		}
	}

	if err := os.WriteFile(filepath.Join(photos, "e.png"), []byte("no image"), 0o600); err != nil {
		t.Fatal(err)
	}
	sd(args...).want(t, exitFailure).says(t, "e.png", "no PNG, JPEG or WebP image")
}

func TestModelTraceRefuses(t *testing.T) {
	t.Setenv("SD_STORE", t.TempDir())
	model, golden := filepath.Join(testdata, "other"), filepath.Join(testdata, "other", "golden.safetensors")
	to := filepath.Join(t.TempDir(), "trace.safetensors")
	empty := t.TempDir()
	for _, test := range []struct {
		status     int
		args, says string
	}{
		{exitUsage, "-o " + to, "either --images FOLDER or --tensor FILE"},
		{exitUsage, "--tensor " + golden, "-o is missing"},
		{exitUsage, "--tensor " + golden + " --resize -o " + to, "--resize is for --images"},
		{exitUsage, "--tensor " + golden + " --batch 0 -o " + to, "--batch is 0"},
		{exitUsage, "--tensor " + golden + " --precision fp8 -o " + to, "expected one of f32, bf16, tf32"},
		{exitFailure, "--tensor " + golden + " --nodes block02/attn/weights -o " + to, `no node "block02/attn/weights": --list prints`},
		{exitFailure, "--tensor " + filepath.Join(testdata, "clip", "golden.safetensors") + " -o " + to, "expected U8 [n, 18, 18, 3]"},
		{exitFailure, "--tensor " + filepath.Join(model, "model.safetensors") + " -o " + to, "none is called images"},
		{exitFailure, "--images " + empty + " -o " + to, "has no PNG, JPEG or WebP images"},
		{exitFailure, "--images nowhere -o " + to, "nowhere"},
		{exitFailure, "--tensor " + golden + " --quiet -o " + filepath.Join(empty, "no", "folder"), "cannot write"},
	} {
		sd(slices.Concat([]string{"model", "trace", model, "--backend", "go"}, strings.Fields(test.args))...).want(t, test.status).says(t, test.says)
	}
	sd("model", "trace", filepath.Join(testdata, "clip-whole"), "--nodes", "*", "--tensor", golden, "-o", to).want(t, exitFailure).says(t, "logits", "without a head")

	list := sd("model", "trace", model, "--list").want(t, exitOK).out
	for _, part := range []string{"block{00..01}/attn/weights  [B, 2, 10, 10]", "logits                      [B, 5]"} {
		if !strings.Contains(list, part) {
			t.Errorf("--list lacks %q:\n%s", part, list)
		}
	}

	// Interrupted, it leaves nothing behind.
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	var out, errs bytes.Buffer
	status := run(ctx, []string{"model", "trace", model, "--tensor", golden, "-o", to, "--backend", "go", "--quiet"}, &out, &errs)
	if status != exitInterrupted || errs.String() != "sd: interrupted; and no trace was written\n" {
		t.Errorf("status %d, %q", status, errs.String())
	}
	if entries, err := os.ReadDir(filepath.Dir(to)); err != nil || len(entries) != 0 {
		t.Errorf("the folder holds %v (%v)", entries, err)
	}
}
