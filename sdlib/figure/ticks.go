package figure

import (
	"math"
	"strconv"
	"strings"

	"gonum.org/v1/plot"
)

const minus = "\u2212" // the true minus sign

// numberTicks places tick marks at multiples of 1, 2, 2.5 or 5 times a power of
// ten. It implements plot.Ticker.
type numberTicks struct {
	count   int  // at most so many labels
	integer bool // only whole numbers
}

func (t numberTicks) Ticks(low, high float64) []plot.Tick {
	step := t.step(low, high)
	if step == 0 {
		return nil
	}
	label := labels(low, high, step)
	var ticks []plot.Tick
	slack := step * 1e-6
	for i := math.Ceil((low - slack) / step); i*step <= high+slack; i++ {
		ticks = append(ticks, plot.Tick{Value: i * step, Label: label(i * step)})
		if len(ticks) > 1000 { // at the edge of float64 the step is lost in the value
			return ticks[:1]
		}
	}
	return ticks
}

// labels returns how one axis writes its ticks: all with the same digits after
// the point, and with one power of ten where they are very large or very small.
func labels(low, high, step float64) func(v float64) string {
	largest := max(math.Abs(low), math.Abs(high))
	if largest < 1e6 && largest >= 1e-3 && decimalsOf(step) <= 5 {
		decimals := decimalsOf(step)
		return func(v float64) string { return number(v, decimals) }
	}
	power := math.Floor(math.Log10(largest))
	unit := math.Pow(10, power)
	decimals := decimalsOf(step / unit)
	exponent := "e" + strings.Replace(strconv.Itoa(int(power)), "-", minus, 1)
	return func(v float64) string {
		if math.Abs(v) < step/2 {
			return "0"
		}
		return number(v/unit, decimals) + exponent
	}
}

// step returns the smallest allowed step that makes no more than count ticks, or
// 0 for a range that is empty or too narrow to divide.
func (t numberTicks) step(low, high float64) float64 {
	span := high - low
	if !(span > 1e-290) || span < 1e-9*max(math.Abs(low), math.Abs(high)) || math.IsInf(span, 0) {
		return 0
	}
	count := max(t.count, 2)
	for power := math.Floor(math.Log10(span/float64(count))) - 1; ; power++ {
		unit := math.Pow(10, power)
		for _, m := range []float64{1, 2, 2.5, 5} {
			step := m * unit
			if t.integer && step != math.Trunc(step) {
				continue
			}
			if math.Floor(high/step+1e-6)-math.Ceil(low/step-1e-6)+1 <= float64(count) {
				return step
			}
		}
	}
}

// decimalsOf returns the digits after the point that multiples of step need.
func decimalsOf(step float64) int {
	for d := 0; d < 12; d++ {
		scaled := step * math.Pow(10, float64(d))
		if math.Abs(scaled-math.Round(scaled)) < 1e-6*scaled {
			return d
		}
	}
	return 12
}

// number writes v for a reader: true minus, none before a zero, thousands apart
// by commas from 10,000 on.
func number(v float64, decimals int) string {
	s := strconv.FormatFloat(math.Abs(v), 'f', decimals, 64)
	if math.Abs(v) >= 1e4 && decimals == 0 {
		for i := len(s) - 3; i > 0; i -= 3 {
			s = s[:i] + "," + s[i:]
		}
	}
	if v < 0 && strings.Trim(s, "0.") != "" {
		return minus + s
	}
	return s
}

// nameTicks places one label per row or column, or every k-th of them where they
// would not fit. It implements plot.Ticker; position i is the value at(i).
type nameTicks struct {
	names []string
	every int
	at    func(i int) float64
}

func (t nameTicks) Ticks(_, _ float64) []plot.Tick {
	var ticks []plot.Tick
	for i := 0; i < len(t.names); i += max(t.every, 1) {
		ticks = append(ticks, plot.Tick{Value: t.at(i), Label: t.names[i]})
	}
	return ticks
}

// thin returns the k of "label every k-th of n" so that at most fit labels
// remain, from 1, 2, 5, 10, 20, 50 and so on.
func thin(n, fit int) int {
	fit = max(fit, 1)
	for unit := 1; ; unit *= 10 {
		for _, m := range []int{1, 2, 5} {
			if k := m * unit; (n+k-1)/k <= fit {
				return k
			}
		}
	}
}
