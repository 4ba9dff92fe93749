package stimuli

import "math/bits"

// A stream is a counter-based random generator (SplitMix64: Steele, Lea and Flood, "Fast splittable pseudorandom
// number generators", OOPSLA 2014): the n-th number is a mix of key + n·γ. Streams with different keys are
// independent, so each stimulus has its own and can be drawn without drawing those before it.
type stream struct{ state uint64 }

// newStream names a stream by a path of numbers, for instance seed, purpose, index. The order matters, and so does the
// length.
func newStream(path ...uint64) stream {
	key := uint64(len(path))
	for _, v := range path {
		key = mix(mix(key+gamma) ^ mix(v))
	}
	return stream{key}
}

// gamma is 2⁶⁴/φ, made odd.
const gamma = 0x9e3779b97f4a7c15

// mix is SplitMix64's finalizer: a bijection of 64 bits in which every input bit moves every output bit.
func mix(z uint64) uint64 {
	z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9
	z = (z ^ (z >> 27)) * 0x94d049bb133111eb
	return z ^ (z >> 31)
}

// next gives 64 random bits.
func (s *stream) next() uint64 {
	s.state += gamma
	return mix(s.state)
}

// below gives a uniform integer in 0..n-1 (Lemire's multiplication with rejection: no bias). n must be positive.
func (s *stream) below(n int) int {
	high, low := bits.Mul64(s.next(), uint64(n))
	if low < uint64(n) {
		threshold := -uint64(n) % uint64(n)
		for low < threshold {
			high, low = bits.Mul64(s.next(), uint64(n))
		}
	}
	return int(high)
}

// shuffle puts a list in random order (Fisher and Yates).
func shuffle[T any](random *stream, list []T) {
	for i := len(list) - 1; i > 0; i-- {
		j := random.below(i + 1)
		list[i], list[j] = list[j], list[i]
	}
}

// textKey folds a name into a number for newStream (FNV-1a, 64 bits).
func textKey(name string) uint64 {
	hash := uint64(0xcbf29ce484222325)
	for i := range len(name) {
		hash = (hash ^ uint64(name[i])) * 0x100000001b3
	}
	return hash
}
