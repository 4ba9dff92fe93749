package attribution_test

import (
	"context"
	"encoding/json"
	"math"
	"reflect"
	"strings"
	"testing"

	. "github.com/gomlx/gomlx/core/graph"
	"github.com/gomlx/gomlx/core/tensors"

	"samediff/sdlib/attribution"
	"samediff/sdlib/backend"
	"samediff/sdlib/finetune"
	"samediff/sdlib/internal/fixture"
	"samediff/sdlib/runner"
	"samediff/sdlib/stimuli"
	"samediff/sdlib/vit"
)

// small is a model of a family with two blocks of two heads, all of whose weights are
// random, norms and biases too.
func small(t *testing.T, f vit.Family) *vit.Model {
	t.Helper()
	return fixture.Shaken(fixture.Model(t, fixture.Small(f, stimuli.CourseQuick), 1))
}

// quickSet is a set that small models take.
func quickSet(t *testing.T, task stimuli.Task) *stimuli.Set {
	t.Helper()
	return fixture.Set(t, stimuli.Config{Task: task, Geometry: stimuli.CourseQuick, Size: 24, Seed: 1})
}

// In every family the parts add up to what the model answers, image by image.
func TestContributionsAddUp(t *testing.T) {
	ctx, be, set := context.Background(), fixture.Go(t), quickSet(t, stimuli.Discrimination)
	for _, f := range vit.Families {
		m := small(t, f)
		logits, err := finetune.Predict(ctx, be, m, set, finetune.Condition{}, nil)
		if err != nil {
			t.Fatal(err)
		}
		images := []int{7, 0, 3, 4, 5, 6, 8, 9, 10, 11, 12, 13} // a batch that is filled up, in an order of its own
		all, err := attribution.Contributions(ctx, be, m, set, images, nil)
		if err != nil {
			t.Fatal(err)
		}
		if len(all) != len(images) {
			t.Fatalf("%v: contributions to %d images, expected %d", f, len(all), len(images))
		}
		for i, c := range all {
			want := float64(logits[images[i]][1] - logits[images[i]][0])
			sum := c.Embed + c.HeadSum() + c.MLPSum() + c.Rest
			if math.Abs(c.Logit-want) > 1e-4 || math.Abs(sum-want) > 1e-4 {
				t.Errorf("%v, image %d: the parts add up to %.6f and the logit is given as %.6f; the model's differ by %.6f", f, images[i], sum, c.Logit, want)
			}
		}
		mean := attribution.Mean(all)
		if sum := mean.Embed + mean.HeadSum() + mean.MLPSum() + mean.Rest; math.Abs(sum-mean.Logit) > 1e-4 {
			t.Errorf("%v: the means add up to %.6f, expected %.6f", f, sum, mean.Logit)
		}
	}
}

// A head whose columns of the output layer are 0 writes nothing, an MLP whose second layer is 0 nothing.
func TestContributionsNames(t *testing.T) {
	ctx, be, set := context.Background(), fixture.Go(t), quickSet(t, stimuli.Discrimination)
	m := small(t, vit.ViT)
	D, d := m.Config.Width, m.Config.HeadDim()
	tensors.MustMutableFlatData(m.Weights.Blocks[1].O.W, func(x []float32) { // [D, D], the second half of the columns is head 1's
		for row := range D {
			clear(x[row*D+d : (row+1)*D])
		}
	})
	for _, w := range []*tensors.Tensor{m.Weights.Blocks[0].Down.W, m.Weights.Blocks[0].Down.B} {
		tensors.MustMutableFlatData(w, func(x []float32) { clear(x) })
	}
	all, err := attribution.Contributions(ctx, be, m, set, []int{2}, nil)
	if err != nil {
		t.Fatal(err)
	}
	for l, heads := range all[0].Heads {
		for h, v := range append(heads, all[0].MLP[l]) {
			silent := l == 1 && h == 1 || l == 0 && h == len(heads)
			if (v == 0) != silent {
				t.Errorf("block %d, part %d of two heads and the MLP writes %g, expected 0: %v", l, h, v, silent)
			}
		}
	}
}

