package paper

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"samediff/sdlib/attention"
	"samediff/sdlib/das"
	"samediff/sdlib/probe"
	"samediff/sdlib/study"
)

// The kinds of results.
var (
	headScores = source[*attention.Scores]{
		what: "head scores of ", read: (*Results).heads,
		file: func(model string) string { return "models/heads-" + model + ".csv" },
		command: func(model string, _ *attention.Scores) string {
			if small(model) { // the others have their scores in their folders
				return "sd attention " + model + " --csv models/heads-" + model + ".csv"
			}
			return "sd attention " + model
		},
	}
	alignment = source[[]study.DASScore]{
		what: "alignment searches in ", read: (*Results).searches,
		file: func(model string) string { return "models/das-" + model + ".csv" },
		command: func(model string, x []study.DASScore) string {
			command := "sd das " + model
			if x == nil || slices.ContainsFunc(x, func(s study.DASScore) bool { return s.Control == das.WrongObject }) {
				command += " --control none,wrong-object"
			}
			if len(x) > 0 {
				command += tests(x[0].N)
			}
			return command + " --csv models/das-" + model + ".csv"
		},
	}
	controls = source[[]study.DASScore]{ // of the searches, in a file of their own
		what: "wrong-object searches in ", read: (*Results).searches,
		file: func(model string) string { return "models/das-" + model + "-wrong-object.csv" },
		command: func(model string, x []study.DASScore) string {
			if x != nil {
				return alignment.command(model, x)
			}
			return "sd das " + model + " --control wrong-object --csv models/das-" + model + "-wrong-object.csv"
		},
	}
	novelties = source[[]study.NovelScore]{
		what: "novel representations in ", read: (*Results).novel,
		file: func(model string) string { return "models/novel-" + model + ".csv" },
		command: func(model string, x []study.NovelScore) string {
			command := "sd novel " + model
			if len(x) > 0 {
				command += tests(x[0].N)
			}
			return recorded(command + " --csv models/novel-" + model + ".csv")
		},
	}
	probes = source[linearResults]{
		what: "probes and interventions in ", read: (*Results).linear,
		file: func(model string) string { return "models/probe-" + model + ".csv" },
		command: func(model string, x linearResults) string {
			command := "sd probe " + model
			if n := x.probed.Items / 4; n > 0 && n != study.PaperProbe.PerClass { // two pairs in an image, two labels
				command += fmt.Sprintf(" --images %d", n)
			}
			if x.probed.Items == 0 || len(x.effects) > 0 {
				command += " --intervene" + x.flags()
			}
			return recorded(command + " --csv models/probe-" + model + ".csv")
		},
	}
	accuracy = source[*study.Metrics]{
		what: "accuracies of ", read: (*Results).metrics,
		file:    func(model string) string { return "models/" + model },
		command: func(model string, _ *study.Metrics) string { return "sd model build " + model },
	}
)

// tests is the flag that says on how many pairs, where that is another number than the default.
func tests(n int) string {
	if n == study.DASTests {
		return ""
	}
	return fmt.Sprintf(" --test %d", n)
}

// recorded returns the command that made a file where its rows do not say all of it.
func recorded(command string) string {
	if full, ok := map[string]string{
		"sd probe rmts-256-course --images 400 --intervene --intervene-images 60 --alphas 1,2,4 --directions opposite,present,random,means --csv models/probe-rmts-256-course.csv": "sd probe rmts-256-course --images 400 --intervene " +
			"--intervene-images 60 --alphas 1,2,4 --directions opposite,present,random,means --unit means-apart --csv models/probe-rmts-256-course.csv",
	}[command]; ok {
		return full
	}
	return command
}

// flags are those of `sd probe --intervene` that are not the defaults.
func (l linearResults) flags() (flags string) {
	var alphas, directions []string
	pairs := 0
	for _, e := range l.effects {
		if e.Block >= 0 {
			alphas = once(alphas, strconv.FormatFloat(e.Alpha, 'g', -1, 64))
			directions = once(directions, string(e.Direction))
			pairs = e.Flipped(nil).N
		}
	}
	if n := pairs / 4; n > 0 && 4*n != l.probed.Items {
		flags += fmt.Sprintf(" --intervene-images %d", n)
	}
	if len(alphas) > 0 && !slices.Equal(alphas, []string{"1"}) {
		flags += " --alphas " + strings.Join(alphas, ",")
	}
	if len(directions) > 0 && !slices.Equal(directions, []string{string(probe.Opposite), string(probe.Present)}) {
		flags += " --directions " + strings.Join(directions, ",")
	}
	return flags
}
