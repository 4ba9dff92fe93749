package figure_test

// The examples of this file are the golden-image tests: each saves one picture,
// which golden_test.go compares with testdata.

import (
	"image"
	"image/color"
	"log"
	"math"
	"math/rand/v2"

	"samediff/sdlib/figure"
)

// save writes a figure into the current folder.
func save(f *figure.Figure, path string) {
	if err := f.Save(path); err != nil {
		log.Fatal(err)
	}
}

// The scores of 12 heads in 12 layers, local (0) to global (1).
func ExampleHeatMap() {
	rng := rand.New(rand.NewPCG(1, 0))
	scores := make([][]float64, 12) // [H, L]
	for head := range scores {
		for layer := range 12 {
			middle := 1 / (1 + math.Exp(-(float64(layer)-5.5)/1.5))
			scores[head] = append(scores[head], min(max(middle+0.25*rng.NormFloat64(), 0), 1))
		}
	}
	save(figure.HeatMap{
		Values:   scores,
		Max:      1,
		Title:    "Attention heads",
		XLabel:   "layer",
		YLabel:   "head",
		BarLabel: "local → global",
	}.Figure(), "heatmap.png")
}

// A signed matrix with names, values in the cells, and a map with a white middle.
func ExampleHeatMap_cells() {
	save(figure.HeatMap{
		Values: [][]float64{{0.82, -0.31, 0.05}, {-0.9, 0.4, 0}},
		Min:    -1, Max: 1,
		Map:        figure.RdBu(),
		Title:      "Correlation of scores with accuracy",
		XTicks:     []string{"within object", "within pair", "background"},
		YTicks:     []string{"color", "shape"},
		CellFormat: "%.2f",
		Width:      4.2,
	}.Figure(), "heatmap_cells.png")
}

// viridis is a color map of one's own: matplotlib's, interpolated between ten of its colors.
func viridis() *figure.ColorMap {
	var colors []color.Color
	for _, rgb := range []uint32{0x440154, 0x482878, 0x3e4a89, 0x31688e, 0x26828e, 0x1f9e89, 0x35b779, 0x6ece58, 0xb5de2b, 0xfde725} {
		colors = append(colors, color.NRGBA{uint8(rgb >> 16), uint8(rgb >> 8), uint8(rgb), 0xff})
	}
	m, err := figure.NewColorMap(colors...)
	if err != nil {
		log.Fatal(err)
	}
	return m
}

// The attention of one image between 197 tokens: large maps stay sharp.
func ExampleHeatMap_large() {
	const tokens = 197
	weights := make([][]float64, tokens)
	for i := range weights {
		for j := range tokens {
			d := math.Abs(float64(i - j))
			weights[i] = append(weights[i], math.Exp(-d/20)+0.6*math.Exp(-math.Abs(d-14)/2))
		}
	}
	save(figure.HeatMap{
		Values: weights, Map: viridis(), XLabel: "key token", YLabel: "query token",
	}.Figure(), "heatmap_large.png")
}

func ExampleLines() {
	withinObject := []float64{.35, .62, .91, .88, .64, .41, .30, .26, .22, .18, .15, .14}
	withinPair := []float64{.08, .11, .16, .24, .38, .57, .72, .69, .48, .33, .25, .21}
	background := []float64{.22, .18, .15, .14, .15, .18, .24, .33, .46, .58, .67, .71}
	save(figure.Lines{
		Series: []figure.Series{
			{Name: "within object", Values: withinObject, Star: true},
			{Name: "within pair", Values: withinPair, Star: true},
			{Name: "background", Values: background, Star: true, Dashed: true},
		},
		Title:  "Largest head of each layer",
		XLabel: "layer",
		YLabel: "attention",
	}.Figure(), "lines.png")
}

// A line with a confidence band and a reference line.
func ExampleLines_band() {
	var x, mean, lo, hi []float64
	for i := range 12 {
		v := 0.5 + 0.48/(1+math.Exp(float64(i)-6))
		half := 0.09 * math.Sin(math.Pi*float64(i)/11)
		x, mean = append(x, float64(i)), append(mean, v)
		lo, hi = append(lo, v-half), append(hi, v+half)
	}
	save(figure.Lines{
		X:      x,
		Series: []figure.Series{{Values: mean, Lo: lo, Hi: hi}},
		Guides: []figure.Guide{{Value: 0.5, Name: "chance"}},
		XLabel: "layer",
		YLabel: "counterfactual accuracy",
		YMin:   0.4, YMax: 1,
	}.Figure(), "lines_band.png")
}

