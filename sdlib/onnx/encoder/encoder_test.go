package encoder

import (
	"archive/zip"
	"fmt"
	"io"
	"maps"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"samediff/sdlib/onnx"
)

// exported parses one of the exported models with which package vit compares numbers.
func exported(t testing.TB, name string) *onnx.Model {
	t.Helper()
	m, err := onnx.Parse(exportedFile(t, name))
	if err != nil {
		t.Fatal(err)
	}
	return m
}

func exportedFile(t testing.TB, name string) []byte {
	t.Helper()
	z, err := zip.OpenReader("../../vit/testdata/onnx/models.zip")
	if err != nil {
		t.Fatal(err)
	}
	defer z.Close()
	f, err := z.Open(name + ".onnx")
	if err != nil {
		t.Fatal(err)
	}
	data, err := io.ReadAll(f)
	if err != nil {
		t.Fatal(err)
	}
	return data
}

// find returns the nth node of an operation, whose name has a part.
func find(t testing.TB, m *onnx.Model, op, part string) *onnx.Node {
	t.Helper()
	for i := range m.Nodes {
		if n := &m.Nodes[i]; n.Op == op && strings.Contains(n.Name, part) {
			return n
		}
	}
	t.Fatalf("there is no node %s %q", op, part)
	return nil
}

// before puts a node between another and its first input.
func before(m *onnx.Model, n *onnx.Node, op string, attributes map[string]onnx.Attribute) {
	i := slices.IndexFunc(m.Nodes, func(o onnx.Node) bool { return o.Outputs[0] == n.Outputs[0] })
	fresh := onnx.Node{Op: op, Name: "inserted", Inputs: []string{n.Inputs[0]}, Outputs: []string{"inserted output"}, Attributes: attributes}
	n.Inputs[0] = fresh.Outputs[0]
	m.Nodes = slices.Insert(m.Nodes, i, fresh)
}

func ints(list ...int64) onnx.Attribute { return onnx.Attribute{Ints: list} }

func number(v float32) onnx.Attribute { return onnx.Attribute{Float: &v} }

