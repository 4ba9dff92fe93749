package activations_test

import (
	"context"
	"fmt"
	"log"
	"os"
	"path/filepath"

	"samediff/sdlib/activations"
	"samediff/sdlib/backend"
	"samediff/sdlib/stimuli"
	"samediff/sdlib/vit"
)

// The residual streams at the tokens of objects, and a batch of them for a step of training.
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
	plan, err := activations.NewPlan(m.Config, set.Len(), "block*/resid_post")
	if err != nil {
		log.Fatal(err)
	}
	fmt.Printf("all tokens: %d kB\n", plan.Bytes()/1000)
	if plan, err = plan.AtObjects(set, nil); err != nil {
		log.Fatal(err)
	}
	fmt.Printf("those of objects: %d kB\n", plan.Bytes()/1000)

	dir, err := os.MkdirTemp("", "activations")
	if err != nil {
		log.Fatal(err)
	}
	defer os.RemoveAll(dir)
	path := filepath.Join(dir, "resid.safetensors")
	if err := activations.Write(context.Background(), be, m, activations.FromSet(set, nil), plan, path, nil, nil); err != nil {
		log.Fatal(err)
	}

	f, err := activations.Open(path)
	if err != nil {
		log.Fatal(err)
	}
	defer f.Close()
	x, err := f.Node("block03/resid_post")
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(x.Shape, "images, objects, patches, width")
	batch := make([]float32, 3*x.Width())
	if err := x.Gather(batch, []int{17, 4, 99}); err != nil {
		log.Fatal(err)
	}
	fmt.Println(batch[0] == x.Row(17)[0])
	// Output:
	// all tokens: 2611 kB
	// those of objects: 308 kB
	// [100 2 1 96] images, objects, patches, width
	// true
}
