package main

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"samediff/sdlib/artifact"
)

// testStore looks at, damages and removes the only result of a store.
func testStore(t *testing.T, store string, m trained) {
	in := func(args ...string) result {
		return sd(append(append([]string{"store"}, args...), "--store", store)...)
	}
	short := m.Stored.Short()

	if out := in("ls").want(t, exitOK).out; !strings.Contains(out, short+"  train  finished") || !strings.Contains(out, "1 results") {
		t.Errorf("ls prints\n%s", out)
	}
	show := in("show", short).want(t, exitOK).out
	for _, part := range []string{string(m.Stored), "model.safetensors", "history.json", `"epochs": 8`, m.Folder} {
		if !strings.Contains(show, part) {
			t.Errorf("show lacks %q:\n%s", part, show)
		}
	}
	if out := in("verify").want(t, exitOK).out; out != "ok       "+short+"  train\n" {
		t.Errorf("verify prints %q", out)
	}

	// One bit, which no size shows.
	file := filepath.Join(m.Folder, "model.safetensors")
	weights := read(t, m.Folder, "model.safetensors")
	weights[len(weights)/2] ^= 1
	if err := os.WriteFile(file, weights, 0o600); err != nil {
		t.Fatal(err)
	}
	r := in("verify", short, "--json").want(t, exitFailure)
	r.says(t, "1 of 1 results are damaged")
	if v := decode[[]verdict](t, r); len(v) != 1 || v[0].OK || !strings.Contains(v[0].Problem, "model.safetensors") {
		t.Errorf("verify --json prints\n%s", r.out)
	}
	if entries := decode[[]entry](t, in("ls", "--json").want(t, exitOK)); len(entries) != 1 || entries[0].State != artifact.Damaged {
		t.Errorf("after verify the store has %+v, want one damaged result", entries)
	}
	sd("eval", short, "--store", store).want(t, exitFailure).says(t, "no model")

	in("rm", "0123456789abcdef").want(t, exitFailure).says(t, "no ID in the store")
	in("rm", "xyz").want(t, exitFailure).says(t, "no beginning of an ID")
	if out := in("rm", short).want(t, exitOK).out; !strings.HasPrefix(out, "removed "+short+" (train, 2") {
		t.Errorf("rm prints %q", out)
	}
	if out := in("ls").want(t, exitOK).out; out != "0 results, 0 B, in "+store+"\n" {
		t.Errorf("after rm, ls prints\n%s", out)
	}
}

func TestSize(t *testing.T) {
	for bytes, want := range map[int64]string{0: "0 B", 1023: "1023 B", 1536: "1.5 KiB", 5 << 20: "5.0 MiB", 3 << 29: "1.5 GiB"} {
		if got := size(bytes); got != want {
			t.Errorf("size(%d) = %q, want %q", bytes, got, want)
		}
	}
}

// gc removes what is a cache, and copies that were set aside, and nothing else.
func TestCollect(t *testing.T) {
	store := t.TempDir()
	s, err := artifact.Open(store)
	if err != nil {
		t.Fatal(err)
	}
	made := map[string]*artifact.Artifact{}
	for _, step := range []string{"train", "activations", "evaluate"} {
		made[step], err = s.Get(t.Context(), artifact.Key{Step: step}, func(_ context.Context, dir string) error {
			return os.WriteFile(filepath.Join(dir, "file"), []byte(step), 0o600)
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	if err := os.Truncate(made["evaluate"].Path("file"), 1); err != nil {
		t.Fatal(err)
	}
	in := func(args ...string) result {
		return sd(append(append([]string{"store"}, args...), "--store", store)...)
	}
	in("verify").want(t, exitFailure) // sets the damaged one aside
	dry := in("gc", "--dry-run").want(t, exitOK)
	for _, part := range []string{"would remove " + made["activations"].ID.Short(), "would remove " + made["evaluate"].ID.Short(), "would remove 2 results"} {
		if !strings.Contains(dry.out, part) {
			t.Errorf("the dry run lacks %q:\n%s", part, dry.out)
		}
	}
	if out := in("gc").want(t, exitOK).out; !strings.Contains(out, "removed 2 results") {
		t.Errorf("gc prints\n%s", out)
	}
	left, err := s.List(t.Context())
	if err != nil || len(left) != 1 || left[0].ID != made["train"].ID {
		t.Errorf("left are %+v, %v; want the training", left, err)
	}
}
