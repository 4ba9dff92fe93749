package optimize

import (
	"encoding/json"
	"math"
	"os"
	"testing"
)

// TestSchedulesEqualPyTorch compares every learning rate with those of
// torch.optim.lr_scheduler, made by testdata/make_golden_schedules.py.
func TestSchedulesEqualPyTorch(t *testing.T) {
	var golden struct {
		About struct {
			Epochs, Steps int
			LR            float64
		}
		Cases []struct {
			Recipe struct {
				Settings
				Faithful struct {
					Decay bool `json:"decay_by_accuracy"`
				}
			}
			Val   []float64
			Rates []float64
		}
	}
	text, err := os.ReadFile("testdata/schedules.json")
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(text, &golden); err != nil {
		t.Fatal(err)
	}
	seen := map[Schedule]bool{}
	for _, c := range golden.Cases {
		s := c.Recipe.Settings
		s.Epochs, s.Batch, s.LR = golden.About.Epochs, 1, golden.About.LR
		if err := s.Validate(golden.About.Steps); err != nil {
			t.Fatal(err)
		}
		if c.Recipe.Faithful.Decay { // a schedule of its own
			s.Scale = func(at Moment, validated []float64) float64 {
				if at.Epoch == 0 {
					return 1
				}
				return math.Pow(s.gamma(), validated[at.Epoch-1])
			}
		}
		seen[s.Schedule] = true
		var history []Epoch
		for i, want := range c.Rates {
			if epoch := i / golden.About.Steps; epoch > len(history) {
				e := Epoch{Epoch: epoch}
				if c.Val != nil {
					e.Validated = []float64{c.Val[epoch-1]}
				}
				history = append(history, e)
			}
			got := s.rates([]string{""}, 1, s.plan(golden.About.Steps).moment(i), history)[""][0]
			if math.Abs(got-want) > 1e-12*golden.About.LR {
				t.Errorf("%s, patience %d, warm-up %d: step %d has rate %g, PyTorch %g", s.Schedule, s.Patience, s.Warmup, i, got, want)
			}
		}
	}
	for _, s := range schedules {
		if !seen[s] {
			t.Errorf("no case has the schedule %q", s)
		}
	}
}
