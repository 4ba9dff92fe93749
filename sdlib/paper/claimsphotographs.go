package paper

import (
	"errors"
	"fmt"
	"strconv"
	"strings"

	"samediff/sdlib/photographs"
	"samediff/sdlib/stimuli"
)

// The tables that claims about photographs are held against, in notebooks/results.
const (
	photographsFile      = "photographs.csv"
	photographStagesFile = "photograph-stages.csv"
)

// countPhotographs counts the pictures that come with the library, a part of the set that is as balanced as all of it.
func countPhotographs(f *Finding) error {
	set, err := photographs.Open(stimuli.B16)
	if err != nil {
		return err
	}
	same := 0
	for i := range set.Len() {
		same += set.Stimulus(i).Label
	}
	all := photographs.All / set.Len()
	f.Value = fmt.Sprintf("%s, %s; of these %d and %d come along", thousands(all*set.Len()), thousands(all*same), set.Len(), same)
	f.Verdict, f.Missing = whether(all*set.Len() == 1024, all*same == 512), "the others of the 1,024: make photographs"
	return nil
}

// photographAccuracy judges whether CLIP is above chance, recognizes most same objects, and is alone in that.
func photographAccuracy(r *Results) (Finding, error) {
	f := Finding{Command: photographsCommand("photographs", photographsFile)}
	lines, err := r.records(photographsFile)
	if err := notThere(err); err != nil {
		return f, err
	}
	var values []string
	var right []bool
	for _, w := range []role{clipPair.pretrained(), dinoV2Pair, scratchPair} {
		l := firstOf(lines, w.here)
		if l == nil {
			continue
		}
		low, errLow := strconv.ParseFloat(l["low"], 64)
		same, errSame := strconv.ParseFloat(l["same"], 64)
		if err := errors.Join(errLow, errSame); err != nil {
			return f, fmt.Errorf("notebooks/results/%s: %w", photographsFile, err)
		}
		if w.name == clipPair.name {
			right = append(right, low > half, same > half)
			f.Model = l["model"]
		} else {
			right = append(right, low <= half)
		}
		zeroless := func(column string) string { return strings.TrimPrefix(l[column], "0") }
		values = append(values, fmt.Sprintf("%s %s (%s–%s), of the same %s", strings.Fields(l["model"])[0], zeroless("accuracy"), zeroless("low"), zeroless("high"), zeroless("same")))
	}
	if f.Model == "" {
		f.Verdict, f.Missing = Untested, "accuracies of "+clipPair.here[0]+" on photographs"
		return f, nil
	}
	f.Value, f.Verdict = strings.Join(values, "; "), whether(right...)
	f.Missing = others.why
	return f, nil
}

// photographStages are the claims of Figure 10 about CLIP.
func photographStages() []Claim {
	var all []Claim
	for _, c := range []struct {
		says, column string
		block        int
	}{
		{"attention within the object peaks in block 3", "within object", 3},
		{"attention within the pair peaks in block 6", "within pair", 6},
		{"the background peaks in block 10", "peaks in", 10},
	} {
		all = append(all, Claim{OfStages, "figure 10", "appendix", "CLIP, photographs: " + c.says, "head scores of " + clipB16 + " on photographs", fmt.Sprint(c.block),
			func(r *Results) (Finding, error) { return photographStage(r, c.column, c.block) }})
	}
	return all
}

// photographStage judges the block in which a measure of CLIP peaks in photographs.
func photographStage(r *Results, column string, block int) (Finding, error) {
	f := Finding{Command: photographsCommand("photograph-stages", photographStagesFile)}
	lines, err := r.records(photographStagesFile)
	if err := notThere(err); err != nil {
		return f, err
	}
	l := firstOf(lines, clipPair.pretrained().here)
	if l == nil {
		f.Verdict, f.Missing = Untested, "head scores of "+clipPair.here[0]+" on photographs"
		return f, nil
	}
	f.Model = l["model"]
	here, share, _ := strings.Cut(l[column], " (") // "3 (100 %)" or "4 (94 %, 4 to 5)"
	if f.Value = here; share != "" {
		share, _, _ = strings.Cut(strings.TrimSuffix(share, ")"), ",")
		f.Value += ", in " + share + " of the resamples"
	}
	f.Verdict = whether(here == fmt.Sprint(block))
	return f, nil
}

// photographsCommand makes a table of the models of discrimination that come with the repository.
func photographsCommand(table, file string) string {
	return fmt.Sprintf("sd table %s --model %s --csv notebooks/results/%s", table, strings.Join(shippedPairs, ","), file)
}

// firstOf returns the line of the first of some models that a table has, nil for none.
func firstOf(lines []map[string]string, models []string) map[string]string {
	for _, model := range models {
		for _, l := range lines {
			if name, _, _ := strings.Cut(l["model"], " "); name == model {
				return l
			}
		}
	}
	return nil
}
