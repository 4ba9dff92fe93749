package encoder

import (
	"fmt"
	"math"
	"slices"
)

// block reads block l: what is added to the residual stream x, by attention and by the MLP. It returns the stream as the block leaves
// it, or nil where nothing is added to x.
func (r *reader) block(e *Encoder, l int, x *term) (*term, error) {
	var b Block
	middle, added, err := r.adds(x)
	if err != nil || middle == nil {
		return nil, err
	}
	if err := r.attentionOf(e, &b, x, added); err != nil {
		return nil, fmt.Errorf("attention: %w", err)
	}
	next, added, err := r.adds(middle)
	if err != nil {
		return nil, fmt.Errorf("MLP: %w", err)
	}
	if next == nil {
		return nil, fmt.Errorf("MLP: expected x + MLP(LayerNorm(x)) after attention, found that x goes to %s", r.goesTo(middle))
	}
	if err := e.mlpOf(&b, middle, added); err != nil {
		return nil, fmt.Errorf("MLP: %w", err)
	}
	e.Blocks = append(e.Blocks, b)
	return next, nil
}

// adds returns the sum of the stream x and something computed, and that; nil where there is none.
func (r *reader) adds(x *term) (stream *term, added value, err error) {
	for _, u := range r.users[x] {
		if u.kind != sum {
			continue
		}
		at := slices.IndexFunc(u.args, func(a value) bool { return a.t == x })
		if u.args[1-at].is(constant) {
			continue
		}
		if stream != nil {
			return nil, added, fmt.Errorf("expected one sum with the residual stream, found two: %v; %v", stream, u)
		}
		stream, added = u, u.args[1-at]
	}
	return stream, added, nil
}

// scaledBy takes LayerScale off what is added to the stream.
func (e *Encoder) scaledBy(v value) (value, *Weight, error) {
	if !v.is(scaled) {
		return v, nil, nil
	}
	w, err := v.t.args[1].flat(e.Width)
	if v.t.f.axis == nil || v.t.f.size != e.Width || !v.t.f.whole() {
		return v, nil, fmt.Errorf("expected LayerScale, a vector of %d components, found %v", e.Width, v)
	}
	return value{t: v.t.args[0].t, l: v.l}, &w, err
}

// layer returns the weights of a linear layer as they are, and its input.
func layerOf(v value, out, in int, what string) (l Layer, x value, err error) {
	if !v.is(linear) {
		return l, x, fmt.Errorf("expected a linear layer (%s), found %v", what, v)
	}
	t := v.t
	x = t.args[0]
	if got := []int{t.axes[0].size, size(x.l[len(x.l)-1])}; out != 0 && got[0] != out || in != 0 && got[1] != in {
		return l, x, fmt.Errorf("expected %s from %d to %d components, found %d to %d: %v", what, in, out, got[1], got[0], t)
	}
	if l.W, err = t.args[1].matrix(all(t.axes[0].size), all(size(x.l[len(x.l)-1]))); err != nil {
		return l, x, err
	}
	if len(t.args) > 2 {
		l.B, err = t.args[2].flat(t.axes[0].size)
	}
	return l, x, err
}

// mlpOf reads down(activation(up(LayerNorm(x)))).
func (e *Encoder) mlpOf(b *Block, x *term, added value) (err error) {
	if added, b.Scale2, err = e.scaledBy(added); err != nil {
		return err
	}
	var hidden, normed value
	if b.Down, hidden, err = layerOf(added, e.Width, e.MLP, "the MLP's second layer"); err != nil {
		return err
	}
	if !hidden.is(function) || !slices.Contains([]string{gelu, quickGELU, tanhGELU, relu}, hidden.t.name) {
		return fmt.Errorf("expected GELU, quick GELU, tanh GELU or ReLU between the two layers, found %v", hidden)
	}
	if e.Activation == "" {
		e.Activation = hidden.t.name
	} else if e.Activation != hidden.t.name {
		return fmt.Errorf("expected the activation %s, as in the blocks before, found %v", e.Activation, hidden)
	}
	up := value{t: hidden.t.args[0].t, l: hidden.l}
	e.MLP = size(hidden.l[len(hidden.l)-1])
	if b.Up, normed, err = layerOf(up, e.MLP, e.Width, "the MLP's first layer"); err != nil {
		return err
	}
	if b.Norm2, err = e.normOf(normed, x); err != nil {
		return err
	}
	if b.Up.B.Shape == nil || b.Down.B.Shape == nil {
		return fmt.Errorf("expected layers with a bias, found %v", added)
	}
	return nil
}

