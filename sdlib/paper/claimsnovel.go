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

// novelClaims are about representations that no object has: Figures 4, 13, 17, 18 and 29 to 36.
func novelClaims() []Claim {
	var all []Claim
	add := func(item, where, says string, w role, value string, check func(*Results) (Finding, error)) {
		all = append(all, Claim{OfNovelties, item, where, says, "novel representations in " + w.name, value, check})
	}
	best := func(item, where, name, published string, w role, task stimuli.Task, novelty das.Novelty) {
		for _, p := range publishedNovel(published, task) {
			curve := p.Curves[novelty]
			at := highest(curve)
			add(item, where, fmt.Sprintf("%s, %s: pairs whose %ss no object has (%s) get the answer that they should have", name, shortTask[task], p.Property, novelty), w, short(curve[at]),
				find(w, novelties, "sd "+item+" --scale paper", bestNovel(p.Property, novelty, curve[at])))
		}
	}
	someWork := func(item, where, name string, w role, task stimuli.Task) {
		add(item, where, fmt.Sprintf("%s, %s: representations that no object has get the answer that they should have", name, shortTask[task]), w, "", find(w, novelties, "sd "+item+" --scale paper", someNovelty))
	}
	add("figure 4", "5", "The method, drawn (a)", clipPair, "", drawing("4a"))
	best("figure 4", "5", "CLIP", clipB16, clipPair, stimuli.Discrimination, das.Added)
	add("figure 4", "5", "Added representations work best, then interpolated, sampled, random ones", clipPair, novelOrder(), find(clipPair, novelties, "", ordered))
	add("figure 4", "5", "Random ones are at chance", clipPair, randomNovel(), find(clipPair, novelties, "", randomAtChance))
	best("figure 13", "appendix", "CLIP ViT-B/32", clipB32, wideClip, stimuli.Discrimination, das.Added)
	someWork("figure 13", "appendix", "CLIP ViT-B/32", wideRMTS, stimuli.RMTS)
	best("figure 17", "D", "DINOv2", dinoV2, dinoV2Pair, stimuli.Discrimination, das.Added)
	best("figure 18", "D", "DINOv2", dinoV2, dinoV2RMTS, stimuli.RMTS, das.Interpolated)
	best("figure 29", "J", "CLIP", clipB16, clipRMTS, stimuli.RMTS, das.Interpolated)
	for _, f := range []struct{ item, name string }{{"figure 30", dino}, {"figure 32", imageNet}} {
		best(f.item, "J", f.name, f.name, otherKinds[f.name].pair, stimuli.Discrimination, das.Added)
	}
	someWork("figure 31", "J", dino, otherKinds[dino].rmts, stimuli.RMTS)
	someWork("figure 33", "J", imageNet, otherKinds[imageNet].rmts, stimuli.RMTS)
	someWork("figure 34", "J", mae, otherKinds[mae].pair, stimuli.Discrimination)
	someWork("figure 35", "J", mae, otherKinds[mae].rmts, stimuli.RMTS)
	add("figure 36", "J", "From scratch: no representation moves more than half of the answers", scratchPair, "", find(scratchPair, novelties, "", noNovelty))
	return all
}

// novelBlocks are a property's scores of a novelty by block; those of several seeds are counted together.
func novelBlocks(x []study.NovelScore, p stimuli.Property, novelty das.Novelty) map[int]finetune.Score {
	var scores []study.DASScore
	for _, s := range x {
		if s.Novelty == novelty {
			scores = append(scores, s.DASScore)
		}
	}
	return byBlocks(scores, p, das.NoControl)
}

// bestNovel judges the best accuracy of a property's novelty; it holds in words above chance.
func bestNovel(p stimuli.Property, novelty das.Novelty, there float64) func([]study.NovelScore, *Finding) bool {
	return func(x []study.NovelScore, f *Finding) bool {
		scores := novelBlocks(x, p, novelty)
		if len(scores) == 0 {
			return false
		}
		best := bestOf(scores)
		low, _ := scores[best].Interval()
		f.Value = fmt.Sprintf("%s after block %d", interval(scores[best]), best)
		f.Verdict = near(scores[best].Accuracy(), there, low > half)
		return true
	}
}

