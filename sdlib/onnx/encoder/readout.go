package encoder

import (
	"fmt"
	"slices"
)

// readout reads what follows the last block: a LayerNorm of the stream x, and a head.
func (r *reader) readout(e *Encoder, x *term) error {
	// CLIP takes CLS out first and normalizes then, which gives the same.
	firsts := []*term{x}
	for _, u := range r.users[x] {
		if isPart(u, 0, 1) {
			firsts = append(firsts, u)
		}
	}
	var norms []*term
	for _, t := range firsts {
		for _, u := range r.users[t] {
			if u.kind == norm && len(u.args) == 3 {
				norms = append(norms, u)
			}
		}
	}
	if len(norms) == 0 {
		return fmt.Errorf("after block %d: expected a LayerNorm, found that the stream goes to %s", len(e.Blocks)-1, r.goesTo(x))
	}
	for i, t := range norms {
		n, err := e.norm(t)
		if err != nil {
			return fmt.Errorf("the last LayerNorm: %w", err)
		}
		if i == 0 {
			e.Norm = n
		} else if t.args[1].t != norms[0].args[1].t || t.args[2].t != norms[0].args[2].t {
			return fmt.Errorf("the last LayerNorm: expected one, found two: %v; %v", norms[0], t)
		}
	}
	tokens := 1
	if f, ok := r.streamTokens(x); ok {
		tokens = f
	}
	special := len(e.Front)
	if e.Registers.Shape != nil {
		special += e.Registers.Shape[0]
	}
	what := func(t *term) Readout { return readoutOf(t, x, norms, special, tokens) }

	inner := r.inner(x)
	for _, output := range r.model.Outputs {
		v := r.values[output.Name]
		if v.t != nil && (inner[v.t] || slices.Contains(norms, v.t) || isPart(v.t, 0, 1) && slices.Contains(norms, v.t.args[0].t)) {
			continue
		}
		if v.is(linear) {
			if reads := what(v.t.args[0].t); reads != ReadNothing {
				head, _, err := layerOf(v, 0, 0, "the head")
				if err != nil {
					return fmt.Errorf("head: %w", err)
				}
				if e.Head != nil {
					return fmt.Errorf("expected one head, found two: %v; and the output %.100q", e.Head.W.Sources(), output.Name)
				}
				e.Head, e.Reads = &head, reads
				continue
			}
		}
		e.Rest = append(e.Rest, fmt.Sprintf("%.100q, which is %v", output.Name, v))
	}
	return nil
}

// isPart reports whether t is elements from, to of something, along tokens.
func isPart(t *term, from, to int) bool {
	return t.kind == part && t.from == from && t.to == to && len(t.axes) == 1
}

// streamTokens returns the number of tokens of the stream.
func (r *reader) streamTokens(x *term) (int, bool) {
	for _, name := range r.names() {
		if v := r.values[name]; v.t == x && len(v.l) >= 2 {
			return size(v.l[len(v.l)-2]), true
		}
	}
	return 0, false
}

// names lists the values of the graph in the order in which they are made.
func (r *reader) names() []string {
	var all []string
	for _, n := range r.model.Nodes {
		all = append(all, n.Outputs...)
	}
	return all
}

// inner is what the encoder computes on its way to x: outputs that show it, hidden states and attention maps, are nothing more.
func (r *reader) inner(x *term) map[*term]bool {
	seen := map[*term]bool{}
	todo := []*term{x}
	for len(todo) > 0 {
		t := todo[len(todo)-1]
		todo = todo[:len(todo)-1]
		if seen[t] || t.kind == constant {
			continue
		}
		seen[t] = true
		for _, a := range t.args {
			if a.t != nil {
				todo = append(todo, a.t)
			}
		}
	}
	return seen
}

// readoutOf says what a head reads, of the stream x behind its last LayerNorm.
func readoutOf(t, x *term, norms []*term, special, tokens int) Readout {
	isNorm := func(t *term, of *term) bool { return slices.Contains(norms, t) && t.args[0].t == of }
	isCLS := func(t *term) bool {
		if isPart(t, 0, 1) {
			return isNorm(t.args[0].t, x)
		}
		return slices.Contains(norms, t) && isPart(t.args[0].t, 0, 1)
	}
	isMean := func(t *term) bool {
		if t.kind != mean {
			return false
		}
		of := t.args[0].t
		if special == 0 {
			return isNorm(of, x) && t.f.size == tokens && t.f != of.f
		}
		return isPart(of, special, tokens) && isNorm(of.args[0].t, x) && t.f.axis == of.axes[0]
	}
	switch {
	case special > 0 && isCLS(t):
		return ReadCLS
	case isMean(t) && special == 0:
		return ReadMean
	case t.kind == concat && len(t.args) == 2 && isCLS(t.args[0].t) && isMean(t.args[1].t):
		return ReadCLSMean
	}
	return ReadNothing
}
