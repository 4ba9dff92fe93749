package main

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"samediff/sdlib/vit"
)

func hash(t *testing.T, dir string) string {
	t.Helper()
	m, err := vit.Load(dir)
	if err != nil {
		t.Fatal(err)
	}
	h, err := m.Hash()
	if err != nil {
		t.Fatal(err)
	}
	return h
}

func TestModelConvert(t *testing.T) {
	t.Setenv("SD_STORE", t.TempDir())
	from := filepath.Join(testdata, "siglip")
	to := filepath.Join(t.TempDir(), "converted")
	// Each replaces the one before, the last one itself.
	for _, test := range []struct {
		from, flags, file string
	}{
		{from, "--format sharded --shard 1", "model-00001-of-00001.safetensors"},
		{to, "--format bin", "pytorch_model.bin"},
		{to, "", "model.safetensors"},
	} {
		r := sd(append([]string{"model", "convert", test.from, "-o", to}, strings.Fields(test.flags)...)...).want(t, exitOK)
		if !strings.HasPrefix(r.out, test.file+"  0.1 MB\n") || !strings.HasSuffix(r.out, to+"\n") || r.errors != "" {
			t.Errorf("convert %s prints %q and %q", test.flags, r.out, r.errors)
		}
		if hash(t, to) != hash(t, from) {
			t.Errorf("convert %s changed the model", test.flags)
		}
	}
	sd("model", "convert", from, "-o", to, "--dtype", "bf16").want(t, exitOK)
	if rounded := hash(t, to); rounded == hash(t, from) {
		t.Error("bf16 changed nothing")
	}

	// A new head on a backbone, of a seed.
	head := func(seed string) string {
		sd("model", "convert", filepath.Join(testdata, "clip-whole"), "-o", to, "--classes", "3", "--seed", seed).want(t, exitOK)
		if m, err := vit.Load(to); err != nil || m.Config.Classes != 3 {
			t.Errorf("got %+v, %v, want 3 classes", m, err)
		}
		return hash(t, to)
	}
	if a, b := head("1"), head("1"); a != b || a == head("2") {
		t.Errorf("seeds 1, 1 and 2 give %s, %s, %s", a, b, head("2"))
	}
	sd("model", "convert", filepath.Join(testdata, "clip-whole"), "-o", to).want(t, exitFailure).says(t, "without a head", "--classes N")
}

func TestModelConvertRefuses(t *testing.T) {
	t.Setenv("SD_STORE", t.TempDir())
	from := filepath.Join(testdata, "other")
	to := t.TempDir()
	if err := os.WriteFile(filepath.Join(to, "thesis.tex"), []byte("years of work"), 0o600); err != nil {
		t.Fatal(err)
	}
	sd("model", "convert", from, "-o", to).want(t, exitFailure).says(t, to, "thesis.tex", "choose another folder")
	if string(read(t, to, "thesis.tex")) != "years of work" {
		t.Error("the folder was touched")
	}
	for args, says := range map[string]string{
		"":                          "-o is missing",
		"-o x --format gguf":        "expected one of safetensors, sharded, bin",
		"-o x --dtype int8":         "expected one of f32, f16, bf16",
		"-o x --classes 0":          "--classes is 0, expected 1 or more",
		"-o x --seed 2":             "give --classes too",
		"-o x --shard 0":            "--shard is 0 MB",
		"-o x another":              "accepts 1 arg(s), received 2",
		"-o x --classes 2 --seed=-": `invalid argument "-"`,
	} {
		sd(slices.Concat([]string{"model", "convert", from}, strings.Fields(args))...).want(t, exitUsage).says(t, says)
	}
}
