package onnx

import (
	"errors"
	"io/fs"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"google.golang.org/protobuf/encoding/protowire"
)

// A message is protobuf that a test writes by hand, from the format's own numbers.
type message []byte

func (m message) int(field protowire.Number, v int64) message {
	return protowire.AppendVarint(protowire.AppendTag(m, field, protowire.VarintType), uint64(v))
}

func (m message) text(field protowire.Number, v string) message {
	return protowire.AppendString(protowire.AppendTag(m, field, protowire.BytesType), v)
}

func (m message) with(field protowire.Number, v message) message {
	return protowire.AppendBytes(protowire.AppendTag(m, field, protowire.BytesType), v)
}

// Messages of onnx.proto.

func tensor(name string, kind Type, dims ...int64) message {
	m := message{}.int(2, int64(kind)).text(8, name)
	for _, d := range dims {
		m = m.int(1, d)
	}
	return m
}

func node(op string, inputs, outputs []string) message {
	m := message{}.text(4, op)
	for _, name := range inputs {
		m = m.text(1, name)
	}
	for _, name := range outputs {
		m = m.text(2, name)
	}
	return m
}

func modelOf(graph message) message {
	return message{}.int(1, 8).text(2, "test").with(8, message{}.text(1, "").int(2, 14)).with(7, graph)
}

func TestParse(t *testing.T) {
	shape := message{}.with(1, message{}.text(2, "batch")).with(1, message{}.int(1, 3))
	input := message{}.text(1, "x").with(2, message{}.with(1, message{}.int(1, int64(Float)).with(2, shape)))
	attribute := message{}.text(1, "axis").int(3, -1).int(20, 2)
	zero := message{}.text(1, "keepdims").int(20, 2) // an attribute whose 0 is left out
	graph := message{}.
		with(1, node("ReduceMean", []string{"x"}, []string{"y"}).with(5, attribute).with(5, zero).text(3, "the mean")).
		with(1, node("Add", []string{"y", "w"}, []string{"z"})).
		with(5, tensor("w", Float, 2).text(9, "\x00\x00\x80\x3f\x00\x00\x00\xc0")).
		with(11, input).with(11, message{}.text(1, "w")). // as before IR version 4, initializers are inputs too
		with(12, message{}.text(1, "z"))
	m, err := Parse(modelOf(graph))
	if err != nil {
		t.Fatal(err)
	}
	if m.Producer != "test" || m.Opset[""] != 14 || len(m.Inputs) != 1 || len(m.Outputs) != 1 || len(m.Nodes) != 2 {
		t.Fatalf("got %+v", m)
	}
	if in := m.Inputs[0]; in.Name != "x" || in.Type != Float || !slices.Equal(in.Shape, []Dim{{0, "batch"}, {3, ""}}) {
		t.Errorf("input %+v", in)
	}
	n := m.Nodes[0]
	if axis, keep := n.Attributes["axis"].Int, n.Attributes["keepdims"].Int; axis == nil || *axis != -1 || keep == nil || *keep != 0 {
		t.Errorf("attributes %+v, want axis -1 and keepdims 0", n.Attributes)
	}
	if n.String() != `ReduceMean ("the mean")` || m.Nodes[1].String() != `Add (which makes "z")` {
		t.Errorf("nodes %v, %v", n, m.Nodes[1])
	}
	if w, err := m.Initializers["w"].Float32s(); err != nil || !slices.Equal(w, []float32{1, -2}) {
		t.Errorf("w = %v, %v", w, err)
	}
}

// Every way in which ONNX keeps numbers.
func TestTensor(t *testing.T) {
	floats := func(values ...float32) (b message) {
		for _, v := range values {
			b = protowire.AppendFixed32(b, math.Float32bits(v))
		}
		return b
	}
	varints := func(values ...int64) (b message) {
		for _, v := range values {
			b = protowire.AppendVarint(b, uint64(v))
		}
		return b
	}
	for name, test := range map[string]struct {
		tensor message
		floats []float32
		ints   []int64
	}{
		"float_data":          {tensor("t", Float, 2).with(4, floats(1.5, -2)), []float32{1.5, -2}, nil},
		"float_data unpacked": {tensor("t", Float, 1).with(4, floats(3)), []float32{3}, nil},
		"float16 raw":         {tensor("t", Float16, 6).text(9, "\x00\x3c\x00\xc0\x01\x00\x00\x7c\x00\x04\xff\x7b"), []float32{1, -2, 1. / (1 << 24), float32(math.Inf(1)), 1. / (1 << 14), 65504}, nil},
		"float16 as int32":    {tensor("t", Float16, 1).with(5, varints(0x3c00)), []float32{1}, nil},
		"bfloat16":            {tensor("t", BFloat16, 1).text(9, "\x80\x3f"), []float32{1}, nil},
		"double":              {tensor("t", Double, 1).with(10, protowire.AppendFixed64(nil, math.Float64bits(.25))), []float32{.25}, nil},
		"int8 raw":            {tensor("t", Int8, 3).text(9, "\x80\xff\x7f"), nil, []int64{-128, -1, 127}},
		"uint8 raw":           {tensor("t", Uint8, 2).text(9, "\x80\xff"), nil, []int64{128, 255}},
		"int8 as int32":       {tensor("t", Int8, 2).with(5, varints(-5, 7)), nil, []int64{-5, 7}},
		"int64":               {tensor("t", Int64, 2).with(7, varints(-1, 1<<40)), nil, []int64{-1, 1 << 40}},
		"bool":                {tensor("t", Bool, 2).with(5, varints(1, 0)), nil, []int64{1, 0}},
		"scalar":              {tensor("t", Float).text(9, "\x00\x00\x00\x40"), []float32{2}, nil},
		"empty":               {tensor("t", Int64, 0), nil, []int64{}},
	} {
		t.Run(name, func(t *testing.T) {
			m, err := Parse(modelOf(message{}.with(5, test.tensor)))
			if err != nil {
				t.Fatal(err)
			}
			got := m.Initializers["t"]
			if test.floats != nil {
				if v, err := got.Float32s(); err != nil || !slices.Equal(v, test.floats) {
					t.Errorf("%v, %v; want %v", v, err, test.floats)
				}
				if _, err := got.Ints(); err == nil {
					t.Error("floats were read as whole numbers")
				}
				return
			}
			if v, err := got.Ints(); err != nil || !slices.Equal(v, test.ints) {
				t.Errorf("%v, %v; want %v", v, err, test.ints)
			}
			if _, err := got.Float32s(); err == nil {
				t.Error("whole numbers were read as floats")
			}
		})
	}
}

