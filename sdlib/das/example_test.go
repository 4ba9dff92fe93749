package das_test

import (
	"context"
	"errors"
	"fmt"
	"log"
	"os"
	"path/filepath"

	"samediff/sdlib/backend"
	"samediff/sdlib/das"
	"samediff/sdlib/stimuli"
	"samediff/sdlib/vit"
)

// A search for color after block 0, with a recipe of seconds in a small model with random weights, where there is
// nothing to find: what matters here is the order of the steps. (study.Lab does all of it, and keeps the results.)
func Example() {
	ctx := context.Background()
	be, err := backend.Open(backend.Go)
	check(err)
	c := vit.CourseQuick
	c.Width, c.Heads, c.MLP, c.Blocks = 12, 2, 24, 2
	m, err := vit.New(c, 1)
	check(err)

	q := das.Search{Block: 0, Recipe: das.Course, Seed: 1}
	q.Recipe.Pairs, q.Recipe.Steps, q.Recipe.Batch = 16, 4, 8
	images := stimuli.Config{Geometry: stimuli.CourseQuick, Seed: 1}
	learn, err := q.TrainingPairs(images, stimuli.ColorProperty)
	check(err)
	images.Split = stimuli.TestIID
	test, err := q.TestPairs(images, stimuli.ColorProperty, 20)
	check(err)

	dir, err := os.MkdirTemp("", "das-example-")
	check(err)
	defer os.RemoveAll(dir)
	var streams [2]*das.Streams
	for i, pairs := range []*stimuli.Counterfactuals{learn, test} {
		of := filepath.Join(dir, fmt.Sprint(i))
		check(errors.Join(os.Mkdir(of, 0o777), das.Keep(ctx, be, m, pairs, das.Searched(c), of, nil)))
		streams[i], err = das.Open(of, c, pairs)
		check(err)
		defer streams[i].Close()
	}

	v, err := das.Train(ctx, be, m, streams[0], q, das.Options{})
	check(err)
	a, err := v.Answers(ctx, be, m, streams[1], nil)
	check(err)
	different, same := a.ByTarget()
	fmt.Printf("%s: %d pairs should become different, %d same\n", v.Name(), different.N, same.N)
	fmt.Println("after the last block nothing can change:", das.Derived(c, 1))
	// Output:
	// block00-color: 10 pairs should become different, 10 same
	// after the last block nothing can change: true
}

func check(err error) {
	if err != nil {
		log.Fatal(err)
	}
}
