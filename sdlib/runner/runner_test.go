package runner

import (
	"context"
	"errors"
	"math"
	"slices"
	"strings"
	"testing"

	. "github.com/gomlx/gomlx/core/graph"
	"github.com/gomlx/gomlx/core/tensors"

	"samediff/sdlib/backend"
	"samediff/sdlib/internal/fixture"
	"samediff/sdlib/progress"
	"samediff/sdlib/stimuli"
	"samediff/sdlib/vit"
)

// small is a model that the pure Go backend runs in a moment.
var small = vit.Config{Image: 64, Patch: 16, Width: 12, Blocks: 2, Heads: 3, MLP: 24, Classes: 2, NormEps: 1e-12,
	Mean: [3]float64{.5, .5, .5}, Std: [3]float64{.5, .5, .5}}

func model(t *testing.T, seed uint64) *vit.Model {
	t.Helper()
	return fixture.Model(t, small, seed)
}

func images(t *testing.T, n int) *stimuli.Set {
	t.Helper()
	return fixture.Set(t, stimuli.Config{Geometry: stimuli.CourseQuick, Size: n, Seed: 1})
}

// scaled returns the logits times a factor, its parameter, under a mask of heads.
var scaled = New("scaled logits", func(c vit.Config, factor float64, w *vit.Weights[*Node], in []*Node) []*Node {
	y, _ := vit.Forward(c, w, in[0], vit.Heads(in[1]), vit.LogitsOnly())
	return []*Node{MulScalar(y, factor)}
})

// ask runs scaled over a set and returns the rows.
func ask(t *testing.T, be *backend.Backend, m *vit.Model, set *stimuli.Set, factor float64, off ...vit.Head) [][]float32 {
	t.Helper()
	mask, err := small.HeadMask(off...)
	if err != nil {
		t.Fatal(err)
	}
	var rows [][]float32
	err = scaled.Run(t.Context(), be, m, factor, Work{N: set.Len(), Feed: Images(small, set, nil), Common: []any{mask},
		Take: func(items []int, out []*tensors.Tensor) error {
			more, err := Rows[float32](out[0], len(items))
			rows = append(rows, more...)
			return err
		}})
	if err != nil {
		t.Fatal(err)
	}
	return rows
}

// A pass is compiled once for all models of a configuration, all sets and all choices of heads.
func TestCompiledOnce(t *testing.T) {
	be := fixture.Go(t)
	before := Compiled()
	first, second := model(t, 1), model(t, 2)
	a := ask(t, be, first, images(t, 300), 1)
	b := ask(t, be, second, images(t, 280), 1)
	c := ask(t, be, first, images(t, 300), 1, vit.Head{Block: 1, Head: 2})
	if got := Compiled() - before; got != 1 {
		t.Errorf("%d compilations for two models, two sets, with and without a head, expected 1", got)
	}
	if len(a) != 300 || len(b) != 280 {
		t.Fatalf("%d and %d rows, expected 300 and 280", len(a), len(b))
	}
	if slices.Equal(a[0], b[0]) || slices.Equal(a[0], c[0]) {
		t.Errorf("rows %v, of another model %v, with a head off %v: expected three answers", a[0], b[0], c[0])
	}
	again := ask(t, be, first, images(t, 300), 1)
	for i := range a {
		if !slices.Equal(a[i], again[i]) {
			t.Fatalf("image %d: %v, then %v", i, a[i], again[i])
		}
	}
	double := ask(t, be, first, images(t, 300), 2)
	if got := Compiled() - before; got != 2 {
		t.Errorf("%d compilations with another parameter, expected 2", got)
	}
	if diff := math.Abs(float64(double[0][0] - 2*a[0][0])); diff > 1e-5 {
		t.Errorf("with the factor 2: %v, with 1: %v", double[0], a[0])
	}
	ask(t, be, first, images(t, 4), 1)
	if got := Compiled() - before; got != 3 {
		t.Errorf("%d compilations with a small batch, expected 3", got)
	}
}

