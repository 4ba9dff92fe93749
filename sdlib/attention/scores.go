package attention

import (
	"cmp"
	"errors"
	"fmt"
	"slices"

	"samediff/sdlib/stimuli"
	"samediff/sdlib/vit"
)

// Scores say where each head of a model looks, averaged over images. All its matrices
// are [L][H]: s.Local[block][head].
type Scores struct {
	Task   stimuli.Task `json:"task"`
	Images int          `json:"images"` // number of images averaged over

	// Measures are the scores as the paper defines them, with Within measured directly.
	Measures
	Interval Interval `json:"interval"` // of Measures

	// Same and Different are the scores of images with that label alone; nil where there are none.
	Same      *Part `json:"same,omitempty"`
	Different *Part `json:"different,omitempty"`
	// Sample and Display are those of the objects of one of RMTS's pairs alone, with Between
	// from this pair to the other; nil in discrimination.
	Sample  *Part `json:"sample,omitempty"`
	Display *Part `json:"display,omitempty"`

	// Original are the scores as the paper's released code computes them (D14).
	Original Measures `json:"original"`
	// Shares say where the objects' attention goes, on average.
	Shares Shares `json:"shares"`

	Bootstrap Bootstrap `json:"bootstrap"`
}

// A Part is the scores over a part of the images or of their objects.
type Part struct {
	Images int `json:"images"` // number of images averaged over
	Measures
	Interval Interval `json:"interval"`
}

// All returns the scores over all images and objects in the form of a part.
func (s *Scores) All() Part { return Part{s.Images, s.Measures, s.Interval} }

// A NamedPart is a part with a name.
type NamedPart struct {
	Name string // "all", "same", "different", "sample pair", "display pair"
	Part
}

// Parts lists all parts of the scores that there are, the whole first.
func (s *Scores) Parts() []NamedPart {
	parts := []NamedPart{{"all", s.All()}}
	for _, p := range []struct {
		name string
		part *Part
	}{{"same", s.Same}, {"different", s.Different}, {"sample pair", s.Sample}, {"display pair", s.Display}} {
		if p.part != nil {
			parts = append(parts, NamedPart{p.name, *p.part})
		}
	}
	return parts
}

// Measures are the five scores of every head, [L][H] each, defined in the package's
// documentation (paper, section 3).
type Measures struct {
	Local      [][]float64 `json:"local"`             // 0 local ... 1 global
	Within     [][]float64 `json:"within"`            // to the object itself
	Pair       [][]float64 `json:"pair"`              // to the object it is compared with
	Background [][]float64 `json:"background"`        // to patches of no object
	Between    [][]float64 `json:"between,omitempty"` // from one pair to the other; RMTS only, else nil
}

// fields lists the measures, in the order of the constants local to between.
func (m *Measures) fields() []*[][]float64 {
	return []*[][]float64{&m.Local, &m.Within, &m.Pair, &m.Background, &m.Between}
}

// measureNames are theirs, as in JSON.
var measureNames = []string{"local", "within", "pair", "background", "between"}

// MeasureNames lists the names of the measures that a task has, as in JSON.
func MeasureNames(task stimuli.Task) []string {
	if task == stimuli.RMTS {
		return slices.Clone(measureNames)
	}
	return slices.Clone(measureNames[:between])
}

// Named returns the measure of a name, nil where there is none.
func (m *Measures) Named(name string) [][]float64 {
	if i := slices.Index(measureNames, name); i >= 0 {
		return *m.fields()[i]
	}
	return nil
}

// Append adds a value behind those of a block in the measure of a name, as a reader of tables does.
func (m *Measures) Append(name string, block int, value float64) error {
	i := slices.Index(measureNames, name)
	if i < 0 {
		return fmt.Errorf("attention: no measure is called %q, expected one of %q", name, measureNames)
	}
	of := m.fields()[i]
	if block == len(*of) {
		*of = append(*of, nil)
	}
	if block < 0 || block >= len(*of) {
		return fmt.Errorf("attention: block %d comes before the blocks in front of it", block)
	}
	(*of)[block] = append((*of)[block], value)
	return nil
}

// Shares are mean masses over all objects and images, [L][H] each. For every head the
// five add up to 1.
type Shares struct {
	CLS        [][]float64 `json:"cls"` // all tokens in front of the patches: registers too; 0 where there are none
	Own        [][]float64 `json:"own"`
	Partner    [][]float64 `json:"partner"`
	Others     [][]float64 `json:"others"` // objects that are neither: RMTS's other pair, and in one's own images objects of no pair
	Background [][]float64 `json:"background"`
}

// A Line is one measure's largest head in each block (paper, Figure 2, right).
type Line struct {
	Name   string    // "within object", "within pair", "background", "between pairs"
	Values []float64 // [L], the largest of the block's H heads
	Heads  []int     // [L], that head
	// Low and High bound the bootstrap interval of each value, see [Interval]; nil for the
	// lines of [Measures], which have none.
	Low, High []float64
}

// The lines, in their order, and the measures that they are of.
var (
	lineNames    = []string{"within object", "within pair", "background", "between pairs"}
	lineMeasures = []int{within, pair, ground, between}
)

