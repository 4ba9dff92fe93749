package attention

import (
	"math"
	"reflect"
	"slices"
	"strings"
	"testing"

	"samediff/sdlib/stimuli"
)

// byHand returns scores of so many images of one block after the other, in which every
// measure of head h in block l of image i is value(i, l, h).
func byHand(task stimuli.Task, labels []int, blocks, heads int, value func(i, measure, l, h int) float64) *PerImage {
	p := &PerImage{Task: task, Labels: labels, Blocks: blocks, Heads: heads}
	for i := range labels {
		p.Images = append(p.Images, i)
		for m := range measures {
			for l := range blocks {
				for h := range heads {
					p.values = append(p.values, value(i, m, l, h))
				}
			}
		}
	}
	return p
}

func alternating(n int) []int {
	labels := make([]int, n)
	for i := range labels {
		labels[i] = i % 2
	}
	return labels
}

// The bootstrap of a mean is nearly normal, with the standard error σ/√n: of values 0 and 1
// in equal number 1/(2√n).
func TestIntervalOfAMean(t *testing.T) {
	const n = 400
	p := byHand(stimuli.Discrimination, alternating(n), 2, 2, func(i, m, l, h int) float64 {
		switch {
		case l == 0 && h == 0:
			return float64(i / 2 % 2) // within each label as often 0 as 1
		case l == 0:
			return float64(i % 2) // the label itself: both labels come equally often in every resample
		}
		return .25
	})
	s, err := p.Scores(4000, 7)
	if err != nil {
		t.Fatal(err)
	}
	const error = 1 / (2 * 20.)
	for _, c := range []struct {
		name      string
		l, h      int
		low, high float64
	}{{"half and half", 0, 0, .5 - 1.96*error, .5 + 1.96*error}, {"the label", 0, 1, .5, .5}, {"a constant", 1, 1, .25, .25}} {
		if low, high := s.Interval.Low.Pair[c.l][c.h], s.Interval.High.Pair[c.l][c.h]; math.Abs(low-c.low) > .005 || math.Abs(high-c.high) > .005 {
			t.Errorf("%s: the interval is %.4f to %.4f, expected %.4f to %.4f", c.name, low, high, c.low, c.high)
		}
	}
	if same := s.Same; same.Images != n/2 || same.Pair[0][1] != 1 || s.Different.Pair[0][1] != 0 || s.Pair[0][1] != .5 {
		t.Errorf("of same images the score is %v, of different ones %v, of all %v: expected 1, 0, .5", same.Pair[0][1], s.Different.Pair[0][1], s.Pair[0][1])
	}
	wide := s.Same.Interval.High.Pair[0][0] - s.Same.Interval.Low.Pair[0][0]
	if want := 2 * 1.96 * error * math.Sqrt2; math.Abs(wide-want) > .01 {
		t.Errorf("of half as many images the interval is %.4f wide, expected √2 times as much, %.4f", wide, want)
	}
	// The largest of two heads, of which one is always .5, is at least that.
	line := s.Lines()[1]
	if line.Name != "within pair" || math.Abs(line.Low[0]-.5) > 1e-12 || math.Abs(line.High[0]-(.5+1.96*error)) > .005 || math.Abs(line.Low[1]-.25) > 1e-12 {
		t.Errorf("the line %s has the intervals %.4f to %.4f", line.Name, line.Low, line.High)
	}
	if s.Interval.Low.Between != nil || s.Sample != nil || s.Display != nil || len(s.Interval.LineLow) != 3 {
		t.Error("discrimination has scores between pairs, or of pairs")
	}

	again, err := p.Scores(4000, 7)
	if err != nil || !reflect.DeepEqual(s, again) {
		t.Errorf("the same seed gives other intervals (%v)", err)
	}
	if other, err := p.Scores(4000, 8); err != nil || reflect.DeepEqual(s.Interval, other.Interval) {
		t.Errorf("another seed gives the same intervals (%v)", err)
	}
	if _, err := p.Scores(0, 1); err == nil || !strings.Contains(err.Error(), "0 resamples, expected 1 or more") {
		t.Errorf("no resamples: error %v", err)
	}
	alone, err := byHand(stimuli.Discrimination, []int{1, 1}, 1, 1, func(i, m, l, h int) float64 { return float64(i) }).Scores(100, 1)
	if err != nil || alone.Different != nil || alone.Same.Local[0][0] != .5 {
		t.Errorf("images of one label: different %v (%v)", alone.Different, err)
	}
}

// In RMTS each pair has scores of its own, and there is a line between the pairs.
func TestPairsApart(t *testing.T) {
	s, err := byHand(stimuli.RMTS, alternating(4), 1, 1, func(i, m, l, h int) float64 { return float64(m) }).Scores(10, 1)
	if err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct {
		got   Measures
		first int
	}{"all": {s.Measures, 0}, "sample": {s.Sample.Measures, firstPair}, "display": {s.Display.Measures, secondPair}, "low": {s.Interval.Low, 0},
		"display, high": {s.Display.Interval.High, secondPair}} {
		for i, field := range c.got.fields() {
			if got := (*field)[0][0]; math.Abs(got-float64(c.first+i)) > 1e-12 {
				t.Errorf("%s: %s is %v, expected %d", name, measureNames[i], got, c.first+i)
			}
		}
	}
	if lines := s.Sample.Lines(); len(lines) != 4 || math.Abs(lines[3].Low[0]-float64(firstPair+between)) > 1e-12 {
		t.Errorf("the sample pair has the lines %v", lines)
	}
}

