package study

import (
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"samediff/internal/halt"
	"samediff/sdlib/backend"
	"samediff/sdlib/pretrain"
	"samediff/sdlib/scenes"
	"samediff/sdlib/stimuli"
	"samediff/sdlib/vit"
)

// tinyPretraining is a pretraining of a second.
func tinyPretraining(o pretrain.Objective) Pretraining {
	p := Pretraining{
		Model: vit.Config{Image: 64, Patch: 16, Width: 16, Blocks: 2, Heads: 2, MLP: 32}, ModelSeed: 1,
		Scenes: scenes.Config{Image: 64, Seed: 1},
		Recipe: pretrain.Recipe{Objective: o, Epochs: 3, Images: 48, Batch: 8, LR: 1e-3, Warmup: 2, Seed: 1},
	}
	if o == pretrain.Distilled {
		p.Recipe.Teaching = pretrain.Teaching{Local: 1, Prototypes: 8, Hidden: 8, Bottleneck: 8}
		p.Model.Patch = 8
	}
	return p
}

// TestPretrainings: each objective's model is in the store once, and an ordinary fine-tuning begins with it, by its
// folder and by a training that names the pretraining.
func TestPretrainings(t *testing.T) {
	l := openLab(t, t.TempDir())
	for _, o := range pretrain.Objectives {
		t.Run(string(o), func(t *testing.T) {
			p := tinyPretraining(o)
			a, err := l.Pretrain(t.Context(), p)
			if err != nil {
				t.Fatal(err)
			}
			again, err := l.Pretrain(t.Context(), p)
			if err != nil || again.ID != a.ID || again.Dir != a.Dir || len(again.History) != p.Recipe.Epochs {
				t.Fatalf("asked again: %v, %s in %s, expected %s in %s", err, again.ID.Short(), again.Dir, a.ID.Short(), a.Dir)
			}
			if o == pretrain.Distilled {
				return // with patches of 8 pixels a fine-tuning takes longer
			}
			tune := Training{ModelSeed: 1, Stimuli: stimuli.Config{Geometry: stimuli.CourseQuick, Size: 64, Seed: 1}, Recipe: tiny().Recipe}
			tune.Pretraining = &p
			after, err := l.Train(t.Context(), tune)
			if err != nil {
				t.Fatal(err)
			}
			tune.Pretraining, tune.Start = nil, a.Dir
			from, err := l.Train(t.Context(), tune)
			if err != nil {
				t.Fatal(err)
			}
			if after.ID != from.ID {
				t.Errorf("fine-tuned after the pretraining the model is %s, from its folder %s", after.ID.Short(), from.ID.Short())
			}
			if after.Config.Family != a.Config.Family || after.Config.Classes != 2 {
				t.Errorf("fine-tuned, the model is %+v", after.Config)
			}
		})
	}
}

func TestPretrainingErrors(t *testing.T) {
	t.Setenv("SD_EMOJI", t.TempDir())
	l := openLab(t, t.TempDir())
	for want, change := range map[string]func(*Pretraining){
		"expected the same":  func(p *Pretraining) { p.Scenes.Image = 32 },
		"things in a scene":  func(p *Pretraining) { p.Scenes.Most = 99 },
		"objective \"clip\"": func(p *Pretraining) { p.Recipe.Objective = "clip" },
		"sd pictures fetch":  func(p *Pretraining) { p.Scenes.Emoji = "none" },
	} {
		p := tinyPretraining(pretrain.Supervised)
		change(&p)
		if _, err := l.Pretrain(t.Context(), p); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v, expected an error with %q", err, want)
		}
	}
	p := tinyPretraining(pretrain.Supervised)
	for want, tune := range map[string]Training{
		"give one of":       {Pretraining: &p, Start: "x", Stimuli: stimuli.Config{Geometry: stimuli.CourseQuick}},
		"expected the same": {Pretraining: &p, Stimuli: stimuli.Config{Geometry: stimuli.B16}},
		"another model":     {Pretraining: &p, Model: vit.Course, Stimuli: stimuli.Config{Geometry: stimuli.CourseQuick}},
	} {
		tune.Recipe = tiny().Recipe
		if _, err := l.Train(t.Context(), tune); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v, expected an error with %q", err, want)
		}
	}
}

