package paper

import (
	"strings"
	"testing"

	"samediff/sdlib/attribution"
	"samediff/sdlib/internal/fixture"
	"samediff/sdlib/stimuli"
)

// The right answer is found at CLS after a block, and nowhere else.
func TestLensFigure(t *testing.T) {
	set := fixture.Set(t, stimuli.Config{Geometry: stimuli.CourseQuick, Split: stimuli.Test, Size: 8, Seed: 1})
	var readings []attribution.Reading
	for i := range set.Len() {
		said := []float64{0, 0}
		said[set.Stimulus(i).Label] = 2 + float64(i%2)
		nothing := [][]float64{{1, 0}, {1, 0}} // different, whatever it is
		readings = append(readings, attribution.Reading{Image: i, Spots: []attribution.Spot{{At: "CLS", Logits: [][]float64{{1, 0}, said}}, {At: "object 1", Logits: nothing}}})
	}
	f, err := LensFigure(set, readings, "test")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := f.SVG(); err != nil {
		t.Error(err)
	}
	for _, part := range []string{"accuracy on 8 images", "CLS: largest value 1 at 1. object 1: largest value 0.5 at 0.", "CLS: largest value 2.5 at 1. object 1: largest value 0 at 0."} {
		if !strings.Contains(f.Alt(), part) {
			t.Errorf("the alternative text lacks %q: %s", part, f.Alt())
		}
	}
	if mean, half := meanInterval([]float64{1, 3}); mean != 2 || half < 1.9599 || half > 1.96 { // a standard error of 1
		t.Errorf("the mean of 1 and 3 is %g ± %g", mean, half)
	}
	readings[3].Spots[1].At = "display 1"
	for want, readings := range map[string][]attribution.Reading{"no readings": nil, "image 3 has no two logits at object 1": readings, "no stimulus 8": {{Image: 8, Spots: readings[0].Spots}}} {
		if _, err := LensFigure(set, readings, ""); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("the error is %v, expected it to speak of %q", err, want)
		}
	}
}
