package das

import (
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	. "github.com/gomlx/gomlx/core/graph"
	"github.com/gomlx/gomlx/core/tensors"

	"samediff/sdlib/backend"
	"samediff/sdlib/internal/fixture"
	"samediff/sdlib/stimuli"
	"samediff/sdlib/vit"
)

// objectsOf returns the source objects of n validation pairs.
func objectsOf(t *testing.T, be *backend.Backend, m *vit.Model, c stimuli.Config, p stimuli.Property, n int) *Objects {
	t.Helper()
	c.Split, c.Size = stimuli.Val, 480
	pairs, dir := pairsOf(t, c, p, n), t.TempDir()
	if err := KeepObjects(t.Context(), be, m, pairs, Searched(m.Config), dir, nil); err != nil {
		t.Fatal(err)
	}
	from, err := OpenObjects(dir, m.Config, pairs)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { from.Close() })
	return from
}

// some is an intervention in every third dimension of a random rotation.
func some(s *Streams, block int) *Intervention {
	v := random(s, block, false)
	v.Pairs = s.Pairs.Config()
	for j := 0; j < len(v.Mask); j += 3 {
		v.Mask[j] = 1
	}
	return v
}

// embeddings are s ⊙ cR of objects [N][P][D] in float64, as the paper's code saves them.
func embeddings(t *testing.T, v *Intervention, from *Objects) [][][]float64 {
	t.Helper()
	states, err := from.After(v.Block)
	if err != nil {
		t.Fatal(err)
	}
	D, s := v.Config.Width, v.Swapped()
	var all [][][]float64
	for i := range from.Pairs.Len() {
		var object [][]float64
		for state := range slices.Chunk(states.Row(i), D) {
			e := make([]float64, D)
			for j := range e {
				for k := range D {
					e[j] += float64(s[j]) * float64(state[k]) * float64(v.Rotation[k*D+j])
				}
			}
			object = append(object, e)
		}
		all = append(all, object)
	}
	return all
}

// written is a second implementation of what a pair of objects gets in the subspace, [2][P][D]:
// nothing is shared with the first but the order in which random numbers are drawn.
func written(v *Intervention, q Novel, pair, relation int, objects [][][]float64) [2][][]float64 {
	N, P, D := len(objects), len(objects[0]), v.Config.Width
	draw := pair
	if q.Shared > 0 {
		draw = pair / q.Shared
	}
	rng := rand.New(rand.NewPCG(q.Seed, 0x0e1<<48+uint64(draw)))
	var chosen []int
	for q.Novelty == Added || q.Novelty == Interpolated {
		if i := rng.IntN(N); !slices.Contains(chosen, i) {
			chosen = append(chosen, i)
		}
		if len(chosen) == 4 {
			break
		}
	}
	vector := func() [][]float64 {
		out := make([][]float64, P)
		for k := range out {
			out[k] = make([]float64, D)
		}
		for j, s := range v.Swapped() {
			if s == 0 {
				continue
			}
			switch q.Novelty {
			case Added, Interpolated:
				for k := range out {
					out[k][j] = objects[chosen[0]][k][j] + objects[chosen[1]][k][j]
					if q.Novelty == Interpolated {
						out[k][j] /= 2
					}
				}
			default:
				mean, variance, z := 0., 1., rng.NormFloat64()
				if q.Novelty == Sampled {
					variance = 0
					for _, object := range objects {
						for _, e := range object {
							mean += e[j] / float64(N*P)
						}
					}
					for _, object := range objects {
						for _, e := range object {
							variance += (e[j] - mean) * (e[j] - mean) / float64(N*P-1)
						}
					}
				}
				for k := range out {
					out[k][j] = mean + math.Sqrt(variance)*z
				}
			}
		}
		if len(chosen) > 0 {
			chosen = chosen[2:]
		}
		return out
	}
	first := vector()
	if relation == 1 {
		return [2][][]float64{first, first}
	}
	return [2][][]float64{first, vector()}
}

