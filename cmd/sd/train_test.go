package main

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/spf13/cobra"

	"samediff/internal/halt"
	"samediff/sdlib/artifact"
	"samediff/sdlib/finetune"
	"samediff/sdlib/stimuli"
	"samediff/sdlib/study"
)

// small is a training of the quick model that takes seconds, most of them for compiling a step. It has a checkpoint after
// each of its 8 epochs of 4 steps.
var small = []string{"train", "quick", "--images", "128", "--batch", "32", "--epochs", "8", "--warmup", "2", "--val", "0"}

// trained is what train --json prints.
type trained struct {
	ID       artifact.ID
	Stored   artifact.ID
	Folder   string
	Training study.Training
	History  []struct{ Epoch int }
}

// TestTrainingSurvivesKill ends a training with SIGKILL and starts it again: the weights must be those of a training that was
// left alone, to the byte. Then it uses the model for what else needs one.
func TestTrainingSurvivesKill(t *testing.T) {
	calm, rough := t.TempDir(), t.TempDir()
	first := sd(append(small, "--store", calm)...).want(t, exitOK)
	if n := strings.Count(first.errors, "PJRT") + strings.Count(first.errors, "go: "); n != 1 {
		t.Errorf("the backend is named %d times, want once:\n%s", n, first.errors)
	}
	t.Run("second run reads", func(t *testing.T) {
		again := sd(append(small, "--store", calm)...).want(t, exitOK)
		if again.out != first.out || again.errors != "" {
			t.Errorf("the second run prints\n%s%s\nwant\n%s", again.out, again.errors, first.out)
		}
	})
	want := decode[trained](t, sd(append(small, "--store", calm, "--json")...).want(t, exitOK))
	if len(want.History) != 8 || want.Training.Stimuli.Size != 128 || !strings.Contains(first.out, want.ID.Short()) {
		t.Errorf("--json has %d epochs on %d images; text is\n%s", len(want.History), want.Training.Stimuli.Size, first.out)
	}

	killed, halted := process(t, append(small, "--store", rough)...), filepath.Join(t.TempDir(), "halted")
	killed.Env = append(killed.Env, haltEnv+"=20 "+halted) // some of the looks are before the 32 steps, one is at each of them
	halt.Kill(t, killed, halted)
	if _, err := os.Stat(filepath.Join(rough, "unfinished", string(want.Stored), "files", "work", "checkpoint.safetensors")); err != nil {
		t.Fatalf("the process was not killed in the middle of its training: %v", err)
	}
	entries := decode[[]entry](t, sd("store", "ls", "--json", "--store", rough).want(t, exitOK))
	if len(entries) != 1 || entries[0].State != artifact.Unfinished || entries[0].ID != want.Stored {
		t.Fatalf("after the kill the store has %+v, want one unfinished training", entries)
	}

	got := decode[trained](t, finish(t, process(t, append(small, "--store", rough, "--json")...)).want(t, exitOK))
	if got.ID != want.ID {
		t.Errorf("the resumed model is %s, want %s", got.ID, want.ID)
	}
	for _, name := range []string{"model.safetensors", "config.json"} {
		if !bytes.Equal(read(t, got.Folder, name), read(t, want.Folder, name)) {
			t.Errorf("%s of the killed and resumed training differs from that of the uninterrupted one", name)
		}
	}
	shown := decode[entry](t, sd("store", "show", string(got.Stored[:8]), "--json", "--store", rough).want(t, exitOK))
	if !shown.Meta.Resumed {
		t.Error("the second process started anew instead of resuming")
	}

	t.Run("attention", func(t *testing.T) { testAttentionTrained(t, calm, want) })
	t.Run("attention page", func(t *testing.T) { testAttentionPage(t, calm, want) })
	t.Run("eval", func(t *testing.T) { testEvalTrained(t, calm, want) })
	t.Run("store", func(t *testing.T) { testStore(t, rough, got) })
}

func read(t *testing.T, dir, name string) []byte {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(dir, name))
	if err != nil {
		t.Fatal(err)
	}
	return text
}

// Ctrl-c leaves a checkpoint of the step that was reached, and so does a terminal that is closed.
func TestTrainInterrupted(t *testing.T) {
	for _, s := range []syscall.Signal{syscall.SIGINT, syscall.SIGHUP} {
		t.Run(s.String(), func(t *testing.T) { interruptTraining(t, s) })
	}
}

