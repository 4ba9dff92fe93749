package activations

import (
	"context"
	"errors"
	"math"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"

	"github.com/gomlx/gomlx/core/tensors"

	"samediff/sdlib/backend"
	"samediff/sdlib/internal/fixture"
	"samediff/sdlib/progress"
	"samediff/sdlib/runner"
	"samediff/sdlib/stimuli"
	"samediff/sdlib/vit"
)

// tiny is a small model of a family, with so many tokens in front of 4 x 4 patches.
func tiny(t *testing.T, f vit.Family) (m *vit.Model, front int) {
	t.Helper()
	c := fixture.Small(f, stimuli.CourseQuick)
	c.Width, c.Heads, c.MLP = 12, 3, 24
	return fixture.Model(t, c, 1), map[vit.Family]int{vit.SigLIP: 0, vit.DeiT: 2, vit.DINOv2Registers: 4, vit.ViT: 1, vit.CLIP: 1, vit.DINOv2: 1}[f]
}

// offGrid is a set whose objects cover from one to four patches.
func offGrid(t *testing.T, n int) *stimuli.Set {
	t.Helper()
	return fixture.Set(t, stimuli.Config{Task: stimuli.RMTS, Geometry: stimuli.CourseQuick, Size: n, Seed: 1, Factors: stimuli.Factors{OffGrid: true}})
}

// plan returns a plan for images of a set, with all tokens or those of objects.
func plan(t *testing.T, c vit.Config, set *stimuli.Set, images []int, objects bool, nodes ...string) Plan {
	t.Helper()
	p, err := NewPlan(c, FromSet(set, images).Len(), nodes...)
	if err == nil && objects {
		p, err = p.AtObjects(set, images)
	}
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// written writes a plan and opens the file.
func written(t *testing.T, be *backend.Backend, m *vit.Model, set *stimuli.Set, images []int, p Plan) *File {
	t.Helper()
	path := filepath.Join(t.TempDir(), "activations.safetensors")
	if err := Write(t.Context(), be, m, FromSet(set, images), p, path, nil, nil); err != nil {
		t.Fatal(err)
	}
	f, err := Open(path)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { f.Close() })
	return f
}

