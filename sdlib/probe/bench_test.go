package probe

import (
	"testing"

	"samediff/sdlib/backend"
	"samediff/sdlib/stimuli"
	"samediff/sdlib/vit"
)

// BenchmarkIntervene adds two directions to both pairs of images after every block of a Course
// model, compiled before. bench/probe/loop.py does the same in PyTorch, one intervention at a
// time and in batches.
func BenchmarkIntervene(b *testing.B) {
	be, err := backend.Open("")
	if err != nil {
		b.Fatal(err)
	}
	m, err := vit.New(vit.Course, 1)
	if err != nil {
		b.Fatal(err)
	}
	set, err := stimuli.Open(stimuli.Config{Task: stimuli.RMTS, Geometry: stimuli.Course, Size: 256, Seed: 1})
	if err != nil {
		b.Fatal(err)
	}
	var all []Intervention
	for l := range m.Config.Blocks {
		all = append(all, Intervention{Block: l, Add: anyDirections(8 * m.Config.Width), Directions: []Direction{Opposite, Present}, Alphas: []float64{1}})
	}
	if _, err := Intervene(b.Context(), be, m, set, nil, all, nil); err != nil {
		b.Fatal(err)
	}
	answers := 0
	for b.Loop() {
		effects, err := Intervene(b.Context(), be, m, set, nil, all, nil)
		if err != nil {
			b.Fatal(err)
		}
		for _, e := range effects[1:] {
			answers += e.Flipped(nil).N
		}
	}
	b.ReportMetric(float64(answers)/b.Elapsed().Seconds(), "answers/s")
}
