package paper

import (
	"errors"
	"fmt"
	"io/fs"
	"slices"
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
	f := Finding{Command: "sd table photographs --csv notebooks/results/" + photographsFile}
	lines, err := r.records(photographsFile)
	if errors.Is(err, fs.ErrNotExist) {
		f.Verdict, f.Missing = Untested, "accuracies on photographs"
		return f, nil
	}
	if err != nil {
		return f, err
	}
	var values []string
	var right []bool
	for _, l := range lines {
		name := strings.Fields(l["model"])[0]
		if !slices.Contains([]string{shippedPairs[0], shippedPairs[1], "discrimination-256-course-plain"}, name) {
			continue
		}
		low, errLow := strconv.ParseFloat(l["low"], 64)
		same, errSame := strconv.ParseFloat(l["same"], 64)
		if err := errors.Join(errLow, errSame); err != nil {
			return f, fmt.Errorf("notebooks/results/%s: %w", photographsFile, err)
		}
		if name == shippedPairs[0] { // CLIP
			right = append(right, low > half, same > half)
			f.Model = l["model"]
		} else {
			right = append(right, low <= half)
		}
		zeroless := func(column string) string { return strings.TrimPrefix(l[column], "0") }
		values = append(values, fmt.Sprintf("%s %s (%s–%s), of the same %s", name, zeroless("accuracy"), zeroless("low"), zeroless("high"), zeroless("same")))
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
	f := Finding{Command: "sd table photograph-stages --csv notebooks/results/" + photographStagesFile}
	lines, err := r.records(photographStagesFile)
	if err := notThere(err); err != nil {
		return f, err
	}
	i := slices.IndexFunc(lines, func(l map[string]string) bool { return strings.Fields(l["model"])[0] == shippedPairs[0] })
	if i < 0 {
		f.Verdict, f.Missing = Untested, "head scores of "+shippedPairs[0]+" on photographs"
		return f, nil
	}
	f.Model = lines[i]["model"]
	here, share, _ := strings.Cut(lines[i][column], " (") // "3 (100 %)" or "4 (94 %, 4 to 5)"
	if f.Value = here; share != "" {
		share, _, _ = strings.Cut(strings.TrimSuffix(share, ")"), ",")
		f.Value += ", in " + share + " of the resamples"
	}
	f.Verdict = whether(here == fmt.Sprint(block))
	return f, nil
}
