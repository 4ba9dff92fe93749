package das

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"

	"github.com/gomlx/compute/dtypes"
	"github.com/gomlx/compute/shapes"
	"github.com/gomlx/gomlx/core/tensors"

	"samediff/sdlib/activations"
	"samediff/sdlib/backend"
	"samediff/sdlib/progress"
	"samediff/sdlib/runner"
	"samediff/sdlib/stimuli"
	"samediff/sdlib/vit"
)

// Streams are what a model computed of counterfactual pairs: the residual streams of the base
// images after some blocks, those of the counterfactual images at the tokens that a search reads,
// and the answers to the base images. They are computed once ([Keep]) and serve every search.
type Streams struct {
	Pairs  *stimuli.Counterfactuals
	Config vit.Config
	Model  string // hash of the weights

	base, cf *activations.File
	tokens   stimuli.CounterfactualTokens
	P        int // tokens of an object
}

// Files of a folder of streams.
const (
	baseFile = "base.safetensors" // resid_post of blocks [N, T, D], logits [N, C]
	cfFile   = "cf.safetensors"   // resid_post of blocks [N, 3, P, D]: source, other object, random patches
)

// Searched returns the blocks of a model after which a search is run: all, but for the last one
// where the head reads CLS alone. There no other token can reach the answer any more, so what an
// intervention does is known without one: nothing.
func Searched(c vit.Config) (blocks []int) {
	for l := range c.Blocks {
		if !Derived(c, l) {
			blocks = append(blocks, l)
		}
	}
	return blocks
}

// Derived reports whether an intervention after a block cannot change the answer.
func Derived(c vit.Config, block int) bool {
	return block == c.Blocks-1 && c.Family.Traits().Readout == vit.ReadCLS
}

// Keep computes the streams of pairs after some blocks, and writes them to a folder. Of N pairs
// that is N·T·D numbers of 4 bytes for each block and little else: 1,200 pairs of a ViT-B/16 at 112
// pixels take 184 MB for each block, at 224 pixels 726 MB.
func Keep(ctx context.Context, be *backend.Backend, m *vit.Model, pairs *stimuli.Counterfactuals, blocks []int, dir string, report progress.Func) error {
	base, cf, err := plans(m.Config, pairs, blocks)
	if err != nil {
		return err
	}
	if err := activations.Write(ctx, be, m, activations.FromSet(pairs.Base(), nil), base, filepath.Join(dir, baseFile), nil, report); err != nil {
		return err
	}
	return activations.Write(ctx, be, m, activations.FromSet(pairs.CF(), nil), cf, filepath.Join(dir, cfFile), nil, report)
}

// Bytes returns the size of the files that [Keep] writes.
func Bytes(c vit.Config, pairs *stimuli.Counterfactuals, blocks []int) (int, error) {
	base, cf, err := plans(c, pairs, blocks)
	if err != nil {
		return 0, err
	}
	return base.Bytes() + cf.Bytes(), nil
}

// plans returns what is kept of base images and of counterfactual ones.
func plans(c vit.Config, pairs *stimuli.Counterfactuals, blocks []int) (base, cf activations.Plan, err error) {
	if err = fits(c, pairs); err != nil {
		return base, cf, err
	}
	var names []string
	for _, l := range blocks {
		if err := checkBlock(c, l); err != nil {
			return base, cf, err
		}
		names = append(names, vit.BlockNode(l, "resid_post"))
	}
	tokens := pairs.Tokens()
	P := len(tokens.Source) / pairs.Len()
	t := &activations.Tokens{Objects: sources, Each: P}
	for i := range pairs.Len() {
		for _, of := range [sources][]int32{sourceObject: tokens.Source, otherObject: tokens.Other, randomPatches: tokens.Random} {
			t.Index = append(t.Index, of[i*P:(i+1)*P]...)
		}
	}
	if base, err = activations.NewPlan(c, pairs.Len(), append(names, "logits")...); err != nil {
		return base, cf, err
	}
	if len(names) == 0 {
		names = []string{"logits"}
	}
	cf, err = activations.NewPlan(c, pairs.Len(), names...)
	cf.Tokens = t
	return base, cf, err
}