// What NovelAnswers does is what the paper says: out = [(1 - s) ⊙ bR + v] Rᵀ at the tokens of both
// objects, computed by hand in float64, and then the blocks above.
func TestNovelByHand(t *testing.T) {
	be, m := fixture.Backend(t, ""), lively(t, small, 1)
	rmts := course
	rmts.Task = stimuli.RMTS
	for _, set := range []stimuli.Config{course, rmts} {
		s := streamsOf(t, be, m, pairsOf(t, set, stimuli.ColorProperty, 16))
		from := objectsOf(t, be, m, set, stimuli.ColorProperty, 12)
		const block = 1
		v := some(s, block)
		D, R, mask := m.Config.Width, v.Rotation, v.Swapped()
		objects := embeddings(t, v, from)
		stream, err := s.Base(block)
		if err != nil {
			t.Fatal(err)
		}
		upper, err := vit.Compile(be, m.Config, func(w *vit.Weights[*Node], in []*Node) []*Node {
			y, _ := vit.ForwardFrom(m.Config, w, block, in[0])
			return []*Node{y}
		})
		if err != nil {
			t.Fatal(err)
		}
		defer upper.Close()
		for _, novelty := range Novelties {
			for _, shared := range []int{0, 3} {
				q := Novel{Novelty: novelty, Shared: shared, Seed: 7}
				edited, err := tensor(all(s.Pairs.Len()), stream.Shape[1:], func(pair int, row []float32) {
					copy(row, stream.Row(pair))
					record := s.Pairs.Record(pair)
					relation := 0 // that the pair should show: the other one than its base image does
					if a, b := record.Base.Objects[record.Edited], record.Base.Objects[record.NonEdited]; a.Shape != b.Shape || a.Color != b.Color {
						relation = 1
					}
					for o, vector := range written(v, q, pair, relation, objects) {
						of := record.Base.Objects[[2]int{record.Edited, record.NonEdited}[o]]
						for k, patch := range of.Tokens {
							b := stream.Row(pair)[(1+patch)*D : (2+patch)*D]
							for i := range D {
								x := 0.
								for j := range D {
									bR := 0.
									for n := range D {
										bR += float64(b[n]) * float64(R[n*D+j])
									}
									x += ((1-float64(mask[j]))*bR + vector[k][j]) * float64(R[i*D+j])
								}
								row[(1+patch)*D+i] = float32(x)
							}
						}
					}
				})
				if err != nil {
					t.Fatal(err)
				}
				out, err := upper.Run(m, edited)
				if err != nil {
					t.Fatal(err)
				}
				want := slices.Collect(slices.Chunk(tensors.MustCopyFlatData[float32](out[0]), 2))
				swap, err := v.novelSwap(s, from, q)
				if err != nil {
					t.Fatal(err)
				}
				got, err := v.Apply(t.Context(), be, m, s, swap, nil)
				if err != nil {
					t.Fatal(err)
				}
				near(t, string(set.Task)+" "+string(novelty), got, want, 2e-4)

				a, err := v.NovelAnswers(t.Context(), be, m, s, from, q, nil)
				if err != nil {
					t.Fatal(err)
				}
				for i := range want {
					if a.Answers[i] != argmax(got[i]) || a.Targets[i] != s.Pairs.Record(i).Target {
						t.Errorf("%s, pair %d: answered %d for %v with the target %d", novelty, i, a.Answers[i], got[i], a.Targets[i])
					}
				}
			}
		}
	}
}

// Vectors are pure functions of the seed and the draw, other ones for every draw, and along each
// direction distributed as they should be.
func TestNovelDraws(t *testing.T) {
	be, m := fixture.Go(t), lively(t, small, 1)
	s, from := streams(t, be, m), objectsOf(t, be, m, course, stimuli.ColorProperty, 40)
	v := some(s, 0)
	n := s.P * m.Config.Width
	at := func(q Novel, draw int) (first, second []float32) {
		vectors, err := v.novelVectors(from, q)
		if err != nil {
			t.Fatal(err)
		}
		vectors(draw + 1)(make([]float32, n)) // another draw changes nothing
		write := vectors(draw)
		first, second = make([]float32, n), make([]float32, n)
		write(first)
		write(second)
		return first, second
	}
	for _, novelty := range Novelties {
		q := Novel{Novelty: novelty, Seed: 1}
		a, b := at(q, 5)
		again, _ := at(q, 5)
		c, _ := at(q, 6)
		d, _ := at(Novel{Novelty: novelty, Seed: 2}, 5)
		if !slices.Equal(a, again) || slices.Equal(a, b) || slices.Equal(a, c) || slices.Equal(a, d) {
			t.Errorf("%s: expected the same vector for the same seed and draw, and others for the second, another draw, another seed", novelty)
		}
	}
	sum, _ := at(Novel{Novelty: Added, Seed: 1}, 3)
	mean, _ := at(Novel{Novelty: Interpolated, Seed: 1}, 3)
	for i := range sum {
		if sum[i] != 2*mean[i] {
			t.Fatalf("the mean of the same objects is %v, half of their sum %v", mean[i], sum[i]/2)
		}
	}

	const draws = 4000
	objects, basis := embeddings(t, v, from), v.Directions()
	for _, novelty := range []Novelty{Sampled, Random} {
		vectors, err := v.novelVectors(from, Novel{Novelty: novelty, Seed: 1})
		if err != nil {
			t.Fatal(err)
		}
		along := make([][]float64, len(basis))
		state := make([]float32, n)
		for draw := range draws {
			vectors(draw)(state)
			for j, direction := range basis {
				dot := 0.
				for i, r := range direction {
					dot += float64(r) * float64(state[i])
				}
				along[j] = append(along[j], dot)
			}
		}
		for j := range basis {
			wantMean, wantSD := 0., 1.
			if novelty == Sampled {
				var x []float64
				for _, object := range objects {
					for _, e := range object {
						x = append(x, e[3*j])
					}
				}
				wantMean, wantSD = meanSD(x)
			}
			gotMean, gotSD := meanSD(along[j])
			// The mean of n draws has a standard error of sd/√n, their standard deviation one of sd/√(2n).
			if limit := 5 * wantSD / math.Sqrt(draws); math.Abs(gotMean-wantMean) > limit || math.Abs(gotSD-wantSD) > limit {
				t.Errorf("%s, dimension %d: mean %.3f and standard deviation %.3f, expected %.3f and %.3f", novelty, j, gotMean, gotSD, wantMean, wantSD)
			}
		}
	}
}

