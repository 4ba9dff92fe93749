package onnx

import (
	"errors"
	"fmt"
	"math"
	"strings"

	"google.golang.org/protobuf/encoding/protowire"
)

// Bounds that no sensible model comes near: a node takes two bytes in a file and a hundred times as many here.
const (
	maxNodes   = 1 << 18
	maxTensors = 1 << 18
	maxNames   = 1 << 20 // inputs and outputs of all nodes
	maxNumbers = 1 << 20 // attributes, and the numbers in lists of them
	maxRank    = 16
	maxText    = 1 << 16 // bytes of a name
)

// A field is one entry of a protobuf message.
type field struct {
	number protowire.Number
	wire   protowire.Type
	bits   uint64 // of a varint or a fixed number
	bytes  []byte // of what has a length: the file's own memory
}

var errTruncated = errors.New("it ends in the middle, or is no protobuf")

// each calls visit for every field of a message.
func each(message []byte, visit func(field) error) error {
	for len(message) > 0 {
		number, wire, n := protowire.ConsumeTag(message)
		if n < 0 {
			return errTruncated
		}
		message = message[n:]
		f := field{number: number, wire: wire}
		switch wire {
		case protowire.VarintType:
			f.bits, n = protowire.ConsumeVarint(message)
		case protowire.Fixed32Type:
			var v uint32
			v, n = protowire.ConsumeFixed32(message)
			f.bits = uint64(v)
		case protowire.Fixed64Type:
			f.bits, n = protowire.ConsumeFixed64(message)
		case protowire.BytesType:
			f.bytes, n = protowire.ConsumeBytes(message)
		default:
			return fmt.Errorf("field %d has wire type %d, which ONNX does not use: is it an ONNX file?", number, wire)
		}
		if n < 0 {
			return errTruncated
		}
		message = message[n:]
		if err := visit(f); err != nil {
			return err
		}
	}
	return nil
}

// message returns the bytes of a message, a text or a packed list.
func (f field) message() ([]byte, error) {
	if f.wire != protowire.BytesType {
		return nil, fmt.Errorf("field %d has wire type %d, expected a length and bytes", f.number, f.wire)
	}
	return f.bytes, nil
}

func (f field) int() (int64, error) {
	if f.wire != protowire.VarintType {
		return 0, fmt.Errorf("field %d has wire type %d, expected a whole number", f.number, f.wire)
	}
	return int64(f.bits), nil
}

func (f field) float() (float32, error) {
	if f.wire != protowire.Fixed32Type {
		return 0, fmt.Errorf("field %d has wire type %d, expected a float", f.number, f.wire)
	}
	return math.Float32frombits(uint32(f.bits)), nil
}

func (f field) text() (string, error) {
	b, err := f.message()
	if err == nil && len(b) > maxText {
		err = fmt.Errorf("field %d is a text of %d bytes, expected at most %d", f.number, len(b), maxText)
	}
	return string(b[:min(len(b), maxText)]), err
}

// ints calls visit for the whole numbers of a repeated field, packed or not.
func (f field) ints(visit func(int64) error) error {
	if f.wire == protowire.VarintType {
		return visit(int64(f.bits))
	}
	packed, err := f.message()
	for err == nil && len(packed) > 0 {
		v, n := protowire.ConsumeVarint(packed)
		if n < 0 {
			return errTruncated
		}
		packed = packed[n:]
		err = visit(int64(v))
	}
	return err
}

// floats calls visit for the floats of a repeated field, packed or not.
func (f field) floats(visit func(float32) error) error {
	if f.wire == protowire.Fixed32Type {
		return visit(math.Float32frombits(uint32(f.bits)))
	}
	packed, err := f.message()
	for err == nil && len(packed) > 0 {
		v, n := protowire.ConsumeFixed32(packed)
		if n < 0 {
			return errTruncated
		}
		packed = packed[n:]
		err = visit(math.Float32frombits(v))
	}
	return err
}

// A decoder reads one model and counts what it makes.
type decoder struct {
	m        *Model
	external func(location string) ([]byte, error)
	tensors  int
	names    int
	numbers  int
}

