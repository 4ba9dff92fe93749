package paper

import (
	"errors"
	"fmt"
	"io/fs"
	"math"
	"slices"
	"strings"

	"samediff/sdlib/pretrain"
	"samediff/sdlib/stimuli"
	"samediff/sdlib/study"
)

// generalizationResults is the file that `sd generalize --csv` writes.
const generalizationResults = "models/generalization.csv"

const generalizeCommand = "sd generalize --csv " + generalizationResults

// generalizationClaims are about Figure 6.
func generalizationClaims() []Claim {
	const needs = "alignment searches in and accuracies of six models on 32 combinations"
	return []Claim{
		{OfGeneralization, "figure 6", "6", "Discrimination: the better shape and color can be swapped, the more accurate on new combinations", needs, "r = .97 over 6 models", correlated(stimuli.Discrimination)},
		{OfGeneralization, "figure 6", "6", "RMTS: the same", needs, "r = .62 over 5 models", correlated(stimuli.RMTS)},
	}
}

// correlated checks that models that learned a task are the more accurate on new combinations the better their properties can be
// swapped: yes if the interval of r is above 0, in part if r alone is. It takes four models to have an interval.
func correlated(task stimuli.Task) func(*Results) (Finding, error) {
	return func(r *Results) (Finding, error) {
		f := Finding{Verdict: Untested, Command: generalizeCommand}
		all, err := kept(r, generalizationResults, study.ReadGeneralizations)
		if notThere(err) != nil {
			return f, err
		}
		points := GeneralizationPoints(all)
		names, x, y := chosen(points, task, study.GeneralizationSets[1], modelsChoices[1])
		if len(names) < 4 {
			f.Missing = "searches in four or more models of the 32 set that learned the task"
			return f, nil
		}
		c, err := Correlate(x, y)
		if err != nil {
			return f, err
		}
		var kinds []string
		f.Small = true
		for _, g := range all {
			if slices.Contains(names, g.Name) {
				kinds = once(kinds, g.Pretraining)
				f.Small = f.Small && r.small(g.Name)
			}
		}
		f.Model = strings.Join(kinds, ", ")
		if math.IsNaN(c.R) {
			f.Value, f.Verdict = fmt.Sprintf("no r over %d models: one of the two is the same for all", c.N), Disagrees
			return f, nil
		}
		f.Value = fmt.Sprintf("r = %.2f (%.2f to %.2f) over %d models, %.2f without %s", c.R, c.Low, c.High, c.N, c.Without, names[c.Carrier])
		f.Verdict = Disagrees
		if c.Low > 0 {
			f.Verdict = Agrees
		} else if c.R > 0 {
			f.Verdict = Partly
		}
		return f, nil
	}
}

// othersAtLeast checks what the paper's other pretrained models reach against the analogues of their objectives: the least of the
// three, each the mean of its seeds.
func othersAtLeast(item string, task stimuli.Task, objects stimuli.Objects, set string, there float64) func(*Results) (Finding, error) {
	return func(r *Results) (Finding, error) {
		f := Finding{Verdict: Untested, Command: "sd " + item + " --scale paper", Missing: others.why}
		if r.only != nil {
			return f, nil
		}
		seeds, err := kept(r, analogueScores, study.ReadSeeds)
		if errors.Is(err, fs.ErrNotExist) {
			return f, nil
		}
		if err != nil {
			return f, err
		}
		var names []string
		least, of := math.Inf(1), ""
		for _, o := range []pretrain.Objective{pretrain.Supervised, pretrain.Distilled, pretrain.Masked} {
			name := study.AnaloguePreset(o, task, objects)
			sum, n := 0., 0
			for _, s := range seeds {
				if s.Preset == name && s.Set == set {
					sum, n = sum+s.Score.Accuracy(), n+1
				}
			}
			if n == 0 {
				return f, nil
			}
			if names = append(names, name); sum/float64(n) < least {
				least, of = sum/float64(n), name
			}
		}
		return Finding{Model: strings.Join(names, ", "), Small: true, Value: fmt.Sprintf("%s, that of %s", short(least), of), Command: analogueCommand,
			Verdict: atLeast(least, there), Missing: others.why}, nil
	}
}

// atLeast judges the least of some values against the least of the paper's.
func atLeast(least, there float64) Verdict {
	switch {
	case least >= there-Near:
		return Agrees
	case least > half+chanceWidth:
		return Partly
	}
	return Disagrees
}

// analogueCommand makes the file with the accuracies of analogues, and the one with their curves, from what the store has.
const analogueCommand = "sd seeds analogues --trained --images 6400 --only all --csv " + analogueScores + " --curves models/curves-analogues.csv"
