package viewer

import (
	"encoding/base64"
	"encoding/json"
	"math"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/gomlx/gomlx/core/tensors"

	"samediff/sdlib/attention"
	"samediff/sdlib/backend"
	"samediff/sdlib/internal/fixture"
	"samediff/sdlib/stimuli"
	"samediff/sdlib/vit"
)

// tiny is a small model of a family for images of a geometry, whose heads prefer some tokens
// to others.
func tiny(t *testing.T, f vit.Family, g stimuli.Geometry) *vit.Model {
	t.Helper()
	c := fixture.Small(f, g)
	c.Width, c.MLP = 12, 24
	return fixture.Sharpened(fixture.Model(t, c, 7), 25)
}

// allHeads are the heads of a configuration, through all blocks.
func allHeads(c vit.Config) []vit.Head {
	var all []vit.Head
	for l := range c.Blocks {
		for h := range c.Heads {
			all = append(all, vit.Head{Block: l, Head: h})
		}
	}
	return all
}

// compare compares the weights of images with those of attention.Maps.
func compare(t *testing.T, be *backend.Backend, m *vit.Model, set *stimuli.Set, d *Data) {
	t.Helper()
	F := m.Config.Prefix()
	for i, im := range d.Images {
		w, err := d.Weights(i)
		if err != nil {
			t.Fatal(err)
		}
		whole := d.whole(im)
		maps, err := attention.Maps(t.Context(), be, m, set, im.Index, allHeads(m.Config)...)
		if err != nil {
			t.Fatal(err)
		}
		for _, want := range maps {
			for q := range want.Tokens {
				row, err := w.Row(want.Head, q)
				if err != nil {
					t.Fatal(err)
				}
				largest, sum := 0., 0.
				for k := F; k < want.Tokens; k++ {
					largest = max(largest, want.At(q, k))
				}
				for k, got := range row {
					sum += got
					exact := want.At(q, k)
					allowed := .002 * largest
					if k < F {
						allowed = 1e-5
					} else if !whole[q] && exact < d.Smallest+.002*largest { // may have been left out
						allowed = d.Smallest + .002*largest
					}
					if math.Abs(got-exact) > allowed+1e-7 {
						t.Fatalf("image %d, %s, from %d to %d: %g, expected %g within %g", im.Index, want.Head, q, k, got, exact, allowed)
					}
				}
				if math.Abs(sum-1) > .002*float64(want.Tokens)*largest+.002 {
					t.Errorf("image %d, %s: row %d sums to %g", im.Index, want.Head, q, sum)
				}
			}
		}
	}
}

// Of every family, of both tasks, and of images of one's own, the weights are those of the
// model, in 8 bits.
func TestWeights(t *testing.T) {
	own, err := stimuli.ImportFolder("../stimuli/testdata/boxes", stimuli.CourseQuick)
	if err != nil {
		t.Fatal(err)
	}
	sets := map[string]*stimuli.Set{
		"discrimination": fixture.Set(t, stimuli.Config{Geometry: stimuli.CourseQuick, Size: 6}),
		"rmts":           fixture.Set(t, stimuli.Config{Geometry: stimuli.CourseQuick, Task: stimuli.RMTS, Size: 8, Factors: stimuli.Factors{OffGrid: true}}),
		"own images":     own,
	}
	inFront := map[vit.Family][]string{
		vit.SigLIP: {}, vit.ViT: {"CLS"}, vit.CLIP: {"CLS"}, vit.DINOv2: {"CLS"}, vit.DeiT: {"CLS", "distillation"},
		vit.DINOv2Registers: {"CLS", "register 1", "register 2", "register 3"},
	}
	be := fixture.Go(t)
	for _, f := range vit.Families {
		m := tiny(t, f, stimuli.CourseQuick)
		for name, set := range sets {
			t.Run(f.String()+"/"+name, func(t *testing.T) {
				d, err := Collect(t.Context(), be, m, set, Choice{Images: []int{2, 0}}, nil)
				if err != nil {
					t.Fatal(err)
				}
				if d.Smallest != 0 || len(d.Images) != 2 || d.Images[0].Index != 2 || !reflect.DeepEqual(d.Front, inFront[f]) || d.Grid != 4 {
					t.Errorf("weights from %g, %d images, in front %q, a grid of %d: expected all weights, 2, %q, 4", d.Smallest, len(d.Images), d.Front, d.Grid, inFront[f])
				}
				for _, im := range d.Images {
					s := set.Stimulus(im.Index)
					if im.Label != s.Label || len(im.Logits) != 2 || len(im.Objects) != len(s.Objects) {
						t.Errorf("image %d: label %d, logits %v, %d objects", im.Index, im.Label, im.Logits, len(im.Objects))
					}
					for i, o := range im.Objects {
						if o.Role != string(s.Objects[i].Role) || !slices.Equal(o.Patches, s.Objects[i].Tokens) {
							t.Errorf("image %d: object %d is %+v, expected %+v", im.Index, i, o, s.Objects[i])
						}
					}
				}
				compare(t, be, m, set, d)

				text, err := json.Marshal(d)
				if err != nil {
					t.Fatal(err)
				}
				var again Data
				if err := json.Unmarshal(text, &again); err != nil || !reflect.DeepEqual(&again, d) {
					t.Errorf("through JSON (%v) the data become %+v", err, again)
				}
			})
		}
	}
}

