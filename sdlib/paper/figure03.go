package paper

import (
	"cmp"
	"errors"
	"fmt"
	"image/color"
	"maps"
	"slices"

	"samediff/sdlib/das"
	"samediff/sdlib/figure"
	"samediff/sdlib/stimuli"
	"samediff/sdlib/study"
)

// A SearchPanel is the alignment searches in one model, in a [SearchFigure].
type SearchPanel struct {
	Title  string           // the model's name, by which [Published] knows it
	Scores []study.DASScore // of study.DASScores or study.ReadDAS
	// Logged names the paper's model whose logs stand behind the lines; "" for the one that Title names.
	Logged string
}

// SearchFigure shows how often interventions bring about their target, by the block after which
// they are made (paper, Figures 3b, 12, 16, 24 to 28): a panel for each model; shape and color as
// lines with Wilson's 95 % interval, controls dashed, and light behind them what the authors' logs
// say of the same model (or of the one it stands for) after each of its blocks, where they do. Above lies the model's base accuracy, the
// mean over the lines, below 1 - base accuracy, which an intervention reaches that changes nothing. Each line has the blocks that its
// searches were made after; where those are not the same for all lines, each of them is marked.
func SearchFigure(panels ...SearchPanel) (*figure.Figure, error) {
	if len(panels) == 0 {
		return nil, errors.New("paper: a figure of searches was given no panels: expected the searches in one model or more")
	}
	var figures []*figure.Figure
	for _, p := range panels {
		f, err := p.figure()
		if err != nil {
			return nil, err
		}
		figures = append(figures, f)
	}
	return checked(figure.Grid{Figures: figures, Columns: 1, NoLetters: len(figures) < 2}.Figure())
}

// propertyColors keep each property's color.
var propertyColors = map[stimuli.Property]color.Color{stimuli.ShapeProperty: figure.SeriesColor(0), stimuli.ColorProperty: figure.SeriesColor(1)}

// searchLine is a property and a control: the scores of a line.
type searchLine struct {
	property stimuli.Property
	control  das.Control
}

func (p SearchPanel) figure() (*figure.Figure, error) {
	if len(p.Scores) == 0 {
		return nil, fmt.Errorf("paper: a panel of searches in %s has no scores", p.Title)
	}
	var order []searchLine
	lines := map[searchLine]map[int]study.DASScore{} // by block
	for _, r := range p.Scores {
		line := searchLine{r.Property, r.Control}
		if lines[line] == nil {
			lines[line] = map[int]study.DASScore{}
			order = append(order, line)
		}
		if _, twice := lines[line][r.Block]; twice {
			return nil, fmt.Errorf("paper: a panel of searches in %s has two scores for %s after block %d, control %s: expected one seed and one recipe", p.Title, r.Property, r.Block, r.Control)
		}
		lines[line][r.Block] = r
	}
	marked := false // the lines have not all the same blocks
	for _, line := range order {
		marked = marked || !slices.Equal(blocksOf(lines[line]), blocksOf(lines[order[0]]))
	}
	first := p.Scores[0]
	l := figure.Lines{Title: p.Title + ", " + taskTitles[first.Task], XLabel: "after block", YLabel: "share that becomes the target", YMin: 0, YMax: 1}
	base := 0.
	for _, line := range order {
		if known := Published(cmp.Or(p.Logged, p.Title), first.Task, first.Objects, line.property, line.control); known != nil {
			s := figure.Series{Name: line.name() + ", published", Values: known, Color: light(propertyColors[line.property]), Dashed: line.control != das.NoControl, NoMark: true}
			for block := range known {
				s.X = append(s.X, float64(block))
			}
			l.Series = append(l.Series, s)
		}
	}
	for _, line := range order {
		s := figure.Series{Name: line.name(), Color: propertyColors[line.property], Dashed: line.control != das.NoControl, NoMark: line.control != das.NoControl && !marked}
		blocks := blocksOf(lines[line])
		for _, block := range blocks {
			score := lines[line][block].Score
			low, high := score.Interval()
			s.X, s.Values, s.Lo, s.Hi = append(s.X, float64(block)), append(s.Values, score.Accuracy()), append(s.Lo, low), append(s.Hi, high)
		}
		l.Series = append(l.Series, s)
		base += lines[line][blocks[0]].Base / float64(len(order))
	}
	l.Guides = []figure.Guide{{Value: base, Name: "base accuracy"}, {Value: 1 - base, Name: "1 − base accuracy"}}
	l.Width = 5.2
	return l.Figure(), nil
}

// blocksOf are the blocks after which a line has scores, in order.
func blocksOf(line map[int]study.DASScore) []int { return slices.Sorted(maps.Keys(line)) }

func (l searchLine) name() string {
	if l.control == das.NoControl {
		return string(l.property)
	}
	return fmt.Sprintf("%s, %s", l.property, l.control)
}

// light is a color in front of white, at a third of its strength.
func light(c color.Color) color.Color {
	r, g, b, _ := c.RGBA()
	mix := func(x uint32) uint8 { return uint8((x>>8 + 2*255) / 3) }
	return color.NRGBA{mix(r), mix(g), mix(b), 255}
}