func TestHostile(t *testing.T) {
	entry := func(key, value string) message { return message{}.text(1, key).text(2, value) }
	external := func(entries ...message) message {
		m := tensor("w", Float, 2).int(14, 1)
		for _, e := range entries {
			m = m.with(13, e)
		}
		return modelOf(message{}.with(5, m))
	}
	graph := func(parts ...message) message {
		g := message{}
		for _, n := range parts {
			g = g.with(1, n)
		}
		return modelOf(g)
	}
	add := node("Add", []string{"a", "a"}, []string{"b"})
	for name, test := range map[string]struct {
		file message
		says string
	}{
		"empty":            {message{}, "no graph"},
		"no protobuf":      {message("GIF89a.............."), "is it an ONNX file?"},
		"cut":              {graph(node("Constant", nil, []string{"a"}))[:20], "ends in the middle"},
		"a group":          {message{0x3b}, "wire type 3"},
		"two graphs":       {modelOf(message{}).with(7, message{}), "two graphs"},
		"graph is number":  {message{}.int(7, 1), "expected a length"},
		"unknown name":     {graph(add), `node 0, Add (which makes "b"), reads "a", which nothing before it makes`},
		"circle":           {graph(node("Add", []string{"b", "b"}, []string{"a"}), add), "the graph is a circle"},
		"made twice":       {graph(node("Constant", nil, []string{"a"}), add, add), `makes "b", which is there already`},
		"output":           {modelOf(message{}.with(12, message{}.text(1, "z"))), `nothing makes the output "z"`},
		"initializer":      {modelOf(message{}.with(5, tensor("w", Int8, 0)).with(5, tensor("w", Int8, 0))), `"w" of an initializer occurs twice`},
		"attribute":        {graph(node("X", nil, nil).with(5, message{}.text(1, "a")).with(5, message{}.text(1, "a"))), `attribute "a" occurs twice`},
		"gigantic":         {modelOf(message{}.with(5, tensor("w", Float, 1<<31, 1<<31, 1<<31))), "expected at most 2147483647 elements"},
		"overflow":         {modelOf(message{}.with(5, tensor("w", Float, 1<<16, 1<<16, 1<<16, 1<<16))), "expected at most"},
		"negative":         {modelOf(message{}.with(5, tensor("w", Float, -1))), "its shape is [] times -1"},
		"many axes":        {modelOf(message{}.with(5, tensor("w", Float, slices.Repeat([]int64{1}, 17)...))), "more than 16 axes"},
		"no data":          {modelOf(message{}.with(5, tensor("w", Float, 1000))), "it takes 4000 bytes, and it has 0"},
		"too little data":  {modelOf(message{}.with(5, tensor("w", Float, 2).text(9, "1234"))), "takes 8 bytes, and it has 4"},
		"typed, too short": {modelOf(message{}.with(5, tensor("w", Int8, 1<<20).int(5, 1))), "its data have"},
		"data twice":       {modelOf(message{}.with(5, tensor("w", Int8, 1).int(5, 1).text(9, "1"))), "there twice"},
		"segments":         {modelOf(message{}.with(5, tensor("w", Int8, 1).with(3, message{}))), "segments"},
		"sparse":           {modelOf(message{}.with(15, message{})), "sparse"},
		"long name":        {graph(node(strings.Repeat("x", 1<<17), nil, nil)), "a text of 131072 bytes"},
		"many nodes":       {graph(slices.Repeat([]message{{}}, maxNodes+1)...), "too many nodes"},
		"elsewhere":        {external(entry("location", "w.bin")), "lie in another file"},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := Parse(test.file)
			if err == nil || !strings.Contains(err.Error(), test.says) {
				t.Errorf("error %.300v, want %q in it", err, test.says)
			}
		})
	}
	// Numbers that are fewer or more than the shape says show when they are read.
	for _, n := range []int64{2, 4} {
		m, err := Parse(modelOf(message{}.with(5, tensor("w", Int8, 3).with(5, message(slices.Repeat([]byte{1}, int(n)))))))
		if err != nil {
			t.Fatal(err)
		}
		if v, err := m.Initializers["w"].Bytes(); err == nil {
			t.Errorf("%d numbers of 3 were read as %v", n, v)
		}
	}
}

