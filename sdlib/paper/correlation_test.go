package paper

import (
	"math"
	"strings"
	"testing"

	"samediff/sdlib/stimuli"
)

// Anscombe's quartet (Graphs in statistical analysis, The American Statistician 27, 1973): four sets with r = .816. In the
// fourth it is one point's alone.
var (
	anscombeX  = []float64{10, 8, 13, 9, 11, 14, 6, 4, 12, 7, 5}
	anscombeY1 = []float64{8.04, 6.95, 7.58, 8.81, 8.33, 9.96, 7.24, 4.26, 10.84, 4.82, 5.68}
	anscombeX4 = []float64{8, 8, 8, 8, 8, 8, 8, 19, 8, 8, 8}
	anscombeY4 = []float64{6.58, 5.76, 7.71, 8.84, 8.47, 7.04, 5.25, 12.50, 5.56, 7.91, 6.89}
)

func TestCorrelate(t *testing.T) {
	first, err := Correlate(anscombeX, anscombeY1)
	if err != nil {
		t.Fatal(err)
	}
	// r from Anscombe's table; the interval by Python's math module: tanh(atanh(r) ± 1.96/sqrt(8))
	for _, c := range []struct {
		name      string
		got, want float64
	}{{"r", first.R, .81642}, {"low", first.Low, .42439}, {"high", first.High, .95069}} {
		if math.Abs(c.got-c.want) > 2e-5 {
			t.Errorf("%s is %.5f, expected %.5f", c.name, c.got, c.want)
		}
	}
	if !(first.Without > .7 && first.Without < first.R) {
		t.Errorf("without one point r is %.3f, expected a little less than %.3f", first.Without, first.R)
	}
	fourth, err := Correlate(anscombeX4, anscombeY4)
	if err != nil {
		t.Fatal(err)
	}
	if math.Abs(fourth.R-.8165) > 1e-4 || fourth.Carrier != 7 || !math.IsNaN(fourth.Without) || !strings.Contains(fourth.String(), "none without one") {
		t.Errorf("%+v (%v), expected r = .8165, carried by point 7 alone", fourth, fourth)
	}
	if few, err := Correlate([]float64{1, 2}, []float64{3, 4}); err != nil || !math.IsNaN(few.R) || few.String() != "n = 2" {
		t.Errorf("of two models: %v, %v", few, err)
	}
	if _, err := Correlate([]float64{1}, nil); err == nil {
		t.Error("of one and no numbers: no error")
	}
}

func TestFigure6(t *testing.T) {
	var models []Generalization
	for i, x := range []float64{.29, .77, .92, .93} {
		models = append(models, Generalization{"model", stimuli.Discrimination, x, map[string]float64{"test (IID)": x + .05, "compositional": x, "OOD shape-color": .9 - float64(i)*.1}})
	}
	f, err := Figure6(models)
	if err != nil {
		t.Fatal(err)
	}
	if alt := f.Alt(); !strings.Contains(alt, "disentanglement") {
		t.Errorf("the alternative text is %q", alt)
	}
	if _, err := Figure6(nil); err == nil || !strings.Contains(err.Error(), "32 set") {
		t.Errorf("without models: %v", err)
	}
}
