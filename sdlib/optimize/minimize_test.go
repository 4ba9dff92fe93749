package optimize

import (
	"context"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	. "github.com/gomlx/gomlx/core/graph"
	"github.com/gomlx/gomlx/core/tensors"

	"samediff/sdlib/progress"
)

// TestMinimizeLeavesItsProblemAlone: starts, constants and data can be used again.
func TestMinimizeLeavesItsProblemAlone(t *testing.T) {
	p := network(1, 0)
	before := flat([]*tensors.Tensor{p.Params[0].Start, p.Constants[0]})
	one := minimize(t, p, everything, Options{})
	two := minimize(t, p, everything, Options{})
	if !equal(one, two) || !slices.Equal(before, flat([]*tensors.Tensor{p.Params[0].Start, p.Constants[0]})) {
		t.Errorf("a second run of the same problem ended with %v, the first with %v", two.History, one.History)
	}
	s := everything
	s.Seed++
	if equal(one, minimize(t, p, s, Options{})) {
		t.Error("another seed ended with the same values")
	}
}

// TestBest: what is kept are the values of a run that ends after the best epoch, which a
// constant learning rate makes comparable.
func TestBest(t *testing.T) {
	s := everything
	s.Schedule, s.Warmup = Constant, 0
	p := network(1, 0)
	long := minimize(t, p, s, Options{})
	kept := long.Kept[0]
	if val := validated(long.History, 0); kept == s.Epochs || val[kept-1] != slices.Max(val) {
		t.Fatalf("epoch %d was kept of %v: expected the best, and the test needs a seed for which it is not the last", kept, val)
	}
	s.Epochs, s.Keep = kept, Last
	p.Scalars["temperature"] = func(at Moment) float64 { return Falling(1, .5)(Moment{Step: at.Step, Steps: 18}) }
	short := minimize(t, p, s, Options{})
	if !slices.Equal(flat(short.Params), flat(long.Params)) || short.Kept[0] != kept {
		t.Errorf("the kept values are not those after epoch %d", kept)
	}
	for want, of := range map[int][]float64{0: nil, 1: {.5, .5, .5}, 2: {.5, .7, .6, .7}, 3: {.5, .7, .8}} {
		if got := best(of); got != want {
			t.Errorf("epoch %d is the best of %v, expected %d", got, of, want)
		}
	}
}

// TestSteps: a run can end within an epoch, whose means are those of the steps it had.
func TestSteps(t *testing.T) {
	run := func(epochs, steps int, o Options) *Result {
		p, s := network(1, 0), everything
		p.Scalars["temperature"] = func(Moment) float64 { return 1 }
		s.Epochs, s.Steps = epochs, steps
		return minimize(t, p, s, o)
	}
	var rows, total int
	var shown []int
	short := run(0, 8, Options{
		OnEpoch:  func(history []Epoch) { shown = append(shown, len(history)) },
		Progress: func(u progress.Update) { rows, total = u.Done, u.Total },
	})
	if len(short.History) != 3 || !slices.Equal(shown, []int{1, 2, 3}) || rows != 8*8 || total != 8*8 {
		t.Fatalf("8 steps: %d epochs, shown as %v, and %d of %d rows; expected 3 and 64", len(short.History), shown, rows, total)
	}
	whole := run(3, 0, Options{})
	if !equal(whole, run(0, 9, Options{})) {
		t.Error("9 steps are not 3 epochs of 3")
	}
	for i, e := range short.History {
		if e.Seconds.Step <= 0 || e.Seconds.Evaluation <= 0 || len(e.Means) != 3 || e.Mean("open") <= 0 {
			t.Errorf("epoch %d: %+v", e.Epoch, e)
		}
		if other := whole.History[i]; i < 2 && e.Mean("loss") != other.Mean("loss") {
			t.Errorf("epoch %d: mean loss %g of 8 steps, %g of 9", e.Epoch, e.Mean("loss"), other.Mean("loss"))
		}
	}
	two, three := 2*short.History[2].Mean("loss"), 3*whole.History[2].Mean("loss")
	if last := three - two; last < .2*two || last > .8*two { // the third step's loss is about half of two
		t.Errorf("two steps of an epoch add up to %g, three to %g", two, three)
	}
}

// TestScalarsAndMeans follows a loss that is known: T + p, with the gradient 1.
func TestScalarsAndMeans(t *testing.T) {
	p := Problem{
		Params:  []Param{{Name: "p", Start: tensors.FromValue(float32(10))}},
		Data:    Table(random(1, 4, 1)),
		Scalars: map[string]func(Moment) float64{"T": Falling(8, 1)},
		Loss:    func(in Inputs) (*Node, map[string]*Node) { return Add(in.Scalars["T"], in.Param("p")), nil },
	}
	dir := t.TempDir()
	res := minimize(t, p, Settings{Epochs: 2, Batch: 2, LR: 1}, Options{Dir: dir})
	// Adam's first steps on a constant gradient are of length LR: p is 10, 9, 8, 7. T is 8, 4, 2, 1.
	for i, want := range []float64{(8 + 10 + 4 + 9) / 2., (2 + 8 + 1 + 7) / 2.} {
		if got := res.History[i].Mean("loss"); math.Abs(got-want) > 1e-4 {
			t.Errorf("epoch %d: mean loss %g, expected %g", i+1, got, want)
		}
	}
	if got := tensors.ToScalar[float32](res.Param("p")); math.Abs(float64(got)-6) > 1e-4 || res.Param("q") != nil {
		t.Errorf("p is %g, expected 6", got)
	}
	text, err := os.ReadFile(filepath.Join(dir, logFile))
	if err != nil {
		t.Fatal(err)
	}
	lines := strings.Split(strings.TrimSpace(string(text)), "\n")
	if len(lines) != 2 || !strings.HasPrefix(lines[1], `{"epoch":2,"lr":{"":[1]},"means":{"loss":[9.0`) {
		t.Errorf("the log is\n%s", text)
	}
}

