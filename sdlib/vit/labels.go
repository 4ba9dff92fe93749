package vit

import (
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/gomlx/gomlx/core/tensors"
)

// labelNames are the two answers' names in config.json (docs/paper.md 1.5: same = 1).
var labelNames = []string{"different", "same"}

// label takes the names of the classes from a file's id2label.
func (a *About) label(ids map[string]string) error {
	if len(ids) != a.Config.Classes { // CLIP's projection has none; transformers leaves those of two classes out
		return nil
	}
	names := make([]string, len(ids))
	plain := true
	for i := range names {
		name, ok := ids[strconv.Itoa(i)]
		if !ok {
			return fmt.Errorf("id2label has no name of class %d, expected one for each of 0 to %d", i, len(ids)-1)
		}
		names[i] = name
		plain = plain && name == fmt.Sprintf("LABEL_%d", i)
	}
	is := func(want ...string) bool { return slices.EqualFunc(names, want, strings.EqualFold) }
	switch {
	case plain, is(labelNames...):
	case is(labelNames[1], labelNames[0]):
		a.Swapped = true
	default:
		a.Labels = names
	}
	return nil
}

// names are the classes' names as config.json has them.
func (a About) names() []string {
	switch {
	case a.Labels != nil:
		return a.Labels
	case a.Config.Classes == len(labelNames):
		return labelNames
	}
	names := make([]string, a.Config.Classes)
	for i := range names {
		names[i] = fmt.Sprintf("LABEL_%d", i)
	}
	return names
}

// arrange brings the head of a model whose file has same first to the order of this package: class 0 is different, 1 is same.
func (a About) arrange(w *Weights[*tensors.Tensor]) error {
	if !a.Swapped {
		return nil
	}
	for _, x := range []*tensors.Tensor{w.Head.W, w.Head.B} {
		if x == nil {
			continue
		}
		if err := tensors.MutableFlatData(x, func(values []float32) {
			first, second := values[:len(values)/2], values[len(values)/2:]
			for i := range first {
				first[i], second[i] = second[i], first[i]
			}
		}); err != nil {
			return fmt.Errorf("vit: the head's classes: %w", err)
		}
	}
	return nil
}

// ErrOtherClasses is why a model cannot be asked whether objects are the same.
var ErrOtherClasses = errors.New("its classes are not different and same")

// Answers returns an error, [ErrOtherClasses], unless class 0 of the model means different and class 1 means same: what a task is
// scored by. A model with two classes that its file does not name is taken to mean that.
func (m *Model) Answers() error {
	switch {
	case m.Labels != nil:
		return fmt.Errorf("vit: the model's classes are %q, expected %q: %w: name them in id2label of config.json if that is what they mean, or put a new head on it",
			m.Labels[:min(len(m.Labels), 4)], labelNames, ErrOtherClasses)
	case m.Config.Classes != len(labelNames):
		return fmt.Errorf("vit: the model has %d classes, expected 2, %q: %w: put a new head on it", m.Config.Classes, labelNames, ErrOtherClasses)
	}
	return nil
}

// about is what the model's folder says of it.
func (m *Model) about() About {
	return About{Config: m.Config, Labels: m.Labels, Preparation: m.Preparation}
}
