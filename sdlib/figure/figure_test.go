package figure_test

import (
	"bytes"
	"encoding/xml"
	"errors"
	"image"
	"image/color"
	"image/jpeg"
	"image/png"
	"io"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"gonum.org/v1/plot/palette/moreland"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
	"samediff/sdlib/figure"
)

var nan = math.NaN()

// Every kind of bad input is an error of Err, of each format and of Save, and
// says what was wrong.
func TestBadInput(t *testing.T) {
	white := figure.Swatch(color.White, 64)
	moved := moreland.SmoothBlueRed() // its range is empty until it is set
	for name, c := range map[string]struct {
		f    *figure.Figure
		want string
	}{
		"nil figure":           {nil, "nil"},
		"no drawing":           {figure.New(1, 1, "", nil), "drawing function"},
		"negative size":        {figure.New(-1, 1, "", func(draw.Canvas) {}), "-1 x 1 inches"},
		"huge size":            {figure.New(1, 1000, "", func(draw.Canvas) {}), "1 x 1000 inches"},
		"NaN size":             {figure.New(nan, 1, "", func(draw.Canvas) {}), "inches"},
		"heat: empty":          {figure.HeatMap{}.Figure(), "Values is empty"},
		"heat: empty row":      {figure.HeatMap{Values: [][]float64{{}}}.Figure(), "Values is empty"},
		"heat: ragged":         {figure.HeatMap{Values: [][]float64{{1, 2}, {3}}}.Figure(), "row 1 of Values has 1 columns, expected 2"},
		"heat: NaN":            {figure.HeatMap{Values: [][]float64{{1, nan}}}.Figure(), "row 0, column 1"},
		"heat: infinite":       {figure.HeatMap{Values: [][]float64{{math.Inf(1)}}}.Figure(), "finite"},
		"heat: span overflows": {figure.HeatMap{Values: [][]float64{{-math.MaxFloat64, math.MaxFloat64}}}.Figure(), "finite"},
		"heat: names":          {figure.HeatMap{Values: [][]float64{{1, 2}}, XTicks: []string{"a"}}.Figure(), "XTicks has 1 names, expected 2"},
		"heat: range":          {figure.HeatMap{Values: [][]float64{{1, 2}}, Min: 2, Max: 1}.Figure(), "Min below Max"},
		"heat: map's range":    {figure.HeatMap{Values: [][]float64{{1, 2}}, Map: moved}.Figure(), "SetMin"},
		"heat: format":         {figure.HeatMap{Values: [][]float64{{1, 2}}, CellFormat: "%d"}.Figure(), "CellFormat"},
		"heat: negative width": {figure.HeatMap{Values: [][]float64{{1, 2}}, Width: -3}.Figure(), "inches"},
		"lines: none":          {figure.Lines{}.Figure(), "Series is empty"},
		"lines: no values":     {figure.Lines{Series: []figure.Series{{}}}.Figure(), "no values"},
		"lines: ragged":        {lines([]float64{1, 2}, figure.Series{Name: "b", Values: []float64{1}}), `series 1 ("b") has 1 values, expected 2`},
		"lines: NaN":           {lines([]float64{1, nan}), "number 1 is NaN"},
		"lines: X":             {figure.Lines{X: []float64{1, 2, 3}, Series: []figure.Series{{Values: []float64{1}}}}.Figure(), "has 1 values, expected 3"},
		"lines: X infinite":    {figure.Lines{X: []float64{math.Inf(-1)}, Series: []figure.Series{{Values: []float64{1}}}}.Figure(), "in X number 0"},
		"lines: half a band":   {lines([]float64{1}, figure.Series{Values: []float64{1}, Lo: []float64{0}}), "band"},
		"lines: band reversed": {lines([]float64{1}, figure.Series{Values: []float64{1}, Lo: []float64{2}, Hi: []float64{1}}), "above"},
		"lines: star":          {lines([]float64{1}, figure.Series{Values: []float64{1}, Stars: []int{1}}), "star at position 1, expected 0 to 0"},
		"lines: own X":         {figure.Lines{X: []float64{1, 2, 3}, Series: []figure.Series{{X: []float64{1, 2}, Values: []float64{1}}}}.Figure(), "has 1 values, expected 2"},
		"lines: own infinite":  {figure.Lines{Series: []figure.Series{{X: []float64{math.Inf(1)}, Values: []float64{1}}}}.Figure(), "X: number 0"},
		"lines: limits":        {figure.Lines{Series: []figure.Series{{Values: []float64{1}}}, YMin: 3, YMax: 2}.Figure(), "YMin"},
		"lines: guide":         {figure.Lines{Series: []figure.Series{{Values: []float64{1}}}, Guides: []figure.Guide{{Value: nan, Name: "g"}}}.Figure(), `guide "g"`},
		"lines: narrow":        {figure.Lines{Series: []figure.Series{{Name: "a name far too long for it", Values: []float64{1}}}, Title: "A title", Width: 0.5, Height: 0.5}.Figure(), "no room for the data"},
		"scatter: none":        {figure.Scatter{}.Figure(), "no points"},
		"scatter: ragged":      {scatter([]float64{1, 2}, []float64{1}), "2 x and 1 y"},
		"scatter: NaN":         {scatter([]float64{1}, []float64{nan}), "Y: number 0"},
		"scatter: hollow":      {figure.Scatter{Groups: []figure.Points{{X: []float64{1, 2}, Y: []float64{1, 2}, Hollow: []bool{true}}}}.Figure(), "2 points and 1 values of Hollow"},
		"scatter: limits":      {figure.Scatter{Groups: []figure.Points{{X: []float64{1}, Y: []float64{1}}}, XMin: 2, XMax: 1}.Figure(), "XMin is 2 and XMax 1"},
		"dots: none":           {figure.Dots{Categories: []string{"a"}}.Figure(), "nothing to show"},
		"dots: no values":      {dots(nil), "no values"},
		"dots: ragged":         {dots([]float64{1}, nil), `group 0 ("g") has 2 lists of values, expected 1`},
		"dots: NaN":            {dots([]float64{1, nan}), "category 0: number 1 is NaN"},
		"dots: guide":          {figure.Dots{Categories: []string{"a"}, Groups: []figure.DotGroup{{Values: [][]float64{{1}}}}, Guides: []figure.Guide{{Value: nan, Name: "g"}}}.Figure(), `guide "g"`},
		"dots: limits":         {figure.Dots{Categories: []string{"a"}, Groups: []figure.DotGroup{{Values: [][]float64{{1}}}}, YMin: 3, YMax: 2}.Figure(), "YMin"},
		"curves: none":         {figure.Curves{}.Figure(), "both empty"},
		"curves: ragged":       {figure.Curves{Loss: []figure.Series{{Values: []float64{1}}}, Accuracy: []figure.Series{{Values: []float64{1, 2}}}}.Figure(), "has 2 values, expected 1"},
		"images: none":         {figure.ImageGrid{}.Figure(), "Images is empty"},
		"images: nil":          {figure.ImageGrid{Images: []image.Image{nil}}.Figure(), "image 0: the image is nil"},
		"images: endless":      {figure.ImageGrid{Images: []image.Image{image.White}}.Figure(), "pixels"},
		"images: captions":     {figure.ImageGrid{Images: []image.Image{white}, Captions: []string{"a", "b"}}.Figure(), "2 captions for 1 images"},
		"images: columns":      {figure.ImageGrid{Images: []image.Image{white}, Columns: -1}.Figure(), "Columns is -1"},
		"images: far too many": {figure.ImageGrid{Images: make1000(white), Columns: 1}.Figure(), "inches"},
		"overlay: no image":    {figure.Overlay{Weights: make([]float64, 4)}.Figure(), "nil"},
		"overlay: no weights":  {figure.Overlay{Image: white}.Figure(), "Weights is empty"},
		"overlay: with CLS":    {figure.Overlay{Image: white, Weights: make([]float64, 65)}.Figure(), "8 x 8 patches and the CLS token"},
		"overlay: no square":   {figure.Overlay{Image: white, Weights: make([]float64, 60)}.Figure(), "60 weights, expected G*G"},
		"overlay: grid":        {figure.Overlay{Image: white, Weights: make([]float64, 49)}.Figure(), "does not divide the image of 64 x 64"},
		"overlay: NaN":         {figure.Overlay{Image: white, Weights: []float64{1, 2, nan, 3}}.Figure(), "number 2"},
		"overlay: box":         {figure.Overlay{Image: white, Weights: make([]float64, 4), Boxes: []figure.Box{{Patches: []int{4}}}}.Figure(), "patch 4, expected 0 to 3"},
		"row: none":            {figure.Row(), "Figures is empty"},
		"row: bad panel":       {figure.Row(lines([]float64{1}), figure.HeatMap{}.Figure()), "panel b: figure: heat map: no cells: Values is empty"},
		"row: nil panel":       {figure.Row(nil), "panel a"},
		"panics when drawn":    {figure.New(1, 1, "mine", func(draw.Canvas) { panic("oh") }), "oh"},
	} {
		t.Run(name, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "f.png")
			_, pngErr := c.f.PNG(0)
			_, svgErr := c.f.SVG()
			_, pdfErr := c.f.PDF()
			_, jpgErr := c.f.JPEG(0, 0)
			for format, err := range map[string]error{"PNG": pngErr, "SVG": svgErr, "PDF": pdfErr, "JPEG": jpgErr, "Save": c.f.Save(path)} {
				if err == nil || !strings.Contains(err.Error(), c.want) {
					t.Errorf("%s: error is %v, expected it to contain %q", format, err, c.want)
				}
			}
			if name != "panics when drawn" && c.f.Err() == nil {
				t.Error("Err is nil")
			}
			if _, err := os.Stat(path); !errors.Is(err, os.ErrNotExist) {
				t.Error("Save left a file")
			}
		})
	}
}

