package figure_test

import (
	"testing"

	"samediff/sdlib/internal/goldenimage"
)

// The examples are the golden-image tests: each writes one picture.
func TestGolden(t *testing.T) {
	goldenimage.Test(t, map[string]func(){
		"heatmap.png":         ExampleHeatMap,
		"heatmap_cells.png":   ExampleHeatMap_cells,
		"heatmap_large.png":   ExampleHeatMap_large,
		"lines.png":           ExampleLines,
		"lines_band.png":      ExampleLines_band,
		"lines_positions.png": ExampleLines_positions,
		"scatter.png":         ExampleScatter,
		"dots.png":            ExampleDots,
		"curves.png":          ExampleCurves,
		"imagegrid.png":       ExampleImageGrid,
		"sheets.png":          ExampleImageGrid_sheets,
		"overlay.png":         ExampleOverlay,
		"tokenmap.png":        ExampleTokenMap,
		"links.png":           ExampleLinks,
		"grid.png":            ExampleGrid,
	})
}
