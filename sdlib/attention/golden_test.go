package attention

import (
	"encoding/json"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"slices"
	"testing"

	. "github.com/gomlx/gomlx/core/graph"
	"github.com/gomlx/gomlx/core/tensors"

	"samediff/sdlib/backend"
	"samediff/sdlib/internal/fixture"
	"samediff/sdlib/safetensors"
	"samediff/sdlib/stimuli"
	"samediff/sdlib/vit"
)

// goldenCase is what testdata/make_golden.py computed for a model and a task.
type goldenCase struct {
	Model, Maps string // folder and file in ../vit/testdata
	Size, Front int
	Task        stimuli.Task
	Layouts     []struct {
		Label   int
		Objects [][]int
		Pairs   [][2]int
	}
	Images []struct {
		All, First, Second Measures
		Shares             Shares
	}
	Two      []int // the layouts that Original is about: those that compare no object with two others
	Original Measures
}

// stimulus is a layout in the form of a set's.
func (c goldenCase) stimulus(i int) stimuli.Stimulus {
	s := stimuli.Stimulus{Index: i, Label: c.Layouts[i].Label}
	for _, patches := range c.Layouts[i].Objects {
		s.Objects = append(s.Objects, stimuli.Object{Tokens: patches})
	}
	for _, p := range c.Layouts[i].Pairs {
		s.Pairs = append(s.Pairs, stimuli.Pair{First: p[0], Second: p[1]})
	}
	return s
}

// TestGolden compares every score with what NumPy makes of the attention maps of transformers,
// for every family, both tasks, objects of one patch, of four, and irregular ones: scores of these
// maps within 1e-6; and all the way, from the bytes of an image and weights that transformers wrote,
// within 3e-6, since the maps themselves are float32 and up to 1.4e-6 from float64, says their file.
func TestGolden(t *testing.T) {
	text, err := os.ReadFile("testdata/golden.json")
	if err != nil {
		t.Fatal(err)
	}
	var golden struct{ Cases []goldenCase }
	if err := json.Unmarshal(text, &golden); err != nil {
		t.Fatal(err)
	}
	be := fixture.Go(t)
	families := map[vit.Family]bool{}
	for _, c := range golden.Cases {
		t.Run(fmt.Sprintf("%s/%s", c.Model, c.Task), func(t *testing.T) {
			m, err := vit.LoadBackbone(filepath.Join("../vit/testdata", c.Model), 2, 1, c.Size)
			if err != nil {
				t.Fatal(err)
			}
			families[m.Config.Family] = true
			for _, p := range []*scored{c.measure(t, be, m, false), c.measure(t, be, m, true)} {
				c.compare(t, p)
			}
		})
	}
	if len(families) != len(vit.Families) {
		t.Errorf("families %v, expected all of %v", families, vit.Families)
	}
}

// compare compares the scores of each image, and the original's of all of them.
func (c goldenCase) compare(t *testing.T, p *scored) {
	t.Helper()
	for i, want := range c.Images {
		p.same(t, fmt.Sprintf("image %d", i), p.values[i*p.width():(i+1)*p.width()], want.All, want.First, want.Second, want.Shares)
	}
	two := *p.PerImage
	two.Images, two.Labels, two.values = nil, nil, nil
	for _, i := range c.Two {
		two.Images, two.Labels = append(two.Images, i), append(two.Labels, p.Labels[i])
		two.values = append(two.values, p.values[i*p.width():(i+1)*p.width()]...)
	}
	s, err := two.Scores(1, 1)
	if err != nil {
		t.Fatal(err)
	}
	p.close(t, "original", s.Original, c.Original)
}

// scored are scores with the distance that they may have from the golden ones.
type scored struct {
	*PerImage
	tolerance float64
}

// measure is Measure for a golden case, from the maps of transformers or all the way.
func (c goldenCase) measure(t *testing.T, be *backend.Backend, m *vit.Model, whole bool) *scored {
	t.Helper()
	B, O, T := len(c.Layouts), 0, m.Config.Tokens()
	for _, l := range c.Layouts {
		O = max(O, len(l.Objects))
	}
	p := &PerImage{Task: c.Task, Blocks: m.Config.Blocks, Heads: m.Config.Heads}
	places, members := make([]int32, B*O*T), make([]float32, B*pairs*O)
	for i, l := range c.Layouts {
		p.Images, p.Labels = append(p.Images, i), append(p.Labels, l.Label)
		if err := regions(c.stimulus(i), places[i*O*T:(i+1)*O*T], members[i*pairs*O:(i+1)*pairs*O], T, c.Front); err != nil {
			t.Fatal(err)
		}
	}
	where, belong := tensors.FromFlatDataAndDimensions(places, B, O, T), tensors.FromFlatDataAndDimensions(members, B, pairs, O)
	if !whole {
		inputs := []any{where, belong}
		for l := range p.Blocks {
			maps, err := c.tensor(t, vit.BlockNode(l, "attn/weights")).Float32s()
			if err != nil {
				t.Fatal(err)
			}
			inputs = append(inputs, tensors.FromFlatDataAndDimensions(slices.Repeat(maps, B), B, p.Heads, T, T))
		}
		out, err := CallOnce(be.Engine, func(in []*Node) *Node {
			r := newReducer(in[0], in[1])
			var masses []*Node
			for _, A := range in[2:] {
				masses = append(masses, Mass(A, r.rows, r.seen))
			}
			return r.summarize(Stack(masses, 0))
		}, inputs...)
		if err != nil {
			t.Fatal(err)
		}
		p.values = tensors.MustCopyFlatData[float64](out)
		return &scored{p, 1e-6}
	}
	pixels, err := m.Config.Images(slices.Repeat(c.tensor(t, "images").Data, B))
	if err != nil {
		t.Fatal(err)
	}
	program, err := vit.Compile(be, m.Config, func(w *vit.Weights[*Node], in []*Node) []*Node {
		return scoreGraph(m.Config, struct{}{}, w, in)
	})
	if err != nil {
		t.Fatal(err)
	}
	defer program.Close()
	out, err := program.Run(m, pixels, where, belong)
	if err != nil {
		t.Fatal(err)
	}
	p.values = tensors.MustCopyFlatData[float64](out[0])
	return &scored{p, 3e-6}
}

