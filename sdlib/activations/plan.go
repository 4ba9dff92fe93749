package activations

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"samediff/sdlib/runner"
	"samediff/sdlib/safetensors"
	"samediff/sdlib/stimuli"
	"samediff/sdlib/vit"
)

// A Plan says what a file of activations will hold.
type Plan struct {
	Config vit.Config // of the model
	N      int        // pictures
	Nodes  []string   // values of the forward pass, of vit.Config.Nodes
	Tokens *Tokens    // to keep of each picture; nil keeps all

	Precision vit.Precision // of matrix products; the values kept are float32 under all
	Batch     int           // pictures at a time; 0 leaves that to package runner
}

// Tokens are the patches to keep of each picture.
type Tokens struct {
	Objects int     // O
	Each    int     // P, the most patches of an object
	Index   []int32 // [N, O, P] in raster order, without the tokens in front; -1 where there is none
}

// tokensName is the tensor of Tokens.Index. It is no name of a value.
const tokensName = "tokens"

// NewPlan returns a plan for n pictures and a model of a configuration. Nodes are names of
// values, or patterns of path.Match such as "block*/resid_post"; the plan has the names in
// the order of the computation. The error for one that matches nothing says what there is.
func NewPlan(c vit.Config, n int, nodes ...string) (Plan, error) {
	names, err := c.MatchNodes(nodes...)
	if err != nil {
		return Plan{}, fmt.Errorf("activations: %w", err)
	}
	p := Plan{Config: c, N: n, Nodes: names}
	return p, p.check()
}

// AtObjects returns the plan with only the tokens of objects kept, for the images of a set,
// given by their indices (nil for all), as [stimuli.Set.Tokens] lists them. It fails for a
// set of another geometry than the model's.
func (p Plan) AtObjects(set *stimuli.Set, images []int) (Plan, error) {
	err := runner.Fits(p.Config, set)
	if err == nil {
		images, err = runner.Choose(set, images)
	}
	if err != nil {
		return Plan{}, fmt.Errorf("activations: %w", err)
	}
	t := &Tokens{Objects: set.ObjectsPerImage(), Each: set.TokensPerObject()}
	all, each := set.Tokens(), t.Objects*t.Each
	for _, i := range images {
		t.Index = append(t.Index, all[i*each:(i+1)*each]...)
	}
	p.Tokens = t
	return p, p.check()
}

// Bytes returns the size of the file, in bytes, without its header of a few kilobytes.
func (p Plan) Bytes() int {
	n := 0
	for _, t := range p.layout() {
		n += 4 * t.Len() // float32, and int32
	}
	return n
}

// layout returns the tensors of the file, without their data.
func (p Plan) layout() []safetensors.Tensor {
	var all []safetensors.Tensor
	for _, name := range p.Nodes {
		all = append(all, safetensors.Tensor{Name: name, DType: "F32", Shape: p.shape(name)})
	}
	if p.Tokens != nil {
		all = append(all, safetensors.Tensor{Name: tokensName, DType: "I32", Shape: []int{p.N, p.Tokens.Objects, p.Tokens.Each}})
	}
	return all
}

// shape returns the shape of a value in the file, nil for one that the model does not have.
func (p Plan) shape(node string) []int {
	shape, err := p.Config.NodeShape(node, p.N)
	axis := tokenAxis(node)
	if err != nil || p.Tokens == nil || axis == 0 {
		return shape
	}
	rest := slices.Delete(slices.Clone(shape), axis, axis+1)
	return slices.Concat([]int{p.N, p.Tokens.Objects, p.Tokens.Each}, rest[1:])
}

// tokenAxis returns the axis of a value along which tokens lie, of attention's scores and
// weights that of the queries; 0 for logits, which have none.
func tokenAxis(node string) int {
	switch _, kind, _ := strings.Cut(node, "/"); {
	case node == "logits":
		return 0
	case kind == "attn/scores", kind == "attn/weights":
		return 2 // [N, H, T, T]
	}
	return 1 // [N, T, ...]
}

// check returns an error for a plan that can't be carried out.
func (p Plan) check() error {
	if err := p.Config.Validate(); err != nil {
		return fmt.Errorf("activations: %w", err)
	}
	switch {
	case p.N < 1:
		return fmt.Errorf("activations: a plan for %d pictures, expected 1 or more", p.N)
	case len(p.Nodes) == 0:
		return errors.New("activations: a plan without nodes: name values to keep, such as block*/resid_post")
	}
	ordered, err := p.Config.MatchNodes(p.Nodes...)
	if err != nil {
		return fmt.Errorf("activations: %w", err)
	}
	if !slices.Equal(ordered, p.Nodes) {
		return fmt.Errorf("activations: the plan's nodes %v are not names in the order of the computation, %v: NewPlan makes them so", p.Nodes, ordered)
	}
	if t := p.Tokens; t != nil {
		if t.Objects < 1 || t.Each < 1 || len(t.Index) != p.N*t.Objects*t.Each {
			return fmt.Errorf("activations: %d tokens for %d pictures of %d objects of %d patches: expected one for each patch, and a patch at least",
				len(t.Index), p.N, t.Objects, t.Each)
		}
		patches := p.Config.Tokens() - p.Config.Prefix()
		for i, patch := range t.Index {
			if patch < -1 || int(patch) >= patches {
				return fmt.Errorf("activations: picture %d has a token at patch %d, expected 0 to %d, or -1 for none: do the pictures fit the model?",
					i/(t.Objects*t.Each), patch, patches-1)
			}
		}
	}
	return nil
}
