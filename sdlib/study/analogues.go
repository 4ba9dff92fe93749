package study

import (
	"samediff/sdlib/finetune"
	"samediff/sdlib/pretrain"
	"samediff/sdlib/scenes"
	"samediff/sdlib/stimuli"
	"samediff/sdlib/vit"
)

// Analogues are the pretrainings at course scale by objective: vit.Course's sizes, the same scenes for all. `sd pretrain
// OBJECTIVE` runs one in about a quarter of an hour on one CPU core.
var Analogues = analogues()

func analogues() map[pretrain.Objective]Pretraining {
	all := map[pretrain.Objective]Pretraining{}
	for _, o := range pretrain.Objectives {
		p := Pretraining{Model: vit.Course, ModelSeed: 1, Scenes: scenes.Config{Image: vit.Course.Image, Seed: 1}, Recipe: pretrain.Course[o]}
		set, err := p.open()
		if err != nil {
			panic(err) // a configuration of this package's own
		}
		p.Model, p.Scenes = p.Recipe.Config(p.Model, set), set.Config()
		all[o] = p
	}
	return all
}

// AnalogueRecipe fine-tunes analogues and, for comparison, a model from scratch: the task loss alone, as the paper fine-tunes
// pretrained models, on images that no epoch repeats. After a third of these epochs all analogues that learn discrimination
// still answer by color.
var AnalogueRecipe = finetune.Recipe{Epochs: 36, Batch: 64, LR: 5e-4, WeightDecay: .01, Schedule: finetune.Cosine, Warmup: 100, Seed: 1, Fresh: true}

// AnalogueTraining fine-tunes the analogue of an objective on a task: discrimination, or relational match-to-sample after
// discrimination on the same objects, as [ClipMinutesRMTS] does. The objective "" is the control: the same from random weights.
func AnalogueTraining(o pretrain.Objective, task stimuli.Task, objects stimuli.Objects) Training {
	t := Training{ModelSeed: 1, Model: vit.Course, Stimuli: stimuli.Config{Task: task, Objects: objects, Geometry: stimuli.Course, Seed: 1}, Val: 1600, Recipe: AnalogueRecipe}
	if task == stimuli.RMTS {
		before := AnalogueTraining(o, stimuli.Discrimination, objects)
		t.Model, t.After = before.Model, &before
		return t
	}
	if o == "" {
		return t
	}
	p := Analogues[o]
	t.Pretraining, t.Model = &p, p.Model
	t.Model.Classes = 2
	return t
}

// AnaloguePreset names the fine-tunings of analogues among [Presets]: "course-contrastive", "course-masked-rmts-32", and the
// control "course-scratch".
func AnaloguePreset(o pretrain.Objective, task stimuli.Task, objects stimuli.Objects) string {
	if o == "" {
		o = "scratch"
	}
	return PresetName("course-"+string(o), task, objects)
}

// CompositionalPresets names the fine-tunings of analogues and of their control on 32 combinations of shape and color, for both
// tasks: the models of Figure 6 at course scale.
func CompositionalPresets() (all []string) {
	for _, task := range []stimuli.Task{stimuli.Discrimination, stimuli.RMTS} {
		for _, o := range append([]pretrain.Objective{""}, pretrain.Objectives...) {
			all = append(all, AnaloguePreset(o, task, stimuli.Compositional32))
		}
	}
	return all
}

// AnaloguePresets names all fine-tunings of analogues and of their control: both tasks, all combinations and 32 of them.
func AnaloguePresets() (all []string) {
	for _, task := range []stimuli.Task{stimuli.Discrimination, stimuli.RMTS} {
		for _, objects := range []stimuli.Objects{stimuli.All256, stimuli.Compositional32} {
			for _, o := range append([]pretrain.Objective{""}, pretrain.Objectives...) {
				all = append(all, AnaloguePreset(o, task, objects))
			}
		}
	}
	return all
}

// addAnalogues puts the fine-tunings of analogues among presets.
func addAnalogues(presets map[string]Training) {
	for _, o := range append([]pretrain.Objective{""}, pretrain.Objectives...) {
		for _, task := range []stimuli.Task{stimuli.Discrimination, stimuli.RMTS} {
			for _, objects := range []stimuli.Objects{stimuli.All256, stimuli.Compositional32} {
				presets[AnaloguePreset(o, task, objects)] = AnalogueTraining(o, task, objects)
			}
		}
	}
}
