package main

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"samediff/sdlib/vit"
)

// A model as fine-tuning leaves it, with a head and other weights, is packed, shown, evaluated and written whole.
func TestModelPack(t *testing.T) {
	t.Setenv("SD_STORE", t.TempDir())
	dir := t.TempDir()
	base, tuned, packed, whole := filepath.Join(dir, "base"), filepath.Join(dir, "tuned"), filepath.Join(dir, "packed"), filepath.Join(dir, "whole")
	c := vit.CourseQuick
	c.Width, c.Blocks, c.Heads, c.MLP = 16, 2, 2, 16
	for folder, seed := range map[string]uint64{base: 1, tuned: 2} {
		m, err := vit.New(c, seed)
		if err != nil {
			t.Fatal(err)
		}
		if err := m.Save(folder); err != nil {
			t.Fatal(err)
		}
	}

	table := sd("model", "pack", tuned, "--base", base, "--rank", "1,4,100", "-q").want(t, exitOK)
	lines := strings.Split(strings.TrimSpace(table.out), "\n")
	if len(lines) != 5 || !strings.HasPrefix(lines[2], "rank 1 ") || !strings.HasPrefix(lines[4], "rank 100 ") || !strings.HasSuffix(lines[4], " 0.0") {
		t.Errorf("the table of ranks is\n%s", table.out)
	}
	if entries, _ := os.ReadDir(dir); len(entries) != 2 {
		t.Errorf("without -o there is %v", entries)
	}

	r := sd("model", "pack", tuned, "--base", base, "--rank", "100", "--images", "32", "-o", packed, "-q").want(t, exitOK)
	if !strings.HasSuffix(r.out, packed+"\n") || !strings.Contains(r.out, "accuracy before") {
		t.Errorf("pack prints\n%s", r.out)
	}
	show := sd("model", "show", packed).want(t, exitOK).out
	for _, part := range []string{"delta.safetensors, 0.0 MB", "as a difference to ../base, rank 100, 0.0 % of it cut off; on test (IID) accuracy 0.", "(32 images)"} {
		if !strings.Contains(show, part) {
			t.Errorf("show lacks %q:\n%s", part, show)
		}
	}
	if d := decode[description](t, sd("model", "show", packed, "--json").want(t, exitOK)); !strings.HasPrefix(d.Packed, "as a difference to ../base") || d.Config != c {
		t.Errorf("show --json prints %+v", d)
	}
	sd("model", "convert", packed, "-o", whole).want(t, exitOK)
	accuracy := func(folder string) string {
		return strings.ReplaceAll(sd("eval", folder, "--images", "64", "-q").want(t, exitOK).out, folder, "")
	}
	if accuracy(packed) != accuracy(whole) {
		t.Error("the packed model and the whole one answer differently")
	}
	sd("model", "convert", packed, "-o", filepath.Join(dir, "head"), "--classes", "3").want(t, exitOK)
	if m, err := vit.Load(filepath.Join(dir, "head")); err != nil || m.Config.Classes != 3 {
		t.Errorf("a new head on a packed model: %v", err)
	}

	if err := os.RemoveAll(base); err != nil {
		t.Fatal(err)
	}
	for _, command := range [][]string{{"eval", packed}, {"model", "show", packed}, {"model", "convert", packed, "-o", filepath.Join(dir, "again")}} {
		sd(command...).want(t, exitFailure).says(t, packed, "../base")
	}
	if entries, _ := os.ReadDir(dir); slices.ContainsFunc(entries, func(e os.DirEntry) bool { return e.Name() == "again" }) {
		t.Error("a model without its base was converted")
	}
}

func TestModelPackRefuses(t *testing.T) {
	t.Setenv("SD_STORE", t.TempDir())
	t.Setenv("HF_HUB_CACHE", t.TempDir())
	t.Setenv("HF_ASSETS_CACHE", t.TempDir())
	from := filepath.Join(testdata, "other")
	for args, says := range map[string]string{
		"":                                "--base is missing",
		"--base x --rank 0":               "--rank is 0, expected 1 or more",
		"--base x --rank 1,2 -o y":        "-o writes one",
		"--base x --rank 1 --mb 3":        "exclude each other",
		"--base x --error 2":              "--error is 2, expected more than 0, at most 1",
		"--base x --mb=-1":                "--mb is -1",
		"--base x --images=-1":            "--images is -1",
		"--base x --rank 1 --error .5":    "exclude each other",
		"--base x another":                "accepts 1 arg(s), received 2",
		"--base x --rank 1 --rank 2 -o y": "-o writes one",
	} {
		sd(slices.Concat([]string{"model", "pack", from}, strings.Fields(args))...).want(t, exitUsage).says(t, says)
	}
	sd("model", "pack", from, "--base", "clip-b16").want(t, exitFailure).says(t, "`sd model fetch clip-b16` gets it")
	sd("model", "pack", from, "--base", "nothing").want(t, exitFailure).says(t, `no base "nothing"`)
	sd("model", "pack", from, "--base", filepath.Join(testdata, "square"), "-q").want(t, exitFailure).says(t, "another kind of model", "width 12")
}
