package pretrain

import (
	"cmp"
	"fmt"
	"math"
	"math/rand/v2"

	. "github.com/gomlx/gomlx/core/graph"
	"github.com/gomlx/gomlx/core/tensors"
	"github.com/gomlx/gomlx/ml/layers/activation"

	"samediff/sdlib/ops"
	"samediff/sdlib/optimize"
	"samediff/sdlib/scenes"
	"samediff/sdlib/vit"
)

// Teaching are the options of [Distilled], DINO's objective (Caron et al. 2021, section 3.1, algorithm 1). A scene is seen in two
// global views, large parts of it, and in some local ones, small parts at half the resolution. The student sees all views, the
// teacher the global ones. Each is a vision transformer with a projection head, which ends in K numbers; s and t are theirs.
//
//	P_t(x) = softmax((t(x) - c)/τ_t),   P_s(x) = softmax(s(x)/τ_s)
//	L = mean over global g and views v ≠ g of -Σ_k P_t(g)_k log P_s(v)_k
//	teacher ← λ teacher + (1-λ) student,   λ rises along half a cosine from Momentum to 1
//	c ← m c + (1-m) mean t(g),   m = .9
//
// The gradient is the student's alone. The center c and a τ_t below τ_s (sharpening) keep the teacher from saying the same of every
// image: c forbids one number to win always, τ_t forbids all to be equal. The teacher is kept.
//
// The head is DINO's: two hidden layers, a bottleneck scaled to unit length, and K prototypes of unit length, with which its
// product is taken. The measure "spread" is the entropy of the mean of P_t over a batch. A student that says the same of every view
// cannot have a lower loss than that; so what the loss is below the spread is what it knows of the picture, in nats.
type Teaching struct {
	Local      int     `json:"local,omitempty"`      // local views; 0 is 4
	Prototypes int     `json:"prototypes,omitempty"` // K; 0 is 256
	Hidden     int     `json:"hidden,omitempty"`     // of the head; 0 is 128
	Bottleneck int     `json:"bottleneck,omitempty"` // of the head; 0 is 64
	Momentum   float64 `json:"momentum,omitempty"`   // λ at first; 0 is .99
	Tau        float64 `json:"tau,omitempty"`        // τ_t; 0 is .04
}

func (o Teaching) local() int        { return cmp.Or(o.Local, 4) }
func (o Teaching) prototypes() int   { return cmp.Or(o.Prototypes, 256) }
func (o Teaching) momentum() float64 { return cmp.Or(o.Momentum, .99) }
func (o Teaching) tau() float64      { return cmp.Or(o.Tau, .04) }

const (
	globals        = 2  // views that the teacher sees
	studentTau     = .1 // τ_s
	centerMomentum = .9 // m
)

// half is the student's model of local views: half as many pixels along a side, with the positions of the whole resampled.
func half(c vit.Config) vit.Config {
	c.PosGrid = cmp.Or(c.PosGrid, c.Grid())
	c.Image /= 2
	return c
}

func (o Teaching) validate(c vit.Config) error {
	switch {
	case o.Local < 0 || o.Local > 16:
		return fmt.Errorf("pretrain: %d local views, expected 1 to 16, or 0 for 4", o.Local)
	case o.Prototypes < 0 || o.Prototypes == 1 || o.Hidden < 0 || o.Bottleneck < 0 || max(o.Prototypes, o.Hidden, o.Bottleneck) > 1<<16:
		return fmt.Errorf("pretrain: a head of %d hidden, %d, and %d prototypes, expected positive numbers, or 0 for the defaults", o.Hidden, o.Bottleneck, o.Prototypes)
	case !(o.momentum() >= 0 && o.momentum() < 1):
		return fmt.Errorf("pretrain: the teacher's momentum is %g, expected 0 to less than 1", o.Momentum)
	case !(o.tau() > 0):
		return fmt.Errorf("pretrain: the teacher's temperature is %g, expected a positive number", o.Tau)
	}
	local := half(c)
	if err := local.Validate(); err != nil {
		return fmt.Errorf("pretrain: local views are half as large: %w", err)
	}
	return nil
}

type teaching struct {
	Teaching
	m    *vit.Model
	head []optimize.Param
	seed uint64
}

func newTeaching(o Teaching, m *vit.Model, seed uint64, rng *rand.Rand) task {
	D, h, b := m.Config.Width, cmp.Or(o.Hidden, 128), cmp.Or(o.Bottleneck, 64)
	t := teaching{Teaching: o, m: m, seed: seed}
	for i, size := range [][2]int{{D, h}, {h, h}, {h, b}} {
		name := fmt.Sprintf("head.%d.", i)
		t.head = append(t.head, param(name+"weight", normal(rng, .02, size[1], size[0])), param(name+"bias", normal(rng, 0, size[1])))
	}
	t.head = append(t.head, param("head.prototypes", normal(rng, .02, o.prototypes(), b)))
	return t
}

