package runner

import (
	"fmt"

	"github.com/gomlx/gomlx/core/tensors"

	"samediff/sdlib/stimuli"
	"samediff/sdlib/vit"
)

// Images returns a Feed of the pixels of a set's images, given by their indices; nil
// stands for all. Each batch is one input, uint8 [B, height, width, 3].
func Images(c vit.Config, set *stimuli.Set, images []int) func(items []int) ([]any, error) {
	return func(items []int) ([]any, error) {
		if err := Fits(c, set); err != nil {
			return nil, err
		}
		pixels, err := c.Images(set.Images(Pick(images, items)))
		if err != nil {
			return nil, err
		}
		return []any{pixels}, nil
	}
}

// Pick returns the elements of a list at the items' places; a nil list stands for 0, 1, 2, ...
func Pick(list, items []int) []int {
	if list == nil {
		return items
	}
	picked := make([]int, len(items))
	for i, item := range items {
		picked[i] = list[item]
	}
	return picked
}

// Fits returns an error unless a set's images are what a model of the configuration sees.
func Fits(c vit.Config, set *stimuli.Set) error {
	if g := set.Geometry(); g.Image != c.Image || g.Patch != c.Patch {
		return fmt.Errorf("the stimuli have %d-pixel images and %d-pixel patches, the model %d and %d: give both the same geometry",
			g.Image, g.Patch, c.Image, c.Patch)
	}
	return nil
}

// Choose checks the indices of images to look at and returns them, those of all images for nil.
func Choose(set *stimuli.Set, images []int) ([]int, error) {
	if images == nil {
		images = make([]int, set.Len())
		for i := range images {
			images[i] = i
		}
	}
	if len(images) == 0 {
		return nil, fmt.Errorf("no images to look at: expected indices of a set of %d, or nil for all of them", set.Len())
	}
	for _, i := range images {
		if i < 0 || i >= set.Len() {
			return nil, fmt.Errorf("there is no image %d in a set of %d: expected 0 to %d", i, set.Len(), set.Len()-1)
		}
	}
	return images, nil
}

// A batch is what Feed made for some items.
type batch struct {
	items  []int
	inputs []any
	err    error
}

// feeder draws batches one ahead of the reader.
type feeder struct {
	batches chan batch
	stopped chan struct{}
	hold    bool
}

func ahead(w Work, size int) feeder {
	f := feeder{make(chan batch), make(chan struct{}), w.Hold}
	go func() {
		defer close(f.batches)
		for at := 0; at < w.N; at += size {
			filled := make([]int, size)
			for i := range filled {
				filled[i] = min(at+i, w.N-1)
			}
			b := batch{items: filled[:min(size, w.N-at)]}
			b.inputs, b.err = safely(w.Feed, filled)
			select {
			case f.batches <- b:
			case <-f.stopped:
				f.free(b)
				return
			}
			if b.err != nil {
				return
			}
		}
	}()
	return f
}

// safely calls feed, whose panic would end the process: it runs in a goroutine of its own.
func safely(feed func([]int) ([]any, error), items []int) (inputs []any, err error) {
	defer func() {
		if r := recover(); r != nil {
			inputs, err = nil, fmt.Errorf("drawing items %d to %d: %v", items[0], items[len(items)-1], r)
		}
	}()
	if inputs, err = feed(items); err != nil {
		return nil, err
	}
	for i, in := range inputs {
		if x, ok := in.(*tensors.Tensor); ok && (x.Rank() == 0 || x.Shape().Dim(0) != len(items)) {
			return nil, fmt.Errorf("input %d of a batch of %d items has the shape %s: expected %d rows", i, len(items), x.Shape(), len(items))
		}
	}
	return inputs, nil
}

// free frees a batch's tensors.
func (f feeder) free(b batch) {
	for _, in := range b.inputs {
		if x, ok := in.(*tensors.Tensor); ok && !f.hold {
			x.FinalizeAll()
		}
	}
}

// stop ends the drawing, and waits for the batch that is being drawn.
func (f feeder) stop() {
	close(f.stopped)
	for b := range f.batches {
		f.free(b)
	}
}
