package attention

import (
	"encoding/binary"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"

	"gonum.org/v1/gonum/blas"
	"gonum.org/v1/gonum/blas/blas64"
)

// Resamples is how often [Analyze] draws the images anew for its intervals.
const Resamples = 1000

// An Interval holds 95 % bootstrap intervals (Efron's percentiles): images are drawn with
// replacement, as many labeled same and as many labeled different as there are, and the
// scores averaged over them; 95 % of these averages lie between Low and High.
type Interval struct {
	Low  Measures `json:"low"`
	High Measures `json:"high"`
	// LineLow and LineHigh are the same for the largest head of each block, [lines][L] in the
	// order of Lines, whichever head that is in a resample. The largest of several means is
	// too large on average, so where heads are as good as equal the interval may lie above the value.
	LineLow  [][]float64 `json:"line_low"`
	LineHigh [][]float64 `json:"line_high"`
}

// Bootstrap are the resamples behind the intervals, from which [Scores.Stages] learns how
// sure a peak is.
type Bootstrap struct {
	Resamples int    `json:"resamples"`
	Seed      uint64 `json:"seed"`
	// Maxima are the largest heads of each block in each resample: float32 in little-endian
	// order, [lines, R, L].
	Maxima []byte `json:"maxima,omitempty"`
}

// draws are resampled means, one after the other for each score: [scores, L, H, R]. What is
// not interesting, the shares and in discrimination the pairs apart, is left out.
type draws struct {
	means []float64
	r     int // R
}

// resampled are the means of resamples of all images, and of those of each label, nil for
// a label that no image has.
type resampled struct {
	p   *PerImage
	all *draws
	of  [2]*draws
	n   [2]int // images of each label
}

// resample draws the images of each label anew.
func (p *PerImage) resample(times int, seed uint64) (resampled, error) {
	d := resampled{p: p}
	if times < 1 {
		return d, fmt.Errorf("attention: %d resamples, expected 1 or more: Analyze draws %d", times, Resamples)
	}
	groups := 3
	if p.used() < perGroup {
		groups = 2 // the second pair is RMTS's
	}
	width := groups * perGroup * p.Blocks * p.Heads
	d.all = &draws{make([]float64, width*times), times}
	for label := range d.of {
		var rows []float64 // [n, width]
		n := 0
		for i, l := range p.Labels {
			if l == label {
				rows = append(rows, p.values[i*p.width():i*p.width()+width]...)
				n++
			}
		}
		if n == 0 {
			continue
		}
		rng := rand.New(rand.NewPCG(seed, uint64(label)))
		counts := make([]float64, times*n) // [R, n] how often a resample has an image, as a share
		for r := range times {
			for range n {
				counts[r*n+rng.IntN(n)] += 1 / float64(n)
			}
		}
		means := make([]float64, width*times)
		blas64.Gemm(blas.Trans, blas.Trans, 1, // rowsᵀ · countsᵀ
			blas64.General{Rows: n, Cols: width, Stride: width, Data: rows},
			blas64.General{Rows: times, Cols: n, Stride: n, Data: counts},
			0, blas64.General{Rows: width, Cols: times, Stride: times, Data: means})
		d.of[label], d.n[label] = &draws{means, times}, n
		share := float64(n) / float64(len(p.Images))
		for i, v := range means {
			d.all.means[i] += share * v
		}
	}
	return d, nil
}

// row returns the resamples of a score of one head: [R].
func (d *draws) row(p *PerImage, measure, l, h int) []float64 {
	at := ((measure*p.Blocks+l)*p.Heads + h) * d.r
	return d.means[at : at+d.r]
}

// interval returns the intervals of a group's measures.
func (d *draws) interval(p *PerImage, group int) Interval {
	var i Interval
	low, high := i.Low.fields(), i.High.fields()
	for k := range p.used() {
		*low[k], *high[k] = make([][]float64, p.Blocks), make([][]float64, p.Blocks)
		for l := range p.Blocks {
			for h := range p.Heads {
				from, to := middle95(slices.Clone(d.row(p, group+k, l, h)))
				(*low[k])[l], (*high[k])[l] = append((*low[k])[l], from), append((*high[k])[l], to)
			}
		}
	}
	for _, measure := range lineMeasures[:p.used()-1] {
		var lows, highs []float64
		for l := range p.Blocks {
			from, to := middle95(d.largest(p, group+measure, l))
			lows, highs = append(lows, from), append(highs, to)
		}
		i.LineLow, i.LineHigh = append(i.LineLow, lows), append(i.LineHigh, highs)
	}
	return i
}

// largest returns the largest head of a block in each resample: [R].
func (d *draws) largest(p *PerImage, measure, l int) []float64 {
	most := slices.Clone(d.row(p, measure, l, 0))
	for h := 1; h < p.Heads; h++ {
		for r, v := range d.row(p, measure, l, h) {
			most[r] = max(most[r], v)
		}
	}
	return most
}

// maxima returns what [Bootstrap].Maxima holds.
func (d resampled) maxima() []byte {
	var bytes []byte
	for _, measure := range lineMeasures[:d.p.used()-1] {
		lines := make([]float32, d.all.r*d.p.Blocks)
		for l := range d.p.Blocks {
			for r, v := range d.all.largest(d.p, measure, l) {
				lines[r*d.p.Blocks+l] = float32(v)
			}
		}
		for _, v := range lines {
			bytes = binary.LittleEndian.AppendUint32(bytes, math.Float32bits(v))
		}
	}
	return bytes
}

// middle95 returns the bounds between which 95 % of the values lie. It sorts them.
func middle95(values []float64) (low, high float64) {
	slices.Sort(values)
	cut := len(values) * 25 / 1000
	return values[cut], values[len(values)-1-cut]
}
