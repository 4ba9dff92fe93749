package finetune_test

import (
	"context"
	"fmt"

	"samediff/sdlib/backend"
	"samediff/sdlib/finetune"
	"samediff/sdlib/stimuli"
	"samediff/sdlib/vit"
)

// A recipe is a value: change a copy. This one adds the paper's three stages of
// attention to the quick model's recipe.
func ExampleRecipe() {
	r := finetune.Quick
	r.Pipeline = finetune.Pipeline{Weight: 1, WithinObject: []int{0, 1}, WithinPair: []int{2}, Heads: 2, Seed: 1}
	fmt.Println(r.Validate(vit.CourseQuick, 6400))
	fmt.Println(r.Pipeline.Chosen(2, vit.CourseQuick.Heads))

	r.Pipeline.WithinPair = []int{6}
	fmt.Println(r.Validate(vit.CourseQuick, 6400))
	// Output:
	// <nil>
	// [1 2]
	// finetune: the pipeline loss (wp) names block 6, expected 0 to 3
}

// Two epochs of a tiny model; real runs are as short to write.
func ExampleTrain() {
	be, err := backend.Open(backend.Go)
	if err != nil {
		fmt.Println(err)
		return
	}
	c := vit.CourseQuick
	c.Width, c.MLP, c.Blocks = 12, 24, 2
	m, err := vit.New(c, 1)
	if err != nil {
		fmt.Println(err)
		return
	}
	set, err := stimuli.Open(stimuli.Config{Geometry: stimuli.CourseQuick, Size: 64, Seed: 1})
	if err != nil {
		fmt.Println(err)
		return
	}
	r := finetune.Recipe{Epochs: 2, Batch: 16, LR: 1e-3, Schedule: finetune.Linear, Disentangle: finetune.Disentangle{Weight: 1}}
	res, err := finetune.Train(context.Background(), be, m, set, nil, r, finetune.Options{})
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(len(res.History), "epochs, the loss fell:", res.History[1].Loss < res.History[0].Loss)
	// Output:
	// 2 epochs, the loss fell: true
}
