package paper

import (
	"fmt"
	"image/color"
	"math"

	xfont "golang.org/x/image/font"
	"gonum.org/v1/plot"
	"gonum.org/v1/plot/font"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"

	"samediff/sdlib/figure"
	"samediff/sdlib/runner"
	"samediff/sdlib/stimuli"
	"samediff/sdlib/vit"
)

// DisentangleFigure shows which numbers the disentanglement loss reads (section 7): on
// the left stimulus i with the patches of its objects; on the right the residual stream
// of a model of configuration c, a row for each token and a column for each dimension.
// At the tokens of objects the shape probe reads the first half (blue) and the color
// probe the second (orange); the rest is free.
func DisentangleFigure(set *stimuli.Set, i int, c vit.Config) (*figure.Figure, error) {
	picture, err := rewardPicture(set, i, "Tokens of objects", nil)
	if err != nil {
		return nil, err
	}
	if err := runner.Fits(c, set); err != nil {
		return nil, fmt.Errorf("paper: %w", err)
	}
	values := make([][]float64, c.Tokens())
	names := make([]string, c.Tokens())
	for token := range values {
		values[token] = make([]float64, c.Width)
		if token < c.Prefix() {
			names[token] = "CLS"
			continue
		}
		names[token] = fmt.Sprint(token - c.Prefix())
	}
	for _, o := range set.Stimulus(i).Objects {
		for _, token := range o.Tokens {
			for d := range c.Width {
				side := -1.
				if d >= c.Width/2 {
					side = 1
				}
				values[c.Prefix()+token][d] = side
			}
		}
	}
	colors, err := figure.NewColorMap(figure.SeriesColor(0), color.White, figure.SeriesColor(1))
	if err != nil {
		return nil, err
	}
	stream := figure.HeatMap{
		Values: values, Min: -1, Max: 1, Map: colors, Title: "What the probes read",
		XLabel: "dimension of the residual stream", YLabel: "token (patch)", YTicks: names,
		BarLabel: "shape ← → color", Width: 4, Height: 2.6,
	}
	return checked(figure.Grid{Figures: []*figure.Figure{picture, stream.Figure()}, NoLetters: true}.Figure())
}

// PipelineFigure shows what the pipeline loss rewards (section 7): for each of its kinds
// the directions of attention on stimulus i, as arrows from the object that looks, and
// below them the weights with which the score adds up
//
//	mass(o → p), the share of object o's attention that goes to object p.
//
// They sum to 1; attention to CLS, to the background ("else") and in other directions
// earns nothing. Between pairs exists in RMTS only.
func PipelineFigure(set *stimuli.Set, i int) (*figure.Figure, error) {
	kinds := []struct {
		title   string
		rewards func(s stimuli.Stimulus) [][2]int
	}{{"Within object (wo)", withinObject}, {"Within pair (wp)", withinPair}, {"Between pairs (bp)", betweenPairs}}
	var pictures, weights []*figure.Figure
	for _, k := range kinds {
		var arrows [][2]int
		if i >= 0 && i < set.Len() {
			arrows = k.rewards(set.Stimulus(i))
		}
		picture, err := rewardPicture(set, i, k.title, arrows)
		if err != nil {
			return nil, err
		}
		if len(arrows) == 0 {
			continue
		}
		pictures = append(pictures, picture)
		weights = append(weights, rewardWeights(set.Stimulus(i), arrows))
	}
	f := figure.Grid{Figures: append(pictures, weights...), Columns: len(pictures), NoLetters: true}
	return checked(f.Figure())
}

// RelationFigure shows what the relation loss reads: the pairs of stimulus i, each of
// which its probe sees as the mean over both objects' tokens.
func RelationFigure(set *stimuli.Set, i int) (*figure.Figure, error) {
	if i < 0 || i >= set.Len() {
		return nil, noStimulus(set, i)
	}
	words := []string{"different", "same"}
	s := set.Stimulus(i)
	title := "Answer: " + words[s.Label]
	var pairs [][2]int
	for _, p := range s.Pairs {
		pairs = append(pairs, [2]int{p.First, p.Second})
		title += fmt.Sprintf("\n%d and %d: %s", p.First+1, p.Second+1, words[p.Label])
	}
	return rewardPicture(set, i, title, nil, pairs...)
}

func noStimulus(set *stimuli.Set, i int) error {
	return fmt.Errorf("paper: no stimulus %d: expected 0 to %d", i, set.Len()-1)
}

// The directions that the kinds of the pipeline loss reward: from object, to object.

func withinObject(s stimuli.Stimulus) (all [][2]int) {
	for o := range s.Objects {
		all = append(all, [2]int{o, o})
	}
	return all
}

func withinPair(s stimuli.Stimulus) (all [][2]int) {
	for _, p := range s.Pairs {
		all = append(all, [2]int{p.First, p.Second}, [2]int{p.Second, p.First})
	}
	return all
}

func betweenPairs(s stimuli.Stimulus) (all [][2]int) {
	for a, p := range s.Pairs {
		for b, q := range s.Pairs {
			if a == b {
				continue
			}
			for _, from := range []int{p.First, p.Second} {
				all = append(all, [2]int{from, q.First}, [2]int{from, q.Second})
			}
		}
	}
	return all
}

