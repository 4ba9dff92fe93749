package main

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"samediff/sdlib/report"
	"samediff/sdlib/study"
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

	// An older page stays until the new one has as much; a file of somebody else stays in any case.
	unfinished := report.Page{Subject: report.Subject{Name: model, Model: &study.Model{Model: m}}, Sizes: report.Quick(c), Left: 5}
	if err := unfinished.Save(page); !errors.Is(err, report.ErrMore) {
		t.Fatal(err)
	}
	if now, err := os.ReadFile(page); err != nil || string(now) != string(text) {
		t.Errorf("a page of a few chapters took the place of a whole one (%v):\n%s", err, now)
	}
	part := filepath.Join(t.TempDir(), "part.html")
	for _, left := range []int{5, 4, 0} {
		unfinished.Left = left
		if err := unfinished.Save(part); err != nil {
			t.Fatal(err)
		}
		now, err := os.ReadFile(part)
		if err != nil || strings.Contains(string(now), "chapters to come: ") != (left > 0) || left > 0 && !strings.Contains(string(now), fmt.Sprintf("chapters to come: %d.", left)) {
			t.Errorf("with %d chapters to come the page (%v) is\n%s", left, err, now)
		}
	}
	// Chapters that were chosen replace a page of more, and nothing less does.
	for _, chosen := range []bool{false, true} {
		few := report.Page{Subject: unfinished.Subject, Sizes: unfinished.Sizes, LeftOut: []report.LeftOut{{Title: "Which heads does it need?", Reason: report.NotStored}}}
		if chosen {
			few.LeftOut[0].Reason = report.NotAsked
		}
		if err := few.Save(part); errors.Is(err, report.ErrMore) == chosen {
			t.Errorf("chosen %t: saving a page that lacks a chapter: %v", chosen, err)
		}
		if now, err := os.ReadFile(part); err != nil || strings.Contains(string(now), "Which heads does it need?") != chosen {
			t.Errorf("chosen %t: the page (%v) is\n%s", chosen, err, now)
		}
	}
	theirs := filepath.Join(t.TempDir(), "thesis.html")
	if err := os.WriteFile(theirs, []byte("<title>Thesis</title>"), 0o644); err != nil {
		t.Fatal(err)
	}
	sd("report", model, "-o", theirs, "--backend", "go", "--store", store).want(t, exitFailure).says(t, theirs, "no report")

	sd("report", model, "--task", "rmts", "-o", page, "--store", store).want(t, exitFailure).says(t, "--task", "fit no geometry")
	sd("report", model, "-o", filepath.Join(page, "below.html"), "--store", store).want(t, exitFailure).says(t, page)
	sd("report", "no/such/model", "--store", store).want(t, exitFailure).says(t, "no/such/model")
	sd("report", "--store", store).want(t, exitUsage)
}

// --chapters takes some chapters, and names those that there are; --stored computes nothing.
func TestReportChapters(t *testing.T) {
	store, page := t.TempDir(), filepath.Join(t.TempDir(), "page.html")
	sd("report", "quick", "--chapters", "das,stages", "--store", store).want(t, exitUsage).says(t, `"stages"`, strings.Join(report.Names(), ", "))
	const model = "discrimination-256-quick"
	stored := []string{"report", model, "--stored", "-o", page, "--store", store, "--backend", "none: nothing is computed"}
	if r := sd(append(stored, "--chapters", "eval,das")...).want(t, exitOK); r.out != page+": chapters 2, left out 6\n" || strings.Count(r.errors, "sd: chapter ") != 2 {
		t.Errorf("of two chapters the command says %q and\n%s", r.out, r.errors)
	}
	text, err := os.ReadFile(page)
	for _, want := range []string{"models/" + model + "/metrics.json", "models/das-" + model + ".csv", "Best block of each search", "Not asked for: this computes it: <code>sd report " + model + " --chapters novel</code>"} {
		if err != nil || !strings.Contains(string(text), want) {
			t.Errorf("the page (%v) lacks %q:\n%s", err, want, text)
		}
	}
	if r := sd(stored...).want(t, exitOK); r.out != page+": chapters 4, left out 4\n" {
		t.Errorf("of what comes along the command says %q", r.out)
	}
	if text, err = os.ReadFile(page); err != nil || !strings.Contains(string(text), "Not computed: the store lacks results of this chapter") {
		t.Errorf("the page (%v) does not say what the store lacks:\n%s", err, text)
	}
	sd("report", "course-scratch", "--stored", "-o", page, "--store", store).want(t, exitFailure).says(t, "read only", "step train")
}