func interruptTraining(t *testing.T, s syscall.Signal) {
	store := t.TempDir()
	cmd := process(t, "train", "--store", store, "--backend", "go", "--images", "64", "--batch", "4", "--epochs", "1000", "--val", "0")
	var errs bytes.Buffer
	cmd.Stderr = &errs
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	ended := make(chan error, 1)
	go func() { ended <- cmd.Wait() }()
	var work string
	until(t, "the training has begun", func() bool {
		found, _ := filepath.Glob(filepath.Join(store, "unfinished", "*", "files", "work"))
		work = strings.Join(found, " ")
		return work != "" || len(ended) > 0
	})
	if err := cmd.Process.Signal(s); err != nil {
		t.Fatal(err)
	}
	select {
	case <-ended:
	case <-time.After(2 * time.Minute):
		t.Fatalf("the training goes on two minutes after %v", s)
	}
	if status := cmd.ProcessState.ExitCode(); status != exitInterrupted || !strings.HasSuffix(errs.String(), "the same command goes on where it stopped\n") {
		t.Errorf("exit status %d, want %d; standard error:\n%s", status, exitInterrupted, errs.String())
	}
	if _, err := os.Stat(filepath.Join(work, "checkpoint.safetensors")); err != nil {
		t.Errorf("no checkpoint is left: %v", err)
	}
}

func TestPluginThatIsNone(t *testing.T) {
	dir := t.TempDir()
	plugin := filepath.Join(dir, "pjrt_c_api_cpu_plugin.so")
	if err := os.WriteFile(plugin, []byte("this is no library\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	env := "PJRT_PLUGIN_LIBRARY_PATH=" + dir
	train := process(t, append(small, "--backend", "xla:cpu", "--store", t.TempDir())...)
	train.Env = append(train.Env, env)
	finish(t, train).want(t, exitFailure).says(t, plugin, "expected a PJRT plugin", "make setup")

	doctor := process(t, "doctor")
	doctor.Env = append(doctor.Env, env)
	r := finish(t, doctor).want(t, exitFailure)
	if !strings.Contains(r.out, "FAILED  Backend xla:cpu") || !strings.Contains(r.out, plugin) {
		t.Errorf("doctor does not name the plugin:\n%s", r.out)
	}
}

// Each flag changes its own field, and a preset without flags stays what it is.
func TestTrainFlags(t *testing.T) {
	apply := func(args ...string) study.Training {
		t.Helper()
		var f trainFlags
		cmd := &cobra.Command{}
		f.add(cmd)
		if err := cmd.ParseFlags(args); err != nil {
			t.Fatal(err)
		}
		training, err := f.apply(cmd, study.Course)
		if err != nil {
			t.Fatal(err)
		}
		return training
	}
	for _, test := range []struct {
		flags string
		want  func(*study.Training)
	}{
		{"", func(*study.Training) {}},
		{"--seed 7", func(t *study.Training) {
			t.ModelSeed, t.Stimuli.Seed, t.Recipe.Seed, t.Recipe.Pipeline.Seed = 7, 7, 7, 7
		}},
		{"--seed 7 --stimuli-seed 1 --model-seed 2", func(t *study.Training) {
			t.ModelSeed, t.Stimuli.Seed, t.Recipe.Seed, t.Recipe.Pipeline.Seed = 2, 1, 7, 7
		}},
		{"--images 640 --val 0", func(t *study.Training) { t.Stimuli.Size, t.Val = 640, 0 }},
		{"--epochs 3 --batch 32 --lr 1e-4 --warmup 9", func(t *study.Training) {
			t.Recipe.Epochs, t.Recipe.Batch, t.Recipe.LR, t.Recipe.Warmup = 3, 32, 1e-4, 9
		}},
		{"--losses none", func(t *study.Training) {
			t.Recipe.Disentangle.Weight, t.Recipe.Relation.Weight, t.Recipe.Pipeline = 0, 0, finetune.Pipeline{}
		}},
		{"--losses disentangle+relation --after 3 --relation-after 2", func(t *study.Training) {
			t.Recipe.Disentangle.After, t.Recipe.Relation.After, t.Recipe.Pipeline = 3, 2, finetune.Pipeline{}
		}},
		{"--task rmts --objects 32", func(t *study.Training) { t.Stimuli.Task, t.Stimuli.Objects = stimuli.RMTS, stimuli.Compositional32 }},
		{"--geometry B32", func(t *study.Training) { t.Stimuli.Geometry, t.Model.Image, t.Model.Patch = stimuli.B32, 224, 32 }},
	} {
		want := study.Course
		test.want(&want)
		got, err := json.Marshal(apply(strings.Fields(test.flags)...))
		if err != nil {
			t.Fatal(err)
		}
		if text, _ := json.Marshal(want); !bytes.Equal(got, text) {
			t.Errorf("course %s is\n%s\nwant\n%s", test.flags, got, text)
		}
	}
}
