package paper

import (
	"fmt"
	"slices"
	"strings"

	"samediff/sdlib/das"
	"samediff/sdlib/finetune"
	"samediff/sdlib/stimuli"
	"samediff/sdlib/study"
)

// shortTask are the tasks' names in a sentence.
var shortTask = map[stimuli.Task]string{stimuli.Discrimination: "discrimination", stimuli.RMTS: "RMTS"}

var properties = []stimuli.Property{stimuli.ShapeProperty, stimuli.ColorProperty}

// searchClaims are about the subspaces of shape and color: Figures 3, 12, 16 and 24 to 28.
func searchClaims() []Claim {
	var all []Claim
	add := func(item, where, says string, w role, value string, check func(*Results) (Finding, error)) {
		all = append(all, Claim{OfSearches, item, where, says, "alignment searches in " + w.name, value, check})
	}
	peaks := func(item, where, name, model string, w role, tasks ...stimuli.Task) {
		otherwise := "sd " + item + " --scale paper"
		for _, task := range tasks {
			for _, p := range properties {
				there := Published(model, task, stimuli.All256, p, das.NoControl)
				best := highest(there)
				add(item, where, fmt.Sprintf("%s, %s: swapping %s moves the answer, best after block %d", name, shortTask[task], p, best), w, short(there[best]),
					find(w, alignment, otherwise, bestSwap(p, there)))
			}
		}
	}
	add("figure 3", "4", "The method, drawn (a)", clipPair, "", drawing("3a"))
	peaks("figure 3", "4", "CLIP", "clip-b16", clipPair, stimuli.Discrimination)
	peaks("figure 3", "4", "CLIP", "clip-b16", clipRMTS, stimuli.RMTS)
	add("figure 3", "4", "CLIP, discrimination: best after block 2 or 3, for shape and color", clipPair, "2, 2", find(clipPair, alignment, "", earlyPeak))
	add("figure 3", "4", "CLIP, discrimination: from block 7 on a swap no longer moves the answer", clipPair, lateShare("clip-b16"), find(clipPair, alignment, "", lateSwaps))
	add("text", "4", "After the last block a swap changes no answer that is read from CLS", clipPair, "", find(clipPair, alignment, "", lastSwap))
	peaks("figure 12", "appendix", "CLIP ViT-B/32", "clip-b32", wideClip, stimuli.Discrimination)
	peaks("figure 12", "appendix", "CLIP ViT-B/32", "clip-b32", wideRMTS, stimuli.RMTS)
	peaks("figure 16", "D", "DINOv2", "dinov2", dinoV2Pair, stimuli.Discrimination)
	peaks("figure 16", "D", "DINOv2", "dinov2", dinoV2RMTS, stimuli.RMTS)
	add("figure 24", "H", "CLIP, discrimination: from the wrong object a swap moves at most half of the answers", clipPair, highestControl("clip-b16", stimuli.Discrimination),
		find(clipPair, controls, "", wrongObject))
	add("figure 24", "H", "CLIP, RMTS: from the wrong object a swap moves at most half of the answers", clipRMTS, highestControl("clip-b16", stimuli.RMTS), find(clipRMTS, controls, "", wrongObject))
	add("figure 24", "H", "DINOv2, RMTS: from the wrong object a swap moves at most half of the answers (the logs disagree after blocks 8 to 10, D20)", dinoV2RMTS, highestControl("dinov2", stimuli.RMTS), find(dinoV2RMTS, controls, "sd figure 24 --scale paper", wrongObject))
	for _, f := range []struct{ item, name, model string }{{"figure 25", dino, "dino"}, {"figure 26", imageNet, "imagenet"}, {"figure 27", mae, "mae"}} {
		peaks(f.item, "appendix", f.name, f.model, otherKinds[f.name].pair, stimuli.Discrimination)
		peaks(f.item, "appendix", f.name, f.model, otherKinds[f.name].rmts, stimuli.RMTS)
	}
	add("figure 28", "appendix", "From scratch: no swap moves more than half of the answers, after any block", scratchPair, short(slices.Max(Published("scratch", stimuli.Discrimination, stimuli.All256, stimuli.ShapeProperty, das.NoControl))),
		find(scratchPair, alignment, "", nothingFound))
	return all
}

// drawing is the check of a part of a figure that explains a method and claims nothing.
func drawing(number string) func(*Results) (Finding, error) {
	return func(*Results) (Finding, error) {
		return Finding{Verdict: Explains, Command: "sd figure " + number}, nil
	}
}

// byBlocks are the scores of trained searches for a property by block; those of several seeds are counted together.
func byBlocks(x []study.DASScore, p stimuli.Property, control das.Control) map[int]finetune.Score {
	scores := map[int]finetune.Score{}
	for _, s := range x {
		if s.Property == p && s.Control == control && s.Method == das.Trained {
			sum := scores[s.Block]
			sum.N, sum.Correct = sum.N+s.N, sum.Correct+s.Correct
			scores[s.Block] = sum
		}
	}
	return scores
}

