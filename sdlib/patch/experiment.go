package patch

import (
	"context"
	"errors"
	"fmt"
	"math"

	. "github.com/gomlx/gomlx/core/graph"
	"github.com/gomlx/gomlx/core/tensors"

	"samediff/sdlib/backend"
	"samediff/sdlib/progress"
	"samediff/sdlib/runner"
	"samediff/sdlib/stimuli"
	"samediff/sdlib/vit"
)

// mostHeld is how many bytes of pixels an experiment keeps on the device.
const mostHeld = 1 << 29

// An Experiment asks one model about the same images again and again, each time under
// another intervention. It keeps the images on the device, where they are not too many.
// Its methods must not be called from several goroutines at the same time.
type Experiment struct {
	be     *backend.Backend
	m      *vit.Model
	set    *stimuli.Set
	images []int // indices into the set

	hold  bool
	held  map[string]*tensors.Tensor // batches of pixels, by what they show and where they begin
	means [][][][]float32            // [L][T][H][d], every head's mean output, once it is needed
}

// NewExperiment returns an experiment on images of a set, given by their indices; nil stands
// for all. It fails for a set of another geometry than the model's, for an index outside the
// set, and for a model that does not answer with one of two classes.
func NewExperiment(be *backend.Backend, m *vit.Model, set *stimuli.Set, images []int) (*Experiment, error) {
	if m == nil || set == nil {
		return nil, errors.New("patch: an experiment needs a model and a set of images")
	}
	if m.Config.Classes != 2 {
		return nil, fmt.Errorf("patch: the model answers with one of %d classes, expected 2: different and same", m.Config.Classes)
	}
	if err := runner.Fits(m.Config, set); err != nil {
		return nil, fmt.Errorf("patch: %w", err)
	}
	images, err := runner.Choose(set, images)
	if err != nil {
		return nil, fmt.Errorf("patch: %w", err)
	}
	hold := len(images)*m.Config.Image*m.Config.Image*3 <= mostHeld
	return &Experiment{be: be, m: m, set: set, images: images, hold: hold, held: map[string]*tensors.Tensor{}}, nil
}

// Images returns the indices of the experiment's images in its set.
func (e *Experiment) Images() []int { return e.images }

// Set returns the set that the images are of.
func (e *Experiment) Set() *stimuli.Set { return e.set }

// Close frees the images that are kept on the device.
func (e *Experiment) Close() {
	for _, pixels := range e.held {
		pixels.FinalizeAll()
	}
	clear(e.held)
}

// pixels returns the images of a list, indices into a set, at the places items. The name
// stands for the list: its batches are kept under it.
func (e *Experiment) pixels(name string, set *stimuli.Set, images, items []int) (*tensors.Tensor, error) {
	key := fmt.Sprintf("%s, %d from %d", name, len(items), items[0])
	if x := e.held[key]; x != nil {
		return x, nil
	}
	in, err := runner.Images(e.m.Config, set, images)(items)
	if err != nil {
		return nil, err
	}
	x := in[0].(*tensors.Tensor)
	if e.hold {
		e.held[key] = x
	}
	return x, nil
}

// run streams the experiment's images through a pass whose first output are margins [B].
// more returns the inputs behind the pixels for some items: pixels, or Go slices; it may be nil.
func run[P comparable](ctx context.Context, e *Experiment, pass *runner.Pass[P], p P, bytes int, report progress.Func,
	more func(items []int) ([]any, error), common ...any) (Answers, error) {
	var answers Answers
	err := pass.Run(ctx, e.be, e.m, p, runner.Work{
		N: len(e.images),
		Feed: func(items []int) ([]any, error) {
			x, err := e.pixels("base", e.set, e.images, items)
			if err != nil || more == nil {
				return []any{x}, err
			}
			rest, err := more(items)
			return append([]any{x}, rest...), err
		},
		Hold:   e.hold,
		Common: common,
		Bytes:  bytes,
		Take: func(items []int, out []*tensors.Tensor) error {
			margins, err := runner.Rows[float32](out[0], len(items))
			for i, row := range margins {
				if d := float64(row[0]); math.IsNaN(d) || math.IsInf(d, 0) {
					return fmt.Errorf("image %d gives %v instead of an answer: the model's weights are damaged or too large", e.images[items[i]], d)
				}
				answers = append(answers, row[0])
			}
			return err
		},
		Report: report,
	})
	return answers, err
}

// margin is logit(same) - logit(different): [B] of logits [B, 2].
func margin(logits *Node) *Node {
	at := func(class int) *Node { return Squeeze(Slice(logits, AxisRange(), AxisElem(class)), 1) }
	return Sub(at(1), at(0))
}
