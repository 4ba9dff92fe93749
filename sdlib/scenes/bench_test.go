package scenes

import "testing"

func BenchmarkDraw(b *testing.B) {
	s, err := Open(Config{Seed: 1})
	if err != nil {
		b.Fatal(err)
	}
	const side = 64
	buffer := make([]uint8, side*side*3)
	s.Draw(0, side, buffer)
	b.ResetTimer()
	for i := range b.N {
		s.Draw(i, side, buffer)
	}
}
