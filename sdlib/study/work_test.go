package study

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"samediff/internal/halt"
	"samediff/sdlib/artifact"
	"samediff/sdlib/backend"
	"samediff/sdlib/finetune"
	"samediff/sdlib/internal/fixture"
	"samediff/sdlib/stimuli"
)

const workerEnv = "STUDY_TEST_WORKER" // the store that a worker process works on

func TestMain(m *testing.M) {
	if store := os.Getenv(workerEnv); store != "" {
		os.Exit(worker(store))
	}
	if store := os.Getenv(dasWorkerEnv); store != "" {
		if err := dasWorker(store); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		os.Exit(0)
	}
	os.Exit(m.Run())
}

// victimEnv, when set, makes a worker one that halts in the middle of the first training that it begins.
const victimEnv = "STUDY_TEST_VICTIM"

// halted is the file by which a process says that it has halted.
func halted(store string) string { return filepath.Join(store, "halted") }

// worker is a process that works through the test's plan. It prints a line for each job that it begins.
func worker(store string) int {
	steps := 0
	if os.Getenv(victimEnv) != "" {
		steps = 30
	}
	ctx := halt.In(context.Background(), steps, halted(store))
	l, err := Open(Options{Store: store, Backend: backend.Go, Notify: func(s string) { fmt.Println(s) }})
	if err == nil {
		err = l.Work(ctx, plan())
	}
	if err != nil {
		fmt.Println("failed:", err)
		return 1
	}
	return 0
}

// plan is three trainings, with an evaluation and head scores of each.
func plan() []Job {
	var jobs []Job
	for seed := range uint64(3) {
		t := tiny()
		t.ModelSeed, t.Recipe.Epochs, t.Stimuli.Size = seed, 12, 64
		s := Trained(fmt.Sprintf("tiny %d", seed), t)
		c := t.Stimuli
		c.Size, c.Split = 64, "test"
		set, err := stimuli.Open(c)
		if err != nil {
			panic(err)
		}
		jobs = append(jobs, Accuracy.Job(s, "on a small set", set, finetune.Condition{}), HeadScores.Job(s, "", set, HeadSample{PerClass: 8, Seed: 1}))
	}
	return jobs
}

func start(t *testing.T, store string, env ...string) (*exec.Cmd, *bufio.Scanner) {
	t.Helper()
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), append(env, workerEnv+"="+store)...)
	cmd.Stderr = os.Stderr
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	return cmd, bufio.NewScanner(out)
}

// Two processes work through one plan; one is killed in the middle of a training. Every job
// is done, none by both, and the results are those of one process alone.
func TestTwoProcesses(t *testing.T) {
	store := t.TempDir()
	victim, says := start(t, store, victimEnv+"=1")
	if !says.Scan() {
		t.Fatal("the first process said nothing")
	}
	begun := says.Text()
	other, lines := start(t, store)
	var first []string
	if lines.Scan() { // both are at work
		first = append(first, lines.Text())
	}
	ended := make(chan error, 1)
	go func() { ended <- victim.Wait() }()
	for _, err := os.Stat(halted(store)); err != nil; _, err = os.Stat(halted(store)) {
		select {
		case err := <-ended:
			t.Fatalf("the first process ended before it halted: %v", err)
		case <-time.After(time.Millisecond):
		}
	}
	if found, _ := filepath.Glob(filepath.Join(store, "unfinished", "*", "files", "work", "*.safetensors")); len(found) == 0 {
		t.Error("the first process is not in the middle of a training: it has no checkpoint")
	}
	if err := victim.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	<-ended
	for lines.Scan() {
		first = append(first, lines.Text())
	}
	if err := other.Wait(); err != nil {
		t.Fatalf("the second process: %v\n%s", err, strings.Join(first, "\n"))
	}
	slices.Sort(first)
	if again := slices.Compact(slices.Clone(first)); len(again) != len(first) {
		t.Errorf("the second process did a job twice:\n%s", strings.Join(first, "\n"))
	}
	t.Logf("the killed process had begun %q; the other did %d jobs", begun, len(first))

	jobs := WithTrainings(plan())
	l, alone := lab(t, store, backend.Go), lab(t, t.TempDir(), backend.Go)
	statuses, err := l.Survey(t.Context(), jobs)
	if err != nil {
		t.Fatal(err)
	}
	for _, s := range statuses {
		if s.State != JobDone {
			t.Errorf("%v is %s", s.Job, s.State)
		}
	}
	if err := alone.Work(t.Context(), plan()); err != nil {
		t.Fatal(err)
	}
	infos, err := l.Store.List(t.Context())
	if err != nil || len(infos) != len(jobs) {
		t.Fatalf("the store has %d results, %v; want %d", len(infos), err, len(jobs))
	}
	for _, i := range infos {
		want, err := alone.Store.Look(t.Context(), i.ID)
		if err != nil {
			t.Errorf("%s (%s) is not a result of one process alone: %v", i.Meta.Step, i.ID.Short(), err)
			continue
		}
		hashes := func(m artifact.Meta) map[string]artifact.ID {
			all := map[string]artifact.ID{}
			for _, f := range m.Files {
				if f.Name != LogFile { // the log has seconds
					all[f.Name] = f.SHA256
				}
			}
			return all
		}
		if got, want := hashes(i.Meta), hashes(want.Meta); !maps.Equal(got, want) {
			t.Errorf("%s has files %v; from one process alone %v", i.Meta.Step, got, want)
		}
	}
}

