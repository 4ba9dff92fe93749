package patch

import (
	"math"
	"slices"
	"strings"
	"testing"

	. "github.com/gomlx/gomlx/core/graph"
	"github.com/gomlx/gomlx/core/tensors"
	"gonum.org/v1/gonum/stat"

	"samediff/sdlib/backend"
	"samediff/sdlib/internal/fixture"
	"samediff/sdlib/runner"
	"samediff/sdlib/stimuli"
	"samediff/sdlib/vit"
)

// shifted pairs each of n images with the one that follows, after so many.
func shifted(set *stimuli.Set, n, by int) *Sources {
	s := &Sources{Set: set}
	for i := range n {
		s.Images = append(s.Images, (i+by)%n)
	}
	return s
}

func TestInterchangeGolden(t *testing.T) {
	g := readGolden(t)
	fixture.Backends(t, func(t *testing.T, be *backend.Backend) {
		e := goldenExperiment(t, be)
		c := e.m.Config
		for _, x := range g.Interchanges {
			if be.IsXLA() && (x.Site == Attention || x.Site == MLP) {
				continue // XLA takes seconds to compile each site
			}
			swap := Swap{Site: x.Site, Point: x.At[0], Group: x.Group}
			if x.Site == HeadSite {
				swap.Point = x.At[0]*c.Heads + x.At[1]
			}
			const by = 2
			from := shifted(e.set, len(e.images), by)
			got, err := e.Interchange(t.Context(), from, swap, nil)
			if err != nil {
				t.Fatal(err)
			}
			var want []float64
			for i, j := range from.Images {
				want = append(want, x.Margins[i][j])
			}
			near(t, string(x.Site)+" "+string(x.Group), got, want)
		}
	})
}

// With every value of the stream, at any point, the image's answer is the source's, and with
// an image's own values it is its own.
func TestInterchangeAll(t *testing.T) {
	fixture.Backends(t, func(t *testing.T, be *backend.Backend) {
		e := experiment(t, be, small(), stimuli.RMTS, 8)
		base, err := e.Base(t.Context(), nil)
		if err != nil {
			t.Fatal(err)
		}
		from, own := shifted(e.set, 8, 3), shifted(e.set, 8, 0)
		before := runner.Compiled()
		for point := range Stream.Points(e.m.Config) {
			got, err := e.Interchange(t.Context(), from, Swap{Stream, point, AllTokens}, nil)
			if err != nil {
				t.Fatal(err)
			}
			same, err := e.Interchange(t.Context(), own, Swap{Stream, point, Objects}, nil)
			if err != nil {
				t.Fatal(err)
			}
			for i, j := range from.Images {
				if d := math.Abs(float64(got[i] - base[j])); d > 1e-6 {
					t.Errorf("image %d with the stream of %d at point %d has the margin %g, expected %g", i, j, point, got[i], base[j])
				}
				if d := math.Abs(float64(same[i] - base[i])); d > 1e-6 {
					t.Errorf("image %d with its own stream at point %d has the margin %g, expected %g", i, point, same[i], base[i])
				}
			}
		}
		if n := runner.Compiled() - before; n != 1 {
			t.Errorf("all points and groups compiled %d times, expected once", n)
		}
	})
}

// Attribution is the slope of the margin as values move from the image's towards the source's:
// a difference quotient of two small steps.
func TestAttributionAgainstDifferences(t *testing.T) {
	fixture.Backends(t, func(t *testing.T, be *backend.Backend) {
		m, err := vit.Load("testdata/model")
		if err != nil {
			t.Fatal(err)
		}
		e := goldenExperiment(t, be)
		from := shifted(e.set, len(e.images), 1)
		for _, group := range []Group{AllTokens, SamplePair} {
			for _, site := range Sites {
				if be.IsXLA() && (site != HeadSite || group != SamplePair) {
					continue // XLA takes seconds to compile each site
				}
				got, err := e.Attribution(t.Context(), from, site, group, nil)
				if err != nil {
					t.Fatal(err)
				}
				want := differences(t, be, m, e, from, site, group)
				for i := range got {
					for p := range got[i] {
						if d := math.Abs(got[i][p] - want[i][p]); d > 3e-3*max(1, math.Abs(want[i][p])) {
							t.Errorf("%s, %s: point %d of image %d is estimated %.4f, the difference quotient is %.4f", site, group, p, i, got[i][p], want[i][p])
						}
					}
				}
			}
		}
	})
}

