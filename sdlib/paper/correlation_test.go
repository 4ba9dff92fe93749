package paper

import (
	"math"
	"slices"
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

// The r of what the authors logged. They rest on the model from scratch in discrimination, on MAE's in RMTS. The expected values are
// those of Python's statistics.correlation on the same numbers.
func TestPublishedGeneralization(t *testing.T) {
	table, err := GeneralizationTable(PublishedGeneralization())
	if err != nil {
		t.Fatal(err)
	}
	find := func(task, set, models string) []string {
		for _, row := range table.Rows {
			if row[0] == task && row[1] == set && row[2] == models {
				return row
			}
		}
		t.Fatalf("no row of %s, %s, %s in %v", task, set, models, table.Rows)
		return nil
	}
	for _, want := range []struct{ task, set, models, n, r, which string }{
		{"discrimination", "fresh images", "all", "6", "0.95", "scratch"},
		{"discrimination", "new combinations", "all", "6", "0.97", "scratch"},
		{"discrimination", "new objects", "all", "6", "0.95", "scratch"},
		{"discrimination", "new combinations", "pretrained, that learned it", "5", "0.50", ""},
		{"rmts", "fresh images", "all", "5", "0.95", "MAE"},
		{"rmts", "new combinations", "all", "5", "0.62", ""},
		{"rmts", "new objects", "all", "5", "0.64", ""},
	} {
		row := find(want.task, want.set, want.models)
		if row[3] != want.n || row[4] != want.r || want.which != "" && row[7] != want.which {
			t.Errorf("%v, expected n %s, r %s, carried by %q", row, want.n, want.r, want.which)
		}
	}
}

// A model at chance is not in the line, seeds count as one model, and each model has a place in three panels.
func TestFigure6(t *testing.T) {
	var points []GeneralizationPoint
	at := func(name string, x, y float64, chance bool) {
		points = append(points, GeneralizationPoint{Name: name, Pretraining: name, Task: stimuli.Discrimination, Disentangled: x, AtChance: chance, FromScratch: chance,
			Accuracy: map[string]float64{"test (IID)": y, "compositional": y, "OOD shape-color": y}})
	}
	at("scratch", .5, .5, true)
	for _, seed := range []float64{-.02, .02} {
		at("masked", .6+seed, .7, false)
		at("supervised", .8-seed, .8+seed, false)
		at("contrastive", .9, .95+seed, false)
	}
	f, err := Figure6(points)
	if err != nil {
		t.Fatal(err)
	}
	if alt := f.Alt(); strings.Count(alt, "7 points, correlation r = ") != 3 || !strings.Contains(alt, "new combinations") {
		t.Errorf("the alternative text is %q", alt)
	}
	names, x, y := chosen(points, stimuli.Discrimination, "compositional", modelsChoices[1])
	if !slices.Equal(names, []string{"masked", "supervised", "contrastive"}) || math.Abs(x[0]-.6) > 1e-12 || math.Abs(y[1]-.8) > 1e-12 {
		t.Errorf("the models of the line are %v at %v, %v", names, x, y)
	}
	if _, err := Figure6(nil); err == nil || !strings.Contains(err.Error(), "32 set") {
		t.Errorf("without models: %v", err)
	}
}
