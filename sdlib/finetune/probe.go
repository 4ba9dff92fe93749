package finetune

import (
	"math"
	"math/rand/v2"

	"github.com/gomlx/compute/dtypes"
	"github.com/gomlx/compute/shapes"
	. "github.com/gomlx/gomlx/core/graph"
	"github.com/gomlx/gomlx/core/tensors"

	"samediff/sdlib/optimize"
	"samediff/sdlib/vit"
)

// A probe is a linear classifier that is trained along with the model.
type probe[T any] struct{ W, B T } // [values, inputs], [values]

// A probeShape names a probe that a recipe trains, and says what it maps.
type probeShape struct {
	name           string
	values, inputs int
}

// probes returns the probes that a recipe trains, in the order of their weights in a state.
func (r Recipe) probes(c vit.Config) []probeShape {
	var all []probeShape
	switch d := r.Disentangle; {
	case d.on() && d.Identity:
		all = append(all, probeShape{"identity", attributeValues * attributeValues, c.Width})
	case d.on():
		all = append(all, probeShape{"shape", attributeValues, c.Width / 2}, probeShape{"color", attributeValues, c.Width / 2})
	}
	if r.Relation.on() {
		all = append(all, probeShape{"relation", relationValues, c.Width})
	}
	return all
}

// probeParams are the probes' weights, which start as PyTorch's nn.Linear does: uniform in
// ±1/√inputs, weights and biases.
func (r Recipe) probeParams(c vit.Config) (all []optimize.Param) {
	rng := rand.New(rand.NewPCG(r.Seed, 0x9e0be))
	for _, p := range r.probes(c) {
		add := func(name string, dims ...int) {
			x := tensors.FromShape(shapes.Make(dtypes.Float32, dims...))
			tensors.MustMutableFlatData(x, func(values []float32) {
				for i := range values {
					values[i] = float32(2*rng.Float64()-1) / float32(math.Sqrt(float64(p.inputs)))
				}
			})
			all = append(all, optimize.Param{Name: "probe." + p.name + "." + name, Start: x})
		}
		add("weight", p.values, p.inputs)
		add("bias", p.values)
	}
	return all
}

// probeNodes are the probes inside a graph, by name. θ are their weights: W and B of each in turn.
func (r Recipe) probeNodes(θ []*Node) map[string]probe[*Node] {
	nodes := map[string]probe[*Node]{}
	for i, p := range r.probes(vit.Config{}) {
		nodes[p.name] = probe[*Node]{θ[2*i], θ[2*i+1]}
	}
	return nodes
}

// read returns the probe's logits for x [n, inputs]: [n, values].
func (p probe[T]) read(x *Node) *Node {
	w, b := any(p.W).(*Node), any(p.B).(*Node)
	return Add(Einsum("nd,vd->nv", x, w), ExpandLeftToRank(b, 2))
}