// novelOrder writes what the logs have for CLIP where added representations are best.
func novelOrder() string {
	var parts []string
	for _, p := range publishedNovel(clipB16, stimuli.Discrimination) {
		at := highest(p.Curves[das.Added])
		var values []string
		for _, n := range das.Novelties {
			values = append(values, short(p.Curves[n][at]))
		}
		parts = append(parts, fmt.Sprintf("%s %s", p.Property, strings.Join(values, ", ")))
	}
	return strings.Join(parts, "; ")
}

// atAdded returns a property's scores of all novelties at the block where added ones are best, nil if some are missing.
func atAdded(x []study.NovelScore, p stimuli.Property) (scores []finetune.Score) {
	at := bestOf(novelBlocks(x, p, das.Added))
	for _, n := range das.Novelties {
		s, ok := novelBlocks(x, p, n)[at]
		if !ok {
			return nil
		}
		scores = append(scores, s)
	}
	return scores
}

// ordered judges whether the accuracies of the novelties fall in the paper's order, at the block where added ones are best.
func ordered(x []study.NovelScore, f *Finding) bool {
	var parts []string
	var holds []bool
	for _, p := range properties {
		scores := atAdded(x, p)
		if scores == nil {
			return false
		}
		var values []string
		for _, s := range scores {
			values = append(values, short(s.Accuracy()))
		}
		parts = append(parts, fmt.Sprintf("%s %s", p, strings.Join(values, ", ")))
		holds = append(holds, slices.IsSortedFunc(scores, func(a, b finetune.Score) int { return b.Correct*a.N - a.Correct*b.N }))
	}
	f.Value, f.Verdict = fmt.Sprintf("%s (n %d)", strings.Join(parts, "; "), x[0].N), whether(holds...)
	return true
}

// chanceWidth is how far from chance something may be that is said to be at chance.
const chanceWidth = .1

// randomNovel writes what the logs have for random representations where added ones are best.
func randomNovel() string {
	var values []string
	for _, p := range publishedNovel(clipB16, stimuli.Discrimination) {
		values = append(values, short(p.Curves[das.Random][highest(p.Curves[das.Added])]))
	}
	return strings.Join(values, ", ")
}

// randomAtChance judges random representations at the block where added ones are best.
func randomAtChance(x []study.NovelScore, f *Finding) bool {
	var values []string
	var holds []bool
	for _, p := range properties {
		scores := atAdded(x, p)
		if scores == nil {
			return false
		}
		s := scores[len(scores)-1]
		values = append(values, interval(s))
		holds = append(holds, s.Accuracy() >= half-chanceWidth && s.Accuracy() <= half+chanceWidth)
	}
	f.Value, f.Verdict = strings.Join(values, ", "), whether(holds...)
	return true
}

// noNovelty judges whether no novel representation moves more than half of the answers.
func noNovelty(x []study.NovelScore, f *Finding) bool {
	var most finetune.Score
	var holds []bool
	for _, p := range properties {
		for _, n := range das.Novelties {
			scores := novelBlocks(x, p, n)
			if len(scores) == 0 {
				return false
			}
			s := scores[bestOf(scores)]
			low, _ := s.Interval()
			if holds = append(holds, low <= half); s.Accuracy() >= most.Accuracy() {
				most = s
			}
		}
	}
	f.Value, f.Verdict = "at most "+interval(most), whether(holds...)
	return true
}

// someNovelty judges whether added representations are compared, for both properties; the logs of these models were not kept.
func someNovelty(x []study.NovelScore, f *Finding) bool {
	var values []string
	var holds []bool
	for _, p := range properties {
		scores := novelBlocks(x, p, das.Added)
		if len(scores) == 0 {
			return false
		}
		s := scores[bestOf(scores)]
		low, _ := s.Interval()
		values, holds = append(values, fmt.Sprintf("%s %s", p, interval(s))), append(holds, low > half)
	}
	f.Value, f.Verdict = strings.Join(values, "; "), whether(holds...)
	return true
}
