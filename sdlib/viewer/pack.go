package viewer

import (
	"bytes"
	"compress/gzip"
	"encoding/binary"
	"errors"
	"fmt"
	"io"

	"samediff/sdlib/vit"
)

// In the list of a row's kept weights, what stands between them:
const (
	skipMore = 254 // 254 weights were left out, and the next byte goes on
	rowEnd   = 255 // all others were left out
)

// pack returns the weights that are kept, as the gzip of five parts in sequence:
//
//	scales   bfloat16 [L, H, T], little endian
//	front    uint16 [L, H, T, F], little endian
//	levels   uint8 [L, H, W, P], of the W tokens whose rows are kept whole, in the order of tokens
//	gaps     of the other rows: for each weight kept, how many were left out before it
//	levels   of those weights
//
// whole marks tokens, [T].
func (c coded) pack(whole []bool, smallest float64) ([]byte, error) {
	var packed, gaps, listed bytes.Buffer
	z := gzip.NewWriter(&packed)
	if err := errors.Join(binary.Write(z, binary.LittleEndian, c.scales), binary.Write(z, binary.LittleEndian, c.front)); err != nil {
		return nil, err
	}
	T, P := len(whole), len(c.levels)/len(c.scales)
	for r, scale := range c.scales {
		row := c.levels[r*P : (r+1)*P]
		if whole[r%T] {
			if _, err := z.Write(row); err != nil {
				return nil, err
			}
			continue
		}
		lowest, gap := lowestLevel(scale, smallest), 0
		for _, level := range row {
			if int(level) < lowest {
				gap++
				continue
			}
			for ; gap >= skipMore; gap -= skipMore {
				gaps.WriteByte(skipMore)
			}
			gaps.WriteByte(byte(gap))
			listed.WriteByte(level)
			gap = 0
		}
		gaps.WriteByte(rowEnd)
	}
	_, err := io.Copy(z, io.MultiReader(&gaps, &listed))
	err = errors.Join(err, z.Close()) // which writes the rest
	return packed.Bytes(), err
}

// unpack reads what pack wrote, for so many rows with F weights in front; weights that were
// left out have level 0.
func unpack(packed []byte, rows, F int, whole []bool) (coded, error) {
	T, P := len(whole), len(whole)-F
	c := coded{make([]bfloat16, rows), make([]uint16, rows*F), make([]uint8, rows*P)}
	z, err := gzip.NewReader(bytes.NewReader(packed))
	if err != nil {
		return c, err
	}
	if err := errors.Join(binary.Read(z, binary.LittleEndian, c.scales), binary.Read(z, binary.LittleEndian, c.front)); err != nil {
		return c, err
	}
	for r := range rows {
		if whole[r%T] {
			if _, err := io.ReadFull(z, c.levels[r*P:(r+1)*P]); err != nil {
				return c, err
			}
		}
	}
	rest, err := io.ReadAll(z)
	if err != nil {
		return c, err
	}
	var places []int // of the weights listed, in levels
	next := 0
	for r := range rows {
		for at := r * P; !whole[r%T]; {
			if next >= len(rest) {
				return c, io.ErrUnexpectedEOF
			}
			gap := int(rest[next])
			next++
			if gap == rowEnd {
				break
			}
			at += gap
			if gap == skipMore {
				continue
			}
			if at >= (r+1)*P {
				return c, fmt.Errorf("a weight behind the end of row %d", r)
			}
			places = append(places, at)
			at++
		}
	}
	if listed := rest[next:]; len(listed) != len(places) {
		return c, fmt.Errorf("%d weights at %d places", len(listed), len(places))
	}
	for i, at := range places {
		c.levels[at] = rest[next+i]
	}
	return c, nil
}

// Weights are the weights of one image as the page shows them.
type Weights struct {
	coded
	heads, front int    // H, F
	whole        []bool // [T]
}

// Weights unpacks the weights of an image, counted in Images.
func (d *Data) Weights(image int) (*Weights, error) {
	if image < 0 || image >= len(d.Images) {
		return nil, fmt.Errorf("viewer: there is no image %d: expected 0 to %d", image, len(d.Images)-1)
	}
	im := d.Images[image]
	whole := d.whole(im)
	c, err := unpack(im.Packed, d.Blocks*d.Heads*len(whole), len(d.Front), whole)
	if err != nil {
		return nil, fmt.Errorf("viewer: the weights of image %d are damaged: %w: collect them again", image, err)
	}
	return &Weights{c, d.Heads, len(d.Front), whole}, nil
}

// Row returns how much token query of a head reads from each token: [T]. What was not kept
// of a row is spread evenly over the tokens that it would have gone to, so rows sum to 1
// but for rounding.
func (w *Weights) Row(h vit.Head, query int) ([]float64, error) {
	T := len(w.whole)
	if blocks := len(w.scales) / T / w.heads; h.Block < 0 || h.Block >= blocks || h.Head < 0 || h.Head >= w.heads {
		return nil, fmt.Errorf("viewer: there is no %s: expected one of %d blocks of %d heads", h, blocks, w.heads)
	}
	if query < 0 || query >= T {
		return nil, fmt.Errorf("viewer: there is no token %d: expected 0 to %d", query, T-1)
	}
	r, F, P := (h.Block*w.heads+h.Head)*T+query, w.front, T-w.front
	row, rest, left := make([]float64, T), 1., 0
	for t := range F {
		row[t] = float64(w.coded.front[r*F+t]) / topFront
		rest -= row[t]
	}
	for p, level := range w.levels[r*P : (r+1)*P] {
		row[F+p] = weight(w.scales[r], level)
		rest -= row[F+p]
		if level == 0 {
			left++
		}
	}
	if !w.whole[query] {
		for p, level := range w.levels[r*P : (r+1)*P] {
			if level == 0 {
				row[F+p] = max(rest, 0) / float64(left)
			}
		}
	}
	return row, nil
}
