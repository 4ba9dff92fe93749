package viewer_test

import (
	"context"
	"fmt"
	"log"
	"strings"

	"samediff/sdlib/backend"
	"samediff/sdlib/stimuli"
	"samediff/sdlib/viewer"
	"samediff/sdlib/vit"
)

// A page without a store: a model, a set, and some of its images. In a notebook nb.HTML(page)
// shows it; page.Save writes it to a file.
func ExamplePage() {
	be, err := backend.Open(backend.Go)
	check(err)
	m, err := vit.New(vit.CourseQuick, 1)
	check(err)
	set, err := stimuli.Open(stimuli.Config{Geometry: stimuli.CourseQuick, Split: stimuli.TestIID, Size: 100})
	check(err)

	data, err := viewer.Collect(context.Background(), be, m, set, viewer.Choice{Images: []int{0, 5, 7}}, nil)
	check(err)
	page := viewer.Page{Title: "A model that has learned nothing", Data: data}
	html, err := page.HTML()
	check(err)
	fmt.Println(page.Alt())
	fmt.Println(strings.HasPrefix(html, "<div"), len(html) < 200_000)

	// The data are there for Go, too: what object 1 of image 5 reads from CLS in block 3, head 1.
	weights, err := data.Weights(1)
	check(err)
	patch := data.Images[1].Objects[0].Patches[0]
	row, err := weights.Row(vit.Head{Block: 3, Head: 1}, len(data.Front)+patch)
	check(err)
	fmt.Printf("%.2f of %d tokens\n", row[0], len(row))
	// Output:
	// A model that has learned nothing: a viewer of 4 blocks of 3 heads; images: 3. The picture shows where object 1 of image 0 looks in every head.
	// true true
	// 0.06 of 17 tokens
}

func check(err error) {
	if err != nil {
		log.Fatal(err)
	}
}
