package nb_test

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"strings"
	"time"

	"samediff/sdlib/figure"
	"samediff/sdlib/nb"
	"samediff/sdlib/progress"
)

// cells are the programs that the tests run, each as a process of its own, as
// GoNB runs a cell: with a kernel that listens and without.
var cells = map[string]func(){
	"order": func() {
		nb.Printf("first")
		nb.Printf("second\n")
		nb.Show(chart())
		nb.Printf("third %d", 3)
		nb.Markdown("**%s**", "fourth")
		nb.Table(table())
		nb.Printf("last")
	},
	"photos": func() {
		pixels := make([]uint8, 3*512*512)
		rng := rand.New(rand.NewPCG(3, 0))
		for i := range pixels {
			pixels[i] = uint8(rng.IntN(256))
		}
		img := nb.Must(figure.RGB(pixels, 512, 512))
		nb.Show(figure.Overlay{Image: img, Weights: make([]float64, 4), Size: 4}.Figure())
	},
	"live": func() {
		show := nb.Live()
		nb.Printf("before")
		show(chart())
		nb.Printf("during")
		other := nb.Live()
		other(titled("Another"))
		show(titled("Epoch 2"))
		nb.Printf("after")
		done := make(chan bool)
		for range 4 {
			go func() {
				show(titled("Last"))
				done <- true
			}()
		}
		for range 4 {
			<-done
		}
	},
	"progress": func() {
		report := nb.Progress()
		nb.Printf("before")
		report(progress.Update{Task: "train", Done: 10, Total: 100, Unit: "images", Rate: 50, Left: 2 * time.Second, Note: "loss <.7"})
		nb.Printf("during")
		report(progress.Update{Task: "train", Done: 100, Total: 100, Unit: "images", Rate: 48, Elapsed: time.Second, Note: "loss .1\n  val .9", Finished: true})
		report(progress.Update{Task: "count", Done: 3, Unit: "heads", Finished: true})
		nb.TimedProgress()(progress.Update{Task: "bench", Done: 8, Total: 8, Unit: "steps", Rate: 4, Elapsed: 2 * time.Second, Finished: true})
	},
	"parallel": func() {
		done := make(chan bool)
		for range 8 {
			go func() {
				for range 10 {
					nb.Markdown("*")
				}
				done <- true
			}()
		}
		for range 8 {
			<-done
		}
	},
	"must": func() {
		nb.Printf("shown before")
		if got := nb.Must(7, nil); got != 7 {
			panic(got)
		}
		nb.Check(nil)
		nb.Must(os.Open("missing.safetensors"))
		nb.Printf("never shown")
	},
	"hint":      func() { nb.Check(fmt.Errorf("load: %w", noPlugin{})) },
	"page":      func() { nb.HTML(page{"<b>&</b>" + strings.Repeat("a large page ", 400_000), nil}) },
	"badpage":   func() { nb.HTML(page{"", errors.New("a page without images")}) },
	"badfigure": func() { nb.Show(figure.HeatMap{}.Figure()) },
	"badlive": func() {
		show := nb.Live()
		show(chart())
		show(figure.HeatMap{}.Figure())
	},
	"badtable": func() { nb.Table(figure.Table{Title: "t"}) },
}

// page is a piece of HTML, or an error.
type page struct {
	html string
	err  error
}

func (p page) HTML() (string, error) { return p.html, p.err }
func (p page) Alt() string           { return "what it shows" }

func chart() *figure.Figure { return titled("A chart") }

func titled(title string) *figure.Figure {
	return figure.Lines{Series: []figure.Series{{Values: []float64{1, 2}}}, Width: 3, Title: title}.Figure()
}

func table() figure.Table {
	t := figure.Table{Columns: []string{"set", "accuracy"}}
	t.Add("<test>", 0.5)
	return t
}

// noPlugin is an error with a hint.
type noPlugin struct{}

func (noPlugin) Error() string { return "no plugin found" }
func (noPlugin) Hint() string  { return "run: make setup" }

var _ interface {
	error
	Hint() string
} = noPlugin{}
