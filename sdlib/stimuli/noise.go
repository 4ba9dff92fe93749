package stimuli

import "math"

// The noise of a pixel's channel is a Gaussian, drawn by its inverse distribution function from a table: slice k of
// normalSlices equal slices of probability stands for its median, Φ⁻¹((k+½)/normalSlices). The farthest is 4.0
// standard deviations out.
const (
	normalBits   = 14
	normalSlices = 1 << normalBits
	normalUnit   = 1 << 16 // the table's unit: 1/65,536 of a standard deviation
)

// normalTable holds the slices' medians as integers. A test checks that none lies so near a rounding boundary that
// the last bit of math.Erfinv, which may differ between processors, could matter.
var normalTable = func() (table [normalSlices]int64) {
	for k := range table {
		table[k] = int64(math.Floor(normalMedian(k)*normalUnit + .5))
	}
	return table
}()

// normalMedian is Φ⁻¹((k+½)/normalSlices) = √2·erf⁻¹(2p-1).
func normalMedian(k int) float64 {
	return math.Sqrt2 * math.Erfinv((2*float64(k)+1)/normalSlices-1)
}

// A noise maps 14 random bits to what is added to a color's channel.
type noise [normalSlices]int16

// newNoise scales the table to a standard deviation, rounded to 1/1,024, and rounds down: the original truncates
// mean + noise to a byte, and for a whole mean that is the mean plus the noise rounded down.
func newNoise(sd float64) *noise {
	n := new(noise)
	scale := int64(math.Floor(sd*1024 + .5))
	for k, z := range normalTable {
		n[k] = int16(z * scale >> (16 + 10))
	}
	return n
}

// pixel writes one noisy pixel, channel = clip(mean + noise, 0, top). A draw of 64 bits feeds all three channels.
func (n *noise) pixel(dst []uint8, mean [3]int16, draw uint64, top int16) {
	_ = dst[2]
	dst[0] = uint8(min(max(mean[0]+n[draw>>50], 0), top))
	dst[1] = uint8(min(max(mean[1]+n[draw>>36&(normalSlices-1)], 0), top))
	dst[2] = uint8(min(max(mean[2]+n[draw>>22&(normalSlices-1)], 0), top))
}