// differences computes the slopes [n][points] by (margin(v + ε(v'-v)) - margin(v - ε(v'-v)))/2ε.
func differences(t *testing.T, be *backend.Backend, m *vit.Model, e *Experiment, from *Sources, site Site, g Group) [][]float64 {
	t.Helper()
	const ε = 4e-3
	c := m.Config
	nodes := site.nodes(c)
	p, err := vit.Compile(be, c, func(w *vit.Weights[*Node], in []*Node) []*Node { // pixels, sources, tokens [T], points, ε
		_, source := vit.Forward(c, w, in[1], vit.Want(nodes...))
		var opts []vit.Option
		for l, name := range nodes {
			opts = append(opts, vit.Edit(name, func(_ string, x *Node) *Node {
				step := Mul(Sub(source.Get(name), x), in[4])
				return Where(LogicalAnd(taken(in[2], x), site.at(in[3], l, x)), Add(x, step), x)
			}))
		}
		logits, _ := vit.Forward(c, w, in[0], opts...)
		return []*Node{margin(logits)}
	})
	if err != nil {
		t.Fatal(err)
	}
	defer p.Close()
	pixels, err := c.Images(e.set.Images(e.images))
	if err != nil {
		t.Fatal(err)
	}
	sources, err := c.Images(e.set.Images(from.Images))
	if err != nil {
		t.Fatal(err)
	}
	var tokens [][]int32
	for i, image := range e.images {
		f, err := from.from(c, e.set.Stimulus(image), i, g)
		if err != nil {
			t.Fatal(err)
		}
		tokens = append(tokens, f)
	}
	slopes := make([][]float64, len(e.images))
	for point := range site.Points(c) {
		at := make([]float32, site.Points(c))
		at[point] = 1
		var margins [2][]float32
		for i, step := range []float32{ε, -ε} {
			out, err := p.Run(m, pixels, sources, tokens, at, step)
			if err != nil {
				t.Fatal(err)
			}
			margins[i] = tensors.MustCopyFlatData[float32](out[0])
		}
		for i := range slopes {
			slopes[i] = append(slopes[i], float64(margins[0][i]-margins[1][i])/(2*ε))
		}
	}
	return slopes
}

// On a trained model the estimate agrees with the exact interchange of heads.
func TestAttributionAgreesWithInterchange(t *testing.T) {
	be := fixture.Go(t)
	m, err := vit.Load("../../models/discrimination-256-quick")
	if err != nil {
		t.Fatal(err)
	}
	set := fixture.Set(t, stimuli.Config{Geometry: stimuli.CourseQuick, Split: stimuli.TestIID, Size: 64, Seed: 1})
	images, twins, err := Twins(set)
	if err != nil || len(images) != 64 {
		t.Fatalf("%d images of 64 have a twin: %v", len(images), err)
	}
	images, twins = twins.First(images, 32)
	e, err := NewExperiment(be, m, set, images)
	if err != nil {
		t.Fatal(err)
	}
	defer e.Close()
	base, err := e.Base(t.Context(), nil)
	if err != nil {
		t.Fatal(err)
	}
	estimates, err := e.Attribution(t.Context(), twins, HeadSite, AllTokens, nil)
	if err != nil {
		t.Fatal(err)
	}
	var exact, estimated []float64
	for point := range HeadSite.Points(m.Config) {
		with, err := e.Interchange(t.Context(), twins, Swap{HeadSite, point, AllTokens}, nil)
		if err != nil {
			t.Fatal(err)
		}
		for i := range with {
			exact, estimated = append(exact, float64(with[i]-base[i])), append(estimated, estimates[i][point])
		}
	}
	if r := stat.Correlation(exact, estimated, nil); !(r > .7) {
		t.Errorf("estimated and exact changes correlate with %.3f", r)
	} else {
		t.Logf("estimated and exact changes of %d heads on %d images correlate with %.3f", HeadSite.Points(m.Config), len(images), r)
	}

	// Of the whole stream the source's answers come along.
	with, err := e.Interchange(t.Context(), twins, Swap{Stream, 2, AllTokens}, nil)
	if err != nil {
		t.Fatal(err)
	}
	others, err := NewExperiment(be, m, twins.Set, twins.Images)
	if err != nil {
		t.Fatal(err)
	}
	defer others.Close()
	source, err := others.Base(t.Context(), nil)
	if err != nil {
		t.Fatal(err)
	}
	if r, err := Recovered(set, images, twins, base, source, with); err != nil || r.Flipped.Accuracy() != 1 || math.Abs(r.Margin-1) > 1e-5 {
		t.Errorf("the whole stream recovers %+v, %v; expected all", r, err)
	}
	if r, err := Recovered(set, images, twins, base, source, base); err != nil || r.Flipped.Correct != 0 || r.Margin != 0 {
		t.Errorf("nothing recovers %+v, %v; expected nothing", r, err)
	}
	if _, err := Recovered(set, images, twins, source, source, base); err == nil || !strings.Contains(err.Error(), "none is answered rightly") {
		t.Errorf("a model that is always wrong: %v", err)
	}
}

