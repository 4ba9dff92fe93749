package viewer

import (
	"fmt"
	"math"
)

// coded are the weights of one image in few bits. T tokens, of which F stand in front of P
// patches; a row is a token of a head, L·H·T of them.
//
// Weights of patches have 8 bits: level 255 of a row stands for its scale, the largest of
// them, rounded up to bfloat16, which adds less than 1/128. So a weight is off by at most
// half a level, scale/510, less than .2 % of the largest. Weights of tokens in front have 16
// bits, 65535 for 1, and are off by less than .00001. They are apart because what many heads
// park there would leave the patches few levels.
type coded struct {
	scales []bfloat16 // [L, H, T]
	front  []uint16   // [L, H, T, F]
	levels []uint8    // [L, H, T, P]
}

const (
	topLevel = math.MaxUint8
	topFront = math.MaxUint16
)

// newCoded makes room for rows.
func newCoded(rows, F, P int) coded {
	return coded{make([]bfloat16, 0, rows), make([]uint16, 0, rows*F), make([]uint8, 0, rows*P)}
}

// add appends rows of F + P weights each.
func (c *coded) add(rows []float32, F, P int) error {
	for ; len(rows) > 0; rows = rows[F+P:] {
		for _, w := range rows[:F+P] {
			if !(w >= 0 && w < 1.001) { // NaN too
				return fmt.Errorf("a weight is %g, expected 0 to 1: the model's weights are damaged or too large", w)
			}
		}
		for _, w := range rows[:F] {
			c.front = append(c.front, uint16(min(w*topFront+.5, topFront)))
		}
		patches, largest := rows[F:F+P], float32(0)
		for _, w := range patches {
			largest = max(largest, w)
		}
		scale := roundUp(largest)
		c.scales = append(c.scales, scale)
		levels := float32(0) // in a weight of 1
		if scale > 0 {
			levels = topLevel / scale.float()
		}
		for _, w := range patches {
			c.levels = append(c.levels, uint8(min(w*levels+.5, topLevel)))
		}
	}
	return nil
}

// weight returns what a level of a row stands for.
func weight(scale bfloat16, level uint8) float64 {
	return float64(scale.float()) * float64(level) / topLevel
}

// lowestLevel returns the lowest level of a row that stands for a weight of at least
// smallest, 256 if none does.
func lowestLevel(scale bfloat16, smallest float64) int {
	for level := int(min(smallest*topLevel/float64(scale.float()), topLevel)); level <= topLevel; level++ {
		if level > 0 && weight(scale, uint8(level)) >= smallest {
			return level
		}
	}
	return topLevel + 1
}

// bfloat16 is a float32 without its last 16 bits.
type bfloat16 uint16

// roundUp returns the smallest bfloat16 that is no smaller than x ≥ 0.
func roundUp(x float32) bfloat16 { return bfloat16((math.Float32bits(x) + 0xffff) >> 16) }

func (b bfloat16) float() float32 { return math.Float32frombits(uint32(b) << 16) }