// parse reads ModelProto.
func (m *Model) parse(file []byte, external func(string) ([]byte, error)) error {
	d := &decoder{m: m, external: external}
	m.Opset, m.Initializers = map[string]int{}, map[string]*Tensor{}
	var graph []byte
	var producer [2]string
	err := each(file, func(f field) (err error) {
		switch f.number {
		case 2, 3: // producer_name, producer_version
			producer[f.number-2], err = f.text()
		case 7: // graph
			if graph != nil {
				return errors.New("it has two graphs")
			}
			graph, err = f.message()
		case 8: // opset_import
			err = d.opset(f)
		case 25: // functions
			err = d.function(f)
		}
		return err
	})
	if err != nil {
		return err
	}
	if graph == nil {
		return errors.New("it has no graph")
	}
	m.Producer = strings.TrimSpace(producer[0] + " " + producer[1])
	if err := d.graph(graph); err != nil {
		return err
	}
	return m.checkNames()
}

// opset reads OperatorSetIdProto.
func (d *decoder) opset(f field) error {
	message, err := f.message()
	if err != nil {
		return err
	}
	var domain string
	var version int64
	err = each(message, func(f field) (err error) {
		switch f.number {
		case 1:
			domain, err = f.text()
		case 2:
			version, err = f.int()
		}
		return err
	})
	if err != nil {
		return err
	}
	if len(d.m.Opset) > maxRank {
		return fmt.Errorf("it imports more than %d sets of operations", maxRank)
	}
	if domain == "ai.onnx" {
		domain = ""
	}
	d.m.Opset[domain] = int(version)
	return nil
}

// function reads the name of a FunctionProto.
func (d *decoder) function(f field) error {
	message, err := f.message()
	if err != nil {
		return err
	}
	var domain, name string
	err = each(message, func(f field) (err error) {
		switch f.number {
		case 1:
			name, err = f.text()
		case 10:
			domain, err = f.text()
		}
		return err
	})
	if d.names++; d.names > maxNames {
		return d.tooMany("functions")
	}
	d.m.Functions = append(d.m.Functions, domain+"."+name)
	return err
}

func (d *decoder) tooMany(what string) error {
	return fmt.Errorf("it has too many %s: no image encoder needs a tenth of them", what)
}

// graph reads GraphProto.
func (d *decoder) graph(message []byte) error {
	return each(message, func(f field) error {
		part, err := f.message()
		if err != nil {
			return nil // no field of a graph that matters
		}
		switch f.number {
		case 1: // node
			if len(d.m.Nodes) == maxNodes {
				return d.tooMany("nodes")
			}
			n, err := d.node(part)
			if err != nil {
				return fmt.Errorf("node %d, %v: %w", len(d.m.Nodes), n, err)
			}
			d.m.Nodes = append(d.m.Nodes, n)
		case 5: // initializer
			t, err := d.tensor(part)
			if err != nil {
				return err
			}
			if _, twice := d.m.Initializers[t.Name]; twice || t.Name == "" {
				return fmt.Errorf("the name %.200q of an initializer occurs twice, or is empty", t.Name)
			}
			d.m.Initializers[t.Name] = t
		case 11, 12: // input, output
			v, err := d.value(part)
			if err != nil {
				return err
			}
			if f.number == 11 {
				d.m.Inputs = append(d.m.Inputs, v)
			} else {
				d.m.Outputs = append(d.m.Outputs, v)
			}
		case 15:
			return errors.New("it has sparse initializers, which can't be read")
		}
		return nil
	})
}

// node reads NodeProto.
func (d *decoder) node(message []byte) (n Node, err error) {
	err = each(message, func(f field) (err error) {
		switch f.number {
		case 1, 2: // input, output
			if d.names++; d.names > maxNames {
				return d.tooMany("inputs and outputs of nodes")
			}
			name, err := f.text()
			if err != nil {
				return err
			}
			if f.number == 1 {
				n.Inputs = append(n.Inputs, name)
			} else {
				n.Outputs = append(n.Outputs, name)
			}
		case 3:
			n.Name, err = f.text()
		case 4:
			n.Op, err = f.text()
		case 5:
			err = d.attribute(f, &n)
		case 7:
			if n.Domain, err = f.text(); n.Domain == "ai.onnx" {
				n.Domain = ""
			}
		}
		return err
	})
	return n, err
}

