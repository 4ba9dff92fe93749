package vit

import (
	"fmt"
	"path"
	"slices"
	"strings"
)

// MatchNodes returns the values that names, or patterns of path.Match, stand for, each once
// and in the order of the computation. In a pattern * is anything but a slash:
// "block*/attn/weights" are the attention weights of all blocks.
func (c Config) MatchNodes(patterns ...string) ([]string, error) {
	wanted := map[string]bool{}
	for _, pattern := range patterns {
		found := false
		for _, name := range c.Nodes() {
			if ok, _ := path.Match(pattern, name); ok { // a malformed pattern matches nothing
				wanted[name], found = true, true
			}
		}
		if !found {
			return nil, c.noNode(pattern)
		}
	}
	return slices.DeleteFunc(c.Nodes(), func(name string) bool { return !wanted[name] }), nil
}

// noNode is the error for a name or pattern of no value.
func (c Config) noNode(pattern string) error {
	return fmt.Errorf("vit: there is no value %q in a model of %d blocks: expected embed, %s ... %s with one of %v, final or logits",
		pattern, c.Blocks, BlockNode(0, "*"), BlockNode(c.Blocks-1, "*"), blockNodes)
}

// NodeShape returns the shape of a value, one of [Config.Nodes], for a batch of n images.
func (c Config) NodeShape(name string, n int) ([]int, error) {
	if !slices.Contains(c.Nodes(), name) {
		return nil, c.noNode(name)
	}
	kind := name
	if strings.HasPrefix(name, "block") {
		_, kind, _ = strings.Cut(name, "/")
	}
	T, D, H := c.Tokens(), c.Width, c.Heads
	switch kind {
	case "logits":
		return []int{n, c.Classes}, nil
	case "attn/q", "attn/k", "attn/v", "attn/heads":
		return []int{n, T, H, c.HeadDim()}, nil
	case "attn/scores", "attn/weights":
		return []int{n, H, T, T}, nil
	case "mlp/hidden":
		return []int{n, T, c.MLP}, nil
	}
	return []int{n, T, D}, nil
}