// normOf returns the weights of v, a LayerNorm of x.
func (e *Encoder) normOf(v value, x *term) (Norm, error) {
	if !v.is(norm) || v.t.args[0].t != x {
		return Norm{}, fmt.Errorf("expected a LayerNorm of the residual stream, found %v", v)
	}
	return e.norm(v.t)
}

// attentionOf reads the output layer of attention and what it reads: for each head softmax(q kᵀ/√d) v.
func (r *reader) attentionOf(e *Encoder, b *Block, x *term, added value) (err error) {
	if added, b.Scale1, err = e.scaledBy(added); err != nil {
		return err
	}
	if !added.is(linear) {
		return fmt.Errorf("expected the output layer, found %v", added)
	}
	out := added.t
	z := out.args[0] // [.., T, H d]
	if !z.is(dot) {
		return fmt.Errorf("expected the weighted values of all heads, found %v", z)
	}
	weights, v := z.t.args[0], z.t.args[1]
	if !weights.is(function) || weights.t.name != "Softmax" {
		return fmt.Errorf("expected a softmax over the tokens, found %v", weights)
	}
	rank := len(weights.l)
	if keys, ok := weights.l.single(rank - 1); !ok || keys != weights.t.f {
		return fmt.Errorf("expected a softmax over the tokens that values come from, found %v", weights)
	}
	scores := weights.t.args[0].t
	if scores.kind == sum { // with a mask that masks nothing
		for i, a := range scores.args {
			if a.is(constant) {
				if err := allZero(a); err != nil {
					return fmt.Errorf("expected no mask on the scores, found one: %w", err)
				}
				scores = scores.args[1-i].t
				break
			}
		}
	}
	c := 1.
	if scores.kind == product && len(scores.args) == 1 {
		c, scores = scores.c, scores.args[0].t
	}
	if scores.kind != dot {
		return fmt.Errorf("expected products of queries and keys, q kᵀ/√d, found %v", scores)
	}
	q, k := scores.args[0], scores.args[1] // [.., H, T, d] and [.., H, d, T]
	d := size(q.l[len(q.l)-1])
	heads := scores.axes[0].size
	if heads*d != e.Width || z.t.axes[0].size != heads || z.t.axes[2].size != d {
		return fmt.Errorf("expected heads that share out the %d components, found %d of %d components, with values of %d: %v", e.Width, heads, d, z.t.axes[2].size, scores)
	}
	if want := 1 / math.Sqrt(float64(d)); !near(c, want) {
		return fmt.Errorf("expected scores q kᵀ/√d, divided by √%d, found q kᵀ times %g, in place of %g: %v", d, c, want, scores)
	}
	if e.Heads != 0 && e.Heads != heads {
		return fmt.Errorf("expected %d heads, as in the blocks before, found %d: %v", e.Heads, heads, scores)
	}
	e.Heads = heads

	// Queries, keys and values: head, component, token.
	var normed *term
	for _, p := range []struct {
		name         string
		v            value
		token, which int // axes from the end
		to           *Layer
	}{{"queries", q, 2, 1, &b.Q}, {"keys", k, 1, 2, &b.K}, {"values", v, 2, 1, &b.V}} {
		n := len(p.v.l)
		head, component, token := factor{size: 1}, p.v.l[n-p.which], p.v.l[n-p.token]
		for _, list := range p.v.l[:n-2] {
			if len(list) == 1 {
				head = list[0]
			}
		}
		one := factor{size: 1}
		if len(component) == 1 {
			one = component[0]
		}
		if len(token) != 1 || !token[0].whole() {
			return fmt.Errorf("%s: expected those of all tokens in a row, found %v", p.name, p.v)
		}
		layer, from, err := projection(p.v, head, one)
		if err != nil {
			return fmt.Errorf("%s: %w", p.name, err)
		}
		*p.to = layer
		if (layer.B.Shape == nil) != (b.Q.B.Shape == nil) {
			return fmt.Errorf("%s: expected a bias in queries, keys and values, or in none of them, found %v", p.name, p.v)
		}
		if normed == nil {
			normed = from
		} else if normed != from {
			return fmt.Errorf("%s: expected them computed from what queries are computed from, found %v", p.name, from)
		}
	}
	if b.Norm1, err = e.normOf(value{t: normed, l: layout{}}, x); err != nil {
		return err
	}

	// The output layer's inputs, in the order in which the graph has them.
	list := z.l[len(z.l)-1]
	H, D := factor{z.t.axes[0], 1, heads}, factor{z.t.axes[2], 1, d}
	order := make([]int, heads*d)
	for h := range heads {
		for i := range d {
			switch {
			case slices.Equal(list, join([]factor{H, D})):
				order[h*d+i] = h*d + i
			case slices.Equal(list, join([]factor{D, H})):
				order[h*d+i] = i*heads + h
			default:
				return fmt.Errorf("expected the output layer to read all heads side by side, found %v", z)
			}
		}
	}
	if token, ok := z.l.single(len(z.l) - 2); !ok || token.axis != z.t.axes[1] || !token.whole() {
		return fmt.Errorf("expected the output layer to work on each token, found %v", z)
	}
	if out.axes[0].size != e.Width || len(out.args) < 3 {
		return fmt.Errorf("expected an output layer of %d components with a bias, found %v", e.Width, added)
	}
	if b.O.W, err = out.args[1].matrix(all(e.Width), index{at: order}); err != nil {
		return err
	}
	b.O.B, err = out.args[2].flat(e.Width)
	return err
}

