package finetune

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
			Recipe Recipe
			Val    []float64
			Rates  []float64
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
		r := c.Recipe
		r.Epochs, r.Batch, r.LR = golden.About.Epochs, 1, golden.About.LR
		if err := r.validateSchedule(); err != nil {
			t.Fatal(err)
		}
		seen[r.Schedule] = true
		var history []Epoch
		for i, want := range c.Rates {
			if epoch := i / golden.About.Steps; epoch > len(history) {
				e := Epoch{Epoch: epoch}
				if c.Val != nil {
					e.Val = c.Val[epoch-1]
				}
				history = append(history, e)
			}
			if got := r.rate(i, golden.About.Steps, history); math.Abs(got-want) > 1e-12*golden.About.LR {
				t.Errorf("%s, patience %d, warm-up %d: step %d has rate %g, PyTorch %g", r.Schedule, r.Patience, r.Warmup, i, got, want)
			}
		}
	}
	for _, s := range schedules {
		if !seen[s] {
			t.Errorf("no case has the schedule %q", s)
		}
	}
}