// Lines that were measured at other places: each has its own positions.
func ExampleLines_positions() {
	save(figure.Lines{
		Series: []figure.Series{
			{Name: "search", Values: []float64{.78, .74, .61, .32, .12, .08}},
			{Name: "control", X: []float64{1, 4}, Values: []float64{.47, .11}, Dashed: true},
			{Name: "as logged", X: []float64{0, 1, 2, 3, 4, 5, 6, 7}, Values: []float64{.7, .89, .92, .85, .44, .29, .14, .1}, Color: color.Gray{170}, NoMark: true},
		},
		XLabel: "after block",
		YLabel: "accuracy",
	}.Figure(), "lines_positions.png")
}

func ExampleScatter() {
	rng := rand.New(rand.NewPCG(2, 0))
	group := func(name string, n int, at float64) figure.Points {
		g := figure.Points{Name: name}
		for range n {
			x := at + 0.1*rng.NormFloat64()
			g.X = append(g.X, x)
			g.Y = append(g.Y, 0.95-0.5*x+0.06*rng.NormFloat64())
		}
		return g
	}
	save(figure.Scatter{
		Groups: []figure.Points{group("DINO", 12, 0.6), group("CLIP", 12, 0.3), group("from scratch", 12, 0.8)},
		Title:  "Disentanglement and generalization",
		XLabel: "distance between the properties",
		YLabel: "accuracy on new objects",
	}.Figure(), "scatter.png")
}

// Three seeds each of models with different losses, on three sets.
func ExampleDots() {
	rng := rand.New(rand.NewPCG(4, 0))
	runs := func(means ...float64) (values [][]float64) {
		for _, mean := range means {
			var seeds []float64
			for range 3 {
				seeds = append(seeds, min(mean+0.02*rng.NormFloat64(), 1))
			}
			values = append(values, seeds)
		}
		return values
	}
	save(figure.Dots{
		Categories: []string{"none", "disentangle", "wo + wp", "disentangle + wo + wp", "disentangle + relation"},
		Groups: []figure.DotGroup{
			{Name: "train", Values: runs(.97, 1, 1, 1, 1)},
			{Name: "test (IID)", Values: runs(.72, .96, .93, .99, .98)},
			{Name: "compositional", Values: runs(.58, .83, .7, .88, .86)},
			{Name: "OOD shape-color", Values: runs(.51, .6, .52, .62, .59)},
		},
		Guides: []figure.Guide{{Value: 0.5, Name: "chance"}},
		Title:  "What auxiliary losses teach",
		YLabel: "accuracy",
	}.Figure(), "dots.png")
}

func ExampleCurves() {
	var trainLoss, valLoss, trainAcc, valAcc []float64
	for e := range 30 {
		t := float64(e) / 8
		trainLoss = append(trainLoss, 0.69*math.Exp(-t)+0.02)
		valLoss = append(valLoss, 0.66*math.Exp(-t)+0.06+0.01*math.Sin(float64(e)))
		trainAcc = append(trainAcc, 1-0.5*math.Exp(-t))
		valAcc = append(valAcc, 0.98-0.48*math.Exp(-t)+0.01*math.Sin(float64(e)))
	}
	save(figure.Curves{
		Loss:     []figure.Series{{Name: "training", Values: trainLoss}, {Name: "validation", Values: valLoss}},
		Accuracy: []figure.Series{{Name: "training", Values: trainAcc}, {Name: "validation", Values: valAcc, Star: true}},
		Chance:   0.5,
		Title:    "Training",
	}.Figure(), "curves.png")
}

// scene draws a white image of 64 x 64 pixels with objects of 12 x 12 at given
// cells of a 4 x 4 grid: each a speckled square or, if odd, a ring.
func scene(cells []int, colors []color.NRGBA, rings []bool) image.Image {
	img := image.NewNRGBA(image.Rect(0, 0, 64, 64))
	for i := range img.Pix {
		img.Pix[i] = 0xff
	}
	for k, cell := range cells {
		for y := range 12 {
			for x := range 12 {
				r := math.Hypot(float64(x)-5.5, float64(y)-5.5)
				if rings[k] && (r > 6 || r < 3) {
					continue
				}
				c := colors[k]
				c.G += uint8(x*5+y*3) % 16
				img.SetNRGBA(cell%4*16+x+2, cell/4*16+y+2, c)
			}
		}
	}
	return img
}

var (
	red  = color.NRGBA{200, 40, 50, 255}
	blue = color.NRGBA{40, 60, 190, 255}
)

func ExampleImageGrid() {
	save(figure.ImageGrid{
		Images: []image.Image{
			scene([]int{1, 11}, []color.NRGBA{red, red}, []bool{true, true}),
			scene([]int{4, 10}, []color.NRGBA{red, red}, []bool{true, false}),
			scene([]int{3, 12}, []color.NRGBA{red, blue}, []bool{false, false}),
			scene([]int{0, 6}, []color.NRGBA{red, blue}, []bool{false, true}),
		},
		Captions: []string{"same", "different shape", "different color", "different shape and color"},
		Title:    "Discrimination",
	}.Figure(), "imagegrid.png")
}

