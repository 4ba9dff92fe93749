package attribution_test

import (
	"context"
	"fmt"
	"log"
	"math"

	"samediff/sdlib/attribution"
	"samediff/sdlib/backend"
	"samediff/sdlib/stimuli"
	"samediff/sdlib/vit"
)

// Who wrote the answers of a model that has learned nothing, and what they would have been without its last block.
func Example() {
	be, err := backend.Open(backend.Go)
	if err != nil {
		log.Fatal(err)
	}
	m, err := vit.New(vit.CourseQuick, 1)
	if err != nil {
		log.Fatal(err)
	}
	set, err := stimuli.Open(stimuli.Config{Geometry: stimuli.CourseQuick, Size: 100, Seed: 1})
	if err != nil {
		log.Fatal(err)
	}
	ctx, images := context.Background(), []int{0, 1, 2, 3}
	all, err := attribution.Contributions(ctx, be, m, set, images, nil)
	if err != nil {
		log.Fatal(err)
	}
	mean := attribution.Mean(all)
	sum := mean.Embed + mean.HeadSum() + mean.MLPSum() + mean.Rest
	fmt.Printf("%d blocks of %d heads add up to the answer: %v\n", len(mean.Heads), len(mean.Heads[0]), math.Abs(sum-mean.Logit) < 1e-5)

	readings, err := attribution.Lens(ctx, be, m, set, images, nil)
	if err != nil {
		log.Fatal(err)
	}
	r := readings[0]
	fmt.Printf("read after 3 of %d blocks, image %d has %d logits\n", len(r.Logits)-1, r.Image, len(r.Logits[3]))
	for _, n := range r.Norms {
		fmt.Printf("%s: %d norms\n", n.At, len(n.Values))
	}
	// Output:
	// 4 blocks of 3 heads add up to the answer: true
	// read after 3 of 4 blocks, image 0 has 2 logits
	// CLS: 5 norms
	// object 1: 5 norms
	// object 2: 5 norms
	// background: 5 norms
}
