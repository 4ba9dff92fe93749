package paper

import (
	"fmt"

	"samediff/sdlib/stimuli"
	"samediff/sdlib/study"
)

// lossClaims are about auxiliary losses: Tables 1, 7 and 8.
func lossClaims() []Claim {
	const needs = "trainings from scratch on 32 combinations, with these losses"
	var all []Claim
	add := func(item, where string, task stimuli.Task, says, value string, judge func(lossRuns, experiment, *Finding) error) {
		number := item[len("table "):]
		all = append(all, Claim{OfLosses, item, where, says, needs, value, func(r *Results) (Finding, error) {
			path := "models/table" + number + ".csv"
			f := Finding{Model: "vit.CourseQuick from scratch", Small: true, Command: "sd table " + number + " --csv " + path}
			results, err := r.losses(number)
			if err != nil {
				return Finding{Verdict: Untested, Command: f.Command, Missing: path}, notThere(err)
			}
			err = judge(groupRuns(results), experiment{study.CourseScale, task}, &f)
			return f, err
		}})
	}
	for _, row := range []struct{ says, losses, value string }{
		{"Discrimination: without auxiliary losses some is learned", "none", ".760"},
		{"Discrimination: the disentanglement loss alone suffices for new combinations", "disentangle", ".786"},
		{"Discrimination: the pipeline loss alone suffices for new combinations", "pipeline", ""},
		{"Discrimination: both together suffice", "disentangle+pipeline", ""},
	} {
		add("table 1", "7", stimuli.Discrimination, row.says, row.value, learns(row.losses))
	}
	for _, row := range []struct{ says, losses, value string }{
		{"RMTS: without auxiliary losses nothing is learned", "none", ".500"},
		{"RMTS: the disentanglement loss alone does not suffice", "disentangle", ""},
		{"RMTS: the pipeline loss alone does not suffice", "pipeline", ""},
	} {
		add("table 1", "7", stimuli.RMTS, row.says, row.value, fails(row.losses))
	}
	add("table 1", "7", stimuli.RMTS, "RMTS: both together work, far from perfectly", "", learns("disentangle+pipeline"))
	add("table 7", "M", stimuli.Discrimination, "Attention within objects alone helps", "", better("wo", "none"))
	add("table 7", "M", stimuli.Discrimination, "Attention within pairs alone helps", "", better("wp", "none"))
	add("table 7", "M", stimuli.Discrimination, "Both are better than within objects alone", "", better("pipeline", "wo"))
	add("table 7", "M", stimuli.Discrimination, "Both are better than within pairs alone", "", better("pipeline", "wp"))
	add("table 8", "M", stimuli.RMTS, "Without the disentanglement loss all is lost", "", drops("pipeline", true))
	add("table 8", "M", stimuli.RMTS, "Without attention within pairs all is lost", "", drops("disentangle+wo+bp", true))
	add("table 8", "M", stimuli.RMTS, "Without attention within objects little is lost", "", drops("disentangle+wp+bp", false))
	return all
}

// clear is by how much new combinations must be above chance to count as learned.
const clear = .1

const newCombinations = "compositional"

// accuraciesOf returns the accuracies on new combinations of some losses, one for each seed.
func accuraciesOf(g lossRuns, e experiment, losses string) ([]float64, error) {
	l, err := study.ParseLosses(losses, e.task)
	if err != nil {
		return nil, err
	}
	v := g.accuracies(lossRow{e, l}, newCombinations)
	if len(v) == 0 {
		return nil, fmt.Errorf("no runs of the losses %s in the table: delete it to make it anew", losses)
	}
	return v, nil
}

// written is "mean ± standard deviation" over so many seeds.
func written(v []float64) string {
	if len(v) == 1 {
		return spread(v) + " (1 seed)"
	}
	return fmt.Sprintf("%s (%d seeds)", spread(v), len(v))
}

// learns judges whether losses teach more than chance: clearly, or by a little.
func learns(losses string) func(lossRuns, experiment, *Finding) error {
	return func(g lossRuns, e experiment, f *Finding) error {
		v, err := accuraciesOf(g, e, losses)
		if err != nil {
			return err
		}
		mean, _ := moments(v)
		f.Value = written(v)
		switch {
		case mean > half+clear:
			f.Verdict = Agrees
		case mean > half+clear/4:
			f.Verdict = Partly
		default:
			f.Verdict = Disagrees
		}
		return nil
	}
}

// fails judges whether losses leave a model at chance.
func fails(losses string) func(lossRuns, experiment, *Finding) error {
	return func(g lossRuns, e experiment, f *Finding) error {
		v, err := accuraciesOf(g, e, losses)
		if err != nil {
			return err
		}
		mean, _ := moments(v)
		f.Value, f.Verdict = written(v), whether(mean < half+clear/2)
		return nil
	}
}

// better judges whether losses are better than others: in every seed, or in part if on average alone.
func better(losses, than string) func(lossRuns, experiment, *Finding) error {
	return func(g lossRuns, e experiment, f *Finding) error {
		first, err := study.ParseLosses(losses, e.task)
		if err != nil {
			return err
		}
		against, err := study.ParseLosses(than, e.task)
		if err != nil {
			return err
		}
		d := g.differences(e, first, against, newCombinations)
		if len(d) == 0 {
			return fmt.Errorf("no runs of the losses %s and %s with the same seed in the table: delete it to make it anew", losses, than)
		}
		above := 0
		for _, x := range d {
			if x > 0 {
				above++
			}
		}
		mean, _ := moments(d)
		f.Value = fmt.Sprintf("%s, above 0 in %d of %d seeds", change(d), above, len(d))
		switch {
		case above == len(d):
			f.Verdict = Agrees
		case mean > 0:
			f.Verdict = Partly
		default:
			f.Verdict = Disagrees
		}
		return nil
	}
}

// drops judges what is lost when losses are left out of all of the paper's. Where all of them are at chance here, nothing can be.
func drops(left string, lost bool) func(lossRuns, experiment, *Finding) error {
	return func(g lossRuns, e experiment, f *Finding) error {
		full, err := accuraciesOf(g, e, "disentangle+pipeline")
		if err != nil {
			return err
		}
		without, err := accuraciesOf(g, e, left)
		if err != nil {
			return err
		}
		of, _ := moments(full)
		to, _ := moments(without)
		f.Value = fmt.Sprintf("%s with all losses, %s without", spread(full), spread(without))
		switch {
		case of < half+clear:
			f.Verdict, f.Missing = Untested, "a model that learns RMTS with the paper's losses (here all of them together are at chance)"
		default:
			f.Verdict = whether((of-to > clear) == lost)
		}
		return nil
	}
}