// rewardWeights is the matrix of a score: rows look, columns are looked at.
func rewardWeights(s stimuli.Stimulus, directions [][2]int) *figure.Figure {
	h := figure.HeatMap{
		Map: figure.Sequential(), XLabel: "object looked at", YLabel: "object that looks", CellFormat: "%.3g", BarLabel: "weight",
		Max: .5, Width: 3, Height: 1.1 + .32*float64(len(s.Objects)),
	}
	for k := range s.Objects {
		name := fmt.Sprint(k + 1)
		h.Values = append(h.Values, make([]float64, len(s.Objects)+2))
		h.XTicks, h.YTicks = append(h.XTicks, name), append(h.YTicks, name)
	}
	h.XTicks = append(h.XTicks, "CLS", "else")
	for _, d := range directions {
		h.Values[d[0]][d[1]] += 1 / float64(len(directions))
	}
	return h.Figure()
}

// rewardPicture draws stimulus i with the patches of its objects, arrows between them,
// and lines that join the objects of a pair.
func rewardPicture(set *stimuli.Set, i int, title string, arrows [][2]int, pairs ...[2]int) (*figure.Figure, error) {
	if i < 0 || i >= set.Len() {
		return nil, noStimulus(set, i)
	}
	s := set.Stimulus(i)
	p := patchDrawing{set: set, index: i, grid: set.Geometry().Grid(), objects: s.Objects}
	alt := fmt.Sprintf("An image with %d objects, their patches framed.", len(s.Objects))
	for _, a := range arrows {
		alt += fmt.Sprintf(" Arrow from object %d to %d.", a[0]+1, a[1]+1)
	}
	for _, pair := range pairs {
		alt += fmt.Sprintf(" Objects %d and %d are joined.", pair[0]+1, pair[1]+1)
	}
	drawing := figure.New(patchInches, patchInches, alt, func(c draw.Canvas) {
		p.draw(c)
		for _, pair := range pairs {
			line := draw.LineStyle{Color: arrowInk, Width: 1.4, Dashes: []vg.Length{3, 2}}
			c.StrokeLines(line, []vg.Point{p.middle(c, pair[0]), p.middle(c, pair[1])})
		}
		for _, a := range arrows {
			p.arrow(c, a[0], a[1])
		}
		for o := range p.objects {
			p.number(c, o)
		}
	})
	return checked(figure.Grid{Figures: []*figure.Figure{drawing}, Title: title, NoLetters: true}.Figure())
}

var arrowInk = color.Gray{0x22}

// middle returns where the middle of an object's patches lies.
func (p patchDrawing) middle(c draw.Canvas, object int) vg.Point {
	at := p.corners(c)
	var row, col float64
	tokens := p.objects[object].Tokens
	for _, t := range tokens {
		row += (float64(t/p.grid) + .5) / float64(len(tokens))
		col += (float64(t%p.grid) + .5) / float64(len(tokens))
	}
	return at(row, col)
}

// arrow draws one from object to object, a little to the right of the way, so that the
// one back has its own; and a ring where they are one.
func (p patchDrawing) arrow(c draw.Canvas, from, to int) {
	a, b := p.middle(c, from), p.middle(c, to)
	line := draw.LineStyle{Color: arrowInk, Width: 1.1}
	if from == to {
		const radius = 11
		ring := make([]vg.Point, 25)
		for i := range ring {
			sin, cos := math.Sincos(math.Pi/3 + float64(i)/24*1.8*math.Pi)
			ring[i] = vg.Point{X: a.X + vg.Length(radius*cos), Y: a.Y + vg.Length(radius*sin)}
		}
		c.StrokeLines(line, ring)
		head(c, ring[len(ring)-2], ring[len(ring)-1])
		return
	}
	d := b.Sub(a)
	length := vg.Length(math.Hypot(float64(d.X), float64(d.Y)))
	unit := d.Scale(1 / length)
	aside := vg.Point{X: unit.Y, Y: -unit.X}.Scale(2.5)
	const clear = 9 // points from the middle of an object
	a, b = a.Add(unit.Scale(clear)).Add(aside), b.Sub(unit.Scale(clear)).Add(aside)
	c.StrokeLines(line, []vg.Point{a, b})
	head(c, a, b)
}

// head draws the head of an arrow that comes from a and ends at b.
func head(c draw.Canvas, a, b vg.Point) {
	d := b.Sub(a)
	angle := math.Atan2(float64(d.Y), float64(d.X))
	corners := []vg.Point{b}
	for _, turn := range []float64{-.42, .42} {
		sin, cos := math.Sincos(angle + math.Pi + turn)
		corners = append(corners, b.Add(vg.Point{X: vg.Length(6 * cos), Y: vg.Length(6 * sin)}))
	}
	c.FillPolygon(arrowInk, corners)
}

// number writes an object's number into a small field at the upper left corner of its patches.
func (p patchDrawing) number(c draw.Canvas, object int) {
	const side = 9
	tokens := p.objects[object].Tokens
	corner := p.corners(c)(float64(tokens[0]/p.grid), float64(tokens[0]%p.grid))
	field := vg.Rectangle{Min: corner.Sub(vg.Point{Y: side}), Max: corner.Add(vg.Point{X: side})}
	c.FillPolygon(figure.SeriesColor(object), []vg.Point{field.Min, {X: field.Max.X, Y: field.Min.Y}, field.Max, {X: field.Min.X, Y: field.Max.Y}})
	sty := draw.TextStyle{
		Color: color.White, Handler: plot.DefaultTextHandler, XAlign: draw.XCenter, YAlign: draw.YCenter,
		Font: font.Font{Typeface: "Liberation", Variant: "Sans", Weight: xfont.WeightBold, Size: 7.5},
	}
	c.FillText(sty, corner.Add(vg.Point{X: side / 2., Y: -side / 2.}), fmt.Sprint(object+1))
}
