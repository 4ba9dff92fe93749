package delta_test

import (
	"context"
	"fmt"
	"log"
	"os"
	"path/filepath"

	"github.com/gomlx/gomlx/core/tensors"

	"samediff/sdlib/delta"
	"samediff/sdlib/vit"
)

// A model that was fine-tuned for another answer is kept beside the name of the one that it began from, and put together again.
func Example() {
	base, err := vit.New(vit.CourseQuick, 1)
	if err != nil {
		log.Fatal(err)
	}
	tuned := fineTuned(base)

	d, err := delta.Pack(context.Background(), base, tuned, delta.Options{Base: "course-base", Method: delta.Method{Rank: 1}})
	if err != nil {
		log.Fatal(err)
	}
	size, err := d.Bytes()
	if err != nil {
		log.Fatal(err)
	}
	fmt.Printf("%.0f of %.0f kB, %.1f %% of the difference cut off\n", float64(size)/1e3, float64(4*base.Config.Params())/1e3, 100*d.Lost)

	parent, err := os.MkdirTemp("", "delta")
	if err != nil {
		log.Fatal(err)
	}
	defer os.RemoveAll(parent)
	dir := filepath.Join(parent, "packed")
	if err := d.Save(dir); err != nil {
		log.Fatal(err)
	}
	m, err := delta.Load(dir, func(b delta.Base) (*vit.Model, error) { // study.Bases knows the usual ones
		fmt.Println("base", b.Name)
		return base, nil
	})
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(m.Config == tuned.Config)
	// Output:
	// 38 of 2093 kB, 0.0 % of the difference cut off
	// base course-base
	// true
}

// fineTuned is what a fine-tuning that moves each weight of a matrix alike would give.
func fineTuned(base *vit.Model) *vit.Model {
	flat := base.Weights.Flatten(base.Config)
	for i, t := range flat {
		values := tensors.MustCopyFlatData[float32](t)
		for j := range values {
			values[j] += 1e-3
		}
		flat[i] = tensors.FromFlatDataAndDimensions(values, t.Shape().Dimensions...)
	}
	return &vit.Model{Config: base.Config, Weights: vit.Unflatten(base.Config, flat)}
}