// The strongest head is that of the largest contribution, whatever its sign; a difference is one part by part.
func TestContributionStrongest(t *testing.T) {
	a := attribution.Contribution{Logit: 3, Embed: 1, Rest: .5, Heads: [][]float64{{.1, 2}, {.3, -1}}, MLP: []float64{.2, .1}}
	b := attribution.Contribution{Logit: 1, Embed: .5, Rest: .5, Heads: [][]float64{{.1, 1}, {.3, 3}}, MLP: []float64{.1, .1}}
	if got := a.Strongest(); got != (vit.Head{Block: 0, Head: 1}) {
		t.Errorf("the strongest head is %v, expected block 0, head 1", got)
	}
	d := a.Minus(b)
	if got := d.Strongest(); got != (vit.Head{Block: 1, Head: 1}) {
		t.Errorf("the strongest head of the difference is %v, expected block 1, head 1", got)
	}
	if want := (attribution.Contribution{Logit: 2, Embed: .5, Heads: [][]float64{{0, 1}, {0, -4}}, MLP: []float64{.1, 0}}); !reflect.DeepEqual(d, want) {
		t.Errorf("the difference is %v, expected %v", d, want)
	}
}

// Every reading is the answer of a model that ends there, with the same final norm and
// head, in every family; the last one is the model's own.
func TestLensLogits(t *testing.T) {
	ctx, be, set := context.Background(), fixture.Go(t), quickSet(t, stimuli.Discrimination)
	for _, f := range vit.Families {
		m := small(t, f)
		images := []int{7, 0, 3}
		readings, err := attribution.Lens(ctx, be, m, set, images, nil)
		if err != nil {
			t.Fatal(err)
		}
		if len(readings) != len(images) {
			t.Fatalf("%v: readings of %d images, expected %d", f, len(readings), len(images))
		}
		for blocks := range m.Config.Blocks + 1 {
			want := shallow(t, be, m, set, images, blocks)
			for i, r := range readings {
				if r.Image != images[i] || len(r.Logits) != m.Config.Blocks+1 {
					t.Fatalf("%v: reading %d is of image %d with %d rows, expected %d with %d", f, i, r.Image, len(r.Logits), images[i], m.Config.Blocks+1)
				}
				for k, got := range r.Logits[blocks] {
					if math.Abs(got-float64(want[i][k])) > 1e-4 {
						t.Errorf("%v, image %d: after %d blocks the stream reads %.6f, a model that ends there answers %.6f", f, images[i], blocks, got, want[i][k])
					}
				}
			}
		}
	}
}

// shallow returns the logits of a model without its blocks from one on.
func shallow(t *testing.T, be *backend.Backend, m *vit.Model, set *stimuli.Set, images []int, blocks int) [][]float32 {
	t.Helper()
	c := m.Config
	c.Blocks = blocks
	p, err := vit.Compile(be, m.Config, func(w *vit.Weights[*Node], in []*Node) []*Node {
		part := *w
		part.Blocks = w.Blocks[:blocks]
		logits, _ := vit.Forward(c, &part, in[0])
		return []*Node{logits}
	})
	if err != nil {
		t.Fatal(err)
	}
	defer p.Close()
	pixels, err := c.Images(set.Images(images))
	if err != nil {
		t.Fatal(err)
	}
	out, err := p.Run(m, pixels)
	if err != nil {
		t.Fatal(err)
	}
	rows, err := runner.Rows[float32](out[0], len(images))
	if err != nil {
		t.Fatal(err)
	}
	return rows
}