func lines(values []float64, more ...figure.Series) *figure.Figure {
	return figure.Lines{Series: append([]figure.Series{{Values: values}}, more...)}.Figure()
}

func scatter(x, y []float64) *figure.Figure {
	return figure.Scatter{Groups: []figure.Points{{X: x, Y: y}}}.Figure()
}

func dots(values ...[]float64) *figure.Figure {
	return figure.Dots{Categories: []string{"a"}, Groups: []figure.DotGroup{{Name: "g", Values: values}}}.Figure()
}

func make1000(img image.Image) []image.Image {
	images := make([]image.Image, 1000)
	for i := range images {
		images[i] = img
	}
	return images
}

// Input at the edge of what is allowed can be drawn.
func TestOddInput(t *testing.T) {
	for name, f := range map[string]*figure.Figure{
		"one cell":         figure.HeatMap{Values: [][]float64{{3}}}.Figure(),
		"one row of 300":   figure.HeatMap{Values: [][]float64{make([]float64, 300)}}.Figure(),
		"out of range":     figure.HeatMap{Values: [][]float64{{-5, 0.5, 99}}, Max: 1}.Figure(),
		"one point":        lines([]float64{0.7}),
		"constant":         lines([]float64{0, 0, 0}),
		"very large":       lines([]float64{1e300, -1e300}),
		"very small":       lines([]float64{1e-300, 3e-300}),
		"nearly equal":     lines([]float64{1, math.Nextafter(1, 2)}),
		"outside limits":   figure.Lines{Series: []figure.Series{{Values: []float64{5, 6}, Lo: []float64{4, 5}, Hi: []float64{6, 7}}}, YMax: 1}.Figure(),
		"one dot":          scatter([]float64{1}, []float64{1}),
		"constant dots":    scatter([]float64{1, 1, 1}, []float64{1, 2, 3}),
		"empty group":      figure.Scatter{Groups: []figure.Points{{Name: "none"}, {X: []float64{1}, Y: []float64{2}}}}.Figure(),
		"one value":        dots([]float64{1}),
		"500 equal values": dots(make([]float64, 500)),
		"dots outside":     figure.Dots{Categories: []string{"a"}, Groups: []figure.DotGroup{{Values: [][]float64{{5, 6}}}}, YMax: 1}.Figure(),
		"one pixel":        figure.ImageGrid{Images: []image.Image{figure.Swatch(color.Black, 1)}}.Figure(),
		"sizes differ":     figure.ImageGrid{Images: []image.Image{figure.Swatch(color.Black, 8), figure.Swatch(color.Black, 64)}}.Figure(),
		"no attention":     figure.Overlay{Image: figure.Swatch(color.White, 64), Weights: make([]float64, 16)}.Figure(),
		"negative weights": figure.Overlay{Image: figure.Swatch(color.White, 64), Weights: []float64{-1, -2, -3, -4}}.Figure(),
		"empty box":        figure.Overlay{Image: figure.Swatch(color.White, 4), Weights: []float64{1}, Boxes: []figure.Box{{Name: "none"}}}.Figure(),
		"strange text":     figure.HeatMap{Values: [][]float64{{1}}, Title: "日本 \x00 \xff\nline", XLabel: "Δ → π −1"}.Figure(),
		"nested":           figure.Row(figure.Row(lines([]float64{1}), lines([]float64{2})), lines([]float64{3})),
	} {
		t.Run(name, func(t *testing.T) {
			if f.Alt() == "" {
				t.Error("no alternative text")
			}
			data, err := f.PNG(48)
			if err != nil {
				t.Fatal(err)
			}
			if _, err := png.Decode(bytes.NewReader(data)); err != nil {
				t.Error(err)
			}
			if _, err := f.PDF(); err != nil {
				t.Error(err)
			}
			if _, err := f.SVG(); err != nil {
				t.Error(err)
			}
		})
	}
}

