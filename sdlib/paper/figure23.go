package paper

import (
	"fmt"
	"image"
	"image/color"
	"image/draw"

	"samediff/sdlib/figure"
	"samediff/sdlib/stimuli"
)

// Figure23 shows counterfactual pairs for both properties (paper, Figure 23) and the
// given tasks, or both if none is given, drawn in any geometry; the paper's is
// stimuli.B16. On the left are pairs whose answer should become same, on the right those
// whose answer should become different. In relational match-to-sample (RMTS) the edited
// pair is the sample pair on the left and the display pair on the right.
func Figure23(g stimuli.Geometry, tasks ...stimuli.Task) (*figure.Figure, error) {
	if len(tasks) == 0 {
		tasks = []stimuli.Task{stimuli.Discrimination, stimuli.RMTS}
	}
	var panels []*figure.Figure
	for _, task := range tasks {
		for _, property := range []stimuli.Property{stimuli.ShapeProperty, stimuli.ColorProperty} {
			pairs, err := stimuli.OpenCounterfactuals(stimuli.CounterfactualConfig{
				Set:      stimuli.Config{Task: task, Geometry: g, Split: stimuli.Test, Size: 1600, Seed: exampleSeed},
				Property: property, Size: 400,
			})
			if err != nil {
				return nil, err
			}
			for _, target := range []int{1, 0} {
				i, err := clearPair(pairs, target, func(int) bool { return true })
				if err != nil {
					return nil, fmt.Errorf("paper: a counterfactual pair of %s, %s, to become %s: %w", task, property, answer(target), err)
				}
				f, err := CounterfactualPair(pairs, i)
				if err != nil {
					return nil, err
				}
				panels = append(panels, f)
			}
		}
	}
	return checked(figure.Grid{Figures: panels, Columns: 2}.Figure())
}

// CounterfactualPair shows record i of counterfactual pairs: the base image beside the
// counterfactual one, with boxes round the cells of the edited object and of the source.
// The title says which property is carried over and what becomes of the answer.
func CounterfactualPair(pairs *stimuli.Counterfactuals, i int) (*figure.Figure, error) {
	if i < 0 || i >= pairs.Len() {
		return nil, fmt.Errorf("paper: no counterfactual pair %d: expected 0 to %d", i, pairs.Len()-1)
	}
	r, g := pairs.Record(i), pairs.Config().Set.Geometry
	edited, source := r.Base.Objects[r.Edited], r.CF.Objects[r.Source]
	task, where := "Discrimination", ""
	if isRMTS(r.Base) {
		task = "RMTS"
		where = "\nits pair becomes " + answer(r.Relation())
	}
	return checked(figure.ImageGrid{
		Title: fmt.Sprintf("%s, %s: %s → %s", task, pairs.Config().Property, answer(r.Base.Label), answer(r.Target)),
		Images: []image.Image{
			boxed(pairs.Base().Image(i), cell(g, edited), figure.SeriesColor(1)),
			boxed(pairs.CF().Image(i), cell(g, source), figure.SeriesColor(0)),
		},
		Captions: []string{
			"base: " + answer(r.Base.Label) + "\nedited: " + describe(edited) + where,
			"counterfactual: " + answer(r.CF.Label) + "\nsource: " + describe(source),
		},
		Columns: 2,
	}.Figure())
}

// clearPair finds a pair with the given target, among those that are fit, that a reader takes in at a glance: its
// objects apart in both images, and in RMTS the pair edited that Figure 23 shows there.
func clearPair(pairs *stimuli.Counterfactuals, target int, fit func(i int) bool) (int, error) {
	room := room(pairs.Config().Set.Geometry)
	for i := range pairs.Len() {
		r := pairs.Record(i)
		if isRMTS(r.Base) && r.Pair != 1-target {
			continue
		}
		if fit(i) && r.Target == target && apart(r.Base) >= room && apart(r.CF) >= room {
			return i, nil
		}
	}
	return 0, fmt.Errorf("none of %d pairs shows it with its objects apart", pairs.Len())
}

// describe names an object.
func describe(o stimuli.Object) string {
	return stimuli.Colors[o.Color].Name + " " + stimuli.ShapeName(o.Shape)
}

// cell is the square of pixels that an object's patches cover.
func cell(g stimuli.Geometry, o stimuli.Object) image.Rectangle {
	patch := func(token int) image.Rectangle {
		corner := image.Pt(token%g.Grid(), token/g.Grid()).Mul(g.Patch)
		return image.Rectangle{Min: corner, Max: corner.Add(image.Pt(g.Patch, g.Patch))}
	}
	return patch(o.Tokens[0]).Union(patch(o.Tokens[len(o.Tokens)-1]))
}

// boxed is an image with a line round a rectangle of it. The image gets a margin as wide
// as the line, so that no pixel of the rectangle is covered even at its border.
func boxed(img image.Image, r image.Rectangle, c color.Color) image.Image {
	line := max(1, (img.Bounds().Dx()+32)/64)
	out := image.NewNRGBA(img.Bounds().Inset(-line))
	draw.Draw(out, out.Bounds(), image.White, image.Point{}, draw.Src)
	draw.Draw(out, img.Bounds(), img, img.Bounds().Min, draw.Src)
	outer := r.Inset(-line)
	for _, side := range []image.Rectangle{
		{outer.Min, image.Pt(outer.Max.X, r.Min.Y)},
		{image.Pt(outer.Min.X, r.Max.Y), outer.Max},
		{outer.Min, image.Pt(r.Min.X, outer.Max.Y)},
		{image.Pt(r.Max.X, outer.Min.Y), outer.Max},
	} {
		draw.Draw(out, side, image.NewUniform(c), image.Point{}, draw.Src)
	}
	return out
}