// Lines returns the lines of Figure 2: within object, within pair, background, and in
// RMTS between pairs.
func (m Measures) Lines() []Line {
	var lines []Line
	for i, measure := range lineMeasures {
		if values := *m.fields()[measure]; values != nil || measure != between {
			lines = append(lines, newLine(lineNames[i], values))
		}
	}
	return lines
}

// Lines returns the lines of Figure 2 with their intervals.
func (p Part) Lines() []Line {
	lines := p.Measures.Lines()
	for i := range min(len(lines), len(p.Interval.LineLow), len(p.Interval.LineHigh)) {
		lines[i].Low, lines[i].High = p.Interval.LineLow[i], p.Interval.LineHigh[i]
	}
	return lines
}

// Lines returns the lines of Figure 2 with their intervals.
func (s *Scores) Lines() []Line { return s.All().Lines() }

func newLine(name string, measure [][]float64) Line {
	line := Line{Name: name}
	for _, heads := range measure {
		best := 0
		for h, v := range heads {
			if v > heads[best] {
				best = h
			}
		}
		line.Values, line.Heads = append(line.Values, heads[best]), append(line.Heads, best)
	}
	return line
}

// Peak returns the block of the line's largest value, the first of equals, leaving out
// the blocks before from. The paper passes over DINOv2's block 0, which spikes (its
// Figure 15); elsewhere from is 0. It returns -1 when no block is left.
func (l Line) Peak(from int) int {
	peak := -1
	for block := max(from, 0); block < len(l.Values); block++ {
		if peak < 0 || l.Values[block] > l.Values[peak] {
			peak = block
		}
	}
	return peak
}

// A Head is one attention head.
type Head = vit.Head

// Highest returns the heads of a measure [L][H] from the largest value to the
// smallest; equals in the order of blocks and heads. Of s.Local the first is the most
// global head and the last the most local.
func Highest(measure [][]float64) []Head {
	var heads []Head
	for l, row := range measure {
		for h := range row {
			heads = append(heads, Head{Block: l, Head: h})
		}
	}
	slices.SortStableFunc(heads, func(a, b Head) int { return cmp.Compare(b.Of(measure), a.Of(measure)) })
	return heads
}

// Examples returns up to three heads that show what heads do: the most local one, the one
// that attends most within the pair, and the most global one, in this order. A head that
// was chosen already gives way to the next.
func (s *Scores) Examples() ([]Head, error) {
	if s == nil || len(s.Local) == 0 || len(s.Pair) == 0 {
		return nil, errors.New("attention: no scores to choose heads by: expected those of Analyze")
	}
	global := Highest(s.Local)
	local := slices.Clone(global)
	slices.Reverse(local)
	var chosen []Head
	for _, ranking := range [][]Head{local, Highest(s.Pair), global} {
		if i := slices.IndexFunc(ranking, func(h Head) bool { return !slices.Contains(chosen, h) }); i >= 0 {
			chosen = append(chosen, ranking[i])
		}
	}
	return chosen, nil
}

// A Step is a head that shows what heads do in one of the steps from pixels to the answer.
type Step struct {
	Name string // "within object, early"
	Head Head
}

// Steps returns four heads, as in the paper's Figure 21: the strongest within the object up
// to the block where that peaks, and behind it; the strongest within the pair; and in RMTS the
// strongest between the pairs, otherwise the second strongest within the pair. A head
// that was chosen already, or a step without blocks, gives way to the next of its ranking.
// Blocks before from are left out, as in [Scores.Stages].
func (s *Scores) Steps(from int) ([]Step, error) {
	if s == nil || len(s.Local) == 0 || len(s.Pair) == 0 || len(s.Within) == 0 {
		return nil, errors.New("attention: no scores to choose heads by: expected those of Analyze")
	}
	peak := newLine("", s.Within).Peak(from)
	if peak < 0 {
		return nil, fmt.Errorf("attention: heads from block %d on, expected 0 to %d", from, len(s.Local)-1)
	}
	fourth := step{"within pair, another", s.Pair, from, len(s.Local)}
	if s.Between != nil {
		fourth = step{"between pairs", s.Between, from, len(s.Local)}
	}
	var steps []Step
	for _, want := range []step{{"within object, early", s.Within, from, peak + 1}, {"within object, late", s.Within, peak + 1, len(s.Local)},
		{"within pair", s.Pair, from, len(s.Local)}, fourth} {
		ranking := Highest(want.measure)
		free := func(h Head) bool {
			return h.Block >= from && !slices.ContainsFunc(steps, func(s Step) bool { return s.Head == h })
		}
		i := slices.IndexFunc(ranking, func(h Head) bool { return free(h) && h.Block >= want.first && h.Block < want.end })
		if i < 0 {
			i = slices.IndexFunc(ranking, free)
		}
		if i >= 0 {
			steps = append(steps, Step{want.name, ranking[i]})
		}
	}
	return steps, nil
}

// step is what Steps looks for: the highest of a measure in some blocks.
type step struct {
	name       string
	measure    [][]float64
	first, end int
}