// A graph that computes something else is refused: the error says where, what was expected and what is there.
func TestRefuses(t *testing.T) {
	for name, test := range map[string]struct {
		file string
		edit func(t *testing.T, m *onnx.Model)
		says []string
	}{
		"another activation": {"vit/older", func(t *testing.T, m *onnx.Model) { find(t, m, "Erf", "layers.1").Op = "Sin" },
			[]string{"block 1: MLP: expected", "the operation Sin", "layers.1"}},
		"activation differs": {"vit/newer", func(t *testing.T, m *onnx.Model) {
			text := "tanh"
			find(t, m, "Gelu", "gelu_1").Attributes["approximate"] = onnx.Attribute{Text: &text}
		}, []string{"block 1: MLP: expected the activation gelu, as in the blocks before, found a gelu_pytorch_tanh"}},
		"softmax over queries": {"vit/older-eager-17", func(t *testing.T, m *onnx.Model) {
			axis := int64(2)
			find(t, m, "Softmax", "").Attributes["axis"] = onnx.Attribute{Int: &axis}
		}, []string{"expected a block", "a softmax over axis 2 of a tensor of shape [1 3 17 17]"}},
		"no norm": {"vit/older", func(t *testing.T, m *onnx.Model) {
			q := find(t, m, "MatMul", "layers.0/attention/q_proj")
			q.Inputs[0] = find(t, m, "Add", "embeddings/Add").Outputs[0]
		}, []string{"block 0: attention: keys: expected them computed from what queries are computed from"}},
		"another scale": {"vit/older-eager-17", func(t *testing.T, m *onnx.Model) {
			before(m, find(t, m, "Softmax", ""), "Neg", nil)
		}, []string{"block 0: attention: expected scores q kᵀ/√d, divided by √4, found q kᵀ times -0.5"}},
		"a gate": {"vit/older", func(t *testing.T, m *onnx.Model) { before(m, find(t, m, "Add", "layers.1/Add"), "Sigmoid", nil) },
			[]string{"expected", "Sigmoid", "inserted"}},
		"post-norm": {"vit/older-eager-17", func(t *testing.T, m *onnx.Model) {
			n := find(t, m, "LayerNormalization", "layers.0/layernorm_before")
			up := find(t, m, "MatMul", "layers.0/mlp/fc1")
			up.Inputs[0] = n.Outputs[0]
		}, []string{"block 0: MLP: expected a LayerNorm of the residual stream, found a LayerNorm"}},
		"columns first": {"vit/older", func(t *testing.T, m *onnx.Model) {
			before(m, find(t, m, "Reshape", "patch_embeddings/Reshape"), "Transpose", map[string]onnx.Attribute{"perm": ints(0, 1, 3, 2)})
		}, []string{"expected positions added to the patches", "a row of tensors of shapes [1 1 12] and [1 16 12]"}},
		"patches that overlap": {"vit/older", func(t *testing.T, m *onnx.Model) { find(t, m, "Conv", "").Attributes["strides"] = ints(3, 3) },
			[]string{"a convolution with strides [3 3] and a kernel of [12 3 5 5], expected patches that lie side by side"}},
		"another epsilon": {"vit/older-eager-17", func(t *testing.T, m *onnx.Model) {
			find(t, m, "LayerNormalization", "layers.1/layernorm_after").Attributes["epsilon"] = number(1e-3)
		}, []string{"block 1: MLP: expected a LayerNorm with ε = 1e-12, as the others have, found 0.001"}},
		"no positions": {"vit/older", func(t *testing.T, m *onnx.Model) {
			add := find(t, m, "Add", "embeddings/Add")
			add.Op, add.Inputs = "Identity", add.Inputs[:1]
		}, []string{"positions: expected a table of 17 vectors of 12 components, found a linear layer"}},
		"no LayerNorm at the end": {"vit/older-eager-17", func(t *testing.T, m *onnx.Model) {
			n := find(t, m, "LayerNormalization", "vit/layernorm")
			n.Op, n.Inputs = "Identity", n.Inputs[:1]
		}, []string{"after block 1: expected a LayerNorm"}},
		"normalized in the graph": {"vit/older", func(t *testing.T, m *onnx.Model) { before(m, find(t, m, "Conv", ""), "Neg", nil) },
			[]string{"expected a convolution of the image whose stride is its kernel"}},
		"no image":      {"vit/older", func(t *testing.T, m *onnx.Model) { m.Inputs[0].Shape = m.Inputs[0].Shape[:3] }, []string{`the inputs ["pixel_values"], expected one of the shape [batch, 3, height, width]`}},
		"gray":          {"vit/older", func(t *testing.T, m *onnx.Model) { m.Inputs[0].Shape[1].Size = 1 }, []string{"images of 1 channels, expected 3"}},
		"two at once":   {"vit/older", func(t *testing.T, m *onnx.Model) { m.Inputs[0].Shape[0].Size = 2 }, []string{"takes 2 images at once"}},
		"not square":    {"vit/older", func(t *testing.T, m *onnx.Model) { m.Inputs[0].Shape[3].Size = 25 }, []string{"expected squares"}},
		"too large":     {"vit/any-size", func(t *testing.T, m *onnx.Model) { m.Inputs[0].Shape[2].Size, m.Inputs[0].Shape[3].Size = 1<<20, 1<<20 }, []string{"images of side 1048576, expected 1 to"}},
		"another size":  {"vit/any-size", func(t *testing.T, m *onnx.Model) { m.Inputs[0].Shape[2].Size, m.Inputs[0].Shape[3].Size = 30, 30 }, []string{"expected positions added"}},
		"which size":    {"dinov2/any-size", func(t *testing.T, m *onnx.Model) {}, []string{ErrSize.Error(), "preprocessor_config.json", "Options.Image"}},
		"no operations": {"vit/older", func(t *testing.T, m *onnx.Model) { m.Nodes = nil }, []string{"expected a convolution of the image"}},
	} {
		t.Run(name, func(t *testing.T) {
			m := exported(t, test.file)
			test.edit(t, m)
			_, err := Read(m, Options{})
			if err == nil {
				t.Fatal("the graph was read")
			}
			for _, want := range test.says {
				if !strings.Contains(err.Error(), want) {
					t.Errorf("error %q, want %q in it", err, want)
				}
			}
		})
	}
}

// content is everything that was found in a graph.
func content(t testing.TB, e *Encoder) string {
	t.Helper()
	c := *e
	c.Rest = nil
	return fmt.Sprintf("%+v", weightsOf(t, c))
}

