package delta

import (
	"bytes"
	"context"
	"errors"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"github.com/gomlx/gomlx/core/tensors"

	"samediff/sdlib/internal/fixture"
	"samediff/sdlib/vit"
)

// small is a model whose matrices have the shapes of a ViT-B's, each side an eighth of it.
var small = vit.Config{Family: vit.CLIP, Image: 32, Patch: 8, Width: 96, Blocks: 2, Heads: 3, MLP: 384, Classes: 5, NormEps: 1e-5, Std: [3]float64{1, 1, 1}}

func newModel(t testing.TB, c vit.Config, seed uint64) *vit.Model {
	t.Helper()
	return fixture.Model(t, c, seed)
}

// changed returns a model with other values: f is given each weight's, and may change them.
func changed(t testing.TB, m *vit.Model, f func(w weight, values []float32)) *vit.Model {
	t.Helper()
	flat := m.Weights.Flatten(m.Config)
	for i, w := range weightsOf(m.Config) {
		values, err := tensors.CopyFlatData[float32](flat[i])
		if err != nil {
			t.Fatal(err)
		}
		f(w, values)
		flat[i] = tensors.FromFlatDataAndDimensions(values, flat[i].Shape().Dimensions...)
	}
	return &vit.Model{Config: m.Config, Weights: vit.Unflatten(m.Config, flat)}
}

// tune returns what fine-tuning might make of a model: matrices change by components of these sizes, 1e-3 of noise of the
// first one's size, and vectors by anything. It has a new head of two classes.
func tune(t testing.TB, m *vit.Model, sigma ...float64) *vit.Model {
	t.Helper()
	m, err := m.WithHead(2, 7, 0)
	if err != nil {
		t.Fatal(err)
	}
	rng := rand.New(rand.NewPCG(11, 0))
	return changed(t, m, func(w weight, values []float32) {
		switch {
		case w.head:
		case w.cols == 1:
			for i := range values {
				values[i] += 1e-3 * float32(rng.NormFloat64())
			}
		default:
			for _, s := range sigma {
				u, v := unit(rng, w.rows), unit(rng, w.cols)
				for i := range u {
					for j := range v {
						values[i*w.cols+j] += float32(s * u[i] * v[j])
					}
				}
			}
		}
	})
}

// unit returns a random vector of length 1.
func unit(rng *rand.Rand, n int) []float64 {
	v, norm := make([]float64, n), 0.
	for i := range v {
		v[i] = rng.NormFloat64()
		norm = math.Hypot(norm, v[i])
	}
	for i := range v {
		v[i] /= norm
	}
	return v
}

func pack(t testing.TB, base, tuned *vit.Model, m Method) *Delta {
	t.Helper()
	d, err := Pack(t.Context(), base, tuned, Options{Base: "base", Method: m})
	if err != nil {
		t.Fatal(err)
	}
	return d
}

func apply(t testing.TB, d *Delta, base *vit.Model) *vit.Model {
	t.Helper()
	m, err := d.Apply(base)
	if err != nil {
		t.Fatal(err)
	}
	return m
}

func modelHash(t testing.TB, m *vit.Model) string {
	t.Helper()
	h, err := m.Hash()
	if err != nil {
		t.Fatal(err)
	}
	return h
}

// compare calls f for every weight of both models.
func compare(t testing.TB, a, b *vit.Model, f func(w weight, a, b []float32)) {
	t.Helper()
	x, y := a.Weights.Flatten(a.Config), b.Weights.Flatten(b.Config)
	for i, w := range weightsOf(a.Config) {
		f(w, tensors.MustCopyFlatData[float32](x[i]), tensors.MustCopyFlatData[float32](y[i]))
	}
}

