package vit

import (
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"samediff/sdlib/hub"
)

// cached puts a folder of testdata into a hub's cache as a checkpoint of a repository.
func cached(t *testing.T, folder string, p Checkpoint) hub.Options {
	t.Helper()
	cache := t.TempDir()
	snapshot := filepath.Join(cache, "models--"+strings.ReplaceAll(p.Repo, "/", "--"), "snapshots", p.Revision)
	if err := os.CopyFS(snapshot, os.DirFS("testdata/"+folder)); err != nil {
		t.Fatal(err)
	}
	return hub.Options{Dir: cache, Offline: true}
}

func TestPretrained(t *testing.T) {
	t.Setenv("HF_ASSETS_CACHE", t.TempDir()) // without what the user has fetched
	for _, p := range Checkpoints {
		if got, err := FindCheckpoint(p.Name); err != nil || got != p {
			t.Errorf("%s is found as %+v, %v", p.Name, got, err)
		}
		if err := p.Config.Validate(); err != nil {
			t.Errorf("%s: %v", p.Name, err)
		}
		if commit := regexp.MustCompile(`^[0-9a-f]{40}$`); p.Repo != "" && !commit.MatchString(p.Revision) {
			t.Errorf("%s is pinned to %q, expected a commit", p.Name, p.Revision)
		}
	}
	for _, name := range []string{"clip-b16", "clip-b32", "dino-b16", "dinov2-b14", "mae-b16", "imagenet-b16", "scratch-b16", "scratch-b32"} {
		if _, err := FindCheckpoint(name); err != nil { // the paper's
			t.Error(err)
		}
	}

	// A checkpoint's geometry decides, and its normalization.
	ctx := t.Context()
	small := golden(t, "clip").Config
	small.Image, small.PosGrid, small.Classes, small.Mean = 48, 4, 2, half
	tiny := Checkpoint{Name: "tiny", Repo: "owner/tiny", Revision: strings.Repeat("12", 20), Config: small}
	before := Checkpoints
	defer func() { Checkpoints = before }()
	Checkpoints = append(slices.Clone(before), tiny)
	m, err := Pretrained(ctx, "tiny", 3, 1, cached(t, "clip-whole", tiny))
	if err != nil {
		t.Fatal(err)
	}
	small.Classes = 3
	if m.Config != small || !m.Weights.Pos.Equal(golden(t, "clip").Weights.Pos) {
		t.Errorf("loaded %+v, expected %+v", m.Config, small)
	}
	clip, _ := FindCheckpoint("clip-b16")
	if _, err := Pretrained(ctx, "clip-b16", 2, 1, cached(t, "clip-whole", clip)); err == nil || !strings.Contains(err.Error(), "is not the model that clip-b16 stands for") {
		t.Errorf("a small model in the place of CLIP: error %v", err)
	}
	if _, err := Pretrained(ctx, "clip-b16", 2, 1, hub.Options{Dir: t.TempDir(), Offline: true}); err == nil || !strings.Contains(err.Error(), clip.Repo) {
		t.Errorf("an empty cache: error %v, expected one that names the repository", err)
	}
	if _, err := Pretrained(ctx, "clip-b17", 2, 1, hub.Options{}); err == nil || !strings.Contains(err.Error(), "expected one of clip-b16, clip-b32") {
		t.Errorf("an unknown checkpoint: error %v", err)
	}
	if _, err := Pretrained(ctx, "clip-b16", 0, 1, hub.Options{Dir: t.TempDir()}); err == nil || !strings.Contains(err.Error(), "classes is 0") {
		t.Errorf("no classes: error %v, and nothing downloaded", err)
	}
}