func meanSD(x []float64) (mean, sd float64) {
	for _, v := range x {
		mean += v / float64(len(x))
	}
	for _, v := range x {
		sd += (v - mean) * (v - mean) / float64(len(x)-1)
	}
	return mean, math.Sqrt(sd)
}

func TestNovelBadInput(t *testing.T) {
	be, m := fixture.Go(t), lively(t, small, 1)
	s, from := streams(t, be, m), objectsOf(t, be, m, course, stimuli.ColorProperty, 12)
	stranger := lively(t, small, 2)
	rmts := course
	rmts.Task = stimuli.RMTS
	good := Novel{Novelty: Added}
	nothing := some(s, 0)
	clear(nothing.Mask)
	for _, bad := range []struct {
		want string
		v    *Intervention
		s    *Streams
		from *Objects
		q    Novel
	}{
		{"the intervention was learned in model", some(streams(t, be, stranger), 0), s, from, good},
		{"the objects are those of model", some(s, 0), s, objectsOf(t, be, stranger, course, stimuli.ColorProperty, 12), good},
		{"swaps no dimension", nothing, s, from, good},
		{"expected one property", some(s, 0), s, objectsOf(t, be, m, course, stimuli.ShapeProperty, 12), good},
		{"expected one property", some(s, 0), streamsOf(t, be, m, pairsOf(t, course, stimuli.ShapeProperty, 16)), from, good},
		{"expected one task", some(s, 0), s, objectsOf(t, be, m, rmts, stimuli.ColorProperty, 12), good},
		{"made of 4 objects, and there are 2", some(s, 0), s, objectsOf(t, be, m, course, stimuli.ColorProperty, 2), good},
		{"none were given", some(s, 0), s, nil, good},
		{`no novelty "averaged"`, some(s, 0), s, from, Novel{Novelty: "averaged"}},
		{"-1 pairs share", some(s, 0), s, from, Novel{Novelty: Added, Shared: -1}},
	} {
		_, err := bad.v.NovelAnswers(t.Context(), be, m, bad.s, bad.from, bad.q, nil)
		if err == nil || !strings.Contains(err.Error(), bad.want) {
			t.Errorf("%v: expected an error about %q", err, bad.want)
		}
	}
	quick := course
	quick.Geometry = stimuli.B16
	if err := KeepObjects(t.Context(), be, m, pairsOf(t, quick, stimuli.ColorProperty, 12), []int{0}, t.TempDir(), nil); err == nil || !strings.Contains(err.Error(), "geometry") {
		t.Errorf("%v: expected an error about pairs of another geometry", err)
	}
	if err := KeepObjects(t.Context(), be, m, pairsOf(t, course, stimuli.ColorProperty, 12), []int{3}, t.TempDir(), nil); err == nil || !strings.Contains(err.Error(), "no block 3") {
		t.Errorf("%v: expected an error about a block that is not there", err)
	}
}

// Coordinates along all directions give the state back, and an intervention and its rest swap
// everything between them.
func TestCoordinatesAndRest(t *testing.T) {
	be, m := fixture.Go(t), lively(t, small, 1)
	s := streams(t, be, m)
	v, D := some(s, 1), m.Config.Width
	cf, err := s.Sources(1)
	if err != nil {
		t.Fatal(err)
	}
	state := s.source(cf, 3, NoControl)
	coordinates := v.Coordinates(state)
	if len(coordinates) != s.P {
		t.Fatalf("coordinates of %d tokens, expected %d", len(coordinates), s.P)
	}
	for k, x := range coordinates {
		for i := range D {
			back := 0.
			for j := range D {
				back += float64(x[j]) * float64(v.Rotation[i*D+j])
			}
			if math.Abs(back-float64(state[k*D+i])) > 1e-5 {
				t.Fatalf("token %d, dimension %d comes back as %g, was %g", k, i, back, state[k*D+i])
			}
		}
	}
	both := append(slices.Clone(v.Swapped()), v.Rest().Swapped()...)
	for j := range D {
		if both[j]+both[D+j] != 1 {
			t.Fatalf("direction %d is swapped by both or by neither", j)
		}
	}
	if got := v.Name(); got != "block01-color-seed0" {
		t.Errorf("the name is %s", got)
	}
}
