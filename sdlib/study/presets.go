package study

import (
	"fmt"
	"strings"

	"samediff/sdlib/finetune"
	"samediff/sdlib/pretrain"
	"samediff/sdlib/stimuli"
	"samediff/sdlib/vit"
)

// Presets are the trainings that have a name: "quick", "course" and "rmts" of the course, trained
// from scratch; fine-tunings of pretrained models in minutes, such as "clip-b16-112"; those of analogues that are
// pretrained here, such as "course-contrastive-32" ([AnaloguePreset]); and at the
// paper's scale, for each checkpoint C of vit.Checkpoints, C (discrimination, all 256 combinations
// of shape and color), C-rmts, C-32 and C-rmts-32, such as "clip-b16-rmts-32".
var Presets = presets()

func presets() map[string]Training {
	all := map[string]Training{"quick": Quick, "course": Course, "rmts": RMTS}
	for _, c := range vit.Checkpoints {
		for _, task := range []stimuli.Task{stimuli.Discrimination, stimuli.RMTS} {
			for _, objects := range []stimuli.Objects{stimuli.All256, stimuli.Compositional32} {
				t := paper(c)
				t.Stimuli.Task, t.Stimuli.Objects = task, objects
				all[PresetName(c.Name, task, objects)] = t
			}
		}
	}
	for _, m := range minutes {
		all[m.name] = m.training
	}
	addAnalogues(all)
	return all
}

// PresetName returns the name of a checkpoint's preset.
func PresetName(checkpoint string, task stimuli.Task, objects stimuli.Objects) string {
	if task == stimuli.RMTS {
		checkpoint += "-rmts"
	}
	if objects == stimuli.Compositional32 {
		checkpoint += "-32"
	}
	return checkpoint
}

// Preset returns the training of a name. The error lists the names.
func Preset(name string) (Training, error) {
	if t, ok := Presets[name]; ok {
		return t, nil
	}
	return Training{}, fmt.Errorf("no preset %q: expected %s", name, presetNames())
}

// presetNames lists the presets for messages.
func presetNames() string {
	names := []string{"quick", "course", "rmts"}
	for _, m := range minutes {
		names = append(names, m.name)
	}
	var checkpoints []string
	for _, c := range vit.Checkpoints {
		checkpoints = append(checkpoints, c.Name)
	}
	names = append(names, "course-scratch")
	for _, o := range pretrain.Objectives {
		names = append(names, "course-"+string(o))
	}
	return strings.Join(names, ", ") + ", or one of " + strings.Join(checkpoints, ", ") + "; those and course-... each also with -rmts, -32 or -rmts-32 behind it"
}

// paper returns the paper's fine-tuning of a checkpoint (section 2; docs/paper.md 3):
// discrimination on all 256 objects, 200 epochs of AdamW at 1e-6. The auxiliary losses
// of section 7, when they are switched on, read after the third block.
func paper(c vit.Checkpoint) Training {
	t := Training{Model: c.Config, ModelSeed: 1, Stimuli: stimuli.Config{Geometry: geometryOf(c.Config), Seed: 1}, Val: 6400, Recipe: finetune.Paper}
	t.Recipe.Seed, t.Recipe.Disentangle.After, t.Recipe.Relation.After = 1, 2, 7
	if c.Repo != "" {
		t.Start = c.Name
	}
	return t
}

// geometryOf returns the stimuli's geometry that fits a model, the zero value if there is none.
func geometryOf(c vit.Config) stimuli.Geometry {
	for _, g := range stimuli.Geometries() {
		if g.Image == c.Image && g.Patch == c.Patch {
			return g
		}
	}
	return stimuli.Geometry{}
}
