package main

import (
	"encoding/csv"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"samediff/sdlib/probe"
	"samediff/sdlib/study"
)

// TestProbe asks the course's small model: its table, its CSV and its figure.
func TestProbe(t *testing.T) {
	t.Setenv("SD_STORE", t.TempDir())
	dir := t.TempDir()
	file, figure := filepath.Join(dir, "linear.csv"), filepath.Join(dir, "linear.png")
	args := []string{"probe", "rmts-256-quick", "--method", "convex", "--images", "60", "--intervene", "--intervene-images", "10", "--alphas", "0,1", "--unit", "means-apart", "-q"}
	r := sd(append(args, "--csv", file, "-o", figure)...).want(t, exitOK)
	for _, part := range []string{"Probes of relation (convex): 240 items for training, 240 for the test", "block05/resid_post", "of 40; without an intervention",
		"5 (derived)", "opposite, α 1", "What flips after block", "cosine with next", figure} {
		if !strings.Contains(r.out, part) {
			t.Errorf("the output lacks %q:\n%s", part, r.out)
		}
	}
	f, err := os.Open(file)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	lines, err := csv.NewReader(f).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	probes, interventions := 0, 0
	for _, line := range lines[1:] {
		switch line[7] {
		case "test":
			probes++
		case "intervention":
			interventions++
			if line[11] != "means-apart" {
				t.Fatalf("a line has its factors in %q, expected means-apart: %v", line[11], line)
			}
		}
	}
	if probes != 6*(1+2+4) || interventions != 6*2*2*(1+2+4) {
		t.Errorf("%d lines of probes and %d of interventions, expected 6 blocks, each of all, 2 pairs and 4 kinds, and of 2 directions by 2 factors", probes, interventions)
	}
	if info, err := os.Stat(figure); err != nil || info.Size() == 0 {
		t.Errorf("the figure: %v", err)
	}

	got := decode[struct {
		Probes  study.Probed   `json:"probes"`
		Effects []probe.Effect `json:"effects"`
	}](t, sd(append(args, "--json")...).want(t, exitOK))
	if len(got.Probes.Rows) != 6 || len(got.Effects) != 1+6*2*2 {
		t.Errorf("%d probes and %d effects", len(got.Probes.Rows), len(got.Effects))
	}
	for _, e := range got.Effects[1:] {
		if e.Alpha == 0 && e.Flipped(nil) != got.Effects[0].Flipped(nil) {
			t.Errorf("α 0 after block %d flips %+v, without an intervention it is %+v", e.Block, e.Flipped(nil), got.Effects[0].Flipped(nil))
		}
	}
	sd("probe", "discrimination-256-quick", "--pair", "display", "--images", "60").want(t, exitFailure).says(t, `no image has a pair "display": expected "sample" or "display" in RMTS and none in discrimination`)
}

// A folder of images is halved label by label: an exported set has same and different images in turns.
func TestProbeFolder(t *testing.T) {
	t.Setenv("SD_STORE", t.TempDir())
	images, same := t.TempDir()+"/images", t.TempDir()
	sd("stimuli", "export", images, "--geometry", "course-quick", "--split", "test", "--images", "16", "-q").want(t, exitOK)
	own := []string{"probe", "discrimination-256-quick", "--method", "convex", "-q", "--backend", "go"}
	if r := sd(append(own, "--set", images)...).want(t, exitOK); !strings.Contains(r.out, "8 items for training, 8 for the test") {
		t.Errorf("the probes of a folder of 16 images print\n%s", r.out)
	}
	sd(append(own, "--set", images, "--penalty", "0")...).want(t, exitFailure).says(t, "8 items of 192 numbers without a penalty")
	text, err := os.ReadFile(filepath.Join(images, "metadata.jsonl"))
	if err != nil {
		t.Fatal(err)
	}
	var kept []string
	for _, line := range strings.Split(string(text), "\n") {
		if strings.Contains(line, `"label":1,"kind"`) {
			name := line[len(`{"file_name":"`):][:len("000000.png")]
			picture, err := os.ReadFile(filepath.Join(images, name))
			if err == nil {
				err = os.WriteFile(filepath.Join(same, name), picture, 0o644)
			}
			if err != nil {
				t.Fatal(err)
			}
			kept = append(kept, line)
		}
	}
	if err := os.WriteFile(filepath.Join(same, "metadata.jsonl"), []byte(strings.Join(kept, "\n")), 0o644); err != nil {
		t.Fatal(err)
	}
	sd(append(own, "--set", same)...).want(t, exitFailure).says(t, "all 4 items have the same answer, 1: a probe needs two classes or more")
}
