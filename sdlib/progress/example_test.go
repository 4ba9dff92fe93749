package progress_test

import (
	"fmt"

	"samediff/sdlib/progress"
)

func Example() {
	show := func(u progress.Update) {
		if u.Finished {
			fmt.Printf("%s: %d of %d %s, %s\n", u.Task, u.Done, u.Total, u.Unit, u.Note)
		}
	}
	meter := progress.New("train", "images", 6400, show)
	meter.Start(0)
	for done := 64; done <= 6400; done += 64 {
		meter.Set(done, "loss .31")
	}
	meter.Finish("")
	// Output: train: 6400 of 6400 images, loss .31
}
