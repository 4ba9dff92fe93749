package attention_test

import (
	"context"
	"fmt"
	"log"

	"samediff/sdlib/attention"
	"samediff/sdlib/backend"
	"samediff/sdlib/stimuli"
	"samediff/sdlib/vit"
)

// The heads of a model that has learned nothing attend evenly: of 17 tokens an object
// covers one, and all but two (itself and CLS) are elsewhere.
func ExampleAnalyze() {
	be, err := backend.Open(backend.Go)
	if err != nil {
		log.Fatal(err)
	}
	m, err := vit.New(vit.CourseQuick, 1)
	if err != nil {
		log.Fatal(err)
	}
	set, err := stimuli.Open(stimuli.Config{Geometry: stimuli.CourseQuick, Split: stimuli.TestIID, Size: 100})
	if err != nil {
		log.Fatal(err)
	}
	images, err := attention.Select(set, 8, 1)
	if err != nil {
		log.Fatal(err)
	}
	s, err := attention.Analyze(context.Background(), be, m, set, images, nil)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Printf("%d images, %d blocks of %d heads\n", s.Images, len(s.Local), len(s.Local[0]))
	fmt.Printf("block 3, head 1: local %.2f (15/17 = %.2f)\n", s.Local[3][1], 15./17)
	for _, line := range s.Lines() {
		fmt.Printf("%-13s  %.1f in block 3\n", line.Name, line.Values[3])
	}
	// Output:
	// 16 images, 4 blocks of 3 heads
	// block 3, head 1: local 0.88 (15/17 = 0.88)
	// within object  0.1 in block 3
	// within pair    0.1 in block 3
	// background     0.8 in block 3
}