// panel is a figure of all that drawing uses: text, lines, alpha and an image.
func panel() *figure.Figure {
	return figure.Row(
		figure.HeatMap{Values: [][]float64{{0, 1}, {2, 3}}, Title: "Δ < −1 & more"}.Figure(),
		figure.Lines{Series: []figure.Series{{Name: "a", Values: []float64{1, 2}, Lo: []float64{0, 1}, Hi: []float64{2, 3}, Star: true}}}.Figure(),
	)
}

func TestSizes(t *testing.T) {
	f := figure.New(2.5, 1.25, "alt", func(draw.Canvas) {})
	if w, h := f.Size(); w != 2.5 || h != 1.25 {
		t.Errorf("Size is %g x %g, expected 2.5 x 1.25", w, h)
	}
	for dpi, want := range map[int]image.Point{0: {480, 240}, 96: {240, 120}} {
		img, err := f.Image(dpi)
		if err != nil {
			t.Fatal(err)
		}
		if img.Bounds().Size() != want {
			t.Errorf("at %d dpi the image is %v, expected %v", dpi, img.Bounds().Size(), want)
		}
	}
	data, err := f.JPEG(96, 80)
	if err != nil {
		t.Fatal(err)
	}
	if img, err := jpeg.Decode(bytes.NewReader(data)); err != nil || img.Bounds().Dx() != 240 {
		t.Errorf("JPEG: %v", err)
	}
	for _, dpi := range []int{-1, 100_000} {
		if _, err := f.PNG(dpi); err == nil || !strings.Contains(err.Error(), "dpi") {
			t.Errorf("%d dpi: error is %v", dpi, err)
		}
	}
	if _, err := f.JPEG(96, 101); err == nil {
		t.Error("JPEG quality 101 was taken")
	}
}

