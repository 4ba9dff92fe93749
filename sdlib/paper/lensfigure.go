package paper

import (
	"fmt"
	"math"

	"samediff/sdlib/attribution"
	"samediff/sdlib/figure"
	"samediff/sdlib/finetune"
	"samediff/sdlib/stimuli"
)

// LensFigure shows what can be read from the residual stream at CLS, at each object and at the
// background, as if the answer were read there (the logit lens, [attribution.Spot]), over images
// of a set: on the left the share of right answers after each block with Wilson's 95 % interval,
// on the right the mean margin of the right answer over the other one with a 95 % interval.
func LensFigure(set *stimuli.Set, readings []attribution.Reading, title string) (*figure.Figure, error) {
	if len(readings) == 0 {
		return nil, fmt.Errorf("paper: a figure of the logit lens was given no readings: expected those of attribution.Lens")
	}
	n := len(readings)
	right := figure.Lines{Title: "Right answers, if they were read here", XLabel: "blocks passed", YLabel: fmt.Sprintf("accuracy on %d images", n), YMax: 1, NoLegend: true,
		Guides: []figure.Guide{{Value: .5}}}
	margins := figure.Lines{Title: "By how much", XLabel: "blocks passed", YLabel: "logits: right − wrong", Guides: []figure.Guide{{}}}
	for k, spot := range readings[0].Spots {
		share := figure.Series{Name: spot.At, Color: lineColors[spot.At]} // the background's is that of Figure 2, the others' the next
		mean := share
		for l := range spot.Logits {
			var score finetune.Score
			var all []float64
			for _, r := range readings {
				if r.Image < 0 || r.Image >= set.Len() {
					return nil, noStimulus(set, r.Image)
				}
				if k >= len(r.Spots) || r.Spots[k].At != spot.At || len(r.Spots[k].Logits) != len(spot.Logits) || len(r.Spots[k].Logits[l]) != 2 {
					return nil, fmt.Errorf("paper: the reading of image %d has no two logits at %s: expected images of one task, and a model that answers same or different", r.Image, spot.At)
				}
				logits, label := r.Spots[k].Logits[l], set.Stimulus(r.Image).Label
				margin := logits[label] - logits[1-label]
				all = append(all, margin)
				score.N++
				if margin > 0 {
					score.Correct++
				}
			}
			low, high := score.Interval()
			share.Values, share.Lo, share.Hi = append(share.Values, score.Accuracy()), append(share.Lo, low), append(share.Hi, high)
			m, apart := meanInterval(all)
			mean.Values, mean.Lo, mean.Hi = append(mean.Values, m), append(mean.Lo, m-apart), append(mean.Hi, m+apart)
		}
		right.Series, margins.Series = append(right.Series, share), append(margins.Series, mean)
	}
	return checked(figure.Grid{Title: title, Figures: []*figure.Figure{right.Figure(), margins.Figure()}, NoLetters: true}.Figure())
}

// meanInterval returns a mean and half the length of its 95 % interval, 1.96 standard errors.
func meanInterval(x []float64) (mean, half float64) {
	n := float64(len(x))
	for _, v := range x {
		mean += v / n
	}
	if len(x) < 2 {
		return mean, 0
	}
	squares := 0.
	for _, v := range x {
		squares += (v - mean) * (v - mean)
	}
	return mean, 1.959963984540054 * math.Sqrt(squares/(n-1)/n)
}