// attribute reads AttributeProto.
func (d *decoder) attribute(f field, n *Node) error {
	message, err := f.message()
	if err != nil {
		return err
	}
	count := func() error {
		if d.numbers++; d.numbers > maxNumbers {
			return d.tooMany("attributes")
		}
		return nil
	}
	if err := count(); err != nil {
		return err
	}
	var name string
	var a Attribute
	var kind int64
	err = each(message, func(f field) (err error) {
		switch f.number {
		case 1:
			name, err = f.text()
		case 2:
			var v float32
			v, err = f.float()
			a.Float = &v
		case 3:
			var v int64
			v, err = f.int()
			a.Int = &v
		case 4:
			var v []byte
			if v, err = f.message(); err == nil && len(v) <= maxText {
				text := string(v)
				a.Text = &text
			}
		case 5:
			var part []byte
			if part, err = f.message(); err == nil {
				a.Tensor, err = d.tensor(part)
			}
		case 7:
			err = f.floats(func(v float32) error { a.Floats = append(a.Floats, v); return count() })
		case 8:
			err = f.ints(func(v int64) error { a.Ints = append(a.Ints, v); return count() })
		case 6, 9, 10, 11, 14, 15, 21, 22, 23:
			a.Other = true
		case 20:
			kind, err = f.int()
		}
		return err
	})
	if err != nil {
		return fmt.Errorf("attribute %.100q: %w", name, err)
	}
	// Zeros and empty lists may be left out of the file; the attribute's type still says what it is.
	switch {
	case kind == 1 && a.Float == nil:
		a.Float = new(float32)
	case kind == 2 && a.Int == nil:
		a.Int = new(int64)
	case kind == 3 && a.Text == nil:
		a.Text = new(string)
	}
	if n.Attributes == nil {
		n.Attributes = map[string]Attribute{}
	}
	if _, twice := n.Attributes[name]; twice {
		return fmt.Errorf("attribute %.100q occurs twice", name)
	}
	n.Attributes[name] = a
	return nil
}

// value reads ValueInfoProto with the TypeProto in it.
func (d *decoder) value(message []byte) (v Value, err error) {
	if d.names++; d.names > maxNames {
		return v, d.tooMany("inputs and outputs")
	}
	err = each(message, func(f field) (err error) {
		switch f.number {
		case 1:
			v.Name, err = f.text()
		case 2: // type
			err = inside(f, 1, func(f field) error { // tensor_type
				switch f.number {
				case 1:
					t, err := f.int()
					v.Type = Type(t)
					return err
				case 2: // shape
					v.Shape = []Dim{}
					return inside(f, 0, func(f field) error { return v.dim(f) })
				}
				return nil
			})
		}
		return err
	})
	return v, err
}

// inside calls visit for the fields of the message in a field; where number is not 0, for those of the message in its field of that number.
func inside(f field, number protowire.Number, visit func(field) error) error {
	message, err := f.message()
	if err != nil {
		return err
	}
	if number == 0 {
		return each(message, visit)
	}
	return each(message, func(f field) error {
		if f.number != number {
			return nil
		}
		return inside(f, 0, visit)
	})
}

// dim reads TensorShapeProto.Dimension.
func (v *Value) dim(f field) error {
	if len(v.Shape) == maxRank {
		return fmt.Errorf("%.100q has more than %d axes", v.Name, maxRank)
	}
	var dim Dim
	err := inside(f, 0, func(f field) (err error) {
		switch f.number {
		case 1:
			var size int64
			if size, err = f.int(); size > 0 && size <= math.MaxInt32 {
				dim.Size = int(size)
			}
		case 2:
			dim.Name, err = f.text()
		}
		return err
	})
	v.Shape = append(v.Shape, dim)
	return err
}

// checkNames makes sure that every name is made once, and before it is read.
func (m *Model) checkNames() error {
	made := make(map[string]bool, len(m.Initializers)+len(m.Nodes))
	for name := range m.Initializers {
		made[name] = true
	}
	inputs := m.Inputs[:0]
	for _, v := range m.Inputs {
		if _, old := m.Initializers[v.Name]; old {
			continue
		}
		if made[v.Name] {
			return fmt.Errorf("the name %.200q of an input occurs twice", v.Name)
		}
		made[v.Name] = true
		inputs = append(inputs, v)
	}
	m.Inputs = inputs
	for i, n := range m.Nodes {
		for _, name := range n.Inputs {
			if name != "" && !made[name] {
				return fmt.Errorf("node %d, %v, reads %.200q, which nothing before it makes: a name is missing, or the graph is a circle", i, n, name)
			}
		}
		for _, name := range n.Outputs {
			if name == "" {
				continue
			}
			if made[name] {
				return fmt.Errorf("node %d, %v, makes %.200q, which is there already", i, n, name)
			}
			made[name] = true
		}
	}
	for _, v := range m.Outputs {
		if !made[v.Name] {
			return fmt.Errorf("nothing makes the output %.200q", v.Name)
		}
	}
	return nil
}
