package paper

import (
	"slices"
	"strings"
	"testing"

	"samediff/sdlib/finetune"
	"samediff/sdlib/study"
)

// Two seeds of one preset and one of another: means and ranges, a panel for each task and set, and how long each took.
func TestLearningCurves(t *testing.T) {
	var points []study.CurvePoint
	add := func(preset string, seed uint64, right ...int) {
		for i, r := range right {
			points = append(points, study.CurvePoint{Preset: preset, Seed: seed, Epoch: i + 1, Images: 6400 * (i + 1), Score: finetune.Score{N: 100, Correct: r}})
		}
	}
	add("course-contrastive", 1, 60, 92, 96)
	add("course-scratch", 1, 50, 50, 51)
	add("course-contrastive", 2, 50, 78, 94)
	add("course-contrastive-rmts", 1, 50, 52, 76)
	f, err := LearningCurves(points)
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"Discrimination, 256 combinations. Line chart", "RMTS, 256 combinations. Line chart", "course-contrastive: largest value 0.95 at 1.92e+04", "course-scratch: largest value 0.51"} {
		if !strings.Contains(f.Alt(), want) {
			t.Errorf("the figure says %q, expected %q in it", f.Alt(), want)
		}
	}
	band := learners(points)[0].series()
	if !slices.Equal(band.Lo, []float64{.5, .78, .94}) || !slices.Equal(band.Hi, []float64{.6, .92, .96}) {
		t.Errorf("the band of two seeds is %v to %v", band.Lo, band.Hi)
	}
	table := CurveTable(points)
	want := [][]string{
		{"course-contrastive", "2", "19200", ".950 ± .014", "12800, 12800", "12800, 19200"},
		{"course-scratch", "1", "19200", ".510 (.413–.606)", "never", "never"}, // Wilson's of 51 of 100, in Python .41346, .60581
		{"course-contrastive-rmts", "1", "19200", ".760 (.668–.833)", "19200", "never"},
	}
	for i := range want {
		if !slices.Equal(table.Rows[i], want[i]) {
			t.Errorf("row %d is %q, expected %q", i, table.Rows[i], want[i])
		}
	}
	add("course-masked", 1, 50)
	if _, err := LearningCurves(points); err == nil || !strings.Contains(err.Error(), "draw them apart") {
		t.Errorf("trainings of other lengths: %v", err)
	}
	if _, err := LearningCurves(nil); err == nil || !strings.Contains(err.Error(), "sd seeds --curves") {
		t.Errorf("of no trainings: %v", err)
	}
}
