package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"samediff/sdlib/vit"
)

// A model whose images fit none of the paper's stimuli, and that has other classes: its page says what was left out and why; of images
// of one's own it shows where the heads look.
func TestReportOfForeignModel(t *testing.T) {
	c := vit.CourseQuick
	c.Image, c.Patch, c.Width, c.Blocks, c.Heads, c.MLP, c.Classes = 32, 8, 8, 1, 2, 16, 3
	m, err := vit.New(c, 1)
	if err != nil {
		t.Fatal(err)
	}
	model, page, store := t.TempDir(), filepath.Join(t.TempDir(), "page.html"), t.TempDir()
	if err := m.Save(model); err != nil {
		t.Fatal(err)
	}
	r := sd("report", model, "-o", page, "--backend", "go", "--store", store).want(t, exitOK)
	if r.out != page+": chapters 0, left out 8\n" || strings.Count(r.errors, "sd: chapter ") != 8 {
		t.Errorf("the command says %q and\n%s", r.out, r.errors)
	}
	text, err := os.ReadFile(page)
	if err != nil || !strings.Contains(string(text), "fit no geometry") || !strings.Contains(string(text), "expected 2") {
		t.Errorf("the page (%v) does not say why:\n%s", err, text)
	}
	// A backbone has no answer of its own.
	sd("report", filepath.Join(testdata, "clip-whole"), "-q", "-o", page, "--backend", "go", "--store", store).want(t, exitOK)
	if text, err = os.ReadFile(page); err != nil || !strings.Contains(string(text), "the model has no answer of its own (") {
		t.Errorf("the page of a backbone (%v):\n%s", err, text)
	}

	sd("report", model, "--task", "rmts", "-o", page, "--store", store).want(t, exitFailure).says(t, "--task", "fit no geometry")
	sd("report", model, "-o", filepath.Join(page, "below.html"), "--store", store).want(t, exitFailure).says(t, page)
	sd("report", "no/such/model", "--store", store).want(t, exitFailure).says(t, "no/such/model")
	sd("report", "--store", store).want(t, exitUsage)
}
