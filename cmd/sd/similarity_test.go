package main

import (
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestSimilarity compares the course's small models with themselves and each other.
func TestSimilarity(t *testing.T) {
	t.Setenv("SD_STORE", t.TempDir())
	dir := t.TempDir()
	file, figure := filepath.Join(dir, "cka.csv"), filepath.Join(dir, "cka.png")
	type answer struct{ Similarity [][]float64 }
	own := decode[answer](t, sd("similarity", "discrimination-256-quick", "--images", "20", "--measure", "rsa", "--json", "-q").want(t, exitOK)).Similarity
	for i := range own {
		for j := range own {
			if i == j && math.Abs(own[i][j]-1) > 1e-9 || math.Abs(own[i][j]-own[j][i]) > 1e-9 || own[i][j] > 1+1e-9 {
				t.Errorf("similarity of %d and %d is %g, the other way round %g", i, j, own[i][j], own[j][i])
			}
		}
	}
	r := sd("similarity", "discrimination-256-quick", "discrimination-256-quick-plain", "--images", "20", "--at", "mean", "--csv", file, "-o", figure, "-q").want(t, exitOK)
	if !strings.Contains(r.out, "cka at mean, 40 images: discrimination-256-quick (rows), discrimination-256-quick-plain (columns)") {
		t.Errorf("the output is\n%s", r.out)
	}
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if n := strings.Count(string(text), "\n"); n != 1+(len(own)+1)*(len(own)+1) {
		t.Errorf("%d lines of numbers, expected a head and the embedding with %d blocks, squared", n, len(own))
	}
	if info, err := os.Stat(figure); err != nil || info.Size() == 0 {
		t.Errorf("the figure: %v", err)
	}
	sd("similarity", "quick", "course", "--checkpoint", "clip-b16").want(t, exitUsage)
	sd("similarity", "discrimination-256-quick", "discrimination-256-course", "--images", "20", "-q").want(t, exitFailure).says(t, "give both the same geometry")
}