func TestSaveFormats(t *testing.T) {
	f := panel()
	dir := t.TempDir()
	for ext, magic := range map[string]string{".png": "\x89PNG", ".svg": "<?xml", ".pdf": "%PDF", ".jpg": "\xff\xd8", ".JPEG": "\xff\xd8"} {
		path := filepath.Join(dir, "f"+ext)
		for range 2 { // the second time over the first
			if err := f.Save(path); err != nil {
				t.Fatal(err)
			}
		}
		data, err := os.ReadFile(path)
		if err != nil || !bytes.HasPrefix(data, []byte(magic)) {
			t.Errorf("%s starts with %.4q (%v), expected %q", ext, data, err, magic)
		}
	}
	files, err := os.ReadDir(dir)
	if err != nil || len(files) != 5 {
		t.Errorf("%d files in the folder (%v), expected 5: nothing left aside", len(files), err)
	}
	for _, path := range []string{filepath.Join(dir, "f.gif"), filepath.Join(dir, "f"), filepath.Join(dir, "missing", "f.png")} {
		if err := f.Save(path); err == nil || !strings.Contains(err.Error(), path) {
			t.Errorf("Save(%q): error is %v, expected one that names the path", path, err)
		}
	}
}

// A figure that fails leaves the file of an earlier one.
func TestSaveKeepsOlderFile(t *testing.T) {
	path := filepath.Join(t.TempDir(), "f.svg")
	if err := os.WriteFile(path, []byte("older"), 0o644); err != nil {
		t.Fatal(err)
	}
	if err := (figure.HeatMap{}).Figure().Save(path); err == nil {
		t.Fatal("no error")
	}
	if data, err := os.ReadFile(path); err != nil || string(data) != "older" {
		t.Errorf("the file now holds %q (%v)", data, err)
	}
}