// Peaks that all images share are the same in all resamples; one that half of the images
// have in block 1 and half in block 2 is as often in either.
func TestStages(t *testing.T) {
	lines := map[int][]float64{ // of each measure, by block
		within: {.1, .8, .3, .2, .1}, ground: {.2, .1, .5, .6, .7}, between: {.1, .1, .1, .4, .6},
	}
	p := byHand(stimuli.RMTS, alternating(80), 5, 1, func(i, m, l, h int) float64 {
		if m == pair && (l == 1 || l == 2) && (i/2+l)%2 == 0 {
			return .4
		}
		return slices.Concat(lines[m], make([]float64, 5))[l]
	})
	scores, err := p.Scores(2000, 1)
	if err != nil {
		t.Fatal(err)
	}
	s, err := scores.Stages(0)
	if err != nil {
		t.Fatal(err)
	}
	// Scores without their resamples, as from a file, peak in the same blocks.
	bare := *scores
	bare.Bootstrap.Maxima = nil
	if p, err := bare.Peaks(0); err != nil || p.Within.Block != s.Within.Block || p.Onset.Block != s.Onset.Block || p.BetweenDistance.Block != s.BetweenDistance.Block || p.Within.Resamples != nil {
		t.Errorf("the peaks (%v) are %+v", err, p)
	}
	for name, c := range map[string]struct {
		stage  Stage
		block  int
		agree  float64
		lo, hi int
	}{
		"within": {s.Within, 1, 1, 1, 1}, "pair": {s.Pair, 1, .5, 1, 2}, "background": {s.Background, 4, 1, 4, 4}, "rise": {s.Rise, 1, 1, 1, 1}, "onset": {s.Onset, 2, 1, 2, 2},
		"between": {s.Between, 4, 1, 4, 4}, "distance": {s.Distance, 0, .5, 0, 1}, "distance of between": {s.BetweenDistance, 3, .5, 2, 3},
	} {
		// Equal sums fall to the first block: that adds half of their probability, about .05, to .5.
		lo, hi := c.stage.Range()
		if c.stage.Block != c.block || math.Abs(c.stage.Agree()-c.agree) > .09 || lo != c.lo || hi != c.hi || len(c.stage.Resamples) != 2000 {
			t.Errorf("%s: block %d in %.3f of the resamples, 95 %% in %d to %d; expected %d in %.3f, %d to %d", name, c.stage.Block, c.stage.Agree(), lo, hi, c.block, c.agree, c.lo, c.hi)
		}
	}
	if later, err := scores.Stages(2); err != nil || later.Within.Block != 2 || later.Within.Agree() != 1 {
		t.Errorf("from block 2 on, within peaks in %v (%v)", later, err)
	}
	if got := onset([][]float64{{.9, .9}, {0, 0}, {.5, .6}}, 1, 0); got != Never {
		t.Errorf("a background that is never the highest begins in block %d", got)
	}

	without := *scores
	without.Bootstrap.Maxima = nil
	for want, call := range map[string]func() (*Stages, error){
		"from block 5 on, expected 0 to 4": func() (*Stages, error) { return scores.Stages(5) },
		"from block -1 on":                 func() (*Stages, error) { return scores.Stages(-1) },
		"without their resamples":          func() (*Stages, error) { return without.Stages(0) },
		"no scores to find stages in":      func() (*Stages, error) { return (*Scores)(nil).Stages(0) },
	} {
		if _, err := call(); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("the error is %v, expected it to speak of %q", err, want)
		}
	}
}

// What is written as CSV comes back, but for what is not in it.
func TestCSV(t *testing.T) {
	for _, task := range []stimuli.Task{stimuli.Discrimination, stimuli.RMTS} {
		s, err := byHand(task, alternating(6), 3, 2, func(i, m, l, h int) float64 { return float64(i+1) / float64(7*(m+2*l+3*h+1)) }).Scores(50, 1)
		if err != nil {
			t.Fatal(err)
		}
		var text strings.Builder
		if err := s.CSV(&text); err != nil {
			t.Fatal(err)
		}
		back, err := ReadCSV(strings.NewReader(text.String()))
		if err != nil {
			t.Fatal(err)
		}
		var again strings.Builder
		if err := back.CSV(&again); err != nil || again.String() != text.String() {
			t.Errorf("%s: written again (%v), the table differs", task, err)
		}
		if len(back.Parts()) != len(s.Parts()) || back.Task != task || back.Images != 6 || math.Abs(back.Local[2][1]-s.Local[2][1]) > 1e-6 {
			t.Errorf("%s: %d parts of %d images come back", task, len(back.Parts()), back.Images)
		}
		without := *s
		without.Interval = Interval{}
		if err := without.CSV(&again); err == nil || !strings.Contains(err.Error(), "no intervals") {
			t.Errorf("without intervals: error %v", err)
		}
	}
	const header = "task,part,measure,block,head,n,value,low,high\n"
	for want, text := range map[string]string{
		"does not begin with":    "a,b\n1,2\n",
		"expected a part":        header + "rmts,all,local,0,0,5,x,0,1\n",
		"comes before the block": header + "rmts,all,local,1,0,5,.5,0,1\n",
		"wrong number of fields": header + "rmts\n",
		"a measure of":           header + "rmts,all,width,0,0,5,.5,0,1\n",
	} {
		if _, err := ReadCSV(strings.NewReader(text)); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("the error is %v, expected it to speak of %q", err, want)
		}
	}
}