// Where objects lie elsewhere in the source, each takes the tokens of the object that stands for it.
func TestCounterfactualTokens(t *testing.T) {
	cf, err := stimuli.OpenCounterfactuals(stimuli.CounterfactualConfig{
		Set: stimuli.Config{Geometry: stimuli.Course, Size: 400, Seed: 1}, Property: stimuli.ShapeProperty, Size: 8})
	if err != nil {
		t.Fatal(err)
	}
	images, sources, err := Counterfactuals(cf, false)
	if err != nil || len(images) != 8 {
		t.Fatalf("%d of 8 pairs, %v", len(images), err)
	}
	c := vit.Course
	for i := range images {
		r := cf.Record(i)
		from, err := sources.from(c, r.Base, i, Objects)
		if err != nil {
			t.Fatal(err)
		}
		want := slices.Repeat([]int32{-1}, c.Tokens())
		for k, patch := range r.Base.Objects[r.Edited].Tokens {
			want[1+patch] = int32(1 + r.CF.Objects[r.Source].Tokens[k])
		}
		for k, patch := range r.Base.Objects[r.NonEdited].Tokens {
			want[1+patch] = int32(1 + r.CF.Objects[r.Other].Tokens[k])
		}
		if !slices.Equal(from, want) {
			t.Errorf("pair %d takes the tokens %v, expected %v", i, from, want)
		}
		behind, err := sources.from(c, r.Base, i, Background)
		if err != nil {
			t.Fatal(err)
		}
		for token, f := range behind {
			if f >= 0 && (int(f) != token || from[token] >= 0) {
				t.Errorf("pair %d: token %d of the background takes %d", i, token, f)
			}
		}
	}
	if _, _, err := Counterfactuals(cf, true); err == nil {
		t.Error("in discrimination no counterfactual image has the target's answer: expected an error")
	}

	cf, err = stimuli.OpenCounterfactuals(stimuli.CounterfactualConfig{
		Set: stimuli.Config{Geometry: stimuli.Course, Task: stimuli.RMTS, Size: 400, Seed: 1}, Property: stimuli.ShapeProperty, Size: 40})
	if err != nil {
		t.Fatal(err)
	}
	images, sources, err = Counterfactuals(cf, true)
	if err != nil || len(images) < 10 || len(images) > 30 || sources.Objects != nil {
		t.Fatalf("%d of 40 pairs of RMTS have the target's answer, %v; expected about half, with objects at the same places", len(images), err)
	}
	for k, i := range images {
		if r := cf.Record(i); places(r.Base) != places(r.CF) || sources.Images[k] != i {
			t.Errorf("pair %d has its objects at other places", i)
		}
	}
}

func TestInterchangeErrors(t *testing.T) {
	be := fixture.Go(t)
	e := experiment(t, be, small(), stimuli.Discrimination, 4)
	from := shifted(e.set, 4, 1)
	other := fixture.Set(t, stimuli.Config{Geometry: stimuli.Course, Size: 4})
	for _, c := range []struct {
		says string
		from *Sources
		swap Swap
	}{
		{"expected 0 to 2", from, Swap{Stream, 3, CLS}},
		{"expected 0 to 1", from, Swap{MLP, 2, CLS}},
		{"expected 0 to 5", from, Swap{HeadSite, -1, CLS}},
		{`"stram"`, from, Swap{"stram", 0, CLS}},
		{`"display"`, from, Swap{Stream, 0, Display}},
		{"seen from an object", from, Swap{Stream, 0, Partner}},
		{"no sources", nil, Swap{Stream, 0, CLS}},
		{"3 sources for 4 images", shifted(e.set, 3, 1), Swap{Stream, 0, CLS}},
		{"same geometry", shifted(other, 4, 1), Swap{Stream, 0, CLS}},
		{"no image 4", &Sources{Set: e.set, Images: []int{0, 1, 2, 4}}, Swap{Stream, 0, CLS}},
		{"no object 2", &Sources{Set: e.set, Images: []int{0, 1, 2, 3}, Objects: slices.Repeat([][]int{{0, 2}}, 4)}, Swap{Stream, 0, Objects}},
		{"expected 2", &Sources{Set: e.set, Images: []int{0, 1, 2, 3}, Objects: slices.Repeat([][]int{{0}}, 4)}, Swap{Stream, 0, Objects}},
	} {
		_, err := e.Interchange(t.Context(), c.from, c.swap, nil)
		if err == nil || !strings.Contains(err.Error(), c.says) {
			t.Errorf("%v, expected an error with %q", err, c.says)
		}
	}
	if _, err := e.Attribution(t.Context(), from, "stram", CLS, nil); err == nil {
		t.Error("attribution of no site: expected an error")
	}
}
