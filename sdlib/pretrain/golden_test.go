package pretrain

import (
	"fmt"
	"math"
	"os"
	"strconv"
	"strings"
	"testing"

	"github.com/gomlx/gomlx/core/tensors"

	"samediff/sdlib/backend"
	"samediff/sdlib/internal/fixture"
	"samediff/sdlib/optimize"
	"samediff/sdlib/safetensors"
	"samediff/sdlib/vit"
)

// tiny is the model of the golden files.
var tiny = vit.Config{Image: 16, Patch: 4, Width: 8, Blocks: 2, Heads: 2, MLP: 32}

// goldens are the files of testdata, with the objective and the rows that each has.
var goldens = []struct {
	file    string
	recipe  Recipe
	classes int
	rows    []string
}{
	{"supervised", Recipe{Objective: Supervised}, 7, []string{"images", "kinds"}},
	{"supervised-sigmoid", Recipe{Objective: Supervised, Naming: Naming{Sigmoid: true}}, 7, []string{"images", "kinds"}},
	{"contrastive", Recipe{Objective: Contrastive, Matching: Matching{Dim: 6}}, 6, []string{"images", "tokens"}},
	{"masked", Recipe{Objective: Masked, Masking: Masking{Width: 12, Blocks: 1, Heads: 3}}, 1, []string{"images", "order_of_patches"}},
	{"distilled", Recipe{Objective: Distilled, Teaching: Teaching{Local: 2, Prototypes: 8, Hidden: 10, Bottleneck: 6, Tau: .06, Momentum: .9}}, 1,
		[]string{"globals", "locals"}},
}

// TestObjectivesEqualPyTorch repeats PyTorch's 20 steps of each objective, from the same start on the same batches.
func TestObjectivesEqualPyTorch(t *testing.T) {
	for _, name := range []string{"", backend.Go} {
		be := fixture.Backend(t, name)
		for _, g := range goldens {
			t.Run(be.Choice+"/"+g.file, func(t *testing.T) {
				f, err := safetensors.Open("testdata/" + g.file + ".safetensors")
				if err != nil {
					t.Fatal(err)
				}
				defer f.Close()
				repeat(t, be, f, g.recipe, g.classes, g.rows)
			})
		}
	}
}

