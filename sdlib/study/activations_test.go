package study

import (
	"reflect"
	"strings"
	"testing"

	"samediff/sdlib/attribution"
	"samediff/sdlib/backend"
)

// Activations, contributions and the lens are computed once, and are those of the packages that compute them.
func TestInside(t *testing.T) {
	ctx, set := t.Context(), smallSet(t)
	l := lab(t, t.TempDir(), backend.Go)
	m, err := l.Train(ctx, tiny())
	if err != nil {
		t.Fatal(err)
	}
	be, err := l.Backend()
	if err != nil {
		t.Fatal(err)
	}
	images := []int{3, 0, 7}
	want, err := attribution.Contributions(ctx, be, m.Model, set, images, nil)
	if err != nil {
		t.Fatal(err)
	}
	kept := Kept{Nodes: []string{"block*/resid_post", "logits"}, AtObjects: true}
	for _, l := range []*Lab{l, lab(t, l.Store.Dir(), "none: reading needs no backend")} {
		f, err := l.Activations(ctx, m, set, kept)
		if err != nil {
			t.Fatal(err)
		}
		x, err := f.Node("block00/resid_post")
		if err != nil {
			t.Fatal(err)
		}
		if f.Len() != set.Len() || x.Width() != 2*m.Config.Width { // two objects of one token
			t.Errorf("%d rows of %d numbers, want %d of %d", f.Len(), x.Width(), set.Len(), 2*m.Config.Width)
		}
		if err := f.Close(); err != nil {
			t.Error(err)
		}
		if got, err := Contributions.Of(ctx, l, m, set, images); err != nil || !reflect.DeepEqual(got, want) {
			t.Errorf("contributions %+v, %v; want %+v", got, err, want)
		}
	}
	if readings, err := Lens.Of(ctx, l, m, set, images); err != nil || len(readings) != 3 || len(readings[0].Logits) != m.Config.Blocks+1 {
		t.Errorf("readings %+v, %v", readings, err)
	}
	if _, err := l.Activations(ctx, m, set, Kept{Nodes: []string{"block07/resid_post"}}); err == nil || !strings.Contains(err.Error(), "block07") {
		t.Errorf("of a block that is not there: %v", err)
	}
	kept.Images = images
	f, err := l.Activations(ctx, m, set, kept)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if f.Len() != 3 {
		t.Errorf("of three images %d rows", f.Len())
	}
}
