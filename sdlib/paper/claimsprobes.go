package paper

import (
	"fmt"

	"samediff/sdlib/finetune"
	"samediff/sdlib/probe"
)

// probeClaims are about what linear probes read and what their directions do: Figures 5, 14, 19 and 37 to 39.
func probeClaims() []Claim {
	var all []Claim
	add := func(item, where, says string, w role, value string, check func(*Results) (Finding, error)) {
		all = append(all, Claim{OfProbes, item, where, says, "probes and interventions in " + w.name, value, check})
	}
	model := func(item, where, name, published string, w role) {
		otherwise := "sd " + item + " --scale paper"
		curves := findPublished(published).Curves
		read, moved, control := curves[0].Values, curves[1].Values, curves[2].Values
		at := highest(moved)
		add(item, where, name+": a linear probe reads whether a pair is the same", w, short(read[highest(read)]), find(w, probes, otherwise, bestProbe(read[highest(read)])))
		add(item, where, name+": adding its direction turns the answer", w, fmt.Sprintf("%s after block %d", short(moved[at]), at), find(w, probes, otherwise, bestPush(moved[at])))
		add(item, where, name+": the direction of the relation that is there does not", w, short(control[at]), find(w, probes, otherwise, pushControl(control[at])))
	}
	model("figure 5", "5", "CLIP", clipB16, clipRMTS)
	add("figure 5", "5", "CLIP: from block 7 on the direction no longer turns the answer, although the probe reads the relation", clipRMTS,
		"at most "+short(findPublished(clipB16).Curves[1].Values[lateBlock]), find(clipRMTS, probes, "", latePush))
	model("figure 14", "appendix", "CLIP ViT-B/32", clipB32, wideRMTS)
	model("figure 19", "D", "DINOv2", dinoV2, dinoV2RMTS)
	for _, f := range []struct{ item, name string }{{"figure 37", dino}, {"figure 38", imageNet}, {"figure 39", mae}} {
		model(f.item, "K.3", f.name, f.name, otherKinds[f.name].rmts)
	}
	add("text", "K.3", "Longer directions do not do much better (the logs of ImageNet disagree, D21)", clipRMTS, "", find(clipRMTS, probes, "", longer))
	return all
}

// bestProbe judges the best test accuracy of a model's probes.
func bestProbe(there float64) func(linearResults, *Finding) bool {
	return func(x linearResults, f *Finding) bool {
		var best finetune.Score
		at := -1
		for _, r := range x.probed.Rows {
			if at < 0 || r.Test.All.Accuracy() > best.Accuracy() {
				best, at = r.Test.All, r.Block
			}
		}
		if at < 0 {
			return false
		}
		low, _ := best.Interval()
		f.Value, f.Verdict = fmt.Sprintf("%s after block %d", interval(best), at), near(best.Accuracy(), there, low > half)
		return true
	}
}

// push returns the effect of a direction that flips most answers, nil for none.
func (l linearResults) push(of func(probe.Effect) bool) *probe.Effect {
	var best *probe.Effect
	for i, e := range l.effects {
		if e.Block >= 0 && of(e) && (best == nil || e.Flipped(nil).Accuracy() > best.Flipped(nil).Accuracy()) {
			best = &l.effects[i]
		}
	}
	return best
}

func opposite(e probe.Effect) bool { return e.Direction == probe.Opposite }

// at writes what an effect flips and where.
func at(e *probe.Effect) string {
	return fmt.Sprintf("%s after block %d, α %g", interval(e.Flipped(nil)), e.Block, e.Alpha)
}

// bestPush judges how many answers the opposite direction turns where it turns most.
func bestPush(there float64) func(linearResults, *Finding) bool {
	return func(x linearResults, f *Finding) bool {
		best := x.push(opposite)
		if best == nil {
			return false
		}
		low, _ := best.Flipped(nil).Interval()
		f.Value, f.Verdict = at(best), near(best.Flipped(nil).Accuracy(), there, low > half)
		return true
	}
}

// pushControl judges the direction of the relation that is there at the same place and length.
func pushControl(there float64) func(linearResults, *Finding) bool {
	return func(x linearResults, f *Finding) bool {
		best := x.push(opposite)
		if best == nil {
			return false
		}
		control := x.push(func(e probe.Effect) bool {
			return e.Direction == probe.Present && e.Block == best.Block && e.Alpha == best.Alpha
		})
		if control == nil {
			return false
		}
		f.Value, f.Verdict = at(control), near(control.Flipped(nil).Accuracy(), there, false)
		return true
	}
}

// latePush judges late blocks of a model of 12: α is what the paper's is, where there are several.
func latePush(x linearResults, f *Finding) bool {
	if len(x.probed.Rows) != 12 {
		return false
	}
	late := x.push(func(e probe.Effect) bool { return opposite(e) && e.Block >= lateBlock && e.Alpha == 1 })
	if late == nil {
		return false
	}
	f.Value, f.Verdict = "at most "+at(late), whether(late.Flipped(nil).Accuracy() <= lateChance)
	return true
}

// longer judges whether a longer direction turns many more answers than one of length 1, at the best block of the latter.
func longer(x linearResults, f *Finding) bool {
	one := x.push(func(e probe.Effect) bool { return opposite(e) && e.Alpha == 1 })
	if one == nil {
		return false
	}
	more := x.push(func(e probe.Effect) bool { return opposite(e) && e.Alpha > 1 && e.Block == one.Block })
	if more == nil {
		return false
	}
	f.Value = at(one) + "; " + at(more)
	f.Verdict = whether(more.Flipped(nil).Accuracy()-one.Flipped(nil).Accuracy() <= Near)
	return true
}
