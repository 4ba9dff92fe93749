package stimuli

import (
	"math"
	"testing"
)

// TestNormalTable checks the table's mean, standard deviation and symmetry, and that every entry is far enough from a
// rounding boundary to be the same on processors whose math.Erfinv differs in its last bits.
func TestNormalTable(t *testing.T) {
	var sum, squares float64
	for k, z := range normalTable {
		v := float64(z) / normalUnit
		sum += v
		squares += v * v
		if exact := normalMedian(k)*normalUnit + .5; math.Abs(exact-math.Round(exact)) < 1e-7 {
			t.Errorf("slice %d: %.12f is too near a rounding boundary", k, exact)
		}
		if mirrored := normalTable[normalSlices-1-k]; z != -mirrored {
			t.Errorf("slices %d and %d are %d and %d, want opposite", k, normalSlices-1-k, z, mirrored)
		}
	}
	sd := math.Sqrt(squares / normalSlices)
	if math.Abs(sum) > 1e-6 || math.Abs(sd-1) > 1e-3 {
		t.Errorf("mean %g and standard deviation %g, want 0 and 1", sum/normalSlices, sd)
	}
}

// TestPixelNoise draws a middle gray and compares it with the original's floor(128 + 10·z): mean 127.5 (rounding
// down costs half a level), standard deviation 10 (and the rounding's 1/√12).
func TestPixelNoise(t *testing.T) {
	n := newNoise(DefaultNoiseSD)
	random := newStream(1)
	const draws = 200000
	var sum, squares [3]float64
	for range draws {
		var rgb [3]uint8
		n.pixel(rgb[:], [3]int16{128, 128, 128}, random.next(), DefaultClip)
		for c, v := range rgb {
			sum[c] += float64(v)
			squares[c] += float64(v) * float64(v)
		}
	}
	for c := range sum {
		mean := sum[c] / draws
		sd := math.Sqrt(squares[c]/draws - mean*mean)
		if math.Abs(mean-127.5) > .15 || math.Abs(sd-math.Sqrt(100+1./12)) > .1 {
			t.Errorf("channel %d: mean %.3f, standard deviation %.3f, want 127.5 and 10.004", c, mean, sd)
		}
	}
}

func TestPixelClip(t *testing.T) {
	n := newNoise(255)
	random := newStream(2)
	var low, high bool
	for range 1000 {
		var rgb [3]uint8
		n.pixel(rgb[:], [3]int16{0, 128, 255}, random.next(), DefaultClip)
		for _, v := range rgb {
			if v > DefaultClip {
				t.Fatalf("level %d is above the clip of %d", v, DefaultClip)
			}
		}
		low = low || rgb[0] == 0
		high = high || rgb[2] == DefaultClip
	}
	if !low || !high {
		t.Errorf("clipped at 0: %v, at %d: %v, want both", low, DefaultClip, high)
	}
}

// TestStream compares the generator with the reference SplitMix64 (seed 1234567, the widely published vector of
// java.util.SplittableRandom and of Vigna's splitmix64.c) and checks that below is uniform.
func TestStream(t *testing.T) {
	s := stream{1234567}
	for i, want := range []uint64{6457827717110365317, 3203168211198807973, 9817491932198370423} {
		if got := s.next(); got != want {
			t.Errorf("number %d is %d, want %d", i, got, want)
		}
	}
	var counts [7]int
	for range 70000 {
		counts[s.below(7)]++
	}
	for v, count := range counts {
		if count < 9600 || count > 10400 { // 10,000 ± 4.3 standard deviations
			t.Errorf("below(7) gave %d %d times of 70,000", v, count)
		}
	}
	if newStream(1, 2) == newStream(2, 1) || newStream(1) == newStream(1, 0) {
		t.Error("streams with different paths are equal")
	}
}
