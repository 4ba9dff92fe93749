package stimuli_test

import (
	"fmt"

	"samediff/sdlib/stimuli"
)

// Open a set, look at one stimulus, draw what a training run needs.
func ExampleOpen() {
	set, err := stimuli.Open(stimuli.Config{Geometry: stimuli.CourseQuick, Size: 100, Seed: 1})
	if err != nil {
		fmt.Println(err)
		return
	}
	for _, object := range set.Stimulus(1).Objects {
		fmt.Println(object.Role, "is a", stimuli.Colors[object.Color].Name, stimuli.ShapeName(object.Shape), "on patch", object.Tokens)
	}
	fmt.Println(len(set.Images(nil)), "bytes,", len(set.Labels()), "labels")
	// Output:
	// object 1 is a purple disk on patch [2]
	// object 2 is a cyan star on patch [3]
	// 1228800 bytes, 100 labels
}

// A mask printed as text: the arrow as a course image shows it.
func ExampleShapeMask() {
	mask, err := stimuli.ShapeMask(7, 12)
	if err != nil {
		fmt.Println(err)
		return
	}
	for y := range mask.Size {
		line := "|"
		for x := range mask.Size {
			if mask.At(x, y) {
				line += "#"
			} else {
				line += "."
			}
		}
		fmt.Println(line)
	}
	// Output:
	// |............
	// |.....#......
	// |....##......
	// |...###......
	// |..##########
	// |.###########
	// |.###########
	// |..##########
	// |...###......
	// |....##......
	// |.....#......
	// |............
}

func ExampleParseGeometry() {
	g, err := stimuli.ParseGeometry("B16")
	fmt.Println(g.Grid(), g.TokensPerObject(), err)
	_, err = stimuli.ParseGeometry("b8")
	fmt.Println(err)
	// Output:
	// 14 4 <nil>
	// stimuli: unknown geometry "b8": expected one of b16, b32, b14, course, course-quick
}