// Batches are powers of two, the last one is filled up, and its filling is not handed over.
func TestBatches(t *testing.T) {
	be, m, set := fixture.Go(t), model(t, 1), images(t, 10)
	mask, _ := small.HeadMask()
	var fed [][]int
	var seen []int
	work := Work{N: 9, Batch: 4, Common: []any{mask},
		Feed: func(items []int) ([]any, error) {
			fed = append(fed, slices.Clone(items))
			return Images(small, set, []int{9, 8, 7, 6, 5, 4, 3, 2, 1})(items)
		},
		Take: func(items []int, out []*tensors.Tensor) error {
			seen = append(seen, items...)
			return nil
		},
	}
	if err := scaled.Run(t.Context(), be, m, 1, work); err != nil {
		t.Fatal(err)
	}
	if want := [][]int{{0, 1, 2, 3}, {4, 5, 6, 7}, {8, 8, 8, 8}}; !slices.EqualFunc(fed, want, slices.Equal) {
		t.Errorf("fed %v, expected %v", fed, want)
	}
	if want := []int{0, 1, 2, 3, 4, 5, 6, 7, 8}; !slices.Equal(seen, want) {
		t.Errorf("took %v, expected %v", seen, want)
	}
}

func TestSize(t *testing.T) {
	b16 := vit.B16
	for _, c := range []struct {
		config       vit.Config
		items, bytes int
		want         int
	}{
		{small, 1, 0, 1}, {small, 5, 0, 8}, {small, 6400, 0, 256},
		{small, 6400, 1 << 40, 1}, // too large for any memory: one after the other
	} {
		if got := Size(c.config, c.items, c.bytes); got != c.want {
			t.Errorf("%d items of %d bytes: batches of %d, expected %d", c.items, c.bytes, got, c.want)
		}
	}
	if got := Size(b16, 6400, 0); got > 256 || got < 1 || got*forwardBytes(b16) > mostBytes {
		t.Errorf("ViT-B/16: batches of %d, of %d MB each", got, forwardBytes(b16)>>20)
	}
}

// What goes wrong is said, with the pass's name, and nothing waits for ever.
func TestErrors(t *testing.T) {
	be, m, set := fixture.Go(t), model(t, 1), images(t, 10)
	mask, _ := small.HeadMask()
	broken := errors.New("broken")
	take := func([]int, []*tensors.Tensor) error { return nil }
	feed := Images(small, set, nil)
	stopped, stop := context.WithCancel(t.Context())
	stop()
	other := model(t, 1)
	other.Config.Blocks = 1
	for name, test := range map[string]struct {
		ctx  context.Context
		m    *vit.Model
		work Work
		want string
	}{
		"nothing":      {t.Context(), m, Work{Feed: feed, Take: take}, "no images to run"},
		"feed":         {t.Context(), m, Work{N: 9, Batch: 2, Common: []any{mask}, Take: take, Feed: func([]int) ([]any, error) { return nil, broken }}, "scaled logits: broken"},
		"panic":        {t.Context(), m, Work{N: 9, Batch: 2, Common: []any{mask}, Take: take, Feed: func([]int) ([]any, error) { panic("oh") }}, "drawing items 0 to 1: oh"},
		"take":         {t.Context(), m, Work{N: 9, Batch: 2, Common: []any{mask}, Feed: feed, Take: func([]int, []*tensors.Tensor) error { return broken }}, "scaled logits: broken"},
		"interrupted":  {stopped, m, Work{N: 9, Common: []any{mask}, Feed: feed, Take: take}, "canceled"},
		"common":       {t.Context(), m, Work{N: 9, Common: []any{"mask"}, Feed: feed, Take: take}, "common input 0"},
		"wrong model":  {t.Context(), &vit.Model{Config: small}, Work{N: 9, Common: []any{mask}, Feed: feed, Take: take}, "without weights"},
		"inconsistent": {t.Context(), other, Work{N: 9, Common: []any{mask}, Feed: feed, Take: take}, "says 1"},
	} {
		err := scaled.Run(test.ctx, be, test.m, 1, test.work)
		if err == nil || !strings.Contains(err.Error(), test.want) {
			t.Errorf("%s: %v, expected %q", name, err, test.want)
		}
	}
}

