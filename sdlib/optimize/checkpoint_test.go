package optimize

import (
	"context"
	"errors"
	"math"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/gomlx/gomlx/core/tensors"

	"samediff/sdlib/backend"
	"samediff/sdlib/progress"
	"samediff/sdlib/safetensors"
)

// stop runs a problem until it has taken some steps, with a checkpoint after each look at
// the sums, and leaves a folder with two checkpoints.
func stop(t *testing.T, p Problem, s Settings, steps int) (dir string) {
	t.Helper()
	dir = t.TempDir()
	ctx, cancel := context.WithCancel(t.Context())
	p.Scalars = map[string]func(Moment) float64{"temperature": func(at Moment) float64 {
		if at.Step == steps {
			cancel()
		}
		return Falling(1, .5)(at)
	}}
	if _, err := on(ctx, p, s, Options{Dir: dir, Every: time.Nanosecond}); !errors.Is(err, context.Canceled) {
		t.Fatalf("a canceled run returned %v, expected %v", err, context.Canceled)
	}
	for _, name := range []string{newest, previous} {
		if _, err := os.Stat(filepath.Join(dir, name)); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

// TestResume: a run that goes on ends as one that was left alone, with sets and without.
func TestResume(t *testing.T) {
	for _, sets := range []int{0, 2} {
		want := minimize(t, network(1, sets), everything, Options{})
		if want.Kept[0] == want.History[len(want.History)-1].Epoch {
			t.Fatalf("the best epoch is %d of %v, the last: choose a seed for which they differ", want.Kept, want.History)
		}
		for _, steps := range []int{4, 5, 10} { // in the second epoch, at its end, in the fourth
			dir, first := stop(t, network(1, sets), everything, steps), -1
			got := minimize(t, network(1, sets), everything, Options{Dir: dir, Progress: func(u progress.Update) {
				if first < 0 {
					first = u.Done
				}
			}})
			if first != (steps+1)*everything.Batch || !equal(got, want) {
				t.Errorf("stopped after step %d, a run went on at row %d and ended with %v, expected %v", steps+1, first, got.History, want.History)
			}
		}
	}
}

// TestAnyFlippedBitIsSeen flips each bit of a checkpoint, of its header, its tensors and its
// checksum, and cuts it at each length. It is never read; the one before it is.
func TestAnyFlippedBitIsSeen(t *testing.T) {
	p := network(1, 0)
	p.Params, p.Loss = p.Params[3:], nil
	dir := t.TempDir()
	state, err := newState(&p)
	if err != nil {
		t.Fatal(err)
	}
	c := &checkpoints{dir: dir, run: "this one"}
	if err := c.save(state, header{History: []Epoch{{Epoch: 1, Means: map[string][]float64{"loss": {.25}}}}}); err != nil {
		t.Fatal(err)
	}
	whole, err := os.ReadFile(filepath.Join(dir, newest))
	if err != nil {
		t.Fatal(err)
	}
	refused := func(what string, at int, file []byte) {
		if _, err := c.parse(file, state); !errors.Is(err, errDamaged) && !errors.Is(err, errOtherFormat) {
			t.Fatalf("%s at byte %d: %v, expected %v", what, at, err, errDamaged)
		}
	}
	for i := range whole {
		for bit := range 8 {
			whole[i] ^= 1 << bit
			refused("a flipped bit", i, whole)
			whole[i] ^= 1 << bit
		}
		refused("the end", i, whole[:i])
	}
	refused("one byte more", len(whole), append(whole[:len(whole):len(whole)], 0))
	if h, err := c.parse(whole, state); err != nil || h.History[0].Mean("loss") != .25 {
		t.Errorf("the whole file: %+v, %v", h, err)
	}
}

// TestSaveCopiesNothing: a checkpoint is written from the memory where the state lies, which for
// a large model is gigabytes.
func TestSaveCopiesNothing(t *testing.T) {
	onBackends(t, func(t *testing.T, be *backend.Backend) {
		p := Problem{Params: []Param{{Name: "w", Start: tensors.FromScalarAndDimensions(float32(.5), 2<<20)}}}
		state, err := newState(&p)
		if err != nil {
			t.Fatal(err)
		}
		if err := state.toDevice(be.Engine); err != nil {
			t.Fatal(err)
		}
		c := &checkpoints{dir: t.TempDir()}
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		if err := c.save(state, header{}); err != nil {
			t.Fatal(err)
		}
		runtime.ReadMemStats(&after)
		if got, size := after.TotalAlloc-before.TotalAlloc, state.size(); got > uint64(size)/4 {
			t.Errorf("saving a state of %d MB allocates %d MB, expected buffers of a few", size>>20, got>>20)
		}
	})
}

// TestUnreadableCheckpoints: a damaged one, or one of another version, costs what came
// after the one before it, and nothing else.
func TestUnreadableCheckpoints(t *testing.T) {
	want := minimize(t, network(1, 0), everything, Options{})
	damage := func(path string) error {
		text, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		// The header says after which step: a digit that still is one.
		i := strings.Index(string(text), `"step\":`) + len(`"step\":`)
		text[i] ^= 1
		return os.WriteFile(path, text, 0o644)
	}
	old := func(path string) error { // as earlier versions wrote them
		return safetensors.WriteFile(path, []safetensors.Tensor{safetensors.Float32s("weight/w1", []int{1}, []float32{1})},
			map[string]string{"checkpoint": `{"run":"","step":7,"digest":""}`})
	}
	for name, test := range map[string]struct {
		harm  func(path string) error
		files []string
		says  string
		from  int // row at which the run goes on
	}{
		"damaged newest":   {damage, []string{newest}, "is damaged", 9 * 8},
		"damaged both":     {damage, []string{newest, previous}, "is damaged", 0},
		"of an old format": {old, []string{newest, previous}, "has another format", 0},
	} {
		dir := stop(t, network(1, 0), everything, 9)
		for _, file := range test.files {
			if err := test.harm(filepath.Join(dir, file)); err != nil {
				t.Fatal(err)
			}
		}
		var warnings []string
		first := -1
		got := minimize(t, network(1, 0), everything, Options{Dir: dir, Warn: func(s string) { warnings = append(warnings, s) }, Progress: func(u progress.Update) {
			if first < 0 {
				first = u.Done
			}
		}})
		if !equal(got, want) {
			t.Errorf("%s: the run ended with %v, expected %v", name, got.History, want.History)
		}
		if first != test.from || len(warnings) != len(test.files) || !strings.Contains(warnings[0], newest+" "+test.says) {
			t.Errorf("%s: went on at row %d, expected %d; warnings %q", name, first, test.from, warnings)
		}
	}
}

// TestOfAnotherRun: a checkpoint is not taken up by a run that differs in anything.
func TestOfAnotherRun(t *testing.T) {
	dir := stop(t, network(1, 0), everything, 4)
	for name, change := range map[string]func(*Problem, *Settings){
		"key":      func(p *Problem, _ *Settings) { p.Key = "other" },
		"start":    func(p *Problem, _ *Settings) { p.Params[2].Start = random(77, outputs, hidden) },
		"group":    func(p *Problem, _ *Settings) { p.Params[2].Group = "deep" },
		"measures": func(p *Problem, _ *Settings) { p.Measures = p.Measures[:1] },
		"settings": func(_ *Problem, s *Settings) { s.Patience = 2 },
	} {
		p, s := network(1, 0), everything
		change(&p, &s)
		if _, err := on(t.Context(), p, s, Options{Dir: dir}); !errors.Is(err, errOtherRun) {
			t.Errorf("another %s: %v, expected %v", name, err, errOtherRun)
		}
	}
}

// TestDivergence: the error says which set, where, and where to take the run up.
func TestDivergence(t *testing.T) {
	s := everything
	s.Groups = map[string]Group{"deep": {LRs: []float64{.01, 1e38, .01}}}
	s.Clip, s.Warmup = 0, 0
	_, err := on(t.Context(), network(1, 3), s, Options{Dir: t.TempDir()})
	for _, want := range []string{"the loss of set 1 became", "before step 9", "0.05 and 1e+38", newest + ", after step 6"} {
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("a diverging set: %v, expected an error with %q", err, want)
		}
	}
	s.Groups = map[string]Group{"deep": {LRs: []float64{.01, .01, math.Inf(1)}}}
	_, err = on(t.Context(), network(1, 3), s, Options{})
	if err == nil || !strings.Contains(err.Error(), "of set 2 became") || !strings.Contains(err.Error(), "no checkpoint") {
		t.Errorf("a diverging set without checkpoints: %v", err)
	}
}
