package viewer

import (
	"fmt"
	"os"
	"testing"

	"samediff/sdlib/backend"
	"samediff/sdlib/stimuli"
	"samediff/sdlib/vit"
)

// BenchmarkPage makes pages of a ViT-B/16, 12 blocks of 12 heads with 197 tokens, and reports
// their size and the smallest weight that is kept from the background. The weights are
// random, or those of the model in folder SD_VIEWER_MODEL:
//
//	SD_VIEWER_MODEL=path/to/clip-vit-base-patch16 go test -run '^$' -bench Page -benchtime 1x samediff/sdlib/viewer
func BenchmarkPage(b *testing.B) {
	be, err := backend.Open("")
	if err != nil {
		b.Fatal(err)
	}
	m, err := vit.New(vit.B16, 1)
	if dir := os.Getenv("SD_VIEWER_MODEL"); dir != "" {
		m, err = vit.LoadBackbone(dir, 2, 1, 224)
	}
	if err != nil {
		b.Fatal(err)
	}
	for _, task := range []stimuli.Task{stimuli.Discrimination, stimuli.RMTS} {
		set, err := stimuli.Open(stimuli.Config{Geometry: stimuli.B16, Task: task, Split: stimuli.TestIID, Size: 8})
		if err != nil {
			b.Fatal(err)
		}
		for _, images := range [][]int{{0}, {0, 1}, {0, 1, 2, 3, 4, 5, 6, 7}} {
			b.Run(fmt.Sprintf("%s/images=%d", task, len(images)), func(b *testing.B) {
				for b.Loop() {
					d, err := Collect(b.Context(), be, m, set, Choice{Images: images}, nil)
					if err != nil {
						b.Fatal(err)
					}
					html, err := Page{Data: d}.HTML()
					if err != nil {
						b.Fatal(err)
					}
					if len(html) > 5e6 {
						b.Errorf("the page has %d bytes, expected at most 5 MB", len(html))
					}
					b.ReportMetric(float64(len(html))/1e6, "MB")
					b.ReportMetric(d.Smallest, "smallest")
				}
			})
		}
	}
}
