package finetune

import (
	"context"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"samediff/internal/halt"
	"samediff/sdlib/backend"
	"samediff/sdlib/safetensors"
	"samediff/sdlib/stimuli"
	"samediff/sdlib/vit"
)

// newest is the file of a run's last checkpoint.
const newest = "checkpoint.safetensors"

// childDir, when set, makes the test binary a process that trains in that folder and halts at the step that childHalts says.
const (
	childDir   = "FINETUNE_TEST_DIR"
	childHalts = "FINETUNE_TEST_HALTS"
)

func TestMain(m *testing.M) {
	if dir := os.Getenv(childDir); dir != "" {
		at, err := strconv.Atoi(os.Getenv(childHalts))
		if err == nil {
			_, err = trainEverything(context.Background(), Options{Dir: dir, Every: time.Nanosecond, Steps: []int{at}, OnStep: func(context.Context, int, *vit.Model) error {
				halt.Here(halted(dir))
				return nil
			}})
		}
		if err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		os.Exit(0)
	}
	os.Exit(m.Run())
}

func halted(dir string) string { return filepath.Join(dir, "halted") }

// everything turns on all that a run has to remember: 6 epochs of 40 steps.
var everything = Recipe{Epochs: 6, Batch: 6, LR: 3e-3, WeightDecay: .01, Schedule: Plateau, Patience: 1, Factor: .5, Warmup: 5, Seed: 4,
	Clip: 1, Accumulate: 2, Fresh: true, Keep: Best,
	Disentangle: Disentangle{Weight: .5, After: 0}, Relation: Relation{Weight: 1, After: 1},
	Pipeline: Pipeline{Weight: .5, WithinObject: []int{0}, WithinPair: []int{0, 1}, BetweenPairs: []int{1}, Heads: 1}}

func trainEverything(ctx context.Context, o Options) (*Result, error) {
	be, err := backend.Open(backend.Go)
	if err != nil {
		return nil, err
	}
	c := small
	c.Width, c.MLP = 8, 16
	m, err := vit.New(c, 1)
	if err != nil {
		return nil, err
	}
	set := stimuli.Config{Task: stimuli.RMTS, Geometry: stimuli.CourseQuick, Split: stimuli.Train, Size: 240, Seed: 1}
	train, err := stimuli.Open(set)
	if err != nil {
		return nil, err
	}
	set.Split, set.Size = stimuli.Val, 40
	val, err := stimuli.Open(set)
	if err != nil {
		return nil, err
	}
	return Train(ctx, be, m, train, val, everything, o)
}

// TestTenKills ends a training with SIGKILL three times in the middle of an epoch and at seven moments more, which depend on the clock: on
// a fast machine the process halts before, so that all have something left to do.
// Resumed each time, it must end with the weights, the best epoch's weights and the
// history of a training that was left alone, to the bit.
func TestTenKills(t *testing.T) {
	calm := t.TempDir()
	want, err := trainEverything(t.Context(), Options{Dir: calm})
	if err != nil {
		t.Fatal(err)
	}
	if want.Epoch == everything.Epochs {
		t.Fatal("the best epoch is the last: choose a seed for which they differ")
	}
	dir := t.TempDir()
	moments := rand.New(rand.NewPCG(1, 2))
	child := func(at int) *exec.Cmd {
		cmd := exec.Command(os.Args[0])
		cmd.Env = append(os.Environ(), childDir+"="+dir, fmt.Sprint(childHalts, "=", at))
		return cmd
	}
	for _, at := range []int{20, 50, 70} { // a checkpoint is written every 10 steps, and after an epoch of 40
		halt.Kill(t, child(at), halted(dir))
		if step := checkpointed(t, dir); step != at {
			t.Errorf("killed at step %d, the last checkpoint is that of step %d", at, step)
		}
	}
	for kill := range 7 { // the last at step 232 of 240 at the latest
		killAt(t, child(88+24*kill), dir, time.Duration(moments.IntN(20000))*time.Microsecond)
		t.Logf("kill %d: the last checkpoint is that of step %d", kill+4, checkpointed(t, dir))
	}
	got, err := trainEverything(t.Context(), Options{Dir: dir})
	if err != nil {
		t.Fatal(err)
	}
	for name, models := range map[string][2]*vit.Model{"best": {got.Model, want.Model}, "last": {got.Last, want.Last}} {
		a, err := models[0].Hash()
		if err != nil {
			t.Fatal(err)
		}
		if b, _ := models[1].Hash(); a != b {
			t.Errorf("the %s weights are %.8s after ten kills, %.8s without", name, a, b)
		}
	}
	for i := range want.History {
		if got.History[i] != want.History[i] {
			t.Errorf("epoch %d after ten kills: %+v, without: %+v", i+1, got.History[i], want.History[i])
		}
	}
	if got.Epoch != want.Epoch {
		t.Errorf("the best epoch is %d after ten kills, %d without", got.Epoch, want.Epoch)
	}
	a, b := readLog(t, filepath.Join(dir, "log.jsonl")), readLog(t, filepath.Join(calm, "log.jsonl"))
	for i := range b {
		if len(a) != len(b) || a[i].Epoch != b[i].Epoch {
			t.Fatalf("the log after ten kills is %+v, without %+v", a, b)
		}
	}
}

// killAt starts a training in dir and kills it some time after its next checkpoint.
func killAt(t *testing.T, child *exec.Cmd, dir string, after time.Duration) {
	t.Helper()
	var errs strings.Builder
	child.Stderr = &errs
	modified := func() time.Time {
		info, err := os.Stat(filepath.Join(dir, newest))
		if err != nil {
			return time.Time{}
		}
		return info.ModTime()
	}
	before := modified()
	if err := child.Start(); err != nil {
		t.Fatal(err)
	}
	ended := make(chan error, 1)
	go func() { ended <- child.Wait() }()
	for now := before; now.IsZero() || now.Equal(before); now = modified() {
		select {
		case err := <-ended:
			t.Fatalf("the training ended before it was killed: %v\n%s", err, errs.String())
		case <-time.After(time.Millisecond):
		}
	}
	time.Sleep(after)
	if err := child.Process.Kill(); err != nil {
		t.Fatalf("%v: %s", err, errs.String())
	}
	if err := <-ended; err == nil || errs.Len() > 0 {
		t.Fatalf("the training was not killed but ended with %v: %s", err, errs.String())
	}
}

// checkpointed returns the step of the checkpoint that a killed training has left.
func checkpointed(t *testing.T, dir string) (step int) {
	t.Helper()
	for _, name := range []string{newest, "checkpoint-before.safetensors"} {
		if f, err := safetensors.Open(filepath.Join(dir, name)); err == nil {
			defer f.Close()
			var h struct{ Step int }
			if err := json.Unmarshal([]byte(f.Metadata()["checkpoint"]), &h); err != nil {
				t.Fatal(err)
			}
			return h.Step
		}
	}
	t.Fatal("a killed training left no checkpoint that can be read")
	return 0
}

func readLog(t *testing.T, path string) (lines []logLine) {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	for _, line := range strings.SplitAfter(string(text), "\n") {
		if line == "" {
			break
		}
		var l logLine
		if err := json.Unmarshal([]byte(line), &l); err != nil || !strings.HasSuffix(line, "\n") {
			t.Fatalf("%s has the line %q: %v", path, line, err)
		}
		lines = append(lines, l)
	}
	return lines
}
