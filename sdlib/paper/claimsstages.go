package paper

import (
	"errors"
	"fmt"
	"io/fs"
	"math"
	"slices"
	"strconv"
	"strings"

	"samediff/sdlib/attention"
	"samediff/sdlib/finetune"
	"samediff/sdlib/stimuli"
)

// stageClaims are about where heads look: Figures 2, 10, 11, 15 and 20 to 22.
func stageClaims() []Claim {
	clip, rmts := clipPair.pretrained(), clipRMTS.pretrained()
	var all []Claim
	add := func(item, where, says, needs, value string, check func(*Results) (Finding, error)) {
		all = append(all, Claim{OfStages, item, where, says, needs, value, check})
	}
	of := func(item, where, name string, w role) {
		for _, s := range statements[name] {
			add(item, where, name+": "+strings.Replace(s.what, "it ", "the background ", 1), "head scores of "+w.name, s.paper, s.claim(w, "sd "+item+" --scale paper"))
		}
	}
	of("figure 2", "3", "CLIP, discrimination", clip)
	of("figure 2", "3", "CLIP, RMTS", rmts)
	add("figure 2", "3", "From scratch: almost no head is local", "head scores of "+scratchPair.name, "", find(scratchPair, headScores, "", localHeads))
	add("figure 2", "3", "DINO, RMTS: local and global heads in all blocks", "head scores of DINO ViT-B/16 on RMTS", "", find(otherKinds[dino].rmts, headScores, "sd figure 2 --scale paper", mixed))
	add("text", "3", "What the comparison found may reach CLS over tokens of the background", "cut attention in "+clipB16, "", backgroundRoute)
	all = append(all, photographStages()...)
	for _, w := range []role{wideClip, wideRMTS} {
		add("figure 11", "appendix", w.name+": within the pair peaks after within the object", "head scores of "+w.name, "", find(w, headScores, "sd figure 11 --scale paper", twoStages))
	}
	of("figure 15", "D", "DINOv2, discrimination", dinoV2Pair)
	of("figure 15", "D", "DINOv2, RMTS", dinoV2RMTS)
	add("figure 20", "E", "ImageNet: within the pair peaks after within the object, loosely", "head scores of "+otherKinds[imageNet].pair.name, "", find(otherKinds[imageNet].pair, headScores, "sd figure 20 --scale paper", twoStages))
	for _, name := range []string{dino, mae} {
		add("figure 20", "E", name+": local and global heads in all blocks", "head scores of "+otherKinds[name].pair.name, "", find(otherKinds[name].pair, headScores, "sd figure 20 --scale paper", mixed))
	}
	add("figure 21", "F", "CLIP: heads 1.5 and 5.9 are local, 6.11 and 10.6 global", "head scores of "+clipB16, "below and above .5", find(clip, headScores, "", chosenHeads))
	add("figure 22", "F", "CLIP: objects are read first, then pairs are compared, then the pairs with each other", "head scores of "+clipB16+" on RMTS", "", find(rmts, headScores, "", order))
	return all
}

// claim checks a statement about stages.
func (s statement) claim(w role, otherwise string) func(*Results) (Finding, error) {
	return func(r *Results) (Finding, error) {
		return find(w, headScores, otherwise, func(x *attention.Scores, f *Finding) bool {
			if len(x.Local) != 12 && s.paper != "> 0" { // blocks of another depth have other numbers
				return false
			}
			from := 0
			if strings.HasPrefix(w.name, "DINOv2") {
				from = 1 // as PeakFrom
			}
			peaks, err := x.Peaks(from)
			if err != nil {
				return false
			}
			here := s.of(sure(peaks, x.Task))
			f.Value, f.Verdict = fmt.Sprint(here.Block), Disagrees
			if peaks.Background.Block == 0 { // it can't rise to there: as the paper reads DINOv2
				if peaks, err = x.Peaks(1); err != nil {
					return false
				}
				if later := s.of(sure(peaks, x.Task)); later.Block != here.Block {
					here = later
					f.Value = fmt.Sprintf("%d, passing over block 0, where the background has %s", here.Block, short(x.Measures.Lines()[2].Values[0]))
				}
			}
			if s.agrees(here.Block) {
				f.Verdict = Agrees
			}
			if share := r.resamples(f.Model, s.what); share != "" {
				f.Value += ", in " + share + " of the resamples"
				f.Command = "sd table statements --model " + strings.Fields(f.Model)[0]
			}
			return true
		})(r)
	}
}

// sure gives the stages of a task one resample, themselves, by which statements know that they exist.
func sure(s *attention.Stages, task stimuli.Task) *attention.Stages {
	stages := []*attention.Stage{&s.Within, &s.Pair, &s.Background, &s.Rise, &s.Onset, &s.Distance}
	if task == stimuli.RMTS {
		stages = append(stages, &s.Between, &s.BetweenDistance)
	}
	for _, stage := range stages {
		stage.Resamples = []int{stage.Block}
	}
	return s
}

