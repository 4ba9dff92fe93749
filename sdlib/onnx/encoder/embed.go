package encoder

import (
	"fmt"
	"math"
	"slices"
)

// embedding reads what makes the residual stream: patches, tokens in front of them, positions.
func (r *reader) embedding(e *Encoder) (*term, error) {
	var patches *term
	for _, t := range r.list {
		switch {
		case t.kind != conv:
		case patches == nil || t.axes[0] == patches.axes[0]: // the same with its bias
			patches = t
		default:
			return nil, fmt.Errorf("expected one convolution of the image, the patch embedding, found two: %v; %v", patches, t)
		}
	}
	if patches == nil {
		return nil, fmt.Errorf("expected a convolution of the image whose stride is its kernel, the patch embedding, found that the image goes to %s",
			r.goesTo(r.imageTerm()))
	}
	outputs, grid := patches.axes[0], patches.axes[1]
	w := patches.args[1]
	shape := w.l.shape()
	e.Width, e.Patch = outputs.size, shape[2]
	g := int(math.Round(math.Sqrt(float64(grid.size))))
	var err error
	if e.Embed.W, err = w.flat(shape...); err != nil {
		return nil, err
	}
	if len(patches.args) > 2 {
		if e.Embed.B, err = patches.args[2].flat(e.Width); err != nil {
			return nil, err
		}
	}

	// Tokens in front, in a row with the patches [g², D].
	tokens := value{t: patches, l: layout{whole(grid), whole(outputs)}}
	n := grid.size
	for _, u := range r.users[patches] {
		if u.kind == concat {
			if e.Front, err = front(u, tokens, e.Width); err != nil {
				return nil, err
			}
			n += len(e.Front)
			tokens = value{t: u}
			break
		}
	}

	// Positions.
	var stream *term
	for _, u := range r.users[tokens.t] {
		if u.kind != sum {
			continue
		}
		at := slices.IndexFunc(u.args, func(a value) bool { return a.t == tokens.t })
		if tokens.l != nil && u.args[at].l != nil && !joined(u.args[at].l).equal(tokens.l) {
			return nil, fmt.Errorf("positions: expected them added to the patches, row by row, each a vector, found %v", u)
		}
		if err = e.positions(u.args[1-at], n, g); err != nil {
			return nil, fmt.Errorf("positions: %w", err)
		}
		stream = u
		break
	}
	if stream == nil {
		return nil, fmt.Errorf("expected positions added to the patches (and to tokens in front of them), found that these go to %s", r.goesTo(tokens.t))
	}

	// Registers, behind CLS.
	for _, u := range r.users[stream] {
		if u.kind != part {
			continue
		}
		for _, row := range r.users[u] {
			if row.kind == concat && len(row.args) == 3 {
				if err = e.registers(row, stream, n); err != nil {
					return nil, fmt.Errorf("registers: %w", err)
				}
				stream = row
			}
		}
		if stream.kind == concat {
			break
		}
	}

	// A LayerNorm before block 0, to whose result the blocks add.
	if !r.residual(stream) {
		for _, u := range r.users[stream] {
			if u.kind != norm || !r.residual(u) {
				continue
			}
			n, err := e.norm(u)
			if err != nil {
				return nil, fmt.Errorf("the LayerNorm before block 0: %w", err)
			}
			e.PreNorm, stream = &n, u
			break
		}
	}
	return stream, nil
}

func (r *reader) imageTerm() *term {
	return r.list[slices.IndexFunc(r.list, func(t *term) bool { return t.kind == image })]
}

// joined drops the axes of size 1.
func joined(l layout) layout {
	return slices.DeleteFunc(slices.Clone(l), func(list []factor) bool { return len(list) == 0 })
}

// residual reports whether something is added to a term, as blocks do.
func (r *reader) residual(t *term) bool {
	return slices.ContainsFunc(r.users[t], func(u *term) bool {
		return u.kind == sum && !slices.ContainsFunc(u.args, func(a value) bool { return a.is(constant) })
	})
}

// front returns the tokens in front of the patches.
func front(row *term, patches value, width int) ([]Weight, error) {
	var tokens []Weight
	last := len(row.args) - 1
	if row.args[last].t != patches.t || !joined(row.args[last].l).equal(patches.l) {
		return nil, fmt.Errorf("expected the patches, row by row, as the last tokens, found %v", row.args[last])
	}
	if at := row.from; at != len(row.args[0].l)-2 {
		return nil, fmt.Errorf("expected tokens in front of the patches, found %v", row)
	}
	for _, a := range row.args[:last] {
		if !a.is(constant) || a.l.elements()%width != 0 {
			return nil, fmt.Errorf("expected CLS in front of the patches, a vector of %d components, found %v", width, a)
		}
		for i := range a.l.elements() / width {
			w, err := rows(a, i, 1, width)
			if err != nil {
				return nil, err
			}
			w.Shape = []int{width}
			tokens = append(tokens, w)
		}
	}
	return tokens, nil
}