// With less room small weights of the background are left out, and none of the objects'.
func TestLimit(t *testing.T) {
	be := fixture.Go(t)
	set := fixture.Set(t, stimuli.Config{Geometry: stimuli.Course, Task: stimuli.RMTS, Size: 8})
	m := tiny(t, vit.ViT, stimuli.Course)
	choice := Choice{Images: []int{1, 5}}
	all, err := Collect(t.Context(), be, m, set, choice, nil)
	if err != nil {
		t.Fatal(err)
	}
	whole, last := pageBytes(all), 0.
	for _, percent := range []int{90, 75, 60} {
		choice.Limit = whole * percent / 100
		d, err := Collect(t.Context(), be, m, set, choice, nil)
		if err != nil {
			t.Fatal(err)
		}
		if d.Smallest <= last || pageBytes(d) > choice.Limit {
			t.Errorf("%d bytes with a limit of %d, smallest weight %g after %g", pageBytes(d), choice.Limit, d.Smallest, last)
		}
		last = d.Smallest
		compare(t, be, m, set, d)
	}
	choice.Limit = whole / 10
	if _, err := Collect(t.Context(), be, m, set, choice, nil); err == nil || !strings.Contains(err.Error(), "take fewer images") {
		t.Errorf("with a limit of a tenth: %v", err)
	}
}

// pageBytes are those that images and weights take in a page.
func pageBytes(d *Data) int {
	n := 0
	for _, im := range d.Images {
		n += base64.StdEncoding.EncodedLen(len(im.PNG)) + base64.StdEncoding.EncodedLen(len(im.Packed))
	}
	return n
}

// An image without objects has its tokens in front; SigLIP has not even those.
func TestNoObjects(t *testing.T) {
	be := fixture.Go(t)
	set := fixture.Set(t, stimuli.Config{Geometry: stimuli.CourseQuick, Size: 4})
	for _, f := range []vit.Family{vit.ViT, vit.SigLIP} {
		m := tiny(t, f, stimuli.CourseQuick)
		d := &Data{Blocks: 2, Heads: 2, Grid: 4, Front: frontNames(m.Config), Images: []Image{{Index: 3}}}
		all, err := d.compute(t.Context(), be, m, set, []int{3}, nil)
		if err != nil {
			t.Fatal(err)
		}
		for _, smallest := range []float64{0, .05} {
			if _, err := d.pack(all, smallest); err != nil {
				t.Fatal(err)
			}
			compare(t, be, m, set, d)
		}
	}
}

func TestErrors(t *testing.T) {
	be := fixture.Go(t)
	m := tiny(t, vit.ViT, stimuli.CourseQuick)
	quick, course := fixture.Set(t, stimuli.Config{Geometry: stimuli.CourseQuick, Size: 4}), fixture.Set(t, stimuli.Config{Geometry: stimuli.Course, Size: 4})
	big := m.Config
	big.Blocks, big.Heads = 200, 12
	for want, run := range map[string]func() error{
		"no images chosen": func() error {
			_, err := Collect(t.Context(), be, m, quick, Choice{}, nil)
			return err
		},
		"there is no image 4 in a set of 4": func() error {
			_, err := Collect(t.Context(), be, m, quick, Choice{Images: []int{4}}, nil)
			return err
		},
		"give both the same geometry": func() error {
			_, err := Collect(t.Context(), be, m, course, Choice{Images: []int{0}}, nil)
			return err
		},
		"at most 1548 of them": func() error {
			_, err := Collect(t.Context(), be, &vit.Model{Config: big}, quick, Choice{Images: make([]int, 2000)}, nil)
			return err
		},
	} {
		if err := run(); err == nil || !strings.HasPrefix(err.Error(), "viewer: ") || !strings.Contains(err.Error(), want) {
			t.Errorf("the error is %v, expected it to speak of %q", err, want)
		}
	}

	d, err := Collect(t.Context(), be, m, quick, Choice{Images: []int{0}}, nil)
	if err != nil {
		t.Fatal(err)
	}
	for _, image := range []int{-1, 1} {
		if _, err := d.Weights(image); err == nil {
			t.Errorf("there are weights of image %d", image)
		}
	}
	w, err := d.Weights(0)
	if err != nil {
		t.Fatal(err)
	}
	for _, bad := range []struct{ block, head, query int }{{-1, 0, 0}, {2, 0, 0}, {0, -1, 0}, {0, 2, 0}, {0, 0, -1}, {0, 0, 17}} {
		if _, err := w.Row(vit.Head{Block: bad.block, Head: bad.head}, bad.query); err == nil || !strings.Contains(err.Error(), "expected") {
			t.Errorf("row %+v: %v", bad, err)
		}
	}

	tensors.MustMutableFlatData(m.Weights.Blocks[1].Q.W, func(flat []float32) { flat[0] = float32(math.NaN()) })
	if _, err := Collect(t.Context(), be, m, quick, Choice{Images: []int{0}}, nil); err == nil || !strings.Contains(err.Error(), "block 1") {
		t.Errorf("with a damaged weight: %v", err)
	}
}
