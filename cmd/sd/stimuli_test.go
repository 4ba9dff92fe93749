package main

import (
	"image"
	_ "image/png"
	"os"
	"path/filepath"
	"testing"

	"samediff/sdlib/stimuli"
)

func TestStimuliShow(t *testing.T) {
	to := filepath.Join(t.TempDir(), "sheet.png")
	r := sd("stimuli", "show", "--count", "6", "--columns", "3", "-o", to).want(t, exitOK)
	if r.out != to+"\n" {
		t.Errorf("standard output is %q, want the file's name", r.out)
	}
	f, err := os.Open(to)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if config, _, err := image.DecodeConfig(f); err != nil || config.Width <= config.Height {
		t.Errorf("the sheet is %d x %d (%v), want three columns of two rows", config.Width, config.Height, err)
	}
	sd("stimuli", "show", "-o", filepath.Join(t.TempDir(), "sheet.bmp")).want(t, exitFailure).says(t, ".bmp")
}

func TestCaption(t *testing.T) {
	for _, test := range []struct {
		stimulus stimuli.Stimulus
		want     string
	}{
		{stimuli.Stimulus{Label: 1, Kind: stimuli.Same, Pairs: make([]stimuli.Pair, 1)}, "same"},
		{stimuli.Stimulus{Kind: stimuli.Both, Pairs: make([]stimuli.Pair, 1)}, "different"},
		{stimuli.Stimulus{Kind: stimuli.ColorOnly, Pairs: make([]stimuli.Pair, 1)}, "different (color-only)"},
		{stimuli.Stimulus{Kind: stimuli.Same, Pairs: []stimuli.Pair{{Label: 1}, {}}}, "different (same, different)"},
	} {
		if got := caption(test.stimulus); got != test.want {
			t.Errorf("caption of %+v is %q, want %q", test.stimulus, got, test.want)
		}
	}
}

func TestStimuliStats(t *testing.T) {
	got := decode[struct {
		Config stimuli.Config
		Stats  stimuli.Stats
	}](t, sd("stimuli", "stats", "--images", "64", "--seed", "3", "--json").want(t, exitOK))
	if got.Config.Size != 64 || got.Config.Seed != 3 || got.Stats.Same != 32 || got.Stats.Different != 32 {
		t.Errorf("got %+v, want 32 same and 32 different of seed 3", got)
	}
	if text := sd("stimuli", "stats", "--images", "64").want(t, exitOK).out; text[:36] != "64 stimuli: 32 same, 32 different\npa" {
		t.Errorf("text begins with %q", text[:36])
	}
}

func TestStimuliExport(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "set")
	sd("stimuli", "export", dir, "--images", "8", "--geometry", "course", "--split", "val").want(t, exitOK)
	set, err := stimuli.Import(dir)
	if err != nil {
		t.Fatal(err)
	}
	if c := set.Config(); set.Len() != 8 || c.Geometry != stimuli.Course || c.Split != stimuli.Val {
		t.Errorf("exported %d images of %+v, want 8 of the validation split of course", set.Len(), c)
	}
	sd("stimuli", "export", dir).want(t, exitFailure).says(t, dir)

	dir = filepath.Join(t.TempDir(), "pairs")
	sd("stimuli", "export", dir, "--images", "240", "--counterfactual", "color", "--pairs", "6").want(t, exitOK)
	pairs, err := stimuli.ImportCounterfactuals(dir)
	if err != nil {
		t.Fatal(err)
	}
	if c := pairs.Config(); pairs.Len() != 6 || c.Property != stimuli.ColorProperty || c.Set.Size != 240 {
		t.Errorf("exported %d pairs of %+v, want 6 for color of a set of 240", pairs.Len(), c)
	}
	sd("stimuli", "export", dir, "--counterfactual", "size").want(t, exitUsage).says(t, "shape, color")
}
