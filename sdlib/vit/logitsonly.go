package vit

import (
	"slices"

	. "github.com/gomlx/gomlx/core/graph"
)

// LogitsOnly leaves out what the logits do not need. Most heads read CLS alone: then the
// last block forms queries, and what follows from them, for that token only, which saves
// most of a block, forward and backward. The logits are the same but for rounding; without
// this option they are the same to the bit whatever is asked for or gone on from.
func LogitsOnly() Option { return func(p *pass) { p.logitsOnly = true } }

// needed is N, the number of tokens whose stream block l has to compute: with [LogitsOnly],
// where the head reads CLS alone, that is 1 in the last block, unless a value of the others is
// asked for or changed.
func (p *pass) needed(l int) int {
	if l == p.c.Blocks-1 && p.logitsOnly && p.f.Readout == ReadCLS && !p.trace.touches(l) {
		return 1
	}
	return p.tokens()
}

// touches reports whether a value with all tokens, from block l's attention to the final norm,
// is kept or edited.
func (t *Trace) touches(l int) bool {
	match := func(f func(string) bool) bool {
		return f("final") || slices.ContainsFunc(blockNodes[1:], func(name string) bool { return f(BlockNode(l, name)) })
	}
	return slices.ContainsFunc(t.want, match) || slices.ContainsFunc(t.edits, func(e edit) bool { return match(e.match) })
}

// first is the first n tokens of x [B, T, D].
func first(x *Node, n int) *Node {
	if n == x.Shape().Dim(1) {
		return x
	}
	return Slice(x, AxisRange(), AxisRangeFromStart(n))
}
