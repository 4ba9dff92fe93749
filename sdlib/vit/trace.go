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
	config Config
	passes []string // the names of the values that this pass computes, in order

	precision  Precision
	logitsOnly bool
	heads      *Node // [L, H] of Heads, nil without

	want  []func(name string) bool
	edits []edit
	names []string
	nodes map[string]*Node
}

type edit struct {
	match func(name string) bool
	apply func(name string, x *Node) *Node
}

// Option asks a forward pass for intermediate values, or changes them. A name that
// the pass does not compute is an error: a misspelled intervention must not go unnoticed.
type Option func(Config, *Trace)

// Want keeps the values of these names in the trace. A name may be a pattern of
// path.Match, in which * stands for anything but a slash: "block*/attn/weights".
func Want(names ...string) Option {
	return func(c Config, t *Trace) {
		for _, name := range names {
			must(t.check(c, name))
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
		must(t.check(c, name))
		if f == nil {
			exceptions.Panicf("vit: the edit of %q is nil, expected a function of the value", name)
		}
		t.edits = append(t.edits, edit{matcher(name), f})
	}
}

// LogitsOnly leaves out what the logits do not need. Most heads read CLS alone: then the
// last block forms queries, and what follows from them, for that token only, which saves
// most of a block, forward and backward. The logits are the same but for rounding; without
// this option they are the same to the bit whatever is asked for or gone on from.
func LogitsOnly() Option { return func(_ Config, t *Trace) { t.logitsOnly = true } }

// fromPixels stands for the block before a whole pass, as -1 does before one that starts from the embedding.
const fromPixels = -2

// newTrace returns the trace of a pass that starts from what block l left.
func newTrace(c Config, l int, opts []Option) *Trace {
	t := &Trace{config: c, passes: c.Nodes(), nodes: map[string]*Node{}}
	if l > fromPixels {
		t.passes = t.passes[1+(l+1)*len(blockNodes):]
	}
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

// touches tells whether a value with all tokens, from block l's attention to the final norm,
// is kept or edited.
func (t *Trace) touches(l int) bool {
	match := func(f func(string) bool) bool {
		return f("final") || slices.ContainsFunc(blockNodes[1:], func(name string) bool { return f(BlockNode(l, name)) })
	}
	return slices.ContainsFunc(t.want, match) || slices.ContainsFunc(t.edits, func(e edit) bool { return match(e.match) })
}

// check tells whether a name, or a pattern of path.Match, names at least one value that this pass computes.
func (t *Trace) check(c Config, pattern string) error {
	if _, err := path.Match(pattern, ""); err != nil {
		return fmt.Errorf("vit: %q is no name of a value and no pattern of path.Match", pattern)
	}
	match := matcher(pattern)
	switch {
	case slices.ContainsFunc(t.passes, match):
		return nil
	case slices.ContainsFunc(c.Nodes(), match):
		return fmt.Errorf("vit: %q lies below the residual stream that this pass starts from: the first value it computes is %s", pattern, t.passes[0])
	}
	return fmt.Errorf("vit: there is no value %q in a model of %d blocks: expected embed, %s ... %s with one of %v, final or logits",
		pattern, c.Blocks, BlockNode(0, "*"), BlockNode(c.Blocks-1, "*"), blockNodes)
}

// Config returns the configuration of the model whose pass it is.
func (t *Trace) Config() Config { return t.config }

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
		ok, _ := path.Match(pattern, name) // check has told a malformed pattern
		return ok
	}
}

func must(err error) {
	if err != nil {
		panic(err)
	}
}