// fits returns an error for pairs that a model cannot see, or that give a search nothing to learn.
func fits(c vit.Config, pairs *stimuli.Counterfactuals) error {
	if pairs == nil {
		return errors.New("das: no counterfactual pairs: expected those of stimuli.OpenCounterfactuals")
	}
	if err := runner.Fits(c, pairs.Base()); err != nil {
		return fmt.Errorf("das: %w", err)
	}
	if c.Classes != 2 {
		return fmt.Errorf("das: the model has %d classes, expected 2: different and same", c.Classes)
	}
	tokens := pairs.Tokens()
	for _, of := range [][]int32{tokens.Edited, tokens.Source, tokens.Other, tokens.Random} {
		for i, patch := range of {
			if patch < 0 {
				return fmt.Errorf("das: the objects of pair %d cover different numbers of patches: expected objects on the grid of patches, whose tokens can be swapped one for one",
					i/(len(of)/pairs.Len()))
			}
		}
	}
	first, varies := pairs.Record(0).Target, false
	for i := range pairs.Len() {
		varies = varies || pairs.Record(i).Target != first
	}
	if !varies {
		return fmt.Errorf("das: the target of all %d pairs is %d: expected pairs that become same and pairs that become different", pairs.Len(), first)
	}
	return nil
}

// checkBlock returns an error for a block that a model does not have.
func checkBlock(c vit.Config, block int) error {
	if block < 0 || block >= c.Blocks {
		return fmt.Errorf("das: there is no block %d: expected 0 to %d", block, c.Blocks-1)
	}
	return nil
}

// Open opens the streams of pairs in a folder that [Keep] filled. Close them after use.
func Open(dir string, c vit.Config, pairs *stimuli.Counterfactuals) (_ *Streams, err error) {
	if err := fits(c, pairs); err != nil {
		return nil, err
	}
	s := &Streams{Pairs: pairs, Config: c, tokens: pairs.Tokens()}
	s.P = len(s.tokens.Source) / pairs.Len()
	defer func() {
		if err != nil {
			s.Close()
		}
	}()
	if s.base, err = activations.Open(filepath.Join(dir, baseFile)); err != nil {
		return nil, err
	}
	if s.cf, err = activations.Open(filepath.Join(dir, cfFile)); err != nil {
		return nil, err
	}
	if s.base.Len() != pairs.Len() || s.cf.Len() != pairs.Len() {
		return nil, fmt.Errorf("das: %s holds streams of %d pairs, expected %d", dir, s.base.Len(), pairs.Len())
	}
	s.Model = s.base.Metadata()["hash"]
	return s, nil
}

// Close closes the files.
func (s *Streams) Close() error {
	var errs []error
	for _, f := range []*activations.File{s.base, s.cf} {
		if f != nil {
			errs = append(errs, f.Close())
		}
	}
	return errors.Join(errs...)
}

// Base returns the residual streams of the base images after a block, [N, T, D].
func (s *Streams) Base(block int) (activations.Values, error) { return at(s.base, s.Config, block) }

// Sources returns those of the counterfactual images at the tokens of the source object, of the
// other object, and at random patches, [N, 3, P, D].
func (s *Streams) Sources(block int) (activations.Values, error) { return at(s.cf, s.Config, block) }

func at(f *activations.File, c vit.Config, block int) (activations.Values, error) {
	if err := checkBlock(c, block); err != nil {
		return activations.Values{}, err
	}
	return f.Node(vit.BlockNode(block, "resid_post"))
}

// Edited returns the tokens of the base images to write to, [N, P], counted from CLS.
func (s *Streams) Edited() []int32 { return s.behindPrefix(s.tokens.Edited) }

// NonEdited returns those of the partner, [N, P].
func (s *Streams) NonEdited() []int32 { return s.behindPrefix(s.tokens.NonEdited) }

func (s *Streams) behindPrefix(patches []int32) []int32 {
	tokens := make([]int32, len(patches))
	for i, patch := range patches {
		tokens[i] = patch + int32(s.Config.Prefix())
	}
	return tokens
}

// BaseAnswers returns what the model answers to the base images, [N].
func (s *Streams) BaseAnswers() ([]int, error) {
	logits, err := s.base.Node("logits")
	if err != nil {
		return nil, err
	}
	answers := make([]int, s.Pairs.Len())
	for i := range answers {
		answers[i] = argmax(logits.Row(i))
	}
	return answers, nil
}

func argmax(x []float32) (best int) {
	for i := range x {
		if x[i] > x[best] {
			best = i
		}
	}
	return best
}

// source copies a pair's source tokens [P, D] after a block, for a control.
func (s *Streams) source(values activations.Values, pair int, c Control) []float32 {
	row, n := values.Row(pair), s.P*s.Config.Width
	return row[c.source()*n : (c.source()+1)*n]
}

// tensor returns a tensor of pairs whose rows fill copies: [len(pairs), dims...].
func tensor(pairs []int, dims []int, fill func(pair int, row []float32)) (*tensors.Tensor, error) {
	t := tensors.FromShape(shapes.Make(dtypes.Float32, append([]int{len(pairs)}, dims...)...))
	err := tensors.MutableFlatData(t, func(flat []float32) {
		n := len(flat) / len(pairs)
		for i, pair := range pairs {
			fill(pair, flat[i*n:(i+1)*n])
		}
	})
	return t, err
}
