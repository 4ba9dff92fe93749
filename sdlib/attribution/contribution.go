package attribution

import (
	"math"

	"samediff/sdlib/vit"
)

// A Contribution takes the answer to one image apart, or the mean over several: what each
// part of the model writes directly into the difference of the logits, same minus
// different,
//
//	Logit = Embed + Σ_l (Σ_h Heads[l][h] + MLP[l]) + Rest
type Contribution struct {
	Logit float64     `json:"logit"` // same minus different
	Embed float64     `json:"embed"` // patches, special tokens and positions
	Heads [][]float64 `json:"heads"` // [L][H]
	MLP   []float64   `json:"mlp"`   // [L]
	Rest  float64     `json:"rest"`  // biases: of attention's output layers, of the final norm, of the head
}

// HeadSum adds up the contributions of all heads.
func (c Contribution) HeadSum() float64 {
	sum := 0.0
	for _, heads := range c.Heads {
		sum += total(heads)
	}
	return sum
}

// MLPSum adds up the contributions of all MLPs.
func (c Contribution) MLPSum() float64 { return total(c.MLP) }

// Strongest returns the head with the contribution of largest magnitude.
func (c Contribution) Strongest() vit.Head {
	var best vit.Head
	largest := -1.0
	for l, heads := range c.Heads {
		for h, v := range heads {
			if v = math.Abs(v); v > largest {
				largest, best = v, vit.Head{Block: l, Head: h}
			}
		}
	}
	return best
}

// Minus returns the difference of two contributions of one model, part by part: what sets
// one image, or the mean over some, apart from another.
func (c Contribution) Minus(o Contribution) Contribution { return c.plus(-1, o) }

// Mean averages contributions of one model over images.
func Mean(all []Contribution) Contribution {
	var mean Contribution
	if len(all) > 0 {
		mean.MLP, mean.Heads = make([]float64, len(all[0].MLP)), make([][]float64, len(all[0].Heads))
		for l, heads := range all[0].Heads {
			mean.Heads[l] = make([]float64, len(heads))
		}
	}
	for _, c := range all {
		mean = mean.plus(1/float64(len(all)), c)
	}
	return mean
}

// plus returns c + f·o.
func (c Contribution) plus(f float64, o Contribution) Contribution {
	sum := Contribution{Logit: c.Logit + f*o.Logit, Embed: c.Embed + f*o.Embed, Rest: c.Rest + f*o.Rest, MLP: added(c.MLP, f, o.MLP)}
	for l := range c.Heads {
		sum.Heads = append(sum.Heads, added(c.Heads[l], f, o.Heads[l]))
	}
	return sum
}

// added returns x + f·y.
func added(x []float64, f float64, y []float64) []float64 {
	sum := make([]float64, len(x))
	for i := range x {
		sum[i] = x[i] + f*y[i]
	}
	return sum
}

func total(x []float64) float64 {
	sum := 0.0
	for _, v := range x {
		sum += v
	}
	return sum
}
