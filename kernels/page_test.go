package kernels_test

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// A page needs no network: formulas are MathML, and nothing is fetched. A formula that can't be written so is an error.
func TestPage(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	write := func(name, formula string) string {
		path := filepath.Join(dir, name)
		text := `{"nbformat": 4, "nbformat_minor": 5, "metadata": {"kernelspec": {"name": "sd", "display_name": "Go (samediff)"}}, "cells": [
			{"cell_type": "markdown", "id": "a", "metadata": {}, "source": "The loss ` + formula + ` of 5 \\$ and 6 \\$.\n\n$$\\frac{1}{n} \\sum_i x_i$$"}]}`
		if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
		return path
	}
	out := filepath.Join(dir, "out")
	if printed, status := run(t, "--out", out, "--html", write("nb.ipynb", `$\\mathcal L < \\mathcal A_1$`)); status != 0 {
		t.Fatalf("exit status %d:\n%s", status, printed)
	}
	page := string(readBytes(t, filepath.Join(out, "nb.html")))
	wantText(t, "page", page, `<math alttext="\mathcal L &lt; \mathcal A_1" display="inline"`, "<mi>ℒ</mi>", "<mi>𝒜</mi>",
		`<math alttext="\frac{1}{n} \sum_i x_i" display="block"`, "<mfrac>", "of 5 $ and 6 $.")
	fetched := regexp.MustCompile(`(?i)cdnjs|jsdelivr|unpkg|mathjax|<(script|link|img|iframe)[^>]*(src|href)=["']?https?:|import\(["']http|@import`)
	if found := fetched.FindString(page); found != "" {
		t.Errorf("the page has %q, expected nothing that a browser fetches", found)
	}

	for name, formula := range map[string]string{"cut.ipynb": `x^`, "unknown.ipynb": `\\prob(x)`} {
		printed, status := run(t, "--out", out, "--html", write(name, "$"+formula+"$"))
		if status == 0 {
			t.Errorf("%s: a formula that is none becomes a page", formula)
		}
		wantText(t, "printed", printed, "FAIL  ", "can't be written as MathML", strings.ReplaceAll(formula, `\\`, `\`))
	}
}
