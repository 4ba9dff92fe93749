package viewer

import (
	"bytes"
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"image/png"
	"sort"

	"github.com/gomlx/gomlx/core/tensors"
	"golang.org/x/sync/errgroup"

	"samediff/sdlib/backend"
	"samediff/sdlib/progress"
	"samediff/sdlib/runner"
	"samediff/sdlib/stimuli"
	"samediff/sdlib/vit"
)

// A Choice says what to collect.
type Choice struct {
	Images []int `json:"images"` // indices in the set
	// Limit is the number of bytes that the images and their weights may take in the page; 0
	// is DefaultLimit. Where all weights would take more, small ones are left out (Data.Smallest).
	Limit int `json:"limit,omitempty"`
}

// DefaultLimit keeps a page below 5 MB, with its code and the picture that stands in for it.
const DefaultLimit = 4_700_000

// mostBytes bounds what Collect holds in memory before small weights are left out.
const mostBytes = 1 << 30

// Collect runs a model on images of a set, with one program for all of them, and keeps the
// attention of every head.
//
// It fails for an index outside the set, for a set of another geometry than the model's,
// and for more images than the limit has room for.
func Collect(ctx context.Context, be *backend.Backend, m *vit.Model, set *stimuli.Set, choice Choice, report progress.Func) (*Data, error) {
	c := m.Config
	if err := runner.Fits(c, set); err != nil {
		return nil, fmt.Errorf("viewer: %w", err)
	}
	if len(choice.Images) == 0 {
		return nil, fmt.Errorf("viewer: no images chosen: expected some indices of a set of %d", set.Len())
	}
	if _, err := runner.Choose(set, choice.Images); err != nil {
		return nil, fmt.Errorf("viewer: %w", err)
	}
	perImage := c.Blocks * c.Heads * c.Tokens() * c.Tokens()
	if most := max(1, mostBytes/perImage); len(choice.Images) > most {
		return nil, fmt.Errorf("viewer: %d images of %d weights each: a page can show at most %d of them", len(choice.Images), perImage, most)
	}
	d := &Data{Blocks: c.Blocks, Heads: c.Heads, Grid: c.Grid(), Front: frontNames(c)}
	for _, i := range choice.Images {
		s := set.Stimulus(i)
		var picture bytes.Buffer
		if err := png.Encode(&picture, set.Image(i)); err != nil {
			return nil, fmt.Errorf("viewer: image %d: %w", i, err)
		}
		d.Images = append(d.Images, Image{Index: i, Label: s.Label, PNG: picture.Bytes(), Objects: objectsOf(s)})
	}
	all, err := d.compute(ctx, be, m, set, choice.Images, report)
	if err != nil {
		return nil, fmt.Errorf("viewer: %w", err)
	}
	limit := choice.Limit
	if limit == 0 {
		limit = DefaultLimit
	}
	return d, d.fit(all, limit)
}

// compute runs the model, notes its answers, and returns the weights of each image.
func (d *Data) compute(ctx context.Context, be *backend.Backend, m *vit.Model, set *stimuli.Set, images []int, report progress.Func) ([]coded, error) {
	var nodes []string
	for l := range d.Blocks {
		nodes = append(nodes, vit.BlockNode(l, "attn/weights"))
	}
	nodes = append(nodes, "logits")
	T, F := d.tokens(), len(d.Front)
	all := make([]coded, len(images))
	// Items of runner.Nodes count in images.
	err := runner.Nodes(ctx, be, m, set, images, nodes, report, func(items []int, values []*tensors.Tensor) error {
		for _, i := range items {
			all[i] = newCoded(d.Blocks*d.Heads*T, F, T-F)
		}
		for l, value := range values {
			of, err := runner.Rows[float32](value, len(items)) // [H·T·T] each, or the logits [C]
			if err != nil {
				return err
			}
			for k, i := range items {
				if l == d.Blocks {
					d.Images[i].Logits = of[k]
				} else if err := all[i].add(of[k], F, T-F); err != nil {
					return fmt.Errorf("the attention of block %d: %w", l, err)
				}
			}
		}
		return nil
	})
	return all, err
}

// thresholds are what Data.Smallest may be, from all weights to none in rows of the background.
var thresholds = []float64{0, .0005, .001, .0015, .002, .0025, .003, .004, .005, .006, .007, .008, .009,
	.01, .012, .014, .016, .018, .02, .022, .024, .026, .028, .03, .033, .036, .04, .045, .05, .06, .08, .1, .15, .2, .3, .5, 1.01}

// fit packs the weights, as many as the limit has room for.
func (d *Data) fit(all []coded, limit int) error {
	for _, im := range d.Images {
		limit -= base64.StdEncoding.EncodedLen(len(im.PNG))
	}
	var failed error
	i := sort.Search(len(thresholds), func(i int) bool {
		size, err := d.pack(all, thresholds[i])
		failed = errors.Join(failed, err)
		return size <= limit
	})
	if i == len(thresholds) {
		return errors.Join(failed, fmt.Errorf("viewer: the attention of %d blocks of %d heads between %d tokens on %d images does not fit into the limit: take fewer images, or a larger limit",
			d.Blocks, d.Heads, d.tokens(), len(d.Images)))
	}
	_, err := d.pack(all, thresholds[i])
	return errors.Join(failed, err)
}

// pack packs the weights with a threshold, and returns the bytes that they take in a page.
func (d *Data) pack(all []coded, smallest float64) (size int, err error) {
	d.Smallest = smallest
	var group errgroup.Group
	for i := range all {
		group.Go(func() (err error) {
			im := &d.Images[i]
			im.Packed, err = all[i].pack(d.whole(*im), smallest)
			return err
		})
	}
	err = group.Wait()
	for _, im := range d.Images {
		size += base64.StdEncoding.EncodedLen(len(im.Packed))
	}
	return size, err
}