// projection returns the layer that makes queries, keys or values, from the factors of its outputs that count heads and components.
func projection(v value, head, component factor) (l Layer, from *term, err error) {
	t, first := v.t, 0
	var picked []factor
	for t.kind == part && len(t.axes) == 0 { // some outputs of one layer for all three
		first += t.from * t.f.stride
		picked = append(picked, t.f)
		t = t.args[0].t
	}
	if t.kind != linear {
		return l, nil, fmt.Errorf("expected a linear layer, found %v", v)
	}
	for _, f := range append([]factor{head, component}, picked...) {
		if f.axis != nil && f.axis != t.axes[0] {
			return l, nil, fmt.Errorf("expected heads and their components to be outputs of the layer, found %v", v)
		}
	}
	count := head.size * component.size
	for _, f := range picked {
		count *= f.size
	}
	if count != t.axes[0].size {
		return l, nil, fmt.Errorf("expected heads and components to be all outputs of the layer, found %v", v)
	}
	in := t.args[0]
	out := two(first, head, component)
	if l.W, err = t.args[1].matrix(out, all(size(in.l[len(in.l)-1]))); err != nil {
		return l, nil, err
	}
	if len(t.args) > 2 {
		l.B, err = t.args[2].chosen(out)
	}
	return l, in.t, err
}

// allZero returns an error unless all elements of a weight are 0.
func allZero(v value) error {
	values, err := v.t.param.float32s()
	if err != nil {
		return err
	}
	for _, x := range values {
		if x != 0 {
			return fmt.Errorf("%v", v)
		}
	}
	return nil
}
