package attention

import (
	"encoding/binary"
	"errors"
	"fmt"
	"math"
	"slices"
)

// Stages say in which block each kind of attention is strongest: in a model that works in
// two stages objects are read first, and compared afterwards (paper, section 3). Each entry
// has the distribution over the resamples of [Bootstrap]: a peak that is a matter of the
// images is another block in many of them.
type Stages struct {
	Images int // number of images behind it
	From   int // blocks before it are left out

	Within     Stage // where attention within the object peaks
	Pair       Stage // within the pair
	Between    Stage // between the pairs; only in RMTS does it have resamples
	Background Stage // to the background
	// Rise is where the background is lowest before its peak: from there it rises.
	Rise Stage
	// Onset is where the background takes over: the first of the blocks, up to that of its
	// peak, in all of which its line is the highest; Never if it is not the highest at its peak.
	Onset Stage

	// Distance is how many blocks Pair comes after Within, and BetweenDistance Between after Pair.
	Distance        Stage
	BetweenDistance Stage
}

// Never stands for the block of what does not happen.
const Never = -1

// A Stage is a block, or a distance in blocks, and the same of each resample.
type Stage struct {
	Block     int
	Resamples []int // [R]; nil where there is no such stage
}

// Agree returns the share of resamples that have the same block.
func (s Stage) Agree() float64 {
	return s.Share(func(block int) bool { return block == s.Block })
}

// Share returns the share of resamples of which something is true.
func (s Stage) Share(is func(block int) bool) float64 {
	n := 0
	for _, block := range s.Resamples {
		if is(block) {
			n++
		}
	}
	return float64(n) / float64(max(1, len(s.Resamples)))
}

// Range returns the blocks between which 95 % of the resamples lie, both included.
func (s Stage) Range() (first, last int) {
	if len(s.Resamples) == 0 {
		return s.Block, s.Block
	}
	sorted := slices.Sorted(slices.Values(s.Resamples))
	cut := len(sorted) * 25 / 1000
	return sorted[cut], sorted[len(sorted)-1-cut]
}

// Peaks returns where the lines of the scores peak, without resamples: also of scores that were read
// from a file. Blocks before from are left out: the paper passes over DINOv2's block 0, which spikes
// (its Figure 15); elsewhere from is 0.
func (s *Scores) Peaks(from int) (*Stages, error) {
	if s == nil || len(s.Local) == 0 {
		return nil, errors.New("attention: no scores to find stages in: expected those of Analyze")
	}
	if L := len(s.Local); from < 0 || from >= L {
		return nil, fmt.Errorf("attention: stages from block %d on, expected 0 to %d", from, L-1)
	}
	all := &Stages{Images: s.Images, From: from}
	all.each(values(s.Measures.Lines()), from, func(stage *Stage, block int) { stage.Block = block })
	return all, nil
}

// values are those of lines: [lines][L].
func values(lines []Line) (all [][]float64) {
	for _, line := range lines {
		all = append(all, line.Values)
	}
	return all
}

// Stages is [Scores.Peaks] with the same of each of the scores' resamples.
func (s *Scores) Stages(from int) (*Stages, error) {
	all, err := s.Peaks(from)
	if err != nil {
		return nil, err
	}
	lines, L, r := values(s.Measures.Lines()), len(s.Local), s.Bootstrap.Resamples
	if want := 4 * len(lines) * r * L; r < 1 || len(s.Bootstrap.Maxima) != want {
		return nil, fmt.Errorf("attention: scores without their resamples: %d bytes for %d lines of %d blocks, %d times, expected %d bytes as Analyze returns them",
			len(s.Bootstrap.Maxima), len(lines), L, r, want)
	}
	resample := make([][]float64, len(lines))
	for k := range r {
		for i := range lines {
			resample[i] = resample[i][:0]
			for l := range L {
				bits := binary.LittleEndian.Uint32(s.Bootstrap.Maxima[4*((i*r+k)*L+l):])
				resample[i] = append(resample[i], float64(math.Float32frombits(bits)))
			}
		}
		all.each(resample, from, func(stage *Stage, block int) { stage.Resamples = append(stage.Resamples, block) })
	}
	return all, nil
}

// each finds the block of every stage in lines, [lines][L] in the order of Lines.
func (s *Stages) each(lines [][]float64, from int, found func(*Stage, int)) {
	const ground = 2 // the background's line
	peak := func(line []float64) int { return Line{Values: line}.Peak(from) }
	within, pair, background := peak(lines[0]), peak(lines[1]), peak(lines[2])
	found(&s.Within, within)
	found(&s.Pair, pair)
	found(&s.Background, background)
	low := from
	for l := from; l < background; l++ {
		if lines[ground][l] < lines[ground][low] {
			low = l
		}
	}
	found(&s.Rise, low)
	found(&s.Onset, onset(lines, background, from))
	found(&s.Distance, pair-within)
	if len(lines) > 3 {
		between := peak(lines[3])
		found(&s.Between, between)
		found(&s.BetweenDistance, between-pair)
	}
}

// onset returns the first of the blocks, up to that of the background's peak, in all of
// which the background's line is the highest.
func onset(lines [][]float64, peak, from int) int {
	const ground = 2 // the background's line
	first := Never
	for l := peak; l >= from; l-- {
		for i, line := range lines {
			if i != ground && line[l] >= lines[ground][l] {
				return first
			}
		}
		first = l
	}
	return first
}