func TestSameBytes(t *testing.T) {
	for name, encode := range map[string]func(*figure.Figure) ([]byte, error){
		"PNG": func(f *figure.Figure) ([]byte, error) { return f.PNG(96) },
		"SVG": (*figure.Figure).SVG,
		"PDF": (*figure.Figure).PDF,
	} {
		first, err := encode(panel())
		if err != nil {
			t.Fatal(err)
		}
		for range 5 {
			if again, err := encode(panel()); err != nil || !bytes.Equal(first, again) {
				t.Errorf("%s differs between two runs (%v)", name, err)
			}
		}
	}
}

// The SVG is well-formed, holds no text that needs a font, and describes itself.
func TestSVG(t *testing.T) {
	svg, err := panel().WithAlt("a < b & c").SVG()
	if err != nil {
		t.Fatal(err)
	}
	desc := ""
	d := xml.NewDecoder(bytes.NewReader(svg))
	for {
		token, err := d.Token()
		if err == io.EOF {
			break
		}
		if err != nil {
			t.Fatal(err)
		}
		if start, ok := token.(xml.StartElement); ok {
			switch start.Name.Local {
			case "text":
				t.Error("the SVG has a text element, expected outlines only")
			case "desc":
				if err := d.DecodeElement(&desc, &start); err != nil {
					t.Fatal(err)
				}
			}
		}
	}
	if desc != "a < b & c" {
		t.Errorf("description is %q", desc)
	}
	if bytes.Contains(svg, []byte("image/jpg")) || !bytes.Contains(svg, []byte("data:image/png;base64,")) {
		t.Error("embedded image is not labeled as PNG")
	}
}

// Pixels of a stimulus arrive unchanged: every device pixel inside the tile is
// the pixel it enlarges.
func TestImageGridPixels(t *testing.T) {
	const side, scale = 16, 3
	src := image.NewNRGBA(image.Rect(0, 0, side, side))
	for i := range side * side {
		src.SetNRGBA(i%side, i/side, color.NRGBA{uint8(i), uint8(7 * i), uint8(255 - i), 255})
	}
	f := figure.ImageGrid{Images: []image.Image{src, src, src}, Scale: scale, Columns: 2, NoFrame: true}.Figure()
	img, err := f.Image(192)
	if err != nil {
		t.Fatal(err)
	}
	const k = 2 * scale // device pixels per pixel at 192 dpi
	white := color.NRGBA{255, 255, 255, 255}
	// Find the corner of the first tile: the first pixel that is not white.
	var corner image.Point
	for i := range img.Bounds().Dx() * img.Bounds().Dy() {
		p := image.Pt(i%img.Bounds().Dx(), i/img.Bounds().Dx())
		if c := color.NRGBAModel.Convert(img.At(p.X, p.Y)).(color.NRGBA); c != white {
			corner = p
			break
		}
	}
	for y := range side * k {
		for x := range side * k {
			got := color.NRGBAModel.Convert(img.At(corner.X+x, corner.Y+y))
			if want := src.NRGBAAt(x/k, y/k); got != want {
				t.Fatalf("device pixel %d, %d is %v, expected %v", x, y, got, want)
			}
		}
	}
}