// A difference of rank 3 is found whole at rank 3, and a method that may choose finds that it has no more.
func TestPackLowRank(t *testing.T) {
	base := newModel(t, small, 1)
	tuned := tune(t, base, .5, .2, .1)
	before := modelHash(t, base)
	for _, m := range []Method{{Rank: 3}, {Rank: 8}, {Error: .002}, {Bytes: 300e3}} {
		d := pack(t, base, tuned, m)
		if d.Lost > 5e-4 {
			t.Errorf("%v: %g of the difference was lost, expected what 16 bits cost", m, d.Lost)
		}
		for name, r := range d.Ranks() {
			if r < 3 || m.Rank == 3 && r != 3 {
				t.Errorf("%v: rank %d of %s, expected 3", m, r, name)
			}
		}
		packed := apply(t, d, base)
		if packed.Config != tuned.Config {
			t.Errorf("%v: configuration %+v, expected %+v", m, packed.Config, tuned.Config)
		}
		compare(t, tuned, packed, func(w weight, want, got []float32) {
			within := 3e-4 // of a difference of at most .8 in one component, with 11 bits in each factor
			if w.head {
				within = 0
			} else if w.cols == 1 {
				within = 4e-6 // of a difference of some 4e-3
			}
			for i := range want {
				if math.Abs(float64(got[i]-want[i])) > within {
					t.Errorf("%v: %s[%d] is %g, was %g", m, w.name, i, got[i], want[i])
					break
				}
			}
		})
	}
	if modelHash(t, base) != before {
		t.Error("the base was changed")
	}
}

// At full rank a model comes back within 16 bits of its difference.
func TestPackFullRank(t *testing.T) {
	base := newModel(t, small, 1)
	tuned, err := newModel(t, small, 2).WithHead(2, 1, 0) // nothing in common
	if err != nil {
		t.Fatal(err)
	}
	d := pack(t, base, tuned, Method{Rank: 96})
	if d.Lost > 3e-4 {
		t.Errorf("%g was lost, expected 2⁻¹² on average", d.Lost)
	}
	packed := apply(t, d, base)
	from := map[string][]float32{}
	compare(t, base, base, func(w weight, values, _ []float32) { from[w.name] = values })
	compare(t, tuned, packed, func(w weight, want, got []float32) {
		for i := range want {
			within := 0.
			if !w.head { // 11 bits of the difference, no finer than float16 gets, and the rounding of two sums
				within = max(0x1p-11*math.Abs(float64(want[i]-from[w.name][i])), 0x1p-25) + 0x1p-23*math.Abs(float64(want[i]))
			}
			if math.Abs(float64(got[i]-want[i])) > within {
				t.Errorf("%s[%d] is %g, expected %g within %g", w.name, i, got[i], want[i], within)
				break
			}
		}
	})
	if r := d.Ranks()["vision_model.encoder.layers.0.mlp.fc1.weight"]; r != 96 {
		t.Errorf("rank %d, expected 96", r)
	}
}

// In 8 bits twice the rank takes as much room and is nearer, a model comes back from its file to the bit, and bounds are kept to.
func TestPackEightBits(t *testing.T) {
	base := newModel(t, small, 1)
	tuned := tune(t, base, .5, .4, .3, .25, .2, .15, .1, .08)
	size := func(d *Delta) int {
		n, err := d.Bytes()
		if err != nil {
			t.Fatal(err)
		}
		return n
	}
	wide, narrow := pack(t, base, tuned, Method{Rank: 3}), pack(t, base, tuned, Method{Rank: 6, Bits: 8})
	if extra := size(narrow) - size(wide); extra > size(wide)/10 { // the steps
		t.Errorf("rank 6 in 8 bits takes %d bytes more than rank 3 in 16 bits, %d", extra, size(wide))
	}
	if narrow.Lost > wide.Lost/2 {
		t.Errorf("rank 6 in 8 bits loses %g, rank 3 in 16 bits %g", narrow.Lost, wide.Lost)
	}
	if all := pack(t, base, tuned, Method{Rank: 8, Bits: 8}); all.Lost > .02 {
		t.Errorf("8 bits lose %g of a difference of rank 8, expected about .01", all.Lost)
	}
	bounded := pack(t, base, tuned, Method{Bytes: 60e3, Bits: 8})
	if size(bounded) > 60e3 {
		t.Errorf("%d bytes, bounded by 60,000", size(bounded))
	}
	dir := filepath.Join(t.TempDir(), "packed")
	if err := narrow.Save(dir); err != nil {
		t.Fatal(err)
	}
	if m, err := Load(dir, from(base)); err != nil || modelHash(t, m) != modelHash(t, apply(t, narrow, base)) {
		t.Errorf("another model came back (%v)", err)
	}
}