// resamples returns the share of bootstrap resamples that have a model's stage in its block or agree
// with the paper, as `sd table statements` wrote it; "" where it was not written for that model.
func (r *Results) resamples(model, what string) string {
	lines, err := r.records("clip-statements.csv")
	if err != nil {
		return ""
	}
	i := slices.IndexFunc(lines, func(l map[string]string) bool {
		return l["model"] == model && l["the paper's statement"] == what && l["agrees?"] == "yes"
	})
	if i < 0 {
		return ""
	}
	return lines[i]["resamples that agree"]
}

// half is the score between local and global.
const half = .5

// localHeads judges a model of which the paper says that it has almost no local heads.
func localHeads(x *attention.Scores, f *Finding) bool {
	local, heads := 0, 0
	for _, block := range x.Local {
		for _, v := range block {
			heads++
			if v < half {
				local++
			}
		}
	}
	f.Value = fmt.Sprintf("%d of %d heads keep most of their attention in the object", local, heads)
	f.Verdict = Disagrees
	if 10*local <= heads {
		f.Verdict = Agrees
	}
	return true
}

// twoStages judges whether pairs are compared after objects are read.
func twoStages(x *attention.Scores, f *Finding) bool {
	s, err := x.Peaks(0)
	if err != nil {
		return false
	}
	f.Value, f.Verdict = fmt.Sprintf("blocks %d and %d", s.Within.Block, s.Pair.Block), whether(s.Distance.Block > 0)
	return true
}

// mixed judges a model of which the paper says that its blocks have local and global heads side by side.
func mixed(x *attention.Scores, f *Finding) bool {
	both := 0
	for _, block := range x.Local {
		if slices.Min(block) < half && slices.Max(block) > half {
			both++
		}
	}
	f.Value = fmt.Sprintf("in %d of %d blocks", both, len(x.Local))
	switch {
	case both == len(x.Local):
		f.Verdict = Agrees
	case 2*both >= len(x.Local):
		f.Verdict = Partly
	default:
		f.Verdict = Disagrees
	}
	return true
}

// order judges whether the three steps of RMTS come one after the other.
func order(x *attention.Scores, f *Finding) bool {
	s, err := x.Peaks(0)
	if err != nil || x.Task != stimuli.RMTS {
		return false
	}
	f.Value = fmt.Sprintf("peaks in blocks %d, %d, %d", s.Within.Block, s.Pair.Block, s.Between.Block)
	f.Verdict = whether(s.Distance.Block > 0, s.BetweenDistance.Block > 0)
	return true
}

// chosenHeads judges the four heads of CLIP that Figure 21 shows.
func chosenHeads(x *attention.Scores, f *Finding) bool {
	if len(x.Local) != 12 || len(x.Local[0]) != 12 {
		return false
	}
	var scores []string
	var right []bool
	for _, h := range []struct {
		head   attention.Head
		global bool
	}{{attention.Head{Block: 1, Head: 5}, false}, {attention.Head{Block: 5, Head: 9}, false}, {attention.Head{Block: 6, Head: 11}, true}, {attention.Head{Block: 10, Head: 6}, true}} {
		v := h.head.Of(x.Local)
		scores = append(scores, fmt.Sprintf("%s (%s–%s)", short(v), short(h.head.Of(x.Interval.Low.Local)), short(h.head.Of(x.Interval.High.Local))))
		right = append(right, (v > half) == h.global)
	}
	f.Value, f.Verdict = "scores "+strings.Join(scores, ", "), whether(right...)
	return true
}

// backgroundRoute holds what the paper suspects against cuts of attention in CLIP.
func backgroundRoute(r *Results) (Finding, error) {
	const model, file = "discrimination-256-clip-b16-112", "clip-edges.csv"
	f := Finding{Model: r.label(model), Command: "sd patch edges " + model + " --images 50 --csv notebooks/results/" + file}
	lines, err := r.records(file)
	if errors.Is(err, fs.ErrNotExist) {
		return Finding{Verdict: Untested, Command: f.Command, Missing: "cut attention in " + model}, nil
	}
	if err != nil {
		return f, err
	}
	whole := func(edge string) (line map[string]string) {
		for _, l := range lines { // the last range is all blocks
			if l["what"] == edge && l["kind"] == "all" && strings.HasPrefix(l["where"], "0-") {
				line = l
			}
		}
		return line
	}
	background, objects := whole("background → CLS"), whole("objects → CLS")
	if background == nil || objects == nil {
		return f, fmt.Errorf("notebooks/results/%s lacks the edges from objects and background to CLS in all blocks", file)
	}
	score := func(l map[string]string, column string) (s finetune.Score) {
		n, errN := strconv.Atoi(l["n"])
		accuracy, errA := strconv.ParseFloat(l[column], 64)
		if errN != nil || errA != nil {
			err = fmt.Errorf("notebooks/results/%s has n %q and %s %q, expected numbers", file, l["n"], column, l[column])
		}
		return finetune.Score{N: n, Correct: int(math.Round(accuracy * float64(n)))}
	}
	cut, base := score(background, "accuracy"), score(background, "base_accuracy")
	f.Value = fmt.Sprintf("accuracy when CLS does not read the background %s, the objects %s", interval(cut), interval(score(objects, "accuracy")))
	_, high := cut.Interval()
	f.Verdict = whether(high < base.Accuracy())
	return f, err
}
