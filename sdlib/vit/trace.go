package vit

import (
	"path"
	"strings"

	. "github.com/gomlx/gomlx/core/graph"
	"github.com/gomlx/gomlx/support/exceptions"
)

// A Trace holds the intermediate values of one forward pass that were asked for.
type Trace struct {
	want  []func(name string) bool
	edits []edit
	names []string
	nodes map[string]*Node
}

type edit struct {
	match func(name string) bool
	apply func(name string, x *Node) *Node
}

// Option asks a forward pass for intermediate values, or changes them.
type Option func(Config, *Trace)

// Want keeps the values of these names in the trace. A name may be a pattern of
// path.Match, in which * stands for anything but a slash: "block*/attn/weights".
func Want(names ...string) Option {
	return func(c Config, t *Trace) {
		for _, name := range names {
			must(c.checkNode(name))
			t.want = append(t.want, matcher(name))
		}
	}
}

// Edit replaces the value of every node that a name or pattern matches by what f
// makes of it; the pass goes on with the new value, and the trace shows it.
//
//	// switch off head 2 of block 3 (attn/heads is [B, T, H, D/H])
//	vit.Edit("block03/attn/heads", func(_ string, z *Node) *Node { return Mul(z, Const(g, mask)) })
func Edit(name string, f func(name string, x *Node) *Node) Option {
	return func(c Config, t *Trace) {
		must(c.checkNode(name))
		t.edits = append(t.edits, edit{matcher(name), f})
	}
}

func newTrace(c Config, opts []Option) *Trace {
	t := &Trace{nodes: map[string]*Node{}}
	for _, o := range opts {
		o(c, t)
	}
	return t
}

// node is where a named value passes by: it is edited, kept, and handed on.
func (t *Trace) node(name string, x *Node) *Node {
	for _, e := range t.edits {
		if e.match(name) {
			y := e.apply(name, x)
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
		ok, err := path.Match(pattern, name)
		return err == nil && ok
	}
}

func must(err error) {
	if err != nil {
		panic(err)
	}
}
