package torchfile

import (
	"errors"
	"fmt"
	"slices"
	"strings"
)

// wrappers are the keys under which training scripts keep the state dict of the model beside that of the optimizer.
var wrappers = []string{"state_dict", "model", "model_state_dict"}

// stateDict finds the state dict in a checkpoint: the checkpoint itself, or what lies in it under one of the wrappers. It copies
// the names and tensors of the state dict, in order. Numbers and strings among them, such as a count of epochs, are passed over.
func stateDict(value any) (names []string, tensors []*tensor, err error) {
	for range 4 { // a wrapper in a wrapper is seen; a dict that contains itself ends here
		d, ok := value.(*dict)
		if !ok {
			return nil, nil, fmt.Errorf("it holds %s, want a state dict: save model.state_dict() in Python", kind(value))
		}
		if len(d.keys) == 0 || slices.ContainsFunc(d.values, isTensor) {
			return d.tensors()
		}
		if value, err = d.unwrap(); err != nil {
			return nil, nil, err
		}
	}
	return nil, nil, errors.New("its state dict lies too deep: save it alone, with torch.save(model.state_dict(), path) in Python")
}

func isTensor(v any) bool {
	_, ok := v.(*tensor)
	return ok
}

// tensors returns the items of a state dict.
func (d *dict) tensors() (names []string, tensors []*tensor, err error) {
	seen := make(map[string]bool)
	for i, key := range d.keys {
		switch value := d.values[i].(type) {
		case *tensor:
			name, ok := key.(string)
			switch {
			case !ok:
				return nil, nil, fmt.Errorf("a tensor is named by %s, want a string", kind(key))
			case seen[name]:
				return nil, nil, fmt.Errorf("it has the tensor %.200q twice", name)
			}
			seen[name] = true
			names, tensors = append(names, name), append(tensors, value)
		case nil, bool, int, float64, string:
		default:
			return nil, nil, fmt.Errorf("its state dict has %s among the tensors, under %.80q: save the tensors alone in Python", kind(value), fmt.Sprint(key))
		}
	}
	return names, tensors, nil
}

// unwrap returns the value of the one wrapper that a dict without tensors has.
func (d *dict) unwrap() (value any, err error) {
	var found []string
	for i, key := range d.keys {
		if name, ok := key.(string); ok && slices.Contains(wrappers, name) {
			value, found = d.values[i], append(found, name)
		}
	}
	if len(found) == 1 {
		return value, nil
	}
	var keys []string
	for _, key := range d.keys[:min(len(d.keys), 10)] {
		if name, ok := key.(string); ok {
			keys = append(keys, fmt.Sprintf("%.40q", name))
		}
	}
	return nil, fmt.Errorf("which part of it is the state dict is not known: it has no tensors of its own, and of the keys %s it has not one: its "+
		"keys are %s; save the part you want in Python, with torch.save(checkpoint[key], path)", strings.Join(wrappers, ", "), strings.Join(keys, ", "))
}