// weightsOf replaces weights by their numbers.
func weightsOf(t testing.TB, e Encoder) []any {
	t.Helper()
	numbers := func(ws ...Weight) (all [][]float32) {
		for _, w := range ws {
			if w.Shape == nil {
				continue
			}
			v, err := w.Float32s()
			if err != nil {
				t.Fatal(err)
			}
			all = append(all, v)
		}
		return all
	}
	layer := func(l Layer) [][]float32 { return numbers(l.W, l.B) }
	all := []any{e.Image, e.Patch, e.Width, e.Heads, e.MLP, e.NormEps, e.Activation, e.PosGrid, e.Resampled, e.Reads,
		numbers(e.Front...), numbers(e.Registers, e.Positions, e.Norm.Scale, e.Norm.Shift), layer(e.Embed)}
	if e.PreNorm != nil {
		all = append(all, numbers(e.PreNorm.Scale, e.PreNorm.Shift))
	}
	if e.Head != nil {
		all = append(all, layer(*e.Head))
	}
	for _, b := range e.Blocks {
		all = append(all, numbers(b.Norm1.Scale, b.Norm1.Shift, b.Norm2.Scale, b.Norm2.Shift), layer(b.Q), layer(b.K), layer(b.V), layer(b.O), layer(b.Up), layer(b.Down))
		for _, s := range []*Weight{b.Scale1, b.Scale2} {
			if s != nil {
				all = append(all, numbers(*s))
			}
		}
	}
	return all
}

// computes lists the nodes from which the outputs are computed.
func computes(m *onnx.Model) map[string]bool {
	used := map[string]bool{}
	for _, v := range m.Outputs {
		used[v.Name] = true
	}
	for _, n := range slices.Backward(m.Nodes) {
		if slices.ContainsFunc(n.Outputs, func(name string) bool { return used[name] }) {
			for _, name := range n.Inputs {
				used[name] = true
			}
		}
	}
	return used
}

// TestNoMistake leaves out each operation of a graph in turn, and exchanges it for another. What is then read must be refused, or be
// something else than before: whatever the encoder is said to be, it is what the graph computes. Only operations that do nothing for one
// image may go unnoticed.
func TestNoMistake(t *testing.T) {
	harmless := []string{"Identity", "Cast", "Expand", "Dropout", // of types and batches
		"Where", "IsNaN"} // of a softmax that is never NaN
	for _, file := range []string{"vit/older", "vit/newer", "clip/int8-channel-asymmetric", "clip/older", "siglip/older", "dinov2/older", "dinov2/joined-heads",
		"dinov2_with_registers/newer", "deit/joined-chunk", "dinov2/resampled", "vit/older-eager-17"} {
		t.Run(file, func(t *testing.T) {
			original, err := Read(exported(t, file), Options{})
			if err != nil {
				t.Fatal(err)
			}
			same := content(t, original)
			base := exported(t, file)
			refused, differs := 0, 0
			try := func(what string, i int, edit func(m *onnx.Model, n *onnx.Node)) {
				m := *base
				m.Nodes = slices.Clone(base.Nodes)
				m.Outputs = slices.Clone(base.Outputs)
				n := &m.Nodes[i]
				n.Inputs, n.Attributes = slices.Clone(n.Inputs), maps.Clone(n.Attributes)
				edit(&m, n)
				e, err := Read(&m, Options{})
				switch {
				case err != nil || e.Head == nil || len(e.Rest) > 0:
					refused++
				case content(t, e) != same:
					differs++
				default:
					t.Errorf("%v: %s, and the encoder is the same", base.Nodes[i], what)
				}
			}
			used := computes(base)
			values, err := read(base, base.Inputs[0].Name, 3, original.Image)
			if err != nil {
				t.Fatal(err)
			}
			for i, n := range base.Nodes {
				if len(n.Outputs) == 0 || !used[n.Outputs[0]] || values.values[n.Outputs[0]].t == nil || slices.Contains(harmless, n.Op) {
					continue // what computes shapes shows in them
				}
				if v := values.values[n.Outputs[0]]; v.is(constant) || len(n.Inputs) == 0 {
					continue
				}
				nothing := (n.Op == "Reshape" || n.Op == "Unsqueeze" || n.Op == "Transpose" || n.Op == "Slice") &&
					slices.Equal(joinedShape(values.values[n.Outputs[0]].shape()), joinedShape(values.values[n.Inputs[0]].shape()))
				mask := n.Op == "Add" && values.values[n.Outputs[0]].t == values.values[n.Inputs[0]].t // of zeros
				if nothing || mask {
					continue
				}
				try("left out", i, func(m *onnx.Model, n *onnx.Node) { n.Op, n.Domain, n.Inputs = "Identity", "", n.Inputs[:1] })
				for _, op := range []string{"Add", "Mul", "Sub", "Div"} {
					if slices.Contains([]string{"Add", "Mul", "Sub", "Div"}, n.Op) && op != n.Op {
						try("made "+op, i, func(m *onnx.Model, n *onnx.Node) { n.Op = op })
					}
				}
				if slices.Contains([]string{"Sub", "Div", "MatMul"}, n.Op) {
					try("inputs exchanged", i, func(m *onnx.Model, n *onnx.Node) { n.Inputs[0], n.Inputs[1] = n.Inputs[1], n.Inputs[0] })
				}
				if perm := n.Attributes["perm"].Ints; n.Op == "Transpose" && len(perm) > 2 {
					try("transposed otherwise", i, func(m *onnx.Model, n *onnx.Node) {
						p := slices.Clone(perm)
						p[len(p)-1], p[len(p)-2] = p[len(p)-2], p[len(p)-1]
						n.Attributes["perm"] = onnx.Attribute{Ints: p}
					})
				}
			}
			if refused < 40 {
				t.Errorf("%d changes refused, expected dozens", refused)
			}
			t.Logf("%d changes refused, %d read as another encoder", refused, differs)
		})
	}
}