// whole returns the values of nodes for images, one after the other, as a forward pass of the runner has them.
func whole(t *testing.T, be *backend.Backend, m *vit.Model, set *stimuli.Set, images []int, nodes []string) map[string][][]float32 {
	t.Helper()
	all := map[string][][]float32{}
	err := runner.Nodes(t.Context(), be, m, set, images, nodes, nil, func(items []int, values []*tensors.Tensor) error {
		for i, name := range nodes {
			rows, err := runner.Rows[float32](values[i], len(items))
			if err != nil {
				return err
			}
			all[name] = append(all[name], rows...)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return all
}

// near reports whether numbers are equal but for rounding.
func near(a, b []float32) bool {
	return slices.EqualFunc(a, b, func(a, b float32) bool { return math.Abs(float64(a-b)) <= 1e-5*(1+math.Abs(float64(b))) })
}

// The file has what a forward pass has: every value of every family, whatever the batch.
func TestAllTokens(t *testing.T) {
	be, set, images := fixture.Go(t), offGrid(t, 8), []int{7, 0, 3, 4, 1}
	for _, f := range vit.Families {
		m, _ := tiny(t, f)
		want := whole(t, be, m, set, images, m.Config.Nodes())
		for _, batch := range []int{0, 2} {
			p := plan(t, m.Config, set, images, false, "*", "*/*", "*/*/*")
			p.Batch = batch
			file := written(t, be, m, set, images, p)
			if !slices.Equal(file.Nodes(), m.Config.Nodes()) || file.Len() != 5 || file.Tokens() != nil {
				t.Fatalf("%v: the file has %d pictures, tokens %v, and %v", f, file.Len(), file.Tokens(), file.Nodes())
			}
			for _, name := range file.Nodes() {
				x, err := file.Node(name)
				if err != nil {
					t.Fatal(err)
				}
				if shape, _ := m.Config.NodeShape(name, 5); !slices.Equal(x.Shape, shape) {
					t.Errorf("%v: %s has the shape %v, expected %v", f, name, x.Shape, shape)
				}
				for i := range images {
					if !near(x.Row(i), want[name][i]) {
						t.Errorf("%v, batches of %d: %s of picture %d differs from the forward pass", f, batch, name, i)
					}
				}
			}
		}
	}
}

// With the tokens of objects, the file has those of the whole values, and 0 where an object
// covers fewer patches than the largest.
func TestTokensOfObjects(t *testing.T) {
	set, images := offGrid(t, 8), []int{6, 1, 2}
	for _, choice := range []string{backend.Go, ""} {
		be := fixture.Backend(t, choice)
		for _, f := range vit.Families {
			if choice != backend.Go && f != vit.DeiT {
				continue // the others have the same graph, and take long to compile
			}
			m, front := tiny(t, f)
			want := whole(t, be, m, set, images, m.Config.Nodes())
			file := written(t, be, m, set, images, plan(t, m.Config, set, images, true, "*", "*/*", "*/*/*"))
			padded := 0
			for _, name := range file.Nodes() {
				x, err := file.Node(name)
				if err != nil {
					t.Fatal(err)
				}
				shape, _ := m.Config.NodeShape(name, 1)
				for i, image := range images {
					if name == "logits" {
						if !near(x.Row(i), want[name][i]) {
							t.Errorf("%s, %v: logits of image %d differ", choice, f, image)
						}
						continue
					}
					row, objects := x.Row(i), set.Stimulus(image).Objects
					O, P := x.Shape[1], x.Shape[2]
					each := len(row) / (O * P)
					for o := range O {
						for p := range P {
							got := row[(o*P+p)*each : (o*P+p+1)*each]
							expected := make([]float32, each)
							if p < len(objects[o].Tokens) {
								expected = ofToken(want[name][i], shape, name, front+objects[o].Tokens[p])
							} else {
								padded++
							}
							if !near(got, expected) {
								t.Fatalf("%s, %v: %s of image %d, object %d, patch %d is %v, expected %v", choice, f, name, image, o, p, got, expected)
							}
						}
					}
				}
			}
			if padded == 0 {
				t.Error("no object covers fewer patches than another: nothing was tested of padding")
			}
			tokens, all := file.Tokens(), set.Tokens()
			for i, image := range images {
				n := tokens.Objects * tokens.Each
				if !slices.Equal(tokens.Index[i*n:(i+1)*n], all[image*n:(image+1)*n]) {
					t.Errorf("the tokens of image %d are %v", image, tokens.Index[i*n:(i+1)*n])
				}
			}
		}
	}
}

// ofToken picks a token's numbers out of one picture's values of shape [1, ...].
func ofToken(values []float32, shape []int, name string, token int) []float32 {
	if !strings.HasSuffix(name, "attn/scores") && !strings.HasSuffix(name, "attn/weights") {
		each := len(values) / shape[1]
		return values[token*each : (token+1)*each]
	}
	var rows []float32 // [H, T] of [H, T, T]
	H, T := shape[1], shape[2]
	for h := range H {
		rows = append(rows, values[(h*T+token)*T:(h*T+token+1)*T]...)
	}
	return rows
}

// The size is known before the file is: all but the header. Both kinds of values lie where
// they can be viewed without a copy.
func TestBytes(t *testing.T) {
	be, set := fixture.Go(t), offGrid(t, 4)
	m, _ := tiny(t, vit.ViT)
	for _, objects := range []bool{false, true} {
		p := plan(t, m.Config, set, nil, objects, "block*/resid_post", "logits")
		file := written(t, be, m, set, nil, p)
		info, err := os.Stat(file.path)
		if err != nil {
			t.Fatal(err)
		}
		values := 4 * 2 * 17 * 12 * 4 // pictures, blocks, tokens, width, bytes
		if objects {
			each := 4 * set.TokensPerObject() // of a picture
			values = 4*2*each*12*4 + 4*each*4
		}
		values += 4 * 2 * 4 // logits
		if got := p.Bytes(); got != values || info.Size() < int64(got) || info.Size() > int64(got)+1000 {
			t.Errorf("objects %v: %d bytes said, %d expected, the file has %d", objects, got, values, info.Size())
		}
		hash, err := m.Hash()
		if err != nil {
			t.Fatal(err)
		}
		if meta := file.Metadata(); meta["hash"] != hash || meta["precision"] != "f32" || meta["backend"] != backend.Go {
			t.Errorf("metadata %v", meta)
		}
	}
}

func TestGather(t *testing.T) {
	be, set := fixture.Go(t), offGrid(t, 8)
	m, _ := tiny(t, vit.ViT)
	file := written(t, be, m, set, nil, plan(t, m.Config, set, nil, true, "final"))
	x, err := file.Node("final")
	if err != nil {
		t.Fatal(err)
	}
	items := []int{5, 0, 5}
	batch := make([]float32, len(items)*x.Width())
	if err := x.Gather(batch, items); err != nil {
		t.Fatal(err)
	}
	for k, i := range items {
		if !slices.Equal(batch[k*x.Width():(k+1)*x.Width()], x.Row(i)) {
			t.Errorf("row %d of the batch is not picture %d", k, i)
		}
	}
	for want, err := range map[string]error{
		"expected 0 to 7":         x.Gather(batch, []int{5, 8, 0}),
		"no picture -1 in final":  x.Gather(batch, []int{0, 0, -1}),
		"3 rows of final, of ":    x.Gather(batch[1:], items),
		"it has final":            second(file.Node("embed")),
		`no value "block00/blob"`: second(NewPlan(m.Config, 8, "final", "block00/blob")),
	} {
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("error %v, expected one that speaks of %q", err, want)
		}
	}
}

func second[T any](_ T, err error) error { return err }

// broken are pictures that fail.
type broken struct {
	n      int
	pixels func(items []int) ([]uint8, error)
}

func (b broken) Len() int                            { return b.n }
func (b broken) Pixels(items []int) ([]uint8, error) { return b.pixels(items) }

// What goes wrong is said, and leaves no file.
func TestWriteErrors(t *testing.T) {
	be, set := fixture.Go(t), offGrid(t, 4)
	m, _ := tiny(t, vit.ViT)
	other := fixture.Model(t, m.Config, 2)
	other.Config.Blocks = 1
	dir := t.TempDir()
	path := filepath.Join(dir, "file")
	good := plan(t, m.Config, set, nil, false, "final")
	tokens := plan(t, m.Config, set, nil, true, "final")
	failing := errors.New("the pictures are gone")
	write := func(m *vit.Model, from Pictures, p Plan) error {
		return Write(t.Context(), be, m, from, p, path, nil, nil)
	}
	with := func(p Plan, change func(*Plan)) Plan {
		change(&p)
		return p
	}
	wide := offGrid(t, 4).Config()
	wide.Geometry = stimuli.Course
	course := fixture.Set(t, wide)
	for want, err := range map[string]error{
		"the plan is for 4 pictures, there are 3": write(m, FromSet(set, []int{0, 1, 2}), good),
		"the plan is for another model":           write(other, FromSet(set, nil), good),
		"a plan for 0 pictures":                   second(NewPlan(m.Config, 0, "final")),
		"a plan without nodes":                    second(NewPlan(m.Config, 4)),
		"in the order of the computation":         write(m, FromSet(set, nil), with(good, func(p *Plan) { p.Nodes = []string{"logits", "final"} })),
		`no value "x"`:                            write(m, FromSet(set, nil), with(good, func(p *Plan) { p.Nodes = []string{"x"} })),
		"the same geometry":                       second(good.AtObjects(course, nil)),
		"no image 4":                              second(good.AtObjects(set, []int{0, 1, 2, 4})),
		"tokens for 4 pictures of 4 objects":      second(good.AtObjects(set, []int{0})),
		"has a token at patch 16, expected 0 to 15": write(m, FromSet(set, nil), with(tokens, func(p *Plan) {
			p.Tokens = &Tokens{Objects: 1, Each: 1, Index: []int32{0, -1, 16, 0}}
		})),
		"the pictures are gone":   write(m, broken{4, func([]int) ([]uint8, error) { return nil, failing }}, good),
		"pixels of 1 pictures of": write(m, broken{4, func([]int) ([]uint8, error) { return make([]uint8, 64*64*3), nil }}, good),
		"a multiple of":           write(m, broken{4, func([]int) ([]uint8, error) { return make([]uint8, 5), nil }}, good),
	} {
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("error %v, expected one that speaks of %q", err, want)
		}
	}
	canceled, cancel := context.WithCancel(t.Context())
	cancel()
	if err := Write(canceled, be, m, FromSet(set, nil), good, path, nil, nil); !errors.Is(err, context.Canceled) {
		t.Errorf("canceled: %v", err)
	}
	if entries, err := os.ReadDir(dir); err != nil || len(entries) != 0 {
		t.Errorf("the folder holds %v (%v)", entries, err)
	}

	// A trace takes the place of a trace, and of nothing else.
	for range 2 {
		if err := write(m, FromSet(set, nil), good); err != nil {
			t.Fatal(err)
		}
	}
	if err := m.Save(dir + "/model"); err != nil {
		t.Fatal(err)
	}
	path = filepath.Join(dir, "model", "model.safetensors")
	if err := write(m, FromSet(set, nil), good); err == nil || !strings.Contains(err.Error(), "no trace") {
		t.Errorf("over a model's weights: %v", err)
	}
	if _, err := vit.Load(dir + "/model"); err != nil {
		t.Errorf("the model is gone: %v", err)
	}
}

// A file that no disk can hold is refused before anything is computed.
func TestFullDisk(t *testing.T) {
	if runtime.GOOS != "linux" {
		t.Skip("only Linux reserves space")
	}
	m, _ := tiny(t, vit.ViT)
	const n = 1 << 34
	p, err := NewPlan(m.Config, n, "*/*", "*/*/*")
	if err != nil {
		t.Fatal(err)
	}
	computed := false
	from := broken{n, func([]int) ([]uint8, error) {
		computed = true
		return nil, errors.New("the file system reserves nothing")
	}}
	dir := t.TempDir()
	err = Write(t.Context(), fixture.Go(t), m, from, p, filepath.Join(dir, "file"), nil, nil)
	if computed {
		t.Skip(err)
	}
	if err == nil || !strings.Contains(err.Error(), "no room for") {
		t.Errorf("%d bytes: error %v", p.Bytes(), err)
	}
	if entries, err := os.ReadDir(dir); err != nil || len(entries) != 0 {
		t.Errorf("the folder holds %v (%v)", entries, err)
	}
}

// Files that are cut off, or something else, are refused.
func TestOpenErrors(t *testing.T) {
	be, set := fixture.Go(t), offGrid(t, 4)
	m, _ := tiny(t, vit.ViT)
	whole, err := os.ReadFile(written(t, be, m, set, nil, plan(t, m.Config, set, nil, true, "final")).path)
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), "file")
	for _, n := range []int{0, 7, 100, len(whole) / 2, len(whole) - 1} {
		if err := os.WriteFile(path, whole[:n], 0o600); err != nil {
			t.Fatal(err)
		}
		if f, err := Open(path); err == nil || !strings.Contains(err.Error(), path) || !strings.Contains(err.Error(), "damaged, incomplete") {
			t.Errorf("the first %d of %d bytes open as %v, %v", n, len(whole), f, err)
		}
	}
	if _, err := Open(filepath.Join(t.TempDir(), "none")); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("no file: error %v", err)
	}
	model := t.TempDir()
	if err := m.Save(model); err != nil {
		t.Fatal(err)
	}
	if _, err := Open(filepath.Join(model, "model.safetensors")); err == nil || !strings.Contains(err.Error(), "expected the same number of pictures") {
		t.Errorf("a model's weights: error %v", err)
	}
}

// Progress counts pictures.
func TestProgress(t *testing.T) {
	be, set := fixture.Go(t), offGrid(t, 4)
	m, _ := tiny(t, vit.ViT)
	var last progress.Update
	err := Write(t.Context(), be, m, FromSet(set, nil), plan(t, m.Config, set, nil, false, "logits"), filepath.Join(t.TempDir(), "file"),
		map[string]string{"hash": "mine", "more": "yes"}, func(u progress.Update) { last = u })
	if err != nil || last.Done != 4 || last.Total != 4 || !last.Finished {
		t.Errorf("the last update is %+v (%v), expected 4 of 4", last, err)
	}
}
