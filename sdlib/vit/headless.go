package vit

import (
	"errors"
	"fmt"
	"slices"
	"strings"
)

// ErrNoHead is why [Load] fails for weights that are sound and lack a head which this package computes: [LoadBackbone] puts a new one
// on them. A head that is damaged or of another shape is another error.
var ErrNoHead = errors.New("without a head for an answer")

// headless returns an error, ErrNoHead, where a file has nothing of the family's head, and says what it has instead.
func (c Config) headless(file weightFile, path string) error {
	n := c.Family.Traits().layout
	names := file.Names()
	has := func(beginning string) bool {
		return slices.ContainsFunc(names, func(name string) bool { return strings.HasPrefix(name, beginning) })
	}
	if has(n.head + ".") {
		return nil
	}
	backbone := slices.ContainsFunc(names, func(name string) bool { return n.passes(name, []string{n.norm + "."}) })
	if !backbone { // nothing of the model at all: another error says so
		return nil
	}
	instead := ""
	for _, other := range []struct{ beginning, text string }{
		{"distillation_classifier.", "; it has DeiT's two heads, cls_classifier and distillation_classifier, whose mean is the answer, and which are not read"},
		{"classifier.", "; it has a classifier that reads the mean of the patches (CLIPForImageClassification), which is not read"},
		{"decoder.", "; it has the decoder of its pretraining"},
		{"pooler.", "; it has a pooler alone"},
	} {
		if instead == "" && slices.ContainsFunc(names, func(name string) bool { return n.passes(name, []string{other.beginning}) }) {
			instead = other.text
		}
	}
	return fmt.Errorf("vit: %s is a backbone, %w (%s)%s: LoadBackbone puts a new head on it", path, ErrNoHead, n.head, instead)
}
