package stimuli

import "testing"

// BenchmarkDraw paints images into the same memory on one core. bench/stimuli compares it with NumPy and PIL.
func BenchmarkDraw(b *testing.B) {
	for _, g := range Geometries() {
		for _, task := range []Task{Discrimination, RMTS} {
			b.Run(g.Name+"/"+string(task), func(b *testing.B) {
				set := mustOpen(b, Config{Task: task, Geometry: g, Size: 640})
				pixels := make([]uint8, set.imageBytes())
				b.SetBytes(int64(len(pixels)))
				for i := 0; b.Loop(); i++ {
					set.Draw(i%set.Len(), pixels)
				}
				b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "images/s")
			})
		}
	}
}

// BenchmarkImages draws a whole split of the paper's size into new memory on all cores.
func BenchmarkImages(b *testing.B) {
	for _, g := range []Geometry{B16, Course} {
		b.Run(g.Name, func(b *testing.B) {
			set := mustOpen(b, Config{Geometry: g})
			for b.Loop() {
				set.Images(nil)
			}
			b.ReportMetric(float64(set.Len()*b.N)/b.Elapsed().Seconds(), "images/s")
		})
	}
}

// BenchmarkOpen plans a split of the paper's size.
func BenchmarkOpen(b *testing.B) {
	for _, objects := range allObjects {
		b.Run(string(objects), func(b *testing.B) {
			for b.Loop() {
				mustOpen(b, Config{Task: RMTS, Objects: objects})
			}
		})
	}
}