// The error bound and the size are kept to, and a smaller error takes more bytes.
func TestPackBounds(t *testing.T) {
	base := newModel(t, small, 1)
	tuned := tune(t, base, .5, .4, .3, .25, .2, .15, .1, .08, .06, .04, .03, .02)
	last := 0
	for _, bound := range []float64{.8, .5, .2, .05} {
		d := pack(t, base, tuned, Method{Error: bound})
		size, err := d.Bytes()
		if err != nil {
			t.Fatal(err)
		}
		if d.Lost > bound*1.001 || d.Lost < bound/3 || size <= last {
			t.Errorf("bound %g: %g was lost in %d bytes (before: %d)", bound, d.Lost, size, last)
		}
		last = size
	}
	for _, most := range []int{30e3, 60e3, 90e3} {
		d := pack(t, base, tuned, Method{Bytes: most})
		if size, err := d.Bytes(); err != nil || size > most || size < most-3000 {
			t.Errorf("%d bytes were asked for, the file has %d (%v)", most, size, err)
		}
	}
	if _, err := Pack(t.Context(), base, tuned, Options{Base: "base", Method: Method{Bytes: 500}}); err == nil || !strings.Contains(err.Error(), "do not hold") {
		t.Errorf("500 bytes: error %v", err)
	}
}

// What did not change takes no room, and comes back to the bit.
func TestPackUnchanged(t *testing.T) {
	base := newModel(t, small, 1)
	const still, moved = "vision_model.encoder.layers.0.mlp.fc1.weight", "vision_model.encoder.layers.1.mlp.fc1.bias"
	tuned := changed(t, base, func(w weight, values []float32) {
		if w.name == moved {
			values[3] = 1
		}
	})
	d := pack(t, base, tuned, Method{})
	if len(d.kept) != 2 || d.Ranks()[still] != 0 || d.Lost != 0 || d.Method.Rank != DefaultRank {
		t.Errorf("%d tensors are kept, %v, lost %g: expected the head and one bias", len(d.kept), d.Ranks(), d.Lost)
	}
	if modelHash(t, apply(t, d, base)) != modelHash(t, tuned) {
		t.Error("the model did not come back")
	}
}

// Numbers that float16 has no digits for are kept in float32.
func TestPackTinyAndLargeDifferences(t *testing.T) {
	base := changed(t, newModel(t, small, 1), func(w weight, values []float32) {
		if w.cols == 1 {
			clear(values) // so that the sum rounds nothing away
		}
	})
	for _, size := range []float32{1e-9, 1e6} {
		tuned := changed(t, base, func(w weight, values []float32) {
			if w.cols == 1 {
				for i := range values {
					values[i] = size * float32(i+1)
				}
			}
		})
		if d := pack(t, base, tuned, Method{}); d.Lost != 0 {
			t.Errorf("differences of %g: %g was lost, expected nothing", size, d.Lost)
		}
	}
	zero := changed(t, base, func(_ weight, values []float32) { clear(values) })
	tuned := tune(t, zero, 1e-11, 1e-11, 1e-11)
	const matrix = "vision_model.encoder.layers.0.mlp.fc1.weight"
	packed := apply(t, pack(t, zero, tuned, Method{Rank: 3}), zero)
	compare(t, tuned, packed, func(w weight, want, got []float32) {
		for i := range want {
			if w.name == matrix && math.Abs(float64(got[i]-want[i])) > 1e-17 { // of some 1e-13
				t.Errorf("%s[%d] is %g, was %g", w.name, i, got[i], want[i])
				break
			}
		}
	})
	if _, err := Pack(t.Context(), zero, tuned, Options{Base: "base", Method: Method{Bytes: 50e3}}); err == nil || !strings.Contains(err.Error(), "take 32 bits") {
		t.Errorf("differences of 1e-11 in a bounded file: error %v", err)
	}
}

