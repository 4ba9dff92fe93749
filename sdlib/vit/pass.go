package vit

import (
	. "github.com/gomlx/gomlx/core/graph"

	"samediff/sdlib/ops"
)

// A pass is one forward pass being built: the model's sizes, its family's traits, how products
// and sums are computed, and the trace through which named values go.
type pass struct {
	c     Config
	f     Traits
	ops   ops.Ops
	trace *Trace

	computes []string // the names of its values, in order

	precision  Precision
	logitsOnly bool
	headMask   *Node // [L, H] of Heads, nil without
	visible    *Node // int32 [B, V] of Visible, nil without
}

// Option asks a forward pass for intermediate values, changes them, or changes how it computes.
// A name that the pass does not compute is an error: a misspelled intervention must not go unnoticed.
type Option func(*pass)

// fromPixels stands for the block before a whole pass, as -1 does before one that starts from the embedding.
const fromPixels = -2

// newPass returns a pass in the graph g that starts from what block l left.
func newPass(c Config, g *Graph, l int, opts []Option) *pass {
	p := &pass{c: c, f: c.Family.Traits(), computes: c.Nodes()}
	if l > fromPixels {
		p.computes = p.computes[1+(l+1)*len(blockNodes):]
	}
	p.trace = &Trace{pass: p, nodes: map[string]*Node{}}
	for _, o := range opts {
		o(p)
	}
	p.ops = ops.For(g, p.precision)
	return p
}

// node is where a named value of block l passes by, as [Trace.node] is.
func (p *pass) node(l int, name string, x *Node) *Node { return p.trace.node(BlockNode(l, name), x) }
