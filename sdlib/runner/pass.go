package runner

import (
	"context"
	"errors"
	"fmt"

	. "github.com/gomlx/gomlx/core/graph"
	"github.com/gomlx/gomlx/core/tensors"

	"samediff/sdlib/backend"
	"samediff/sdlib/progress"
	"samediff/sdlib/vit"
)

// A Pass is a computation over batches: a name and a graph function of a configuration,
// parameters, weights and inputs. P says what else the graph depends on; struct{} is nothing.
type Pass[P comparable] struct {
	name  string
	graph Func[P]
}

// Func builds a pass's graph. The inputs in are those that [Work].Feed returns; outputs
// have the batch as their first axis, unless Take knows better.
type Func[P comparable] func(c vit.Config, params P, w *vit.Weights[*Node], in []*Node) []*Node

// New returns a pass. The name appears in progress and in errors. graph must capture nothing.
func New[P comparable](name string, graph Func[P]) *Pass[P] { return &Pass[P]{name, graph} }

// Work is what a pass is run on.
type Work struct {
	N int // number of items
	// Feed returns the inputs of a batch, tensors or Go slices. Every batch of a call has the
	// same number of items; in the last one the last item may be repeated. It may run while an
	// earlier batch is computed, and never twice at the same time. Tensors are freed after use,
	// unless Hold says that Feed keeps them.
	Feed func(items []int) ([]any, error)
	Hold bool
	// Common are further inputs, behind those of Feed, that all batches share.
	Common []any
	// Take is handed a batch's outputs, whose first len(items) rows count. The tensors are
	// freed when it returns.
	Take func(items []int, out []*tensors.Tensor) error

	Bytes  int           // that the pass needs for each item beside the forward pass, such as values that it returns
	Batch  int           // items in a batch; 0 leaves it to Size
	Unit   string        // of progress, a plural; "" is "images"
	Report progress.Func // may be nil
}

// Run streams the work through the pass for one model. It stops between batches when ctx
// ends, with ctx's error.
func (p *Pass[P]) Run(ctx context.Context, be *backend.Backend, m *vit.Model, params P, work Work) error {
	if work.N < 1 {
		return fmt.Errorf("%s: no %s to run: expected at least one", p.name, work.unit())
	}
	if work.Batch < 0 {
		return fmt.Errorf("%s: batches of %d %s, expected a positive number, or 0 for the size that fits", p.name, work.Batch, work.unit())
	}
	prog, release, err := p.program(be, m.Config, params)
	if err != nil {
		return fmt.Errorf("%s: %w", p.name, err)
	}
	defer release()
	meter := progress.New(p.name, work.unit(), work.N, work.Report)
	defer meter.Finish("")

	common := make([]any, len(work.Common)) // on the device once
	for i, in := range work.Common {
		if _, ok := in.(*tensors.Tensor); ok {
			common[i] = in
			continue
		}
		x, err := tensors.FromAnyValue(in)
		if err != nil {
			return fmt.Errorf("%s: common input %d: %w", p.name, i, err)
		}
		defer x.FinalizeAll()
		common[i] = x
	}
	size := work.Batch
	if size == 0 {
		size = Size(m.Config, work.N, work.Bytes)
	}
	next := ahead(work, size)
	defer next.stop()
	for done := 0; done < work.N; {
		if err := ctx.Err(); err != nil {
			return err
		}
		b := <-next.batches
		if b.err != nil {
			return fmt.Errorf("%s: %w", p.name, b.err)
		}
		out, err := prog.run(m, append(b.inputs[:len(b.inputs):len(b.inputs)], common...))
		next.free(b)
		if err != nil {
			return fmt.Errorf("%s: %w", p.name, err)
		}
		err = work.Take(b.items, out)
		for _, x := range out {
			err = errors.Join(err, x.FinalizeAll())
		}
		if err != nil {
			return fmt.Errorf("%s: %w", p.name, err)
		}
		done += len(b.items)
		meter.Set(done, "")
	}
	return nil
}

func (w Work) unit() string {
	if w.Unit == "" {
		return "images"
	}
	return w.Unit
}

// Rows returns the first n rows of an output [B, ...], each as its numbers in row-major order.
func Rows[T float32 | float64 | int32](x *tensors.Tensor, n int) ([][]T, error) {
	if x.Rank() == 0 || x.Shape().Dim(0) < n {
		return nil, fmt.Errorf("a result has the shape %s, expected at least %d rows", x.Shape(), n)
	}
	flat, err := tensors.CopyFlatData[T](x)
	if err != nil {
		return nil, fmt.Errorf("fetch a result of shape %s: %w", x.Shape(), err)
	}
	width := len(flat) / x.Shape().Dim(0)
	rows := make([][]T, n)
	for i := range rows {
		rows[i] = flat[i*width : (i+1)*width : (i+1)*width]
	}
	return rows, nil
}
