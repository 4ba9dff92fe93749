package vit

import (
	"fmt"
	"path"
	"slices"
	"strings"

	. "github.com/gomlx/gomlx/core/graph"
	"github.com/gomlx/gomlx/support/exceptions"
)

// A Trace holds the intermediate values of one forward pass that were asked for.
type Trace struct {
	pass  *pass
	want  []func(name string) bool
	edits []edit
	names []string
	nodes map[string]*Node
}

type edit struct {
	match func(name string) bool
	apply func(name string, x *Node) *Node
}

// Want keeps the values of these names in the trace. A name may be a pattern of
// path.Match, in which * stands for anything but a slash: "block*/attn/weights".
func Want(names ...string) Option {
	return func(p *pass) {
		for _, name := range names {
			must(p.check(name))
			p.trace.want = append(p.trace.want, matcher(name))
		}
	}
}

// Edit replaces the value of every node that a name or pattern matches by what f
// makes of it; the pass goes on with the new value, and the trace shows it.
//
//	// switch off head 2 of block 3 (attn/heads is [B, T, H, D/H])
//	vit.Edit("block03/attn/heads", func(_ string, z *Node) *Node { return Mul(z, Const(g, mask)) })
func Edit(name string, f func(name string, x *Node) *Node) Option {
	return func(p *pass) {
		must(p.check(name))
		if f == nil {
			exceptions.Panicf("vit: the edit of %q is nil, expected a function of the value", name)
		}
		p.trace.edits = append(p.trace.edits, edit{matcher(name), f})
	}
}

// node is where a named value passes by: it is edited, kept, and handed on.
func (t *Trace) node(name string, x *Node) *Node {
	for _, e := range t.edits {
		if e.match(name) {
			y := e.apply(name, x)
			if y == nil {
				exceptions.Panicf("vit: an edit made nothing (nil) out of %s %s: return x to leave it as it is", name, x.Shape())
			}
			if !y.Shape().Equal(x.Shape()) {
				exceptions.Panicf("vit: an edit made %s out of %s %s: expected the same shape", y.Shape(), name, x.Shape())
			}
			x = y
		}
	}
	for _, want := range t.want {
		if want(name) {
			t.names = append(t.names, name)
			t.nodes[name] = x
			break
		}
	}
	return x
}

// check returns an error unless a name, or a pattern of path.Match, names at least one value that this pass computes.
func (p *pass) check(pattern string) error {
	if _, err := path.Match(pattern, ""); err != nil {
		return fmt.Errorf("vit: %q is no name of a value and no pattern of path.Match", pattern)
	}
	match := matcher(pattern)
	switch {
	case slices.ContainsFunc(p.computes, match):
		return nil
	case slices.ContainsFunc(p.c.Nodes(), match):
		return fmt.Errorf("vit: %q lies below the residual stream that this pass starts from: the first value it computes is %s", pattern, p.computes[0])
	}
	return p.c.noNode(pattern)
}

// Config returns the configuration of the model whose pass it is.
func (t *Trace) Config() Config { return t.pass.c }

// Names returns the names of the values kept, in the order of the computation.
func (t *Trace) Names() []string { return t.names }

// Get returns the value kept under a name. It panics when the pass was not asked for it.
func (t *Trace) Get(name string) *Node {
	x, ok := t.nodes[name]
	if !ok {
		exceptions.Panicf("vit: %q is not in the trace, which has [%s]: ask for it with vit.Want", name, strings.Join(t.names, ", "))
	}
	return x
}

// All returns the values kept, in the order of Names.
func (t *Trace) All() []*Node {
	all := make([]*Node, len(t.names))
	for i, name := range t.names {
		all[i] = t.nodes[name]
	}
	return all
}

func matcher(pattern string) func(string) bool {
	return func(name string) bool {
		ok, _ := path.Match(pattern, name) // check has refused a malformed pattern
		return ok
	}
}

func must(err error) {
	if err != nil {
		panic(err)
	}
}