// TestErrors: what is wrong with a problem is said before anything is computed, and what is
// wrong with a loss with the line of the user's own code.
func TestErrors(t *testing.T) {
	for want, change := range map[string]func(*Problem, *Settings){
		"needs Params, Data and Loss":        func(p *Problem, _ *Settings) { p.Loss = nil },
		"one of its own":                     func(p *Problem, _ *Settings) { p.Params[1].Name = "w1" },
		"not float32":                        func(p *Problem, _ *Settings) { p.Params[1].Start = tensors.FromValue([]int32{1}) },
		"which Settings.Groups lacks":        func(p *Problem, _ *Settings) { p.Params[1].Group = "shallow" },
		`no parameter is of group "x"`:       func(_ *Problem, s *Settings) { s.Groups = map[string]Group{"deep": {LR: 1}, "x": {LR: 1}} },
		"the learning rate is 0":             func(_ *Problem, s *Settings) { s.Groups = map[string]Group{"deep": {}} },
		"expected a first axis of 4":         func(p *Problem, _ *Settings) { p.Sets = 4 },
		"2 learning rates for 0 sets":        func(_ *Problem, s *Settings) { s.LRs = []float64{1, 2} },
		"-1 sets":                            func(p *Problem, _ *Settings) { p.Sets = -1 },
		"two measures":                       func(p *Problem, _ *Settings) { p.Measures = []string{"open", "open"} },
		"Problem.Validate is nil":            func(p *Problem, _ *Settings) { p.Validate = nil },
		"both or none":                       func(p *Problem, _ *Settings) { follow(p, .9); p.Carry = nil },
		"expected whole ones":                func(p *Problem, s *Settings) { follow(p, .9); s.Accumulate = 2 },
		`carried tensor 1 has the name "w1"`: func(p *Problem, s *Settings) { follow(p, .9); s.Accumulate = 0; p.Carried[1].Name = "w1" },
		"Carry returned 1 tensors, expected one for each of Problem.Carried, 4": func(p *Problem, s *Settings) {
			follow(p, .9)
			s.Accumulate = 0
			p.Carry = func(in Inputs, params []*Node) []*Node { return params[:1] }
		},
		"data has no rows":      func(p *Problem, _ *Settings) { p.Data = Table() },
		"6 epochs and 3 steps":  func(_ *Problem, s *Settings) { s.Steps = 3 },
		`optimizer "sgd"`:       func(_ *Problem, s *Settings) { s.Optimizer = "sgd" },
		"moments that decay":    func(_ *Problem, s *Settings) { s.Beta2 = 1 },
		"24 rows cannot be cut": func(_ *Problem, s *Settings) { s.Batch, s.Accumulate = 0, 5 },
		"first axis of 24 rows": func(p *Problem, _ *Settings) { p.Data = Table(random(1, rowsN, inputs), random(1, 3, outputs)) },
		"expected 1 finite numbers": func(p *Problem, _ *Settings) {
			p.Validate = func(context.Context, []*tensors.Tensor) ([]float64, error) { return nil, nil }
		},

		`no "open"`: func(p *Problem, _ *Settings) {
			p.Loss = func(in Inputs) (*Node, map[string]*Node) {
				return ReduceAllSum(in.Params[0]), map[string]*Node{"error": ReduceAllSum(in.Params[0])}
			}
		},
		`returned "loss" as`: func(p *Problem, _ *Settings) {
			p.Loss = func(in Inputs) (*Node, map[string]*Node) { return in.Params[0], nil }
		},
		`no parameter has the name "w3", expected one of ["w1" "b1" "w2" "b2"] (at minimize_test.go:`: func(p *Problem, _ *Settings) {
			p.Loss = func(in Inputs) (*Node, map[string]*Node) { return in.Param("w3"), nil }
		},
		`(at minimize_test.go:`: func(p *Problem, _ *Settings) {
			p.Loss = func(in Inputs) (*Node, map[string]*Node) { return Add(in.Params[0], in.Params[3]), nil }
		},
	} {
		p, s := network(1, 0), everything
		change(&p, &s)
		if _, err := on(t.Context(), p, s, Options{}); err == nil || !strings.Contains(err.Error(), want) || !strings.HasPrefix(err.Error(), "optimize: ") {
			t.Errorf("error %v, expected one with %q", err, want)
		}
	}
}