func TestSurvey(t *testing.T) {
	ctx := t.Context()
	l := lab(t, t.TempDir(), backend.Go)
	jobs := WithTrainings(plan()[:2])
	states := func() (all []JobState) {
		statuses, err := l.Survey(ctx, jobs)
		if err != nil {
			t.Fatal(err)
		}
		for _, s := range statuses {
			all = append(all, s.State)
			if (s.State == JobDone) != (s.Estimate == 0) {
				t.Errorf("%v is %s and takes %g s", s.Job, s.State, s.Estimate)
			}
		}
		return all
	}
	if got, want := states(), []JobState{JobReady, JobWaiting, JobWaiting}; !slices.Equal(got, want) {
		t.Errorf("at first %v, want %v", got, want)
	}
	if _, err := l.Model(ctx, jobs[0].Subject); err != nil {
		t.Fatal(err)
	}
	if got, want := states(), []JobState{JobDone, JobReady, JobReady}; !slices.Equal(got, want) {
		t.Errorf("trained %v, want %v", got, want)
	}
	if err := l.Work(ctx, jobs); err != nil {
		t.Fatal(err)
	}
	if got, want := states(), []JobState{JobDone, JobDone, JobDone}; !slices.Equal(got, want) {
		t.Errorf("worked %v, want %v", got, want)
	}
	if got := fmt.Sprint(jobs[0], "; ", jobs[1]); got != "train tiny 0; evaluate tiny 0: on a small set" {
		t.Errorf("the jobs are called %s", got)
	}
}

// A job that fails holds up those that need its model, and no others.
func TestWorkFailure(t *testing.T) {
	l := lab(t, t.TempDir(), backend.Go)
	broken := errors.New("broken")
	bad := tiny()
	bad.Recipe.LR = 1e30 // becomes NaN
	bad.Recipe.Epochs = 20
	good := plan()[0]
	failing := good
	failing.Step, failing.run = "fails", func(context.Context, *Lab, *Model) error { return broken }
	failing.key = func(id artifact.ID) artifact.Key {
		return artifact.Key{Step: "fails", Inputs: []artifact.ID{id}}
	}
	needs := good
	needs.Subject = Trained("bad", bad)
	err := l.Work(t.Context(), []Job{needs, failing, good})
	if err == nil || !errors.Is(err, broken) || !strings.Contains(err.Error(), "the loss became") || !strings.Contains(err.Error(), "model could not be trained") {
		t.Errorf("the error is %v", err)
	}
	if s, err := l.status(t.Context(), good); err != nil || s.State != JobDone {
		t.Errorf("the good job is %s, %v", s.State, err)
	}
}

// An interrupted worker stops with its context's error.
func TestWorkInterrupted(t *testing.T) {
	ctx, stop := context.WithCancel(t.Context())
	defer stop()
	l, err := Open(Options{Store: t.TempDir(), Backend: backend.Go, OnJob: func(Job) { stop() }}) // while the first job is under way
	if err != nil {
		t.Fatal(err)
	}
	if err := l.Work(ctx, plan()); !errors.Is(err, context.Canceled) {
		t.Errorf("the error is %v", err)
	}
	if left, _ := filepath.Glob(filepath.Join(l.Store.Dir(), "locks", "*")); len(left) > 0 {
		t.Errorf("locks are left: %v", left)
	}
}

func TestDescribe(t *testing.T) {
	for seconds, want := range map[float64]string{.25: "0.2 s", 3: "3 s", 45: "45 s", 150: "2 min", 7200: "2 h", 12600: "3.5 h", 200000: "2 days"} {
		if got := Describe(seconds); got != want {
			t.Errorf("%g seconds are %q, want %q", seconds, got, want)
		}
	}
}