// Data areas of charts in one row begin and end at the same height.
func TestRowAlignsAxes(t *testing.T) {
	top := func(f *figure.Figure) (rows []int) {
		img, err := f.Image(96)
		if err != nil {
			t.Fatal(err)
		}
		b := img.Bounds()
		for _, x := range []int{b.Dx() / 4, 3 * b.Dx() / 4} {
			for y := b.Max.Y - 1; y >= 0; y-- {
				if r, g, _, _ := img.At(x, y).RGBA(); r > 0xf000 && g < 0x4000 { // the lowest red pixel
					rows = append(rows, y)
					break
				}
			}
		}
		return rows
	}
	solid := figure.HeatMap{Values: [][]float64{{0}}, Max: 1, Width: 3, Height: 2}
	redMap, err := figure.NewColorMap(color.NRGBA{255, 0, 0, 255}, color.NRGBA{255, 1, 0, 255})
	if err != nil {
		t.Fatal(err)
	}
	solid.Map = redMap
	labeled := solid
	labeled.XLabel, labeled.Title = "two\nlines", "title"
	rows := top(figure.Grid{Figures: []*figure.Figure{solid.Figure(), labeled.Figure()}}.Figure())
	if len(rows) != 2 || rows[0] != rows[1] {
		t.Errorf("the data end at rows %v, expected the same", rows)
	}
}

func TestNewDrawsOnCanvas(t *testing.T) {
	f := figure.New(1, 1, "black", func(c draw.Canvas) {
		c.SetColor(color.Black)
		c.Fill(vg.Rectangle{Max: vg.Point{X: vg.Inch, Y: vg.Inch / 2}}.Path())
	})
	img, err := f.Image(96)
	if err != nil {
		t.Fatal(err)
	}
	upper, _, _, _ := img.At(48, 20).RGBA()
	lower, _, _, _ := img.At(48, 70).RGBA()
	if upper != 0xffff || lower != 0 {
		t.Errorf("upper half is %x, lower half %x, expected white above black", upper, lower)
	}
}

func TestFit(t *testing.T) {
	fit, err := figure.Scatter{Groups: []figure.Points{{X: []float64{0, 1}, Y: []float64{1, 3}}, {X: []float64{2}, Y: []float64{5}}}}.Fit()
	if err != nil || fit.N != 3 || math.Abs(fit.Slope-2) > 1e-12 || math.Abs(fit.Intercept-1) > 1e-12 || math.Abs(fit.R-1) > 1e-12 {
		t.Errorf("fit is %+v (%v), expected y = 1 + 2x, r = 1", fit, err)
	}
	for _, x := range [][]float64{{1, 2}, {4, 4, 4}} {
		if _, err := (figure.Scatter{Groups: []figure.Points{{X: x, Y: make([]float64, len(x))}}}).Fit(); err == nil {
			t.Errorf("a fit through %v was found", x)
		}
	}
}

// Hollow points are drawn, and neither in the line nor in its r.
func TestHollowPoints(t *testing.T) {
	s := figure.Scatter{Groups: []figure.Points{{X: []float64{0, 1, 2, 1}, Y: []float64{0, 1, 2, 9}, Hollow: []bool{false, false, false, true}}}}
	fit, err := s.Fit()
	if err != nil || fit.N != 3 || math.Abs(fit.R-1) > 1e-12 || math.Abs(fit.Slope-1) > 1e-12 {
		t.Errorf("the fit is %+v (%v), expected r = 1 and slope 1 through three points", fit, err)
	}
	if alt := s.Figure().Alt(); !strings.Contains(alt, "4 points, correlation r = 1") {
		t.Errorf("the figure says %q", alt)
	}
}