// The norms are those of the streams at CLS, where there is one, at the objects' patches and at all others.
func TestLensNorms(t *testing.T) {
	ctx, be := context.Background(), fixture.Go(t)
	for f, front := range map[vit.Family]int{vit.ViT: 1, vit.DeiT: 2, vit.SigLIP: 0, vit.DINOv2Registers: 4} { // tokens in front of the patches
		m, set := small(t, f), quickSet(t, stimuli.RMTS)
		const image = 5
		readings, err := attribution.Lens(ctx, be, m, set, []int{image}, nil)
		if err != nil {
			t.Fatal(err)
		}
		lengths := map[string][]int{"CLS": {0}, "background": nil} // tokens
		covered := map[int]bool{}
		for _, o := range set.Stimulus(image).Objects {
			for _, p := range o.Tokens {
				lengths[string(o.Role)] = append(lengths[string(o.Role)], front+p)
				covered[p] = true
			}
		}
		for p := range 16 {
			if !covered[p] {
				lengths["background"] = append(lengths["background"], front+p)
			}
		}
		if front == 0 {
			delete(lengths, "CLS")
		}
		if len(readings[0].Norms) != len(lengths) {
			t.Errorf("%v: norms of %d groups, expected %d", f, len(readings[0].Norms), len(lengths))
		}
		nodes := []string{"embed", "block00/resid_post", "block01/resid_post"}
		err = runner.Nodes(ctx, be, m, set, []int{image}, nodes, nil, func(_ []int, values []*tensors.Tensor) error {
			for _, n := range readings[0].Norms {
				for l, x := range values {
					rows, err := runner.Rows[float32](x, 1)
					if err != nil {
						return err
					}
					want := 0.0
					for _, token := range lengths[n.At] {
						sum := 0.0
						for _, v := range rows[0][token*m.Config.Width : (token+1)*m.Config.Width] {
							sum += float64(v) * float64(v)
						}
						want += math.Sqrt(sum) / float64(len(lengths[n.At]))
					}
					if math.Abs(n.Values[l]-want) > 1e-5*want {
						t.Errorf("%v: after %d blocks the norm at %s is %.6f, expected %.6f", f, l, n.At, n.Values[l], want)
					}
				}
			}
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
	}
}

// TestLensSpots reads tokens by a plain LayerNorm and head; where the head reads CLS alone, CLS reads as the answer does.
func TestLensSpots(t *testing.T) {
	ctx, be, set := context.Background(), fixture.Go(t), quickSet(t, stimuli.RMTS)
	const image = 5
	for _, f := range vit.Families {
		m := small(t, f)
		readings, err := attribution.Lens(ctx, be, m, set, []int{image}, nil)
		if err != nil {
			t.Fatal(err)
		}
		r, c := readings[0], m.Config
		tokens := map[string][]int{"CLS": {0}, "background": nil}
		covered := map[int]bool{}
		for _, o := range set.Stimulus(image).Objects {
			for _, p := range o.Tokens {
				tokens[string(o.Role)] = append(tokens[string(o.Role)], c.Prefix()+p)
				covered[p] = true
			}
		}
		for p := range c.Tokens() - c.Prefix() {
			if !covered[p] {
				tokens["background"] = append(tokens["background"], c.Prefix()+p)
			}
		}
		if len(r.Spots) != len(r.Norms) {
			t.Fatalf("%v: logits at %d places, norms at %d", f, len(r.Spots), len(r.Norms))
		}
		flat := func(x *tensors.Tensor) []float32 { return tensors.MustCopyFlatData[float32](x) }
		scale, shift, kernel := flat(m.Weights.Norm.Scale), flat(m.Weights.Norm.Shift), flat(m.Weights.Head.W)
		var bias []float32
		if m.Weights.Head.B != nil {
			bias = flat(m.Weights.Head.B)
		}
		D, reads := c.Width, len(kernel)/c.Classes/c.Width // reads: how often the head reads a token here, as CLS and as the mean of patches
		nodes := []string{"embed", "block00/resid_post", "block01/resid_post"}
		err = runner.Nodes(ctx, be, m, set, []int{image}, nodes, nil, func(_ []int, values []*tensors.Tensor) error {
			for l, x := range values {
				rows, err := runner.Rows[float32](x, 1)
				if err != nil {
					return err
				}
				for _, spot := range r.Spots {
					for class := range c.Classes {
						want := 0.
						for _, token := range tokens[spot.At] {
							v := rows[0][token*D : (token+1)*D]
							mean, variance := 0., 0.
							for _, a := range v {
								mean += float64(a) / float64(D)
							}
							for _, a := range v {
								variance += (float64(a) - mean) * (float64(a) - mean) / float64(D)
							}
							logit := 0.
							for k := range D {
								y := (float64(v[k])-mean)/math.Sqrt(variance+c.NormEps)*float64(scale[k]) + float64(shift[k])
								for part := range reads {
									logit += y * float64(kernel[class*reads*D+part*D+k])
								}
							}
							if bias != nil {
								logit += float64(bias[class])
							}
							want += logit / float64(len(tokens[spot.At]))
						}
						if got := spot.Logits[l][class]; math.Abs(got-want) > 1e-4 {
							t.Errorf("%v: after %d blocks %s reads %.6f for class %d, expected %.6f", f, l, spot.At, got, class, want)
						}
						if spot.At == "CLS" && f.Traits().Readout == vit.ReadCLS && math.Abs(spot.Logits[l][class]-r.Logits[l][class]) > 1e-5 {
							t.Errorf("%v: after %d blocks CLS reads %.6f, the head %.6f", f, l, spot.Logits[l][class], r.Logits[l][class])
						}
					}
				}
			}
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
	}
}

// Results survive JSON, in which the store keeps them.
func TestJSON(t *testing.T) {
	ctx, be, m, set := context.Background(), fixture.Go(t), small(t, vit.ViT), quickSet(t, stimuli.Discrimination)
	contributions, err := attribution.Contributions(ctx, be, m, set, []int{1, 2}, nil)
	if err != nil {
		t.Fatal(err)
	}
	readings, err := attribution.Lens(ctx, be, m, set, []int{1, 2}, nil)
	if err != nil {
		t.Fatal(err)
	}
	for _, value := range []struct{ one, back any }{{contributions, &[]attribution.Contribution{}}, {readings, &[]attribution.Reading{}}} {
		text, err := json.Marshal(value.one)
		if err != nil {
			t.Fatal(err)
		}
		if err := json.Unmarshal(text, value.back); err != nil {
			t.Fatal(err)
		}
		if back := reflect.ValueOf(value.back).Elem().Interface(); !reflect.DeepEqual(value.one, back) {
			t.Errorf("%+v came back as %+v", value.one, back)
		}
	}
}

// Models of one configuration, whatever the images, share a program.
func TestCompiledOnce(t *testing.T) {
	ctx, be := context.Background(), fixture.Go(t)
	before := runner.Compiled()
	for _, task := range []stimuli.Task{stimuli.Discrimination, stimuli.RMTS} {
		for _, seed := range []uint64{3, 4} {
			m, err := vit.New(vit.Config{Image: 64, Patch: 16, Width: 8, Blocks: 1, Heads: 2, MLP: 8, Classes: 2, NormEps: 1e-6,
				Mean: vit.ViT.Traits().Mean, Std: vit.ViT.Traits().Std}, seed)
			if err != nil {
				t.Fatal(err)
			}
			if _, err := attribution.Contributions(ctx, be, m, quickSet(t, task), nil, nil); err != nil {
				t.Fatal(err)
			}
		}
	}
	if n := runner.Compiled() - before; n != 1 {
		t.Errorf("%d compilations for two models and two sets, expected 1", n)
	}
}

func TestErrors(t *testing.T) {
	ctx, be, set := context.Background(), fixture.Go(t), quickSet(t, stimuli.Discrimination)
	m := small(t, vit.ViT)
	three := *m
	three.Config.Classes = 3
	other := *m
	other.Config.Patch = 8
	large := small(t, vit.ViT)
	tensors.MustMutableFlatData(large.Weights.Blocks[1].Down.W, func(x []float32) { x[0] = float32(math.Inf(1)) })
	contributions := func(m *vit.Model, images []int) error {
		_, err := attribution.Contributions(ctx, be, m, set, images, nil)
		return err
	}
	lens := func(m *vit.Model, images []int) error {
		_, err := attribution.Lens(ctx, be, m, set, images, nil)
		return err
	}
	for _, c := range []struct {
		err  error
		want string
	}{
		{contributions(m, []int{}), "no images to look at"},
		{contributions(m, []int{0, 24}), "no image 24 in a set of 24"},
		{contributions(&three, []int{0}), "the model has 3 classes, expected 2"},
		{contributions(&other, []int{0}), "give both the same geometry"},
		{contributions(large, []int{3}), "image 3 gives"},
		{lens(m, []int{-1}), "no image -1"},
		{lens(&other, nil), "give both the same geometry"},
		{lens(large, []int{3}), "image 3 gives"},
	} {
		if c.err == nil || !strings.Contains(c.err.Error(), c.want) {
			t.Errorf("error %v, expected one that speaks of %q", c.err, c.want)
		}
	}
	canceled, cancel := context.WithCancel(ctx)
	cancel()
	if _, err := attribution.Contributions(canceled, be, m, set, []int{0}, nil); err != context.Canceled {
		t.Errorf("canceled: error %v, expected %v", err, context.Canceled)
	}
}
