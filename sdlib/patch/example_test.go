package patch_test

import (
	"context"
	"fmt"
	"log"

	"samediff/sdlib/backend"
	"samediff/sdlib/patch"
	"samediff/sdlib/stimuli"
	"samediff/sdlib/vit"
)

// Does the answer reach CLS without CLS reading the objects? In a model with random weights
// the answer is always the same, whatever is cut.
func Example() {
	ctx := context.Background()
	be, err := backend.Open(backend.Go)
	check(err)
	m, err := vit.New(vit.CourseQuick, 1)
	check(err)
	set, err := stimuli.Open(stimuli.Config{Geometry: stimuli.CourseQuick, Size: 8, Seed: 1})
	check(err)
	e, err := patch.NewExperiment(be, m, set, nil)
	check(err)
	defer e.Close()

	base, err := e.Base(ctx, nil)
	check(err)
	edge := patch.Edge{From: patch.Objects, To: patch.CLS}
	without, err := e.Cut(ctx, patch.Cut{Edges: []patch.Edge{edge}, Blocks: patch.Blocks{First: 0, Last: 3}}, nil)
	check(err)
	effects, err := patch.Compare(set, e.Images(), base, without)
	check(err)
	all := effects[0]
	change, low, high := all.Change()
	fmt.Printf("without %s: %d of %d right, a change of %.2f (%.2f to %.2f)\n", edge, all.With.Correct, all.With.N, change, low, high)
	// Output:
	// without objects → CLS: 4 of 8 right, a change of 0.00 (-0.28 to 0.28)
}

func check(err error) {
	if err != nil {
		log.Fatal(err)
	}
}
