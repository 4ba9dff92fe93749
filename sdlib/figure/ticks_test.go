package figure

import (
	"math"
	"slices"
	"testing"
)

func TestNumberTicks(t *testing.T) {
	for _, c := range []struct {
		low, high float64
		count     int
		integer   bool
		want      []string
	}{
		{0, 1, 6, false, []string{"0.0", "0.2", "0.4", "0.6", "0.8", "1.0"}},
		{0, 1, 5, false, []string{"0.00", "0.25", "0.50", "0.75", "1.00"}},
		{-1, 1, 5, false, []string{"−1.0", "−0.5", "0.0", "0.5", "1.0"}},
		{0, 3, 8, true, []string{"0", "1", "2", "3"}},
		{-0.4, 11.4, 6, true, []string{"0", "2", "4", "6", "8", "10"}},
		{0, 30000, 4, false, []string{"0", "10,000", "20,000", "30,000"}},
		{0, 2e7, 3, false, []string{"0", "1e7", "2e7"}},
		{-2e-5, 2e-5, 3, false, []string{"−2e−5", "0", "2e−5"}},
		{5, 5, 5, false, nil},
		{math.Inf(-1), 5, 5, false, nil},
	} {
		var got []string
		for _, tick := range (numberTicks{count: c.count, integer: c.integer}).Ticks(c.low, c.high) {
			got = append(got, tick.Label)
		}
		if !slices.Equal(got, c.want) {
			t.Errorf("ticks of [%g, %g], at most %d: %q, expected %q", c.low, c.high, c.count, got, c.want)
		}
	}
}

// Whatever the range: not more ticks than asked for, all inside, no label twice.
func FuzzNumberTicks(f *testing.F) {
	f.Add(0.0, 1.0, 5, false)
	f.Add(-1e300, 1e300, 7, false)
	f.Add(1.0, 1.0000000000000002, 5, true)
	f.Add(1e-320, 3e-320, 5, false)
	f.Fuzz(func(t *testing.T, low, high float64, count int, integer bool) {
		count = 2 + max(count, -count)%30
		ticks := numberTicks{count: max(count, 2), integer: integer}.Ticks(low, high)
		if len(ticks) > max(count, 2) {
			t.Fatalf("%d ticks in [%g, %g], expected at most %d", len(ticks), low, high, count)
		}
		seen := map[string]bool{}
		for _, tick := range ticks {
			if slack := (high - low) * 1e-3; tick.Value < low-slack || tick.Value > high+slack {
				t.Fatalf("tick %g is outside of [%g, %g]", tick.Value, low, high)
			}
			if seen[tick.Label] {
				t.Fatalf("label %q stands twice in [%g, %g]", tick.Label, low, high)
			}
			seen[tick.Label] = true
		}
	})
}

func TestThin(t *testing.T) {
	for _, c := range []struct{ n, fit, want int }{{12, 12, 1}, {12, 11, 2}, {197, 20, 10}, {197, 40, 5}, {5, 0, 5}, {1000, 3, 500}} {
		if got := thin(c.n, c.fit); got != c.want {
			t.Errorf("thin(%d, %d) = %d, expected %d", c.n, c.fit, got, c.want)
		}
	}
}

func TestWrap(t *testing.T) {
	sty := style(10)
	for _, c := range []struct{ in, want string }{
		{"", ""},
		{"word", "word"},
		{"one two three", "one two\nthree"},
		{"unbreakably long", "unbreakably\nlong"},
		{"kept\nbreak", "kept\nbreak"},
	} {
		if got := wrap(c.in, sty, 45); got != c.want {
			t.Errorf("wrap(%q) = %q, expected %q", c.in, got, c.want)
		}
	}
}

func TestPanelLetter(t *testing.T) {
	for i, want := range map[int]string{0: "a", 25: "z", 26: "aa", 27: "ab", 52: "ba"} {
		if got := panelLetter(i); got != want {
			t.Errorf("panel %d is %q, expected %q", i, got, want)
		}
	}
}
