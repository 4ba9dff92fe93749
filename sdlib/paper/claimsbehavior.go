package paper

import (
	"fmt"

	"samediff/sdlib/stimuli"
	"samediff/sdlib/study"
)

// behaviorClaims are about accuracies: Tables 2 to 6.
func behaviorClaims() []Claim {
	const fresh, combined, new = "test (IID)", "compositional", "OOD shape-color"
	var all []Claim
	row := func(item, says, set string, w role, there float64) {
		all = append(all, Claim{OfBehavior, item, "appendix", says, "accuracy of " + w.name, short(there),
			find(w, accuracy, "sd "+item+" --scale paper", accurate(set, there))})
	}
	clip := func(task stimuli.Task, objects stimuli.Objects) map[string]float64 {
		l, ok := logOf("clip-b16", task, objects)
		if !ok {
			panic("no log of CLIP")
		}
		return l.Accuracy
	}
	names := map[string]string{fresh: "fresh images", combined: "new combinations", new: "new shapes and colors"}
	of := func(item, name string, w role, log map[string]float64, sets ...string) {
		for _, set := range sets {
			row(item, name+" on "+names[set], set, w, log[set])
		}
	}
	least := func(item, name string, task stimuli.Task, objects stimuli.Objects, set string, there float64) {
		all = append(all, Claim{OfBehavior, item, "appendix", name + " at least on " + names[set], "accuracy of " + others.name, short(there),
			othersAtLeast(item, task, objects, set, there)})
	}
	pair, rmts := clipPair.pretrained(), clipRMTS.pretrained()
	of("table 2", "CLIP", pair, clip(stimuli.Discrimination, stimuli.All256), fresh, new)
	of("table 2", "DINOv2", dinoV2Pair, map[string]float64{fresh: .995, new: .9625}, fresh, new)
	least("table 2", "ImageNet, DINO and MAE", stimuli.Discrimination, stimuli.All256, fresh, .9563)
	of("table 2", "From scratch", scratchPair, map[string]float64{fresh: .805, new: .6694}, fresh, new)
	all = append(all, Claim{OfBehavior, "table 2", "appendix", "CLIP alone recognizes same objects in photographs", "accuracy of all models on photographs", "others at chance", photographAccuracy})
	of("table 3", "CLIP", clip32Set, clip(stimuli.Discrimination, stimuli.Compositional32), fresh, combined)
	least("table 3", "DINOv2, ImageNet, DINO and MAE", stimuli.Discrimination, stimuli.Compositional32, combined, .9469)
	of("table 3", "From scratch", scratch32, map[string]float64{fresh: .765, combined: .7597}, fresh, combined)
	of("table 4", "CLIP", rmts, clip(stimuli.RMTS, stimuli.All256), fresh, new)
	of("table 4", "DINOv2", dinoV2RMTS, map[string]float64{fresh: .988}, fresh)
	least("table 4", "ImageNet, DINO and MAE", stimuli.RMTS, stimuli.All256, fresh, .8769)
	of("table 4", "From scratch", scratchRMTS, map[string]float64{fresh: .4959}, fresh)
	of("table 5", "CLIP", clip32RMTS, clip(stimuli.RMTS, stimuli.Compositional32), fresh, combined)
	of("table 5", "From scratch", scratch32R, map[string]float64{fresh: .5001}, fresh)
	for _, m := range []struct {
		name  string
		there float64
	}{{"discrimination", .9964}, {"discrimination, 32 combinations", .9848}, {"RMTS", .9736}, {"RMTS, 32 combinations", .9825}} {
		of("table 6", "CLIP ViT-B/32, "+m.name, noWeights(clipB32, hubOnly(clipB32)), map[string]float64{fresh: m.there}, fresh)
	}
	return all
}

// accurate judges an accuracy; it holds in words on the same side of chance.
func accurate(set string, there float64) func(*study.Metrics, *Finding) bool {
	return func(m *study.Metrics, f *Finding) bool {
		for _, s := range m.Sets {
			if s.Name != set {
				continue
			}
			low, high := s.All.Interval()
			above := low > half && there > half+chanceWidth
			atChance := low <= half && high >= half && there <= half+chanceWidth
			f.Value = fmt.Sprintf("%s, n %d", interval(s.All), s.All.N)
			f.Verdict = near(s.All.Accuracy(), there, above || atChance)
			return true
		}
		return false
	}
}
