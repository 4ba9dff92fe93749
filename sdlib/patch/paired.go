package patch

import "math"

// Change returns by how much the intervention changes the accuracy, negative for a loss,
// with a 95 % interval. The same images are asked with and without it, so the answers
// are pairs, and only the images whose answer changes from right to wrong or back say
// something: with n images, L lost and W won, the change is (W - L)/n. The interval is
// Bonett and Price's adjusted Wald interval for paired proportions (2012, "Adjusted Wald
// confidence interval for a difference of binomial proportions based on paired data"):
//
//	l = (L+1)/(n+2), w = (W+1)/(n+2)
//	w - l ± 1.96 √((w + l - (w - l)²)/(n+2))
func (e Effect) Change() (change, low, high float64) {
	const z = 1.959963984540054 // Φ(z) = .975
	n := float64(e.Base.N)
	if n == 0 {
		return 0, -1, 1
	}
	l, w := (float64(e.Lost)+1)/(n+2), (float64(e.Won)+1)/(n+2)
	spread := z * math.Sqrt((w+l-(w-l)*(w-l))/(n+2))
	return float64(e.Won-e.Lost) / n, max(-1, w-l-spread), min(1, w-l+spread)
}

// P returns McNemar's exact two-sided p-value: how likely it is that lost and won differ
// by as much or more if the intervention changed answers in both directions equally often,
// so that Lost were binomial with Lost+Won trials of ½.
func (e Effect) P() float64 {
	n := e.Lost + e.Won
	tail := 0.0
	for k := 0; k <= min(e.Lost, e.Won); k++ {
		a, _ := math.Lgamma(float64(n + 1))
		b, _ := math.Lgamma(float64(k + 1))
		c, _ := math.Lgamma(float64(n - k + 1))
		tail += math.Exp(a - b - c - float64(n)*math.Ln2)
	}
	return min(1, 2*tail)
}
