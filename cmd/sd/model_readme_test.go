package main

import (
	"os"
	"strings"
	"testing"
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
