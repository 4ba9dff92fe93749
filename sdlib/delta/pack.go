package delta

import (
	"context"
	"errors"
	"fmt"
	"math"

	"github.com/gomlx/gomlx/core/tensors"

	"samediff/sdlib/progress"
	"samediff/sdlib/safetensors"
	"samediff/sdlib/vit"
)

// Options say how a model is packed.
type Options struct {
	Base string // the base's name, see [Base]
	Method
	Progress progress.Func // told how many matrices are done
}

// Pack returns a fine-tuned model as a difference to the model that it began from. Of a base without a head any head will do
// ([vit.LoadBackbone]).
//
// Errors: models of different kinds, weights that are no numbers, a method that is none or has too few bytes.
func Pack(ctx context.Context, base, tuned *vit.Model, o Options) (*Delta, error) {
	if o.Rank == 0 && o.Error == 0 && o.Bytes == 0 {
		o.Rank = DefaultRank
	}
	if err := o.check(); err != nil {
		return nil, err
	}
	if err := fits(base.Config, tuned.Config); err != nil {
		return nil, err
	}
	if o.Base == "" {
		return nil, errors.New("delta: the base has no name: give the one that it is found by, such as clip-b16")
	}
	hash, err := Hash(base)
	if err != nil {
		return nil, err
	}
	d := &Delta{Config: tuned.Config, Labels: tuned.Labels, Preparation: tuned.Preparation, Base: Base{o.Base, hash, base.Origin.String()}, Method: o.Method, kept: map[string]safetensors.Tensor{}}
	weights, from, to := weightsOf(tuned.Config), base.Weights.Flatten(base.Config), tuned.Weights.Flatten(tuned.Config)
	var matrices []*matrix
	for i, w := range weights {
		if w.head {
			values, err := tensors.CopyFlatData[float32](to[i])
			if err != nil {
				return nil, fmt.Errorf("delta: %s: %w", w.name, err)
			}
			d.keep(safetensors.Float32s(w.name+whole, w.shape, values))
			continue
		}
		x := &matrix{weight: w, from: from[i], to: to[i], eight: o.Bits == 8}
		diff, err := x.difference()
		if err != nil {
			return nil, err
		}
		for _, v := range diff {
			x.norm2 += float64(v) * float64(v)
		}
		switch {
		case !finite(diff):
			return nil, fmt.Errorf("delta: the difference of %s is not finite: one of the models holds a weight that is no number", w.name)
		case x.norm2 == 0:
		case w.limit() > 0:
			matrices = append(matrices, x)
		default:
			d.keep(narrow(w.name+change, w.shape, diff))
		}
	}
	room := 0
	if o.Bytes > 0 {
		if room, err = d.room(o.Bytes, matrices); err != nil {
			return nil, err
		}
	}
	ranks, err := choose(ctx, matrices, o.Method, room, o.Progress)
	if err != nil {
		return nil, err
	}
	for i, x := range matrices {
		if err := d.keepMatrix(x, ranks[i]); err != nil {
			return nil, err
		}
	}
	size, err := d.Bytes()
	if err != nil {
		return nil, err
	}
	if o.Bytes > 0 && size > o.Bytes {
		return nil, fmt.Errorf("delta: %d bytes, more than the %d asked for: differences as small as these take 32 bits: ask for half as many bytes, or for a rank",
			size, o.Bytes)
	}
	packed, err := d.apply(base)
	if err != nil {
		return nil, err
	}
	d.Lost, err = lost(weights, from, to, packed.Weights.Flatten(packed.Config))
	return d, err
}

// room returns how many of a file's bytes are left for the matrices' components.
func (d *Delta) room(bytes int, matrices []*matrix) (int, error) {
	rest, err := d.encode()
	if err != nil {
		return 0, err
	}
	need := len(rest)
	for _, x := range matrices { // what the header says of A and B, and of their steps
		tensors := 2
		if x.eight {
			tensors = 3
		}
		need += tensors * (len(x.name) + len(`.step:{"dtype":"F16","shape":[,],"data_offsets":[,]},""`) + 2*5 + 2*10)
	}
	if bytes < need {
		return 0, fmt.Errorf("delta: %d bytes do not hold the head, biases and norms of this model: expected %d or more", bytes, need)
	}
	return bytes - need, nil
}

// keepMatrix keeps a matrix's difference at a rank, or whole if that is above the limit.
func (d *Delta) keepMatrix(x *matrix, r int) error {
	switch {
	case r > x.limit():
		diff, err := x.difference()
		if err != nil {
			return err
		}
		d.keep(narrow(x.name+change, x.shape, diff))
	case r > 0:
		A, B := x.svd.factors(r)
		if x.eight {
			for _, t := range eightBits(x.weight, r, A, B) {
				d.keep(t)
			}
			return nil
		}
		d.keep(narrow(x.name+left, []int{x.rows, r}, A))
		d.keep(narrow(x.name+right, []int{r, x.cols}, B))
	}
	return nil
}

func (d *Delta) keep(t safetensors.Tensor) { d.kept[t.Name] = t }

// factors returns A [m, r] and B [r, n], whose product is the sum of the first r components. Each gets half of a component's size,
// so that their numbers are alike.
func (s svd) factors(r int) (A, B []float32) {
	_, m := s.u.Dims()
	_, n := s.v.Dims()
	A, B = make([]float32, m*r), make([]float32, r*n)
	for k := range r {
		root := math.Sqrt(s.sigma[k])
		for i := range m {
			A[i*r+k] = float32(root * s.u.At(k, i))
		}
		for j := range n {
			B[k*n+j] = float32(root * s.v.At(k, j))
		}
	}
	return A, B
}

// narrow returns values as a tensor in float16, or in float32 where they do not fit into float16 or lose more than a thousandth of their norm.
func narrow(name string, shape []int, values []float32) safetensors.Tensor {
	exact := safetensors.Float32s(name, shape, values)
	rounded, err := exact.As("F16")
	if err != nil {
		return exact
	}
	back, err := rounded.Float32s()
	if err != nil {
		return exact
	}
	norm2, lost2 := 0., 0.
	for i, v := range values {
		e := float64(v - back[i])
		norm2, lost2 = norm2+float64(v)*float64(v), lost2+e*e
	}
	if lost2 > 1e-6*norm2 {
		return exact
	}
	return rounded
}

// lost returns ‖packed - tuned‖ / ‖tuned - base‖ over all weights but the head, 0 where nothing changed. All tensors have been read
// before.
func lost(weights []weight, base, tuned, packed []*tensors.Tensor) (float64, error) {
	cut, all := make([]float64, len(weights)), make([]float64, len(weights))
	err := each(len(weights), func(i int) error {
		if weights[i].head {
			return nil
		}
		x, y := tensors.MustCopyFlatData[float32](base[i]), tensors.MustCopyFlatData[float32](tuned[i])
		return tensors.ConstFlatData(packed[i], func(z []float32) {
			for j := range x {
				d, e := float64(y[j])-float64(x[j]), float64(z[j])-float64(y[j])
				all[i], cut[i] = all[i]+d*d, cut[i]+e*e
			}
		})
	})
	sumCut, sumAll := 0., 0.
	for i := range all {
		sumCut, sumAll = sumCut+cut[i], sumAll+all[i]
	}
	if err != nil || sumAll == 0 {
		return 0, err
	}
	return math.Sqrt(sumCut / sumAll), nil
}
