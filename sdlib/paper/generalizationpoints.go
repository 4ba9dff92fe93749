package paper

import (
	"slices"

	"samediff/sdlib/stimuli"
	"samediff/sdlib/study"
)

// A GeneralizationPoint is a model in Figure 6.
type GeneralizationPoint struct {
	Name        string // all seeds of a model share it
	Pretraining string
	Task        stimuli.Task
	// Disentangled is the mean over shape and color of the best block's share of interventions that bring about their target.
	Disentangled float64
	Accuracy     map[string]float64 // by the names of study.GeneralizationSets
	AtChance     bool               // it did not learn the task: see study.Generalization.AtChance
	FromScratch  bool
}

// GeneralizationPoints are those of results.
func GeneralizationPoints(all []study.Generalization) (points []GeneralizationPoint) {
	for _, g := range all {
		p := GeneralizationPoint{Name: g.Name, Pretraining: g.Pretraining, Task: g.Task, Disentangled: g.Disentangled(), Accuracy: map[string]float64{},
			AtChance: g.AtChance(), FromScratch: g.FromScratch()}
		for _, set := range study.GeneralizationSets {
			p.Accuracy[set] = g.On(set).Accuracy()
		}
		points = append(points, p)
	}
	return points
}

// publishedDisentanglement is the horizontal axis of the paper's Figure 6: the mean over shape and color of the best block of the
// searches that the authors logged (logs/*/DAS/*/none_results.csv of the released code at commit 9caa0397). DINO and MAE were
// searched with a wrong normalization (D6). Of the model from scratch on RMTS there is no log.
var publishedDisentanglement = []struct {
	name, checkpoint string
	pair, rmts       float64
}{
	{"CLIP", "clip-b16", .9325, .905},
	{"DINOv2", "dinov2-b14", .923, .9125},
	{imageNet, "imagenet-b16", .924, .8465},
	{dino, "dino-b16", .921, .8125},
	{mae, "mae-b16", .7665, .601},
	{"scratch", "scratch-b16", .287, 0},
}

// PublishedGeneralization are the points of the paper's Figure 6, as logged.
func PublishedGeneralization() (points []GeneralizationPoint) {
	for _, task := range []stimuli.Task{stimuli.Discrimination, stimuli.RMTS} {
		for _, m := range publishedDisentanglement {
			x := m.pair
			if task == stimuli.RMTS {
				x = m.rmts
			}
			log, ok := logOf(m.checkpoint, task, stimuli.Compositional32)
			if x == 0 || !ok {
				continue
			}
			points = append(points, GeneralizationPoint{Name: m.name, Pretraining: m.name, Task: task, Disentangled: x, Accuracy: log.Accuracy, FromScratch: m.name == "scratch"})
		}
	}
	return points
}

// A modelsChoice says which models a correlation is about.
type modelsChoice struct {
	what string
	of   func(p GeneralizationPoint) bool
}

// modelsChoices are from all to the fewest.
var modelsChoices = []modelsChoice{
	{"all", func(GeneralizationPoint) bool { return true }},
	{"that learned the task", func(p GeneralizationPoint) bool { return !p.AtChance }},
	{"pretrained, that learned it", func(p GeneralizationPoint) bool { return !p.AtChance && !p.FromScratch }},
}

// chosen returns the points of a task that have an accuracy on a set and that a choice is about, the seeds of a model as their mean:
// seeds are not independent models.
func chosen(points []GeneralizationPoint, task stimuli.Task, set string, choice modelsChoice) (names []string, x, y []float64) {
	var count []float64
	for _, p := range points {
		accuracy, ok := p.Accuracy[set]
		if p.Task != task || !ok || !choice.of(p) {
			continue
		}
		i := slices.Index(names, p.Name)
		if i < 0 {
			i, names, x, y, count = len(names), append(names, p.Name), append(x, 0), append(y, 0), append(count, 0)
		}
		count[i]++
		x[i] += (p.Disentangled - x[i]) / count[i]
		y[i] += (accuracy - y[i]) / count[i]
	}
	return names, x, y
}