// All families, at another size of images than the base's: positions stay on the grid they were learned on.
func TestPackFamilies(t *testing.T) {
	for _, f := range vit.Families {
		c := small
		c.Family, c.Image = f, 16
		if c.PosGrid = 4; f.Traits().Registers {
			c.Registers = 3
		}
		learned := c // at 32 pixels
		learned.Image, learned.PosGrid = 32, 0
		base := newModel(t, learned, 1)
		tuned, err := tune(t, base, .3, .2).WithHead(2, 5, c.Image)
		if err != nil {
			t.Fatal(err)
		}
		d := pack(t, base, tuned, Method{Rank: 2})
		if d.Lost > 5e-4 {
			t.Errorf("%s: %g was lost", f, d.Lost)
		}
		if packed := apply(t, d, base); packed.Config != tuned.Config || packed.Config.PosGrid != 4 {
			t.Errorf("%s: configuration %+v, expected %+v", f, packed.Config, tuned.Config)
		}
	}
}

// A ViT-B, the largest that has to fit: at rank 4 far under 5 MB, at 5 MB under it.
func TestPackSizeViTB(t *testing.T) {
	if testing.Short() {
		t.Skip("takes half a minute")
	}
	c, err := vit.Variant("clip-b16")
	if err != nil {
		t.Fatal(err)
	}
	base := newModel(t, c, 1)
	tuned := tune(t, base, .5, .3, .2, .1)
	d := pack(t, base, tuned, Method{Rank: 4})
	size, err := d.Bytes()
	if err != nil || size > 1_700_000 {
		t.Errorf("rank 4 takes %d bytes (%v), expected at most 1.7 MB", size, err)
	}
	if d.Lost > 1e-3 {
		t.Errorf("%g was lost of a difference of rank 4", d.Lost)
	}
}

// Equal models give equal bytes, on any number of cores.
func TestPackIsDetermined(t *testing.T) {
	base := newModel(t, small, 1)
	tuned := tune(t, base, .5, .4, .3, .2, .1, .05)
	var files [][]byte
	for _, cores := range []int{runtime.GOMAXPROCS(0), 1, 4} {
		old := runtime.GOMAXPROCS(cores)
		data, err := pack(t, base, tuned, Method{Rank: 3}).encode()
		runtime.GOMAXPROCS(old)
		if err != nil {
			t.Fatal(err)
		}
		files = append(files, data)
	}
	if !bytes.Equal(files[0], files[1]) || !bytes.Equal(files[0], files[2]) {
		t.Error("the number of cores changes the file")
	}
}

func TestPackRefuses(t *testing.T) {
	base := newModel(t, small, 1)
	other := small
	other.Heads = 4
	deeper := small
	deeper.Blocks = 3
	grid := small
	grid.Image = 24 // positions of its own
	nan := changed(t, base, func(w weight, values []float32) {
		if strings.HasSuffix(w.name, "layers.1.mlp.fc2.weight") {
			values[5] = float32(math.NaN())
		}
	})
	for _, test := range []struct {
		tuned *vit.Model
		o     Options
		says  []string
	}{
		{newModel(t, other, 1), Options{Base: "b"}, []string{"another kind of model", "heads 4"}},
		{newModel(t, deeper, 1), Options{Base: "b"}, []string{"another kind of model", "blocks 3"}},
		{newModel(t, grid, 1), Options{Base: "b"}, []string{"position_embedding", "[10 96]", "[17 96]", "same grid"}},
		{nan, Options{Base: "b"}, []string{"layers.1.mlp.fc2.weight", "not finite"}},
		{base, Options{}, []string{"base has no name"}},
		{base, Options{Base: "b", Method: Method{Rank: 1, Error: .1}}, []string{"expected one of them"}},
	} {
		_, err := Pack(t.Context(), base, test.tuned, test.o)
		for _, part := range test.says {
			if err == nil || !strings.Contains(err.Error(), part) {
				t.Errorf("error %v, expected %q", err, part)
			}
		}
	}
}

