package das

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"

	"samediff/sdlib/activations"
	"samediff/sdlib/backend"
	"samediff/sdlib/progress"
	"samediff/sdlib/stimuli"
	"samediff/sdlib/vit"
)

// Objects are a model's states of objects: its residual streams at the tokens of the source
// objects of counterfactual images. Novel representations are made of them ([Novelty]).
type Objects struct {
	Pairs  *stimuli.Counterfactuals
	Config vit.Config
	Model  string // hash of the weights
	P      int    // tokens of an object

	file *activations.File
}

// objectsFile is the file of a folder of objects: resid_post of blocks, [N, 1, P, D].
const objectsFile = "objects.safetensors"

// KeepObjects computes the states of the source objects of counterfactual pairs after some
// blocks, and writes them to a folder: N·P·D numbers of 4 bytes for each block. It runs the
// model on the counterfactual images alone.
func KeepObjects(ctx context.Context, be *backend.Backend, m *vit.Model, pairs *stimuli.Counterfactuals, blocks []int, dir string, report progress.Func) error {
	if err := fits(m.Config, pairs); err != nil {
		return err
	}
	if len(blocks) == 0 {
		return errors.New("das: objects after no block: expected one or more")
	}
	var names []string
	for _, l := range blocks {
		if err := checkBlock(m.Config, l); err != nil {
			return err
		}
		names = append(names, vit.BlockNode(l, "resid_post"))
	}
	plan, err := activations.NewPlan(m.Config, pairs.Len(), names...)
	if err != nil {
		return err
	}
	source := pairs.Tokens().Source
	plan.Tokens = &activations.Tokens{Objects: 1, Each: len(source) / pairs.Len(), Index: source}
	return activations.Write(ctx, be, m, activations.FromSet(pairs.CF(), nil), plan, filepath.Join(dir, objectsFile), nil, report)
}

// OpenObjects opens the objects of pairs in a folder that [KeepObjects] filled. Close them after use.
func OpenObjects(dir string, c vit.Config, pairs *stimuli.Counterfactuals) (*Objects, error) {
	if err := fits(c, pairs); err != nil {
		return nil, err
	}
	f, err := activations.Open(filepath.Join(dir, objectsFile))
	if err != nil {
		return nil, err
	}
	if f.Len() != pairs.Len() {
		return nil, errors.Join(f.Close(), fmt.Errorf("das: %s holds %d objects, expected %d", dir, f.Len(), pairs.Len()))
	}
	return &Objects{Pairs: pairs, Config: c, Model: f.Metadata()["hash"], P: len(pairs.Tokens().Source) / pairs.Len(), file: f}, nil
}

// Close closes the file.
func (o *Objects) Close() error { return o.file.Close() }

// After returns the states of the objects after a block, [N, 1, P, D].
func (o *Objects) After(block int) (activations.Values, error) { return at(o.file, o.Config, block) }
