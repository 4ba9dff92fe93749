package paper

import (
	"context"
	"errors"
	"fmt"
	"image"
	"image/color"
	"slices"
	"strings"

	"samediff/sdlib/attention"
	"samediff/sdlib/figure"
	"samediff/sdlib/stimuli"
	"samediff/sdlib/study"
)

// Figure21 shows the attention between the tokens of all objects of an image, query by key,
// for some heads ([attention.Scores.Steps] chooses four) and their maps on that image, in the
// same order (paper, Figure 21). The patches stand along both axes. What a row lacks of 1 goes to
// the background and to CLS. All panels share a color scale, which ends no lower than .25.
func Figure21(set *stimuli.Set, steps []attention.Step, maps []attention.Map) (*figure.Figure, error) {
	s, err := stepStimulus(set, steps, maps)
	if err != nil {
		return nil, err
	}
	img := set.Image(s.Index)
	var tokens, groups []int
	var patches []image.Image
	for _, o := range s.Objects {
		tokens, groups = append(tokens, o.Tokens...), append(groups, len(o.Tokens))
		for _, p := range o.Tokens {
			patches = append(patches, patchOf(img, set.Geometry(), p))
		}
	}
	top := .25
	var panels []figure.TokenMap
	for i, a := range maps {
		between, err := a.Between(tokens)
		if err != nil {
			return nil, err
		}
		for _, row := range between {
			top = max(top, slices.Max(row))
		}
		panels = append(panels, figure.TokenMap{Values: between, Patches: patches, Groups: groups, Title: steps[i].Name + "\n" + a.Head.String()})
	}
	var figures []*figure.Figure
	for _, p := range panels {
		p.Max = top
		figures = append(figures, p.Figure())
	}
	return checked(figure.Grid{Figures: figures, Columns: 4, NoLetters: true}.Figure())
}

// Figure22 draws the steps over the image (paper, Figure 22): a curve from each patch to each
// patch it reads from, as wide as the attention, for each step the part of the attention that it is
// about: within objects, within pairs, between the pairs. All panels share a scale of widths,
// which ends no lower than .25.
func Figure22(set *stimuli.Set, steps []attention.Step, maps []attention.Map) (*figure.Figure, error) {
	s, err := stepStimulus(set, steps, maps)
	if err != nil {
		return nil, err
	}
	top := .25
	var panels []figure.Links
	for i, a := range maps {
		kind := kindOfStep(steps[i])
		links := figure.Links{Image: set.Image(s.Index), Grid: set.Geometry().Grid(), Color: lineColors[kind], Size: 2.4}
		widest := 0.
		for _, e := range edges(s, kind) {
			weight := a.At(a.Prefix+e[0], a.Prefix+e[1])
			links.Links = append(links.Links, figure.Link{From: e[0], To: e[1], Weight: weight})
			widest = max(widest, weight)
		}
		for k, o := range s.Objects {
			links.Boxes = append(links.Boxes, figure.Box{Patches: o.Tokens, Color: color.Gray{0x70}, Dashed: k >= 2})
		}
		links.Title = fmt.Sprintf("%d. %s\n%s, largest %.2f", i+1, steps[i].Name, a.Head, widest)
		top = max(top, widest)
		panels = append(panels, links)
	}
	var figures []*figure.Figure
	for _, p := range panels {
		p.Max = top
		figures = append(figures, p.Figure())
	}
	return checked(figure.Grid{Figures: figures, Columns: 4, NoLetters: true}.Figure())
}

// kindOfStep returns the line whose attention a step is about, within objects for a head that somebody chose.
func kindOfStep(s attention.Step) string {
	for _, kind := range []string{"within pair", "between pairs"} {
		if strings.HasPrefix(s.Name, kind) {
			return kind
		}
	}
	return "within object"
}

// stepStimulus checks what Figures 21 and 22 are given and returns the stimulus they show.
func stepStimulus(set *stimuli.Set, steps []attention.Step, maps []attention.Map) (s stimuli.Stimulus, err error) {
	if len(maps) == 0 || len(maps) != len(steps) {
		return s, fmt.Errorf("paper: %d maps for %d heads, expected those of attention.Maps for each", len(maps), len(steps))
	}
	for i, a := range maps {
		if a.Image != maps[0].Image || a.Head != steps[i].Head {
			return s, fmt.Errorf("paper: a map of %s on image %d, expected %s on image %d", a.Head, a.Image, steps[i].Head, maps[0].Image)
		}
		if want := set.Geometry().Patches(); a.Tokens-a.Prefix != want {
			return s, fmt.Errorf("paper: a map of %d patches, expected the %d of the set's images", a.Tokens-a.Prefix, want)
		}
	}
	if i := maps[0].Image; i < 0 || i >= set.Len() {
		return s, noStimulus(set, i)
	}
	if s = set.Stimulus(maps[0].Image); len(s.Pairs) == 0 {
		return s, errors.New("paper: the image has no pair of objects: expected one that the scores are about")
	}
	return s, nil
}

// edges are the pairs of patches, query and key, of a kind of attention.
func edges(s stimuli.Stimulus, kind string) (all [][2]int) {
	paired := func(i, j int) bool {
		return slices.ContainsFunc(s.Pairs, func(p stimuli.Pair) bool { return p.First == i && p.Second == j || p.First == j && p.Second == i })
	}
	for i, from := range s.Objects {
		for j, to := range s.Objects {
			is := "between pairs"
			switch {
			case i == j:
				is = "within object"
			case paired(i, j):
				is = "within pair"
			}
			if is != kind {
				continue
			}
			for _, q := range from.Tokens {
				for _, k := range to.Tokens {
					all = append(all, [2]int{q, k})
				}
			}
		}
	}
	return all
}

// patchOf cuts a patch out of an image.
func patchOf(img *image.NRGBA, g stimuli.Geometry, p int) image.Image {
	x, y := p%g.Grid()*g.Patch, p/g.Grid()*g.Patch
	return img.SubImage(image.Rect(x, y, x+g.Patch, y+g.Patch))
}

// steps is a figure of four heads on one image, a row for each model. The image is the first, a
// same one, unless another is asked for: heads that look for a match find one.
func steps(number, title, where string, models map[study.Scale][]string, draw func(*stimuli.Set, []attention.Step, []attention.Map) (*figure.Figure, error)) Item {
	i := heads(number, title, where, 0, models) // the same results
	i.Draw = func(ctx context.Context, l *study.Lab, r Request) (Drawing, error) {
		rows, err := each(ctx, i, l, r, func(s study.Subject, m *study.Model) (*figure.Figure, error) {
			set, chosen, maps, err := l.HeadSteps(ctx, m, PeakFrom(m.Config), r.Image, r.Heads...)
			if err != nil {
				return nil, err
			}
			f, err := draw(set, chosen, maps)
			if err != nil {
				return nil, err
			}
			return figure.Grid{Title: m.Label(s.Name), Figures: []*figure.Figure{f}, NoLetters: true}.Figure(), nil
		})
		if err != nil {
			return Drawing{}, err
		}
		f, err := checked(figure.Grid{Figures: rows, Columns: 1, NoLetters: len(rows) < 2}.Figure())
		return Drawing{Figure: f}, err
	}
	return i
}
