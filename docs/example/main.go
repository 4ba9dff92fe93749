// Example is a program in a module of its own that uses this library from a clone of its repository:
// go.mod says where the clone is (replace), and SD_ROOT where XLA's plugin, the models of the course
// and the store of results are.
//
//	SD_ROOT=../.. go run .
//
// It draws one pair of shapes, and prints what a model with random weights answers.
package main

import (
	"fmt"
	"log"

	. "github.com/gomlx/gomlx/core/graph"
	"github.com/gomlx/gomlx/core/tensors"

	"samediff/sdlib/backend"
	"samediff/sdlib/stimuli"
	"samediff/sdlib/vit"
)

func main() {
	if err := run(); err != nil {
		log.Fatal(err)
	}
}

func run() error {
	be, err := backend.Open("") // the best that works
	if err != nil {
		return err
	}
	set, err := stimuli.Open(stimuli.Config{Geometry: stimuli.CourseQuick, Split: stimuli.Train, Seed: 1})
	if err != nil {
		return err
	}
	m, err := vit.New(vit.CourseQuick, 1)
	if err != nil {
		return err
	}
	images, err := m.Config.Images(set.Images([]int{0}))
	if err != nil {
		return err
	}
	p, err := vit.Compile(be, m.Config, func(w *vit.Weights[*Node], in []*Node) []*Node {
		logits, _ := vit.Forward(m.Config, w, in[0])
		return []*Node{logits}
	})
	if err != nil {
		return err
	}
	defer p.Close()
	out, err := p.Run(m, images)
	if err != nil {
		return err
	}
	fmt.Printf("%s: different, same: %.3f\n", be.Choice, tensors.MustCopyFlatData[float32](out[0]))
	return nil
}
