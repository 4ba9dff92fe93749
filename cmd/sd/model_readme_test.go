package main

import (
	"fmt"
	"os"
	"strings"
	"testing"

	"samediff/sdlib/paper"
)

// The tables of models/README.md are what the command prints.
func TestModelsReadme(t *testing.T) {
	text, err := os.ReadFile("../../models/README.md")
	if err != nil {
		t.Fatal(err)
	}
	_, after, ok := strings.Cut(string(text), "<!-- sd model ls --paper -->\n```\n")
	shown, _, closed := strings.Cut(after, "\n```\n")
	if !ok || !closed {
		t.Fatal("models/README.md has no block of sd model ls --paper")
	}
	if r := sd("model", "ls", "--paper").want(t, exitOK); strings.TrimSpace(r.out) != shown {
		t.Errorf("models/README.md has\n%s\nsd model ls --paper prints\n%s", shown, r.out)
	}
}

// The accuracies of the real models in README.md are those of their folders.
func TestReadmeRealModels(t *testing.T) {
	text, err := os.ReadFile("../../README.md")
	if err != nil {
		t.Fatal(err)
	}
	models, err := paper.RealModels()
	if err != nil {
		t.Fatal(err)
	}
	shown := 0
	for line := range strings.SplitSeq(string(text), "\n") {
		for _, m := range models {
			if !strings.HasPrefix(line, "| `"+m.Metrics.Name+"`") {
				continue
			}
			shown++
			for _, s := range m.Metrics.Sets[1:] {
				accuracy := strings.TrimPrefix(fmt.Sprintf("%.3f", s.All.Accuracy()), "0")
				if !strings.Contains(line, " "+accuracy+" ") {
					t.Errorf("%s has %s on %s, README.md says %q", m.Metrics.Name, accuracy, s.Name, line)
				}
			}
		}
	}
	if shown == 0 {
		t.Error("README.md shows none of the real models")
	}
}