func (t teaching) problem() optimize.Problem {
	learned := append(params(t.m, ""), t.head...)
	carried := make([]optimize.Param, len(learned), len(learned)+1)
	for i, p := range learned {
		carried[i] = optimize.Param{Name: "teacher." + p.Name, Start: p.Start} // both begin as one
	}
	carried = append(carried, optimize.Param{Name: "center", Start: normal(rand.New(rand.NewPCG(0, 0)), 0, t.prototypes())})
	var said *Node // the mean of what the teacher said of the batch, for Carry
	return optimize.Problem{
		Params: learned, Carried: carried,
		Measures: []string{"spread", "agreement"}, // the entropy of mean P_t; student and teacher choose the same prototype for two global views
		Scalars: map[string]func(optimize.Moment) float64{"momentum": func(at optimize.Moment) float64 {
			return 1 - (1-t.momentum())*(math.Cos(math.Pi*float64(at.Step)/float64(at.Steps))+1)/2
		}},
		Loss: func(in optimize.Inputs) (*Node, map[string]*Node) {
			n := len(carried) - 1
			c := t.m.Config
			global, B := views(in.Batch[0])
			local, _ := views(in.Batch[1])
			teacher := StopGradient(byView(t.project(c, in.Carried[:n], global), globals, B)) // [2, B, K]
			student := []*Node{byView(t.project(c, in.Params, global), globals, B), byView(t.project(half(c), in.Params, local), t.local(), B)}
			said = ReduceMean(teacher, 0, 1)
			return distill(Concatenate(student, 0), teacher, in.Carried[n], t.tau())
		},
		Carry: func(in optimize.Inputs, params []*Node) (next []*Node) {
			for i, x := range params {
				next = append(next, average(in.Carried[i], x, in.Scalars["momentum"]))
			}
			m := Scalar(said.Graph(), said.DType(), centerMomentum)
			return append(next, average(in.Carried[len(params)], said, m))
		},
	}
}

// average is λ old + (1-λ) now.
func average(old, now, λ *Node) *Node { return Add(Mul(old, λ), Mul(now, OneMinus(λ))) }

// views takes rows of views, [B, V, side, side, 3], as images [B·V, side, side, 3].
func views(x *Node) (images *Node, B int) {
	d := x.Shape().Dimensions
	return Reshape(x, d[0]*d[1], d[2], d[3], d[4]), d[0]
}

// byView takes [B·V, K] as [V, B, K].
func byView(x *Node, V, B int) *Node { return TransposeAllAxes(Reshape(x, B, V, -1), 1, 0, 2) }

// project returns the K numbers of images, with a model's weights and those of its head.
func (t teaching) project(c vit.Config, weights []*Node, images *Node) *Node {
	n := len(c.Names())
	_, trace := vit.Forward(c, vit.Unflatten(c, weights[:n]), images, vit.Want("final"))
	x := Squeeze(Slice(trace.Get("final"), AxisRange(), AxisElem(0)), 1) // [B, D] CLS
	o, head := ops.For(x.Graph(), ops.F32), weights[n:]
	x = activation.Gelu(o.Linear(x, head[0], head[1]))
	x = activation.Gelu(o.Linear(x, head[2], head[3]))
	x = unit(o.Linear(x, head[4], head[5])) // [B, bottleneck]
	return o.Linear(x, unit(head[6]), nil)  // [B, K]
}

// distill is the loss of what a student says of views, [V, B, K] with the global ones first, and a teacher of the global ones, [2, B, K].
func distill(student, teacher, center *Node, τ float64) (loss *Node, measures map[string]*Node) {
	V, B := student.Shape().Dim(0), student.Shape().Dim(1)
	says := LogSoftmax(DivScalar(student, studentTau), -1)
	P := Softmax(DivScalar(Sub(teacher, ExpandLeftToRank(center, 3)), τ), -1)
	each := Neg(DivScalar(Einsum("gbk,vbk->gv", P, says), float64(B))) // [2, V] cross-entropies
	all := ReduceAllSum(each)
	for g := range globals { // without v = g
		all = Sub(all, Reshape(Slice(each, AxisElem(g), AxisElem(g))))
	}
	mean := ReduceMean(P, 0, 1) // [K]
	spread := Neg(ReduceAllSum(Mul(mean, Log(AddScalar(mean, 1e-12)))))
	chosen := func(x *Node, view int) *Node {
		return ArgMax(Squeeze(Slice(x, AxisElem(view)), 0), -1)
	}
	same := ConvertDType(Equal(chosen(P, 0), chosen(says, 1)), student.DType())
	return DivScalar(all, float64(globals*(V-1))), map[string]*Node{"spread": spread, "agreement": ReduceAllMean(same)}
}

func (t teaching) rows(set *scenes.Set, first, n int) ([]*tensors.Tensor, error) {
	side, locals := t.m.Config.Image, t.local()
	large, small := side*side*3, side/2*(side/2)*3
	global, local := make([]uint8, n*globals*large), make([]uint8, n*locals*small)
	scenes.Each(n, func(i int) {
		rng := rand.New(rand.NewPCG(t.seed, uint64(first+i)<<8|0xd1))
		p := newPhoto(set, first+i)
		for v := range globals {
			at := (i*globals + v) * large
			p.view(globalPart, side, rng, global[at:at+large])
		}
		for v := range locals {
			at := (i*locals + v) * small
			p.view(localPart, side/2, rng, local[at:at+small])
		}
	})
	return []*tensors.Tensor{
		tensors.FromFlatDataAndDimensions(global, n, globals, side, side, 3),
		tensors.FromFlatDataAndDimensions(local, n, locals, side/2, side/2, 3),
	}, nil
}

// backbone is the teacher's: it is better than the student throughout (Caron et al. 2021, figure 6).
func (t teaching) backbone(got *optimize.Result) []*tensors.Tensor { return first(t.m, got.Carried) }
