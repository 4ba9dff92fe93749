package scenes_test

import (
	"fmt"

	"samediff/sdlib/scenes"
)

func Example() {
	set, err := scenes.Open(scenes.Config{Image: 64, Seed: 1})
	if err != nil {
		fmt.Println(err)
		return
	}
	for i := range 3 {
		fmt.Println(set.Scene(i).Caption())
	}
	fmt.Println(len(set.Names()), "kinds,", len(set.Words()), "words,", len(set.Images(0, 2)), "bytes of two pictures")
	// Output:
	// a plain navy kezad on an even ground
	// a dotted black mokesh and a ringed ivory ravun on a barred ground
	// a plain steel lirib and a ringed salmon ketap and a checked salmon nunil on a tiled ground
	// 64 kinds, 87 words, 24576 bytes of two pictures
}
