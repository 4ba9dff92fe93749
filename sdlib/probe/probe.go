package probe

import (
	"fmt"
	"math"

	"gonum.org/v1/gonum/blas"
	"gonum.org/v1/gonum/blas/blas64"

	"samediff/sdlib/finetune"
)

// A Probe is a linear classifier: its logits are W x + b.
type Probe struct {
	Place  string    // where it reads
	Weight []float32 // W, [C, F] row-major
	Bias   []float32 // b, [C]
}

// Width returns F.
func (p Probe) Width() int { return len(p.Weight) / len(p.Bias) }

// Row returns the weights of class c, a direction in the features, without copying them.
func (p Probe) Row(c int) []float32 { return p.Weight[c*p.Width() : (c+1)*p.Width()] }

// rowsAtOnce is how many items are classified together.
const rowsAtOnce = 256

// Classify returns the class of the largest logit of each item.
func (p Probe) Classify(x Features) ([]int, error) {
	if x.Width() != p.Width() {
		return nil, fmt.Errorf("probe: the probe of %s reads %d numbers, there are %d: it belongs to another model", p.Place, p.Width(), x.Width())
	}
	C := len(p.Bias)
	w := general(C, p.Width(), p.Weight)
	z := blas64.General{Rows: rowsAtOnce, Cols: C, Stride: C, Data: make([]float64, rowsAtOnce*C)}
	var classes []int
	for at := 0; at < x.Len(); at += rowsAtOnce {
		rows := matrix(x, at, min(at+rowsAtOnce, x.Len()))
		for i := range z.Data {
			z.Data[i] = float64(p.Bias[i%C])
		}
		z.Rows = rows.Rows
		blas64.Gemm(blas.NoTrans, blas.Trans, 1, rows, w, 1, z)
		for i := range rows.Rows {
			logits, best := z.Data[i*C:(i+1)*C], 0
			for c, v := range logits {
				if v > logits[best] {
					best = c
				}
			}
			classes = append(classes, best)
		}
	}
	return classes, nil
}

// Scores says how many items a probe gets right: of all, and of each part that has a name.
type Scores struct {
	All   finetune.Score            `json:"all"`
	Parts map[string]finetune.Score `json:"parts,omitempty"` // by pair and by kind: "sample", "shape-only"
}

// Score tests a probe on items.
func (p Probe) Score(x Features, s Items) (Scores, error) {
	if x.Len() != len(s.All) {
		return Scores{}, fmt.Errorf("probe: features of %d items, there are %d", x.Len(), len(s.All))
	}
	got, err := p.Classify(x)
	if err != nil {
		return Scores{}, err
	}
	all := Scores{Parts: map[string]finetune.Score{}}
	for i, item := range s.All {
		right := 0
		if got[i] == item.Class {
			right = 1
		}
		all.All.N++
		all.All.Correct += right
		for _, part := range []string{item.Pair, string(item.Kind)} {
			if part != "" {
				all.Parts[part] = finetune.Score{N: all.Parts[part].N + 1, Correct: all.Parts[part].Correct + right}
			}
		}
	}
	return all, nil
}

// matrix copies the features of items from..to-1, [to-from, F].
func matrix(x Features, from, to int) blas64.General {
	F := x.Width()
	m := blas64.General{Rows: to - from, Cols: F, Stride: F, Data: make([]float64, (to-from)*F)}
	row := make([]float32, F)
	for i := range to - from {
		x.Row(row, from+i)
		for k, v := range row {
			m.Data[i*F+k] = float64(v)
		}
	}
	return m
}

// general copies a row-major matrix.
func general(rows, cols int, flat []float32) blas64.General {
	m := blas64.General{Rows: rows, Cols: cols, Stride: cols, Data: make([]float64, len(flat))}
	for i, v := range flat {
		m.Data[i] = float64(v)
	}
	return m
}

// norm is the Euclidean norm.
func norm(x []float32) float64 { return math.Sqrt(dot(x, x)) }

func dot(x, y []float32) (sum float64) {
	for i := range x {
		sum += float64(x[i]) * float64(y[i])
	}
	return sum
}

// cosine is the cosine of the angle between two directions, 0 where one has no length.
func cosine(x, y []float32) float64 {
	if n := norm(x) * norm(y); n > 0 {
		return dot(x, y) / n
	}
	return 0
}
