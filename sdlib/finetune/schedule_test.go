package finetune

import (
	"encoding/json"
	"math"
	"os"
	"testing"

	"samediff/sdlib/optimize"
)

// TestDecayByAccuracy compares the learning rates of Faithful.DecayByAccuracy with those
// that PyTorch's exponential schedule has when it gets accuracies for epochs. (The other
// schedules are tested in package optimize.)
func TestDecayByAccuracy(t *testing.T) {
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
	text, err := os.ReadFile("../optimize/testdata/schedules.json")
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(text, &golden); err != nil {
		t.Fatal(err)
	}
	cases := 0
	for _, c := range golden.Cases {
		if !c.Recipe.Faithful.DecayByAccuracy {
			continue
		}
		cases++
		for i, want := range c.Rates {
			epoch := i / golden.About.Steps
			got := golden.About.LR * c.Recipe.settings().Scale(optimize.Moment{Step: i, Epoch: epoch}, c.Val[:epoch])
			if math.Abs(got-want) > 1e-12*golden.About.LR {
				t.Errorf("step %d has rate %g, PyTorch %g", i, got, want)
			}
		}
	}
	if cases == 0 {
		t.Error("no case decays by accuracy")
	}
}
