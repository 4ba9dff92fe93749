//go:build unix

package vit

import (
	"path/filepath"
	"syscall"
	"testing"
	"time"
)

// BenchmarkLoadViTB measures what it takes to load a ViT-B/16 of 343 MB that the operating
// system has in memory, weights checked to be finite, and how much of that is the processors' time:
//
//	go test -run '^$' -bench LoadViTB -benchtime 5x ./sdlib/vit
func BenchmarkLoadViTB(b *testing.B) {
	m, err := New(B16, 1)
	if err != nil {
		b.Fatal(err)
	}
	for _, s := range []Saving{{Format: Safetensors}, {Format: Sharded}, {Format: Bin}, {Format: Safetensors, DType: "BF16"}, {Format: Bin, DType: "F16"}} {
		dir, name := filepath.Join(b.TempDir(), "model"), string(s.Format)
		if s.DType != "" {
			name += "-" + s.DType
		}
		if err := m.SaveAs(dir, s); err != nil {
			b.Fatal(err)
		}
		b.Run(name, func(b *testing.B) {
			if _, err := Load(dir); err != nil { // the first finds the files cold
				b.Fatal(err)
			}
			b.SetBytes(int64(4 * B16.Params()))
			before := processorTime(b)
			for b.Loop() {
				if _, err := Load(dir); err != nil {
					b.Fatal(err)
				}
			}
			b.ReportMetric((processorTime(b)-before).Seconds()/float64(b.N), "cpu-s/op")
		})
	}
}

// processorTime is what this process has used of all cores.
func processorTime(b *testing.B) time.Duration {
	var r syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &r); err != nil {
		b.Fatal(err)
	}
	return time.Duration(r.Utime.Nano() + r.Stime.Nano())
}
