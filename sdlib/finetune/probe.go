package finetune

import (
	. "github.com/gomlx/gomlx/core/graph"

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