// rows returns count vectors of a table of them, from one on.
func rows(a value, from, count, width int) (Weight, error) {
	w := Weight{Shape: []int{count, width}}
	offsets, err := a.t.param.offsets(a.l.list())
	if err != nil {
		return w, err
	}
	if (from+count)*width > len(offsets) {
		return w, fmt.Errorf("expected at least %d vectors of %d components, found %v", from+count, width, a)
	}
	w.parts = []piece{{a.t.param, []int{0}, offsets[from*width : (from+count)*width]}}
	return w, nil
}

// positions reads what is added to the n tokens of the image, of which g² are patches: a table of weights, or one with its patches
// resampled from another grid.
func (e *Encoder) positions(v value, n, g int) (err error) {
	e.PosGrid = g
	special := len(e.Front)
	if v.l.elements() != n*e.Width {
		return fmt.Errorf("expected %d vectors of %d components, found %v", n, e.Width, v)
	}
	if v.is(constant) || v.is(part) {
		e.Positions, err = e.table(v, n)
		return err
	}
	pieces := []value{v}
	if v.is(concat) {
		pieces = v.t.args
	}
	e.Positions = Weight{}
	vectors := 0
	for i, p := range pieces {
		if p.is(resize) {
			if i != len(pieces)-1 {
				return fmt.Errorf("expected the patches' positions last, found %v", v)
			}
			if !joined(p.l).equal(layout{whole(p.t.axes[0]), joined(p.l)[1]}) {
				return fmt.Errorf("expected resampled positions row by row, found %v", p)
			}
			e.Resampled = p.t.name
			grid := p.t.f.size
			e.PosGrid = int(math.Round(math.Sqrt(float64(grid))))
			from := p.t.args[0] // [1, D, G, G]
			p = value{t: from.t, l: layout{slices.Concat(from.l[2], from.l[3]), from.l[1]}}
			p.l[0] = join(p.l[0])
		}
		count := p.l.elements() / e.Width
		w, err := e.table(p, count)
		if err != nil {
			return err
		}
		e.Positions.parts = append(e.Positions.parts, w.parts...)
		vectors += count
	}
	if vectors != special+e.PosGrid*e.PosGrid {
		return fmt.Errorf("expected %d vectors, for %d tokens in front and a grid of %d, found %d", special+e.PosGrid*e.PosGrid, special, e.PosGrid, vectors)
	}
	e.Positions.Shape = []int{vectors, e.Width}
	return nil
}

// table returns n vectors: a weight, or consecutive rows of one.
func (e *Encoder) table(v value, n int) (Weight, error) {
	if v.is(constant) {
		return v.flat(n, e.Width)
	}
	if v.is(part) && v.t.args[0].is(constant) && v.t.from >= 0 {
		whole := v.t.args[0]
		// The rows that were cut out run along one axis of the table, and the vectors along the last.
		if last, ok := whole.l.single(len(whole.l) - 1); ok && last.size == e.Width && v.t.f != last && joined(v.l)[len(joined(v.l))-1][0] == last {
			w, err := rows(whole, v.t.from, v.t.to-v.t.from, e.Width)
			if err == nil && w.Shape[0] != n {
				err = fmt.Errorf("expected %d vectors, found %v", n, v)
			}
			return w, err
		}
	}
	return Weight{}, fmt.Errorf("expected a table of %d vectors of %d components, found %v", n, e.Width, v)
}

// registers reads a row of CLS, registers and patches, of which the first and last are parts of the stream.
func (e *Encoder) registers(row, stream *term, n int) (err error) {
	cls, registers, patches := row.args[0], row.args[1], row.args[2]
	for _, p := range []struct {
		v        value
		from, to int
	}{{cls, 0, 1}, {patches, 1, n}} {
		if !p.v.is(part) || p.v.t.args[0].t != stream || p.v.t.from != p.from || p.v.t.to != p.to {
			return fmt.Errorf("expected tokens %d to %d of the stream, found %v", p.from, p.to, p.v)
		}
	}
	if len(e.Front) != 1 || !registers.is(constant) || registers.l.elements()%e.Width != 0 {
		return fmt.Errorf("expected CLS, a table of registers of %d components each, and patches, found %v", e.Width, registers)
	}
	e.Registers, err = registers.flat(registers.l.elements()/e.Width, e.Width)
	return err
}
