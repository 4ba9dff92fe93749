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

// Which objects an intervention on color reads and writes.
func ExampleOpenCounterfactuals() {
	pairs, err := stimuli.OpenCounterfactuals(stimuli.CounterfactualConfig{
		Set: stimuli.Config{Geometry: stimuli.Course, Size: 600, Seed: 1}, Property: stimuli.ColorProperty, Size: 100,
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	name := func(o stimuli.Object) string { return stimuli.Colors[o.Color].Name + " " + stimuli.ShapeName(o.Shape) }
	for i := range 2 {
		r := pairs.Record(i)
		base, cf := r.Base.Objects, r.CF.Objects
		fmt.Println("the", name(base[r.Edited]), "beside the", name(base[r.NonEdited]), "gets the color of the", name(cf[r.Source]),
			"beside the", name(cf[r.Other]), "and the answer becomes", r.Target)
	}
	// Output:
	// the light blue crescent beside the lime crescent gets the color of the lime star beside the brown zigzag and the answer becomes 1
	// the lime hourglass beside the lime hourglass gets the color of the indigo mushroom beside the indigo mushroom and the answer becomes 0
}

// What is in a set.
func ExampleSet_Stats() {
	set, err := stimuli.Open(stimuli.Config{Task: stimuli.RMTS, Geometry: stimuli.B16, Objects: stimuli.Compositional32})
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Print(set.Stats())
	// Output:
	// 6400 stimuli: 3200 same, 3200 different
	// pairs: both 1067; color-only 1066; same 3200; shape-only 1067
	// sample, display: different, different 1600; different, same 1600; same, different 1600; same, same 1600
	// 32 objects, each in 199 to 202 different pairs
	// 496 different pairs, each 2 to 67 times
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
	// stimuli: unknown geometry "b8": expected one of b16, b32, b14, b16-112, b14-112, course, course-quick
}