// A sheet of shapes beside a sheet of colors.
func ExampleImageGrid_sheets() {
	var shapes, colors []image.Image
	for i := range 16 {
		mask := make([][]bool, 24)
		for y := range mask {
			for x := range 24 {
				angle := math.Atan2(float64(y)-11.5, float64(x)-11.5)
				radius := 8 + 3.5*math.Cos(float64(i%8+2)*angle)*float64(i/8+1)/2
				mask[y] = append(mask[y], math.Hypot(float64(x)-11.5, float64(y)-11.5) < radius)
			}
		}
		shape, err := figure.Silhouette(mask, color.Gray{0x40})
		if err != nil {
			log.Fatal(err)
		}
		shapes = append(shapes, shape)
		colors = append(colors, figure.Swatch(figure.SeriesColor(i), 24))
	}
	save(figure.Row(
		figure.ImageGrid{Images: shapes, Columns: 4, Scale: 2, NoFrame: true, Title: "Shapes"}.Figure(),
		figure.ImageGrid{Images: colors, Columns: 4, Scale: 2, Title: "Colors"}.Figure(),
	), "sheets.png")
}

// Where the tokens of one object attend to.
func ExampleOverlay() {
	weights := make([]float64, 64) // G = 8
	for i := range weights {
		weights[i] = 0.004
	}
	for i, p := range []int{2, 3, 10, 11, 38, 39, 46, 47} {
		weights[p] = 0.05 + 0.014*float64(i)
	}
	save(figure.Overlay{
		Image:    scene([]int{1, 11}, []color.NRGBA{red, blue}, []bool{true, false}),
		Weights:  weights,
		Title:    "Block 3, head 1",
		BarLabel: "attention",
		Boxes: []figure.Box{
			{Name: "object 1 (queries)", Patches: []int{2, 3, 10, 11}},
			{Name: "object 2", Patches: []int{38, 39, 46, 47}, Color: figure.SeriesColor(2), Dashed: true},
		},
	}.Figure(), "overlay.png")
}

// Attention between the four patches of two objects: the second half reads from the first.
func ExampleTokenMap() {
	img := scene([]int{1, 11}, []color.NRGBA{red, blue}, []bool{true, false})
	var patches []image.Image
	for _, p := range []int{2, 3, 38, 39} { // of 8 x 8 patches
		x, y := p%8*img.Bounds().Dx()/8, p/8*img.Bounds().Dy()/8
		patches = append(patches, img.(interface {
			SubImage(image.Rectangle) image.Image
		}).SubImage(image.Rect(x, y, x+img.Bounds().Dx()/8, y+img.Bounds().Dy()/8)))
	}
	save(figure.TokenMap{
		Values:   [][]float64{{.7, .2, 0, .1}, {.3, .6, 0, .1}, {.4, .3, .1, .1}, {.2, .6, 0, .1}},
		Patches:  patches,
		Groups:   []int{2, 2},
		Title:    "Block 5, head 9",
		BarLabel: "attention",
	}.Figure(), "tokenmap.png")
}

// One patch reads from itself and from three others, and one of them from it.
func ExampleLinks() {
	save(figure.Links{
		Image: scene([]int{1, 11}, []color.NRGBA{red, blue}, []bool{true, false}),
		Grid:  8,
		Links: []figure.Link{{2, 2, .3}, {2, 38, .8}, {2, 47, .4}, {2, 60, .1}, {38, 2, .3}, {10, 11, .001}},
		Boxes: []figure.Box{{Name: "object 1", Patches: []int{2, 3, 10, 11}}, {Patches: []int{38, 39, 46, 47}, Dashed: true}},
		Title: "Block 5, head 9",
	}.Figure(), "links.png")
}

// A heat map beside a line chart, as in the paper's Figure 2.
func ExampleGrid() {
	heat := figure.HeatMap{
		Values: [][]float64{{.1, .3, .8, .9}, {.2, .1, .6, .95}, {.05, .4, .7, .5}}, Max: 1,
		Title: "Heads", XLabel: "layer", YLabel: "head", BarLabel: "local → global",
	}
	lines := figure.Lines{
		Series: []figure.Series{
			{Name: "within object", Values: []float64{.4, .9, .5, .2}, Star: true},
			{Name: "within pair", Values: []float64{.1, .2, .7, .6}, Star: true},
			{Name: "background", Values: []float64{.2, .15, .3, .6}, Star: true},
		},
		Title: "Largest head per layer", XLabel: "layer", YLabel: "attention",
	}
	save(figure.Grid{
		Title:   "Attention of a model with four layers of three heads",
		Figures: []*figure.Figure{heat.Figure(), lines.Figure()},
	}.Figure(), "grid.png")
}
