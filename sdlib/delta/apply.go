package delta

import (
	"fmt"

	"github.com/gomlx/compute/dtypes"
	"github.com/gomlx/compute/shapes"
	"github.com/gomlx/gomlx/core/tensors"

	"samediff/sdlib/vit"
)

// Apply puts a base and the difference to it together. The base is left as it is. The model's Origin is the base's, and says that it
// was fine-tuned.
//
// Errors: a base of another kind, or other weights than the difference was taken to.
func (d *Delta) Apply(base *vit.Model) (*vit.Model, error) {
	if err := fits(base.Config, d.Config); err != nil {
		return nil, err
	}
	hash, err := Hash(base)
	if err != nil {
		return nil, err
	}
	if hash != d.Base.Hash {
		return nil, fmt.Errorf("delta: the base %q that was found here is another than the difference was taken to: expected the weights with hash %s, "+
			"found %s: get those, or pack the model anew", d.Base.Name, described(d.Base.Hash, d.Base.Weights), described(hash, base.Origin.String()))
	}
	return d.apply(base)
}

// described is the beginning of a hash, and what was done to the weights.
func described(hash, weights string) string {
	if hash = hash[:min(12, len(hash))]; weights == "" {
		return hash
	}
	return hash + " (" + weights + ")"
}

// apply is Apply to a base that is known to be the right one.
func (d *Delta) apply(base *vit.Model) (*vit.Model, error) {
	weights, from := weightsOf(d.Config), base.Weights.Flatten(base.Config)
	to := make([]*tensors.Tensor, len(weights))
	err := each(len(weights), func(i int) error {
		w, shape := weights[i], from[i].Shape()
		if w.head {
			shape = shapes.Make(dtypes.Float32, w.shape...)
		}
		to[i] = tensors.FromShape(shape)
		var problem error
		err := tensors.MutableFlatData(to[i], func(dst []float32) {
			if t, ok := d.kept[w.name+whole]; ok {
				problem = t.CopyFloat32s(dst)
				return
			}
			if problem = tensors.ConstFlatData(from[i], func(values []float32) { copy(dst, values) }); problem == nil {
				problem = d.add(dst, w)
			}
			if problem == nil && !finite(dst) {
				problem = fmt.Errorf("%s is not finite in the sum of base and difference", w.name)
			}
		})
		if problem != nil {
			err = problem
		}
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("delta: %w", err)
	}
	return &vit.Model{Config: d.Config, Weights: vit.Unflatten(d.Config, to), Origin: base.Origin.FineTuned(), Labels: d.Labels, Preparation: d.Preparation}, nil
}

// add adds a weight's difference to its values. The conversions to float32 keep compilers from fusing a product and a sum, which
// would round once where other machines round twice.
func (d *Delta) add(values []float32, w weight) error {
	if t, ok := d.kept[w.name+change]; ok {
		diff, err := t.Float32s()
		for j, x := range diff {
			values[j] += x
		}
		return err
	}
	a, ok := d.kept[w.name+left]
	if !ok {
		return nil // did not change
	}
	r := a.Shape[1]
	A, err := d.left(w.name, r)
	if err != nil {
		return err
	}
	B, err := numbers(d.kept[w.name+right])
	if err != nil {
		return err
	}
	n := w.cols
	sum := make([]float32, n) // a row of A B
	for i := range w.rows {
		clear(sum)
		for k, x := range A[i*r : (i+1)*r] {
			for j, y := range B[k*n : (k+1)*n] {
				sum[j] += float32(x * y)
			}
		}
		for j, x := range sum {
			values[i*n+j] += x
		}
	}
	return nil
}

// finite reports whether all values are numbers, and none infinite.
func finite(values []float32) bool {
	for _, v := range values {
		if v-v != 0 {
			return false
		}
	}
	return true
}
