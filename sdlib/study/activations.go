package study

import (
	"context"
	"fmt"
	"path/filepath"

	"samediff/sdlib/activations"
	"samediff/sdlib/artifact"
	"samediff/sdlib/attribution"
	"samediff/sdlib/runner"
	"samediff/sdlib/stimuli"
)

// Caches are the steps whose results are kept only to save time: `sd store gc` removes them.
var Caches = []string{"activations", "das-streams", "das-objects"}

// Kept says which values of a forward pass are kept for the images of a set.
type Kept struct {
	Nodes     []string `json:"nodes"`      // names or patterns, see vit.Config.Nodes: "block*/resid_post"
	AtObjects bool     `json:"at_objects"` // only at the tokens of objects
	Images    []int    `json:"images,omitempty"`
}

const activationsVersion = 1

// Activations returns the values of a model's forward pass on the images of a set, as a file
// that is mapped when it is read; close it after use. They are computed if the store does
// not have them; Options.Notify hears before how large they will be. A ViT-B's residual
// streams of 6,400 images are 3.9 GB for each block; `sd store gc` removes such files.
func (l *Lab) Activations(ctx context.Context, m *Model, set *stimuli.Set, k Kept) (*activations.File, error) {
	const name = "activations.safetensors"
	err := runner.Fits(m.Config, set)
	var chosen []int
	if err == nil {
		chosen, err = runner.Choose(set, k.Images)
	}
	if err != nil {
		return nil, fmt.Errorf("activations: %w", err)
	}
	plan, err := activations.NewPlan(m.Config, len(chosen), k.Nodes...)
	if err == nil && k.AtObjects {
		plan, err = plan.AtObjects(set, k.Images)
	}
	if err != nil {
		return nil, err
	}
	k.Nodes = plan.Nodes
	params := struct {
		Stimuli stimuli.Config `json:"stimuli"`
		Kept
	}{set.Config(), k}
	key := artifact.Key{Step: Caches[0], Version: activationsVersion, Params: params, Inputs: []artifact.ID{m.ID}}
	a, err := l.Store.Get(ctx, key, func(ctx context.Context, dir string) error {
		if l.options.Notify != nil {
			l.options.Notify(fmt.Sprintf("keeping %.1f MB of activations", float64(plan.Bytes())/1e6))
		}
		be, err := l.Backend()
		if err != nil {
			return err
		}
		return activations.Write(ctx, be, m.Model, activations.FromSet(set, k.Images), plan, filepath.Join(dir, name), nil, l.options.Progress)
	})
	if err != nil {
		return nil, err
	}
	return activations.Open(a.Path(name))
}

// Contributions is what each part of a model writes into its answer, for images of a set; nil is all.
var Contributions = Analysis[[]int, []attribution.Contribution]{
	Name: "contributions", Version: 1,
	Compute: func(ctx context.Context, on On, images []int) ([]attribution.Contribution, error) {
		return attribution.Contributions(ctx, on.Backend, on.Model.Model, on.Set, images, on.Report)
	},
	Images: chosenImages,
}

// Lens is what a model would answer if its head read the stream after each block, for images of a set; nil is all.
var Lens = Analysis[[]int, []attribution.Reading]{
	Name: "lens", Version: 2,
	Compute: func(ctx context.Context, on On, images []int) ([]attribution.Reading, error) {
		return attribution.Lens(ctx, on.Backend, on.Model.Model, on.Set, images, on.Report)
	},
	Images: chosenImages,
}

func chosenImages(set *stimuli.Set, images []int) int {
	if images == nil {
		return set.Config().Size
	}
	return len(images)
}