// External data lie in files of the model's folder, and nowhere else.
func TestExternal(t *testing.T) {
	dir := t.TempDir()
	inside := filepath.Join(dir, "model")
	if err := os.MkdirAll(filepath.Join(inside, "sub"), 0o777); err != nil {
		t.Fatal(err)
	}
	for path, data := range map[string]string{"model/w.bin": "....\x00\x00\x80\x3f\x00\x00\x00\xc0", "model/sub/w.bin": "\x00\x00\x80\x3f\x00\x00\x00\x40", "secret": "12345678"} {
		if err := os.WriteFile(filepath.Join(dir, path), []byte(data), 0o666); err != nil {
			t.Fatal(err)
		}
	}
	for name, test := range map[string]struct {
		entries [][2]string
		want    []float32
		says    string
	}{
		"offset":         {[][2]string{{"location", "w.bin"}, {"offset", "4"}, {"length", "8"}}, []float32{1, -2}, ""},
		"subfolder":      {[][2]string{{"location", "sub/w.bin"}}, []float32{1, 2}, ""},
		"parent":         {[][2]string{{"location", "../secret"}}, nil, `lies in "../secret", want a file in the folder of the model`},
		"hidden parent":  {[][2]string{{"location", "sub/../../secret"}}, nil, "want a file in the folder"},
		"absolute":       {[][2]string{{"location", filepath.Join(dir, "secret")}}, nil, "want a file in the folder"},
		"backslash":      {[][2]string{{"location", `..\secret`}}, nil, "want a file in the folder"},
		"no location":    {nil, nil, "want a file in the folder"},
		"folder":         {[][2]string{{"location", "sub"}}, nil, "no regular file"},
		"missing":        {[][2]string{{"location", "other.bin"}}, nil, `the file "other.bin" with its weights (external data) is missing in`},
		"behind the end": {[][2]string{{"location", "w.bin"}, {"offset", "8"}}, nil, `its 8 bytes begin at 8 of "w.bin", which has 12`},
		"far behind":     {[][2]string{{"location", "w.bin"}, {"offset", "9223372036854775807"}}, nil, "which has 12"},
		"negative":       {[][2]string{{"location", "w.bin"}, {"offset", "-4"}}, nil, `the offset of its external data is "-4"`},
		"other length":   {[][2]string{{"location", "w.bin"}, {"length", "4"}}, nil, "takes 8 bytes, and it has 4"},
	} {
		t.Run(name, func(t *testing.T) {
			w := tensor("w", Float, 2).int(14, 1)
			for _, e := range test.entries {
				w = w.with(13, message{}.text(1, e[0]).text(2, e[1]))
			}
			path := filepath.Join(inside, "model.onnx")
			if err := os.WriteFile(path, modelOf(message{}.with(5, w)), 0o666); err != nil {
				t.Fatal(err)
			}
			m, err := Open(path)
			if test.says != "" {
				if err == nil || !strings.Contains(err.Error(), test.says) || !strings.Contains(err.Error(), path) {
					t.Errorf("error %v, want %q and the path in it", err, test.says)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			defer m.Close()
			if got, err := m.Initializers["w"].Float32s(); err != nil || !slices.Equal(got, test.want) {
				t.Errorf("%v, %v; want %v", got, err, test.want)
			}
			if err := m.Close(); err != nil {
				t.Error(err)
			}
		})
	}
	if _, err := Open(filepath.Join(inside, "none.onnx")); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("no file: %v", err)
	}
	if _, err := Open(inside); err == nil || !strings.Contains(err.Error(), "no regular file") {
		t.Errorf("a folder: %v", err)
	}
}

// FuzzParse makes sure that no file makes the reader panic or take more memory than it has nodes for, and that what it accepts holds
// what it says.
func FuzzParse(f *testing.F) {
	f.Add([]byte(modelOf(message{}.with(5, tensor("w", Float, 2).text(9, "12345678")).with(1, node("Add", []string{"w", "w"}, []string{"y"})))))
	f.Add([]byte(modelOf(message{}.with(5, tensor("w", Int64, 1).int(7, 3)))))
	f.Fuzz(func(t *testing.T, file []byte) {
		m, err := Parse(file)
		if err != nil {
			return
		}
		for name, tensor := range m.Initializers {
			if b, err := tensor.Bytes(); err == nil && len(b) != tensor.Elements()*tensor.Type.Size() {
				t.Errorf("%s: %v has %d bytes", name, tensor, len(b))
			}
			tensor.Float32s()
			tensor.Ints()
		}
	})
}