// FuzzRead changes graphs at random: they are read or refused, in bounded time and memory.
func FuzzRead(f *testing.F) {
	names := []string{"vit/older", "clip/int8-channel", "dinov2/resampled", "dinov2_with_registers/newer", "vit/attention-23", "deit/joined-chunk"}
	var files [][]byte
	for _, name := range names {
		files = append(files, exportedFile(f, name))
	}
	for seed := range uint64(40) {
		f.Add(seed, uint8(seed))
	}
	f.Fuzz(func(t *testing.T, seed uint64, which uint8) {
		m, err := onnx.Parse(files[int(which)%len(files)])
		if err != nil {
			t.Fatal(err)
		}
		rng := rand.New(rand.NewPCG(seed, 1))
		for range 1 + rng.IntN(4) {
			n := &m.Nodes[rng.IntN(len(m.Nodes))]
			o := m.Nodes[rng.IntN(len(m.Nodes))]
			switch rng.IntN(6) {
			case 0:
				n.Op, n.Domain = o.Op, o.Domain
			case 1:
				n.Inputs = slices.Clone(o.Inputs)
			case 2:
				n.Attributes = o.Attributes
			case 3:
				if len(n.Inputs) > 0 {
					n.Inputs = n.Inputs[:rng.IntN(len(n.Inputs))]
				}
			case 4:
				if len(n.Inputs) > 0 && len(o.Outputs) > 0 {
					n.Inputs[rng.IntN(len(n.Inputs))] = o.Outputs[0]
				}
			case 5:
				n.Attributes = map[string]onnx.Attribute{"axis": {Int: new(rng.Int64N(9) - 4)}, "axes": {Ints: []int64{rng.Int64N(9) - 4}},
					"perm": {Ints: []int64{rng.Int64N(3), rng.Int64N(3), rng.Int64N(3)}}}
			}
		}
		for _, side := range []int{0, 25} {
			e, err := Read(m, Options{Image: side})
			if err != nil {
				if !strings.HasPrefix(err.Error(), "onnx: ") {
					t.Errorf("error %v", err)
				}
				continue
			}
			weightsOf(t, *e)
		}
	})
}

// FuzzFile reads files of any bytes.
func FuzzFile(f *testing.F) {
	f.Add(exportedFile(f, "vit/anonymous"))
	f.Fuzz(func(t *testing.T, file []byte) {
		if m, err := onnx.Parse(file); err == nil {
			Read(m, Options{})
		}
	})
}