// TestAnaloguePresets: all pretrainings and fine-tunings at course scale are possible, analogues of an objective share one, and
// those of RMTS learn discrimination on the same objects first.
func TestAnaloguePresets(t *testing.T) {
	for _, o := range append([]pretrain.Objective{""}, pretrain.Objectives...) {
		for _, task := range []stimuli.Task{stimuli.Discrimination, stimuli.RMTS} {
			for _, objects := range []stimuli.Objects{stimuli.All256, stimuli.Compositional32} {
				name := AnaloguePreset(o, task, objects)
				training, err := Preset(name)
				if err != nil {
					t.Fatal(err)
				}
				r, err := training.resolve()
				if err != nil {
					t.Errorf("%s: %v", name, err)
					continue
				}
				if task == stimuli.RMTS {
					before, err := Preset(AnaloguePreset(o, stimuli.Discrimination, objects))
					if err != nil || training.After == nil || !reflect.DeepEqual(*training.After, before) {
						t.Errorf("%s does not come after discrimination on the same objects (%v)", name, err)
					}
				} else if o != "" {
					text, _ := json.Marshal(*r.Pretraining)
					want, _ := json.Marshal(Analogues[o])
					if string(text) != string(want) {
						t.Errorf("%s comes after another pretraining than Analogues[%s]", name, o)
					}
				}
			}
		}
	}
}

// pretrainDir, when set, makes the test binary a process that pretrains in a store of that folder.
const pretrainDir = "STUDY_TEST_PRETRAIN"

// TestPretrainingKilled ends a pretraining with SIGKILL in its third epoch of 6 steps. Asked for again, the model is that of one that was
// left alone, to the bit.
func TestPretrainingKilled(t *testing.T) {
	p := tinyPretraining(pretrain.Distilled)
	p.Recipe.Epochs = 6
	if dir := os.Getenv(pretrainDir); dir != "" {
		ctx := halt.In(t.Context(), 0, halted(dir))
		l, err := Open(Options{Store: dir, Backend: backend.Go, OnPretrainEpoch: func(history []pretrain.Epoch) {
			if len(history) == 2 {
				ctx.In(3)
			}
		}})
		if err != nil {
			t.Fatal(err)
		}
		if _, err := l.Pretrain(ctx, p); err != nil {
			t.Fatal(err)
		}
		return
	}
	dir := t.TempDir()
	child := exec.Command(os.Args[0], "-test.run=^TestPretrainingKilled$")
	child.Env = append(os.Environ(), pretrainDir+"="+dir)
	halt.Kill(t, child, halted(dir))
	if found, err := filepath.Glob(filepath.Join(dir, "unfinished", "*", "files", "work", "checkpoint-before.safetensors")); len(found) != 1 {
		t.Fatalf("killed in its third epoch, it has left %q (%v), expected the checkpoints of two epochs", found, err)
	}
	got, err := openLab(t, dir).Pretrain(t.Context(), p)
	if err != nil {
		t.Fatal(err)
	}
	want, err := openLab(t, t.TempDir()).Pretrain(t.Context(), p)
	if err != nil {
		t.Fatal(err)
	}
	if got.ID != want.ID {
		t.Errorf("after a kill the pretraining ended as %s, left alone as %s", got.ID.Short(), want.ID.Short())
	}
}

func openLab(t *testing.T, dir string) *Lab {
	t.Helper()
	l, err := Open(Options{Store: dir, Backend: backend.Go})
	if err != nil {
		t.Fatal(err)
	}
	return l
}