// bestOf returns the block with the highest score, the first of equals; -1 for none.
func bestOf(scores map[int]finetune.Score) int {
	best := -1
	for block, s := range scores {
		if at := scores[best]; best < 0 || s.Accuracy() > at.Accuracy() || s.Accuracy() == at.Accuracy() && block < best {
			best = block
		}
	}
	return best
}

// highest is the place of the largest value.
func highest(values []float64) int {
	best := 0
	for i, v := range values {
		if v > values[best] {
			best = i
		}
	}
	return best
}

// throughout reports whether a model of 12 blocks was searched after each of them, for both properties.
func throughout(x []study.DASScore, f *Finding) bool {
	for _, p := range properties {
		if len(byBlocks(x, p, das.NoControl)) != 12 {
			return false
		}
	}
	return f.blocks == 12
}

// bestSwap judges the best accuracy of a property against published ones; it holds in words above chance.
func bestSwap(p stimuli.Property, there []float64) func([]study.DASScore, *Finding) bool {
	return func(x []study.DASScore, f *Finding) bool {
		scores := byBlocks(x, p, das.NoControl)
		if len(scores) == 0 {
			return false
		}
		best := bestOf(scores)
		low, _ := scores[best].Interval()
		f.Value = fmt.Sprintf("%s after block %d", interval(scores[best]), best)
		f.Verdict = near(scores[best].Accuracy(), there[highest(there)], low > half)
		return true
	}
}

// earlyPeak judges after which block swaps move most answers, in a model of 12 blocks.
func earlyPeak(x []study.DASScore, f *Finding) bool {
	if !throughout(x, f) {
		return false
	}
	var holds []bool
	var at []int
	for _, p := range properties {
		best := bestOf(byBlocks(x, p, das.NoControl))
		at, holds = append(at, best), append(holds, best == 2 || best == 3)
	}
	f.Value, f.Verdict = fmt.Sprintf("%d, %d", at[0], at[1]), whether(holds...)
	return true
}

// lateBlock is the first after which swaps in CLIP come too late, and lateChance what they may still move.
const (
	lateBlock  = 7
	lateChance = .1
)

// lateShare is the most that the logs have for a swap in a model from lateBlock on.
func lateShare(model string) string {
	most := 0.
	for _, p := range properties {
		most = max(most, slices.Max(Published(model, stimuli.Discrimination, stimuli.All256, p, das.NoControl)[lateBlock:]))
	}
	return "at most " + short(most)
}

// lateSwaps judges swaps in late blocks of a model of 12.
func lateSwaps(x []study.DASScore, f *Finding) bool {
	if !throughout(x, f) {
		return false
	}
	var most finetune.Score
	var holds []bool
	for _, p := range properties {
		late := byBlocks(x, p, das.NoControl)
		for block := range late {
			if block < lateBlock {
				delete(late, block)
			}
		}
		s := late[bestOf(late)]
		if s.Accuracy() >= most.Accuracy() {
			most = s
		}
		holds = append(holds, s.Accuracy() <= lateChance)
	}
	f.Value, f.Verdict = "at most "+interval(most), whether(holds...)
	return true
}

// lastSwap judges whether swaps after the last block reach 1 - base accuracy, as those that change nothing.
func lastSwap(x []study.DASScore, f *Finding) bool {
	var holds []bool
	var here, without []string
	for _, s := range x {
		if s.Block == f.blocks-1 && s.Control == das.NoControl && s.Method == das.Trained {
			here, without = append(here, short(s.Accuracy())), append(without, short(1-s.Base))
			holds = append(holds, short(s.Accuracy()) == short(1-s.Base))
		}
	}
	if len(holds) == 0 {
		return false
	}
	f.Value, f.Verdict = fmt.Sprintf("%s, wrong by itself %s", strings.Join(here, ", "), strings.Join(without, ", ")), whether(holds...)
	return true
}

// highestControl is the most that the logs have for the wrong object in a model.
func highestControl(model string, task stimuli.Task) string {
	most := 0.
	for _, p := range properties {
		most = max(most, slices.Max(Published(model, task, stimuli.All256, p, das.WrongObject)))
	}
	return "at most " + short(most)
}

// wrongObject judges whether swaps from the wrong object stay at half of the answers, within their intervals.
func wrongObject(x []study.DASScore, f *Finding) bool {
	return atMostHalf(x, das.WrongObject, f)
}

// nothingFound judges whether the search itself stays there.
func nothingFound(x []study.DASScore, f *Finding) bool {
	return atMostHalf(x, das.NoControl, f)
}

func atMostHalf(x []study.DASScore, control das.Control, f *Finding) bool {
	var value string
	var holds []bool
	for _, p := range properties {
		scores := byBlocks(x, p, control)
		if len(scores) == 0 {
			return false
		}
		best := bestOf(scores)
		low, _ := scores[best].Interval()
		holds = append(holds, low <= half)
		if value != "" {
			value += "; "
		}
		value += fmt.Sprintf("%s at most %s after block %d", p, interval(scores[best]), best)
	}
	f.Value, f.Verdict = value, whether(holds...)
	return true
}
