package main

import (
	"strings"
	"testing"

	"samediff/sdlib/study"
)

// TestPretrain: a pretraining of two steps, read a second time, and the folder that a training starts from.
func TestPretrain(t *testing.T) {
	store := t.TempDir()
	args := []string{"pretrain", "supervised", "--blocks", "1", "--epochs", "2", "--images", "8", "--batch", "8", "--warmup", "1", "--backend", "go", "--store", store}
	first := sd(args...).want(t, exitOK)
	for _, part := range []string{"measured  loss ", "correct ", "guessing  4.159: the loss of any of 64 names", "folder    " + store} {
		if !strings.Contains(first.out, part) {
			t.Errorf("standard output lacks %q:\n%s", part, first.out)
		}
	}
	if again := sd(args...).want(t, exitOK); again.out != first.out || again.errors != "" {
		t.Errorf("the second run prints\n%s%s\nwant\n%s", again.out, again.errors, first.out)
	}
	got := decode[struct {
		Folder      string
		Pretraining study.Pretraining
		History     []any
	}](t, sd(append(args, "--json")...).want(t, exitOK))
	if p := got.Pretraining; p.Model.Blocks != 1 || p.Recipe.Images != 8 || len(got.History) != 2 || p.Scenes.Seed != 1 {
		t.Errorf("--json says %+v", got)
	}
	sd("train", "course", "--start", got.Folder, "--losses", "none", "--images", "8", "--batch", "8", "--epochs", "1", "--warmup", "0", "--val", "0", "--fresh=false",
		"--backend", "go", "--store", store).want(t, exitOK)
}

func TestPretrainWrong(t *testing.T) {
	t.Setenv("SD_EMOJI", t.TempDir())
	store := t.TempDir()
	sd("pretrain", "clip", "--store", store).want(t, exitUsage).says(t, `no objective "clip"`, "contrastive")
	sd("pretrain", "masked", "--batch", "0", "--store", store).want(t, exitFailure).says(t, "batches of 0 images")
	sd("pretrain", "masked", "--emoji", "--store", store).want(t, exitFailure).says(t, "sd pictures fetch")
	sd("pictures", "pairs", "-o", t.TempDir()).want(t, exitFailure).says(t, "sd pictures fetch")
	sd("pictures", "pairs").want(t, exitUsage).says(t, "-o is missing")
}
