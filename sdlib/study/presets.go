package study

import (
	"samediff/sdlib/finetune"
	"samediff/sdlib/stimuli"
	"samediff/sdlib/vit"
)

// Presets are the trainings that have a name: those of the course, and at the paper's
// scale one for each of its checkpoints (vit.Checkpoints), such as "clip-b16".
var Presets = presets()

func presets() map[string]Training {
	all := map[string]Training{"quick": Quick, "course": Course, "rmts": RMTS}
	for _, c := range vit.Checkpoints {
		all[c.Name] = paper(c)
	}
	return all
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
