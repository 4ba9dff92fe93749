package patch

import (
	"math"
	"strings"
	"testing"

	"samediff/sdlib/backend"
	"samediff/sdlib/internal/fixture"
	"samediff/sdlib/stimuli"
	"samediff/sdlib/vit"
)

func TestPathGolden(t *testing.T) {
	g := readGolden(t)
	fixture.Backends(t, func(t *testing.T, be *backend.Backend) {
		e := goldenExperiment(t, be)
		from := shifted(e.set, len(e.images), 3)
		for _, x := range g.Paths {
			p := Path{From: head(x.Sender[0], x.Sender[1]), To: headsOf(x.To), Through: headsOf(x.Through), MLPs: x.MLPs}
			got, err := e.Path(t.Context(), from, p, nil)
			if err != nil {
				t.Fatal(err)
			}
			var want []float64
			for i, j := range from.Images {
				want = append(want, x.Margins[i][j])
			}
			near(t, "from "+p.From.String(), got, want)
		}
	})
}

// All paths of a head together are its interchange: whether the answer follows when everything
// passes on, or all heads hand on what they hear. A path that nothing takes carries nothing.
func TestAllPaths(t *testing.T) {
	be := fixture.Go(t)
	e := goldenExperiment(t, be)
	c, from, sender := e.m.Config, shifted(e.set, len(e.images), 1), head(0, 1)
	var all []vit.Head
	for l := range c.Blocks {
		for h := range c.Heads {
			all = append(all, head(l, h))
		}
	}
	want, err := e.Interchange(t.Context(), from, Swap{HeadSite, 1, AllTokens}, nil)
	if err != nil {
		t.Fatal(err)
	}
	base, err := e.Base(t.Context(), nil)
	if err != nil {
		t.Fatal(err)
	}
	same := func(what string, want, got Answers, err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		for i := range want {
			if d := math.Abs(float64(got[i] - want[i])); d > 1e-6 {
				t.Errorf("%s: image %d has the margin %g, expected %g", what, i, got[i], want[i])
			}
		}
	}
	got, err := e.Path(t.Context(), from, Path{From: sender, Through: all, MLPs: true}, nil)
	same("everything passes on", want, got, err)
	mask, err := c.HeadMask(all...)
	if err != nil {
		t.Fatal(err)
	}
	one, err := c.HeadMask(sender)
	if err != nil {
		t.Fatal(err)
	}
	got, err = e.path(t.Context(), from, [3][][]float32{one, mask, mask}, true, false, nil)
	same("all heads hear", want, got, err)
	got, err = e.Path(t.Context(), shifted(e.set, len(e.images), 0), Path{From: sender, To: []vit.Head{head(2, 0)}}, nil)
	same("the image is its own source", base, got, err)
}

func TestPathErrors(t *testing.T) {
	be := fixture.Go(t)
	e := experiment(t, be, small(), stimuli.Discrimination, 4)
	from := shifted(e.set, 4, 1)
	for says, p := range map[string]Path{
		"no path leads from block 1, head 0 to block 1, head 1": {From: head(1, 0), To: []vit.Head{head(1, 1)}},
		"no block 0, head 3":  {From: head(0, 3), To: []vit.Head{head(1, 1)}},
		"no block 2, head 0":  {From: head(0, 0), To: []vit.Head{head(2, 0)}},
		"no block 1, head -1": {From: head(0, 0), Through: []vit.Head{head(1, -1)}},
	} {
		if _, err := e.Path(t.Context(), from, p, nil); err == nil || !strings.Contains(err.Error(), says) {
			t.Errorf("%v, expected an error with %q", err, says)
		}
	}
}