// A training that disappears while its plan is worked on is done again.
func TestWorkLosesModel(t *testing.T) {
	l := lab(t, t.TempDir(), backend.Go)
	good := plan()[0]
	lose := good
	lose.Step = "lose"
	lose.key = func(id artifact.ID) artifact.Key { return artifact.Key{Step: "lose", Inputs: []artifact.ID{id}} }
	lose.run = func(ctx context.Context, l *Lab, m *Model) error {
		return l.Store.Remove(m.Trained)
	}
	ctx, stop := context.WithTimeout(t.Context(), time.Minute)
	defer stop()
	if err := l.Work(ctx, []Job{lose, good}); err != nil {
		t.Fatal(err)
	}
	if s, err := l.status(ctx, good); err != nil || s.State != JobDone {
		t.Errorf("the job after the loss is %s, %v", s.State, err)
	}
}

func TestAccuracyJobsNames(t *testing.T) {
	if _, err := AccuracyJobs(plan()[0].Subject, tiny().Stimuli, "test (IID)", "no such set"); err == nil || !strings.Contains(err.Error(), `"no such set"`) {
		t.Errorf("a set that there is not: %v", err)
	}
}

// What is wrong with a question is said before the store has a trace of it.
func TestWrongQuestions(t *testing.T) {
	l := lab(t, t.TempDir(), backend.Go)
	m := untrained(t, l)
	course := fixture.Set(t, stimuli.Config{Geometry: stimuli.Course, Size: 8})
	quick := smallSet(t)
	for want, ask := range map[string]func() error{
		"no set was given": func() error { _, err := Accuracy.Of(t.Context(), l, m, nil, finetune.Condition{}); return err },
		"evaluate: no set": func() error { _, err := l.EvaluateOn(t.Context(), m, "none", nil); return err },
		"same geometry":    func() error { _, err := Accuracy.Of(t.Context(), l, m, course, finetune.Condition{}); return err },
		"activations: the stimuli have": func() error {
			_, err := l.Activations(t.Context(), m, course, Kept{Nodes: []string{"embed"}})
			return err
		},
		"no image 99 in a set of 64": func() error {
			_, err := l.Activations(t.Context(), m, quick, Kept{Nodes: []string{"embed"}, Images: []int{99}})
			return err
		},
		"take fewer": func() error {
			_, err := HeadScores.Of(t.Context(), l, m, quick, HeadSample{PerClass: 1000})
			return err
		},
	} {
		if err := ask(); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("the error is %v, expected it to speak of %q", err, want)
		}
	}
	if infos, err := l.Store.List(t.Context()); err != nil || len(infos) > 0 {
		t.Errorf("the store has %+v, %v; want nothing", infos, err)
	}
}

// A worker with patience leaves what others have to them.
func TestWorkWhile(t *testing.T) {
	l := lab(t, t.TempDir(), backend.Go)
	other := lab(t, l.Store.Dir(), backend.Go)
	jobs := WithTrainings(plan()[:1])
	r, err := jobs[0].Subject.Training.resolve()
	if err != nil {
		t.Fatal(err)
	}
	left := errors.New("left")
	_, err = other.Store.Get(t.Context(), r.key(), func(ctx context.Context, _ string) error {
		begin := time.Now()
		if err := l.WorkWhile(ctx, jobs, 100*time.Millisecond); !errors.Is(err, ErrOthers) {
			t.Errorf("while another trains the model: %v, want ErrOthers", err)
		}
		if took := time.Since(begin); took < 100*time.Millisecond || took > 30*time.Second {
			t.Errorf("it left after %v, want little more than 100 ms", took)
		}
		return left
	})
	if !errors.Is(err, left) {
		t.Fatal(err)
	}
}

// A plan's name stays while its jobs mean the same, and changes with any of them.
func TestPlanID(t *testing.T) {
	id := func(jobs []Job) artifact.ID {
		id, err := PlanID(jobs)
		if err != nil {
			t.Fatal(err)
		}
		return id
	}
	want := id(plan())
	if got := id(WithTrainings(plan())); got != want {
		t.Errorf("with its trainings written out the plan is %s, without %s", got, want)
	}
	fewer, other := plan()[1:], plan()
	more := *other[0].Subject.Training
	more.Recipe.LR *= 2
	other[0].Subject, other[1].Subject = Trained(other[0].Subject.Name, more), Trained(other[0].Subject.Name, more)
	for what, jobs := range map[string][]Job{"a job less": fewer, "another learning rate": other} {
		if got := id(jobs); got == want {
			t.Errorf("%s: the name of the plan is the same, %s", what, got)
		}
	}
}