func repeat(t *testing.T, be *backend.Backend, f *safetensors.File, r Recipe, classes int, rows []string) {
	number := func(name string) float64 {
		x, err := strconv.ParseFloat(f.Metadata()[name], 64)
		if err != nil {
			t.Fatal(err)
		}
		return x
	}
	r.LR, r.WeightDecay, r.Batch, r.Epochs = number("lr"), number("weight_decay"), int(number("batch")), int(number("steps"))
	c := r.Config(tiny, openScenes(t, 16))
	c.Classes = classes
	m := fixture.Model(t, c, 1)
	task := r.task(m, openScenes(t, 16))
	p := task.problem()
	order := ints(t, f, "order")
	p.Data = &optimize.Drawn{N: r.Batch, Fresh: r.Epochs, Draw: func(step int) (all []*tensors.Tensor, err error) { // epochs of one step
		for _, name := range rows {
			all = append(all, pick(t, f, name, order[step*r.Batch:(step+1)*r.Batch]))
		}
		return all, nil
	}}
	unread := 0
	for i, x := range p.Params {
		start, ok := f.Tensor("start/" + x.Name)
		if !ok {
			if !strings.HasPrefix(x.Name, "classifier.") {
				t.Fatalf("the golden file has no start of %s", x.Name)
			}
			unread++
			continue
		}
		dims := x.Start.Shape().Dimensions // of CLIP's file some are [D] and not [1, 1, D]
		if x.Name == "text.words" {        // the scenes' vocabulary is another
			dims = start.Shape
		}
		p.Params[i].Start = tensors.FromFlatDataAndDimensions(floats(t, start), dims...)
	}
	for i := range p.Carried[:max(len(p.Carried)-1, 0)] { // a teacher begins as its student
		p.Carried[i].Start = p.Params[i].Start
	}
	r.Images = r.Batch
	got, err := optimize.Minimize(t.Context(), be, p, r.settings(), optimize.Options{})
	if err != nil {
		t.Fatal(err)
	}
	losses, _ := f.Tensor("losses")
	worstLoss := 0.
	for i, want := range floats(t, losses) {
		off := math.Abs(got.History[i].Mean("loss")-float64(want)) / max(1, float64(want))
		worstLoss = max(worstLoss, off)
		if off > 1e-5 {
			t.Errorf("step %d: loss %.7g, PyTorch has %.7g", i+1, got.History[i].Mean("loss"), want)
		}
	}
	named := map[string]*tensors.Tensor{}
	for i, x := range p.Params {
		named[x.Name] = got.Params[i]
	}
	for i, x := range p.Carried {
		named[x.Name] = got.Carried[i]
	}
	worst, at, compared := 0., "", 0
	for _, name := range f.Names() {
		name, ok := strings.CutPrefix(name, "end/")
		if !ok {
			continue
		}
		if named[name] == nil {
			t.Fatalf("PyTorch ends with %s, which is none of ours", name)
		}
		compared++
		end, _ := f.Tensor("end/" + name)
		scale, diff := 0., 0.
		ours := tensors.MustCopyFlatData[float32](named[name])
		for j, w := range floats(t, end) {
			scale, diff = max(scale, math.Abs(float64(w))), max(diff, math.Abs(float64(ours[j]-w)))
		}
		// A key's bias moves all scores of a query alike, which softmax ignores: its gradient is rounding and nothing else, and
		// AdamW moves it by about the learning rate all the same.
		limit := 1e-4 * scale
		if strings.Contains(name, "key.bias") || strings.Contains(name, "k_proj.bias") {
			limit = 2 * r.LR * float64(r.Epochs)
		} else if diff/scale > worst {
			worst, at = diff/scale, name
		}
		if diff > limit {
			t.Errorf("%s differs from PyTorch's by %.2g after %d steps, expected at most %.2g", name, diff, r.Epochs, limit)
		}
	}
	if compared < len(c.Names())-unread {
		t.Errorf("%d weights were compared, of %d that the model has", compared, len(c.Names()))
	}
	t.Logf("losses agree to %.1e, %d weights after %d steps to %.1e of their scale (%s)", worstLoss, compared, r.Epochs, worst, at)
}

func floats(t *testing.T, x safetensors.Tensor) []float32 {
	t.Helper()
	values, err := x.Float32s()
	if err != nil {
		t.Fatal(err)
	}
	return values
}

func ints(t *testing.T, f *safetensors.File, name string) []int32 {
	t.Helper()
	x, ok := f.Tensor(name)
	if !ok || x.DType != "I32" {
		t.Fatalf("the golden file has no %s of type I32", name)
	}
	out := make([]int32, len(x.Data)/4)
	for i := range out {
		out[i] = int32(uint32(x.Data[4*i]) | uint32(x.Data[4*i+1])<<8 | uint32(x.Data[4*i+2])<<16 | uint32(x.Data[4*i+3])<<24)
	}
	return out
}

// pick returns rows of a tensor of bytes or of int32.
func pick(t *testing.T, f *safetensors.File, name string, rows []int32) *tensors.Tensor {
	x, ok := f.Tensor(name)
	if !ok {
		panic(fmt.Errorf("the golden file has no %s", name))
	}
	dims := append([]int{len(rows)}, x.Shape[1:]...)
	size := x.Len() / x.Shape[0]
	if x.DType == "U8" {
		return tensors.FromFlatDataAndDimensions(pickRows(x.Data, size, rows), dims...)
	}
	return tensors.FromFlatDataAndDimensions(pickRows(ints(t, f, name), size, rows), dims...)
}

func pickRows[T any](flat []T, size int, rows []int32) (picked []T) {
	for _, i := range rows {
		picked = append(picked, flat[int(i)*size:int(i+1)*size]...)
	}
	return picked
}

// TestGoldenFilesAreSmall: they lie in the repository.
func TestGoldenFilesAreSmall(t *testing.T) {
	for _, g := range goldens {
		info, err := os.Stat("testdata/" + g.file + ".safetensors")
		if err != nil {
			t.Fatal(err)
		}
		if info.Size() > 60_000 {
			t.Errorf("%s has %d bytes", g.file, info.Size())
		}
	}
}