// Nodes hands over what a forward pass has under these names, in their order.
func TestNodes(t *testing.T) {
	be, m, set := fixture.Go(t), model(t, 1), images(t, 6)
	var last progress.Update
	got := map[string][][]float32{}
	names := []string{"block01/resid_post", "embed", "logits"}
	err := Nodes(t.Context(), be, m, set, []int{5, 0, 3}, names, func(u progress.Update) { last = u }, func(items []int, values []*tensors.Tensor) error {
		for i, name := range names {
			rows, err := Rows[float32](values[i], len(items))
			if err != nil {
				return err
			}
			got[name] = append(got[name], rows...)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if last.Done != 3 || last.Total != 3 {
		t.Errorf("the last word of progress is %+v, expected 3 of 3", last)
	}
	p, err := vit.Compile(be, small, func(w *vit.Weights[*Node], in []*Node) []*Node {
		y, trace := vit.Forward(small, w, in[0], vit.Want("embed", "block01/resid_post"))
		return []*Node{trace.Get("block01/resid_post"), trace.Get("embed"), y}
	})
	if err != nil {
		t.Fatal(err)
	}
	defer p.Close()
	for row, image := range []int{5, 0, 3} {
		pixels, err := small.Images(set.Images([]int{image}))
		if err != nil {
			t.Fatal(err)
		}
		out, err := p.Run(m, pixels)
		if err != nil {
			t.Fatal(err)
		}
		for i, name := range names {
			want := tensors.MustCopyFlatData[float32](out[i])
			for k, v := range got[name][row] {
				if diff := math.Abs(float64(v - want[k])); diff > 1e-5 {
					t.Fatalf("%s of image %d differs by %g at %d", name, image, diff, k)
				}
			}
		}
	}
	for _, wrong := range []struct {
		images []int
		names  []string
		want   string
	}{{[]int{6}, names, "no image 6 in a set of 6"}, {[]int{}, names, "no images"}, {nil, []string{"block02/resid_post"}, `no value "block02/resid_post"`}} {
		err := Nodes(t.Context(), be, m, set, wrong.images, wrong.names, nil, nil)
		if err == nil || !strings.Contains(err.Error(), wrong.want) {
			t.Errorf("%v, expected %q", err, wrong.want)
		}
	}
}

// A Feed that returns another batch than it was asked for is an error, not wrong rows.
func TestWrongBatch(t *testing.T) {
	be, m, set := fixture.Go(t), model(t, 1), images(t, 10)
	mask, _ := small.HeadMask()
	take := func(items []int, out []*tensors.Tensor) error { return nil }
	large := fixture.Set(t, stimuli.Config{Geometry: stimuli.B16, Size: 8, Seed: 1})
	more := func(by int) func(items []int) ([]any, error) {
		return func(items []int) ([]any, error) {
			pixels, err := small.Images(set.Images(append(items[:len(items):len(items)], make([]int, by)...)))
			return []any{pixels}, err
		}
	}
	for name, test := range map[string]struct {
		work Work
		want string
	}{
		"twice as many":    {Work{N: 4, Batch: 4, Feed: more(4)}, "expected 4 rows"},
		"another geometry": {Work{N: 4, Batch: 4, Feed: Images(small, large, nil)}, "give both the same geometry"},
		"negative batch":   {Work{N: 4, Batch: -1, Feed: more(0)}, "batches of -1 images"},
	} {
		test.work.Take, test.work.Common = take, []any{mask}
		if err := scaled.Run(t.Context(), be, m, 1, test.work); err == nil || !strings.Contains(err.Error(), test.want) {
			t.Errorf("%s: %v, expected %q", name, err, test.want)
		}
	}
	if _, err := Rows[float32](tensors.FromValue([]float32{1, 2}), 3); err == nil || !strings.Contains(err.Error(), "expected at least 3 rows") {
		t.Errorf("three rows of two: %v", err)
	}
}