func (c goldenCase) tensor(t *testing.T, name string) safetensors.Tensor {
	t.Helper()
	f, err := safetensors.Open(filepath.Join("../vit/testdata", c.Model, c.Maps))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { f.Close() })
	x, ok := f.Tensor(name)
	if !ok {
		t.Fatalf("%s has no tensor %s", c.Maps, name)
	}
	return x
}

// same compares a row [measures, L, H] with the golden numbers.
func (p *scored) same(t *testing.T, name string, row []float64, all, first, second Measures, shares Shares) {
	t.Helper()
	whole := *p.PerImage
	whole.Task = stimuli.RMTS // with Between, which is 0 in discrimination
	p.close(t, name, whole.measures(row, 0), all)
	p.close(t, name+", first pair", whole.measures(row, firstPair), first)
	if second.Local != nil {
		p.close(t, name+", second pair", whole.measures(row, secondPair), second)
	}
	sum := 0.
	for place, want := range [][][]float64{shares.CLS, shares.Own, shares.Partner, shares.Others, shares.Background} {
		got := p.matrix(row, len(row)/(p.Blocks*p.Heads)-places+place)
		p.matrixClose(t, fmt.Sprintf("%s, share %d", name, place), got, want)
		sum += got[0][0]
	}
	if math.Abs(sum-1) > 1e-6 {
		t.Errorf("%s: the shares add up to %v", name, sum)
	}
}

func (p *scored) close(t *testing.T, name string, got, want Measures) {
	t.Helper()
	for i, field := range want.fields() {
		if *field != nil {
			p.matrixClose(t, name+", "+measureNames[i], *got.fields()[i], *field)
		}
	}
}

func (p *scored) matrixClose(t *testing.T, name string, got, want [][]float64) {
	t.Helper()
	if len(got) != len(want) || len(got) == 0 {
		t.Errorf("%s has %d blocks, expected %d", name, len(got), len(want))
		return
	}
	for l := range want {
		for h := range want[l] {
			if math.Abs(got[l][h]-want[l][h]) > p.tolerance {
				t.Errorf("%s of block %d, head %d is %.8f, expected %.8f", name, l, h, got[l][h], want[l][h])
			}
		}
	}
}

// Two rows of the rollout of a random model of two blocks, by hand, and what every rollout has: rows that sum to 1.
func TestRollout(t *testing.T) {
	set := fixture.Set(t, stimuli.Config{Geometry: stimuli.CourseQuick, Size: 6})
	m := sharp(t, smallConfig(set.Geometry()))
	be := fixture.Go(t)
	r, err := Rollout(t.Context(), be, m, set, 2)
	if err != nil {
		t.Fatal(err)
	}
	blocks, T := attentionOf(t, be, m, set, []int{2})
	mean := func(l, q, k int) float64 { // of the block's heads, with the residual stream
		sum := 0.
		for h := range m.Config.Heads {
			sum += float64(blocks[l][(h*T+q)*T+k]) / float64(m.Config.Heads)
		}
		if q == k {
			sum++
		}
		return sum / 2
	}
	for _, q := range []int{0, 5} {
		whole := 0.
		for k := range T {
			want := 0.
			for between := range T {
				want += mean(1, q, between) * mean(0, between, k)
			}
			if math.Abs(r.At(q, k)-want) > 1e-6 {
				t.Errorf("token %d has %v of token %d, expected %v", q, r.At(q, k), k, want)
			}
			whole += r.At(q, k)
		}
		if math.Abs(whole-1) > 1e-5 {
			t.Errorf("row %d adds up to %v", q, whole)
		}
	}
	if r.Head.Head != AllHeads || r.Tokens != T || r.Prefix != 1 || r.Image != 2 {
		t.Errorf("the rollout is of %+v with %d tokens, %d of them in front, on image %d", r.Head, r.Tokens, r.Prefix, r.Image)
	}
	if _, err := Rollout(t.Context(), be, m, set, 6); err == nil {
		t.Error("no error for an image that is not there")
	}
}
