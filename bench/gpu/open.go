package main

import (
	"fmt"
	"math"
	"strings"

	"github.com/gomlx/gomlx/core/graph"
	"github.com/gomlx/gomlx/core/tensors"

	"samediff/sdlib/backend"
	"samediff/sdlib/vit"
)

// start opens the backend, or adds the row that says why not: missing where something is
// not here, no where all is here and does not work. The backend is then nil.
func (o options) start(name string) (*backend.Backend, error) {
	be, err := backend.Open(name)
	if err == nil {
		return be, nil
	}
	wrong, mend := backend.Explain(err)
	if mend == "" {
		return nil, o.results.add(row{what: "backend", config: name, ok: no, note: wrong})
	}
	return nil, o.results.add(row{what: "backend", config: name, ok: missing, note: wrong})
}

// open shows that the backend opens, and that it computes.
func (o options) open() error {
	be, err := o.start(o.backend)
	if be == nil {
		return err
	}
	note := fmt.Sprintf("PJRT %s; %s", be.Version, be.Plugin)
	if len(be.Missing) > 0 {
		note += "; missing: " + strings.Join(be.Missing, ", ")
	}
	if err := o.results.add(row{what: "backend", config: o.backend, ok: yes, note: note}); err != nil {
		return err
	}
	x := [][]float32{{1, 2}, {3, 4}}
	y, err := graph.CallOnce(be.Engine, func(x *graph.Node) *graph.Node { return graph.ReduceAllSum(graph.MatMul(x, x)) }, x)
	if err != nil {
		return o.results.add(row{what: "a product of two matrices", config: o.backend, ok: no, note: oneLine(err)})
	}
	const want = 7 + 10 + 15 + 22
	return o.results.within("a product of two matrices", o.backend, math.Abs(float64(tensors.ToScalar[float32](y))-want), "error", 0, "")
}

// A precision is how products are computed: on which backend, and by which precision of the model.
type precision string

const (
	f32  precision = "f32"
	tf32 precision = "tf32"
	bf16 precision = "bf16"
)

// on returns the backend to open for a precision, and the model's. A GPU has TF32 of its
// own, for a whole backend; elsewhere the model rounds as a GPU would.
func (p precision) on(name string) (string, vit.Precision) {
	switch {
	case p == bf16:
		return name, vit.BF16
	case p == tf32 && isGPU(name):
		return name + ",tf32=true", vit.F32
	case p == tf32:
		return name, vit.TF32
	}
	return name, vit.F32
}

// isGPU reports whether a backend is CUDA's, by name or by the path of its plugin, as go-xla does.
func isGPU(name string) bool {
	return strings.HasPrefix(name, "xla:") && strings.Contains(strings.ToLower(name), "cuda")
}

// oneLine is what an error says, without the stack trace that GoMLX's errors carry.
func oneLine(err error) string {
	line, _, _ := strings.Cut(strings.TrimSpace(err.Error()), "\n")
	return line
}