func TestPackStops(t *testing.T) {
	base := newModel(t, small, 1)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := Pack(ctx, base, tune(t, base, .1), Options{Base: "base"}); !errors.Is(err, context.Canceled) {
		t.Errorf("a canceled Pack: error %v", err)
	}
}

// What is known of the base's weights is kept, and the model says so.
func TestPackOrigin(t *testing.T) {
	base := newModel(t, small, 1)
	tuned := tune(t, base, .1)
	base.Origin = &vit.Origin{Name: "CLIP", Weights: vit.EightBit, License: "MIT"}
	d := pack(t, base, tuned, Method{})
	want := vit.Origin{Name: "CLIP, fine-tuned", Weights: vit.EightBit, License: "MIT"}
	if m := apply(t, d, base); d.Base.Weights != vit.EightBit || m.Origin == nil || *m.Origin != want || base.Origin.Name != "CLIP" {
		t.Errorf("base %+v, model of origin %+v", d.Base, m.Origin)
	}
	other := newModel(t, small, 2) // of unknown origin
	if _, err := d.Apply(other); err == nil || !strings.Contains(err.Error(), "(8-bit weights), found ") {
		t.Errorf("another base: error %v", err)
	}
}

// What NumPy packed of a model that NumPy changed (testdata/make_golden.py), in 16 bits and in 8, is read to the bit, and packed alike.
func TestGolden(t *testing.T) {
	t.Run("16 bits", func(t *testing.T) { golden(t, "testdata/packed", "testdata/whole", Method{Rank: 2}) })
	t.Run("8 bits", func(t *testing.T) { golden(t, "testdata/packed-8", "testdata/whole-8", Method{Rank: 2, Bits: 8}) })
}

func golden(t *testing.T, packedDir, wholeDir string, method Method) {
	base, err := vit.Load("../vit/testdata/clip")
	if err != nil {
		t.Fatal(err)
	}
	whole, err := vit.Load(wholeDir)
	if err != nil {
		t.Fatal(err)
	}
	packed, err := Load(packedDir, nil) // its base is a folder beside it
	if err != nil {
		t.Fatal(err)
	}
	if modelHash(t, packed) != modelHash(t, whole) {
		t.Error("base and difference do not give the weights that NumPy got")
	}

	dir := t.TempDir()
	for from, to := range map[string]string{"whole/config.json": "config.json", "tuned.safetensors": "model.safetensors"} {
		text, err := os.ReadFile(filepath.Join("testdata", filepath.FromSlash(from)))
		if err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(dir, to), text, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	tuned, err := vit.Load(dir)
	if err != nil {
		t.Fatal(err)
	}
	theirs, err := Read(packedDir)
	if err != nil {
		t.Fatal(err)
	}
	ours := pack(t, base, tuned, method)
	if ours.Method != theirs.Method || ours.Base.Hash != theirs.Base.Hash || math.Abs(ours.Lost-theirs.Lost) > 1e-4 {
		t.Errorf("%v, base %s, lost %g: NumPy has %v, %s, %g", ours.Method, ours.Base.Hash, ours.Lost, theirs.Method, theirs.Base.Hash, theirs.Lost)
	}
	compare(t, whole, apply(t, ours, base), func(w weight, want, got []float32) {
		for i := range want {
			if math.Abs(float64(got[i]-want[i])) > 1e-4 { // differences reach .1, in 16 bits
				t.Errorf("%s[%d] is %g, NumPy's %g", w.name, i, got[i], want[i])
				break
			}
		}
	})
}
