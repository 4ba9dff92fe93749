package vit

import (
	"fmt"
	"slices"
	"strings"
)

// NodeShape returns the shape of a value, one of [Config.Nodes], for a batch of n images.
func (c Config) NodeShape(name string, n int) ([]int, error) {
	if !slices.Contains(c.Nodes(), name) {
		return nil, fmt.Errorf("vit: there is no value %q in a model of %d blocks: Config.Nodes lists them", name, c.Blocks)
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
