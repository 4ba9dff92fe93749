package torchfile

import "fmt"

// lookup returns what a global stands for: this is the whole world of a pickle.
func lookup(module, name string) (any, bool) {
	switch module {
	case "collections":
		if name == "OrderedDict" {
			return function(orderedDict), true
		}
	case "torch._utils":
		switch name {
		case "_rebuild_tensor":
			return function(rebuildTensor), true
		case "_rebuild_tensor_v2":
			return function(rebuildTensorV2), true
		case "_rebuild_tensor_v3":
			return function(rebuildTensorV3), true
		case "_rebuild_parameter":
			return function(rebuildParameter), true
		case "_rebuild_parameter_with_state":
			return function(rebuildParameterWithState), true
		}
	case "torch", "torch.storage":
		switch name {
		case "Size":
			return function(size), true
		case bytesType.storage:
			return storageType{bytesType}, true
		}
		for _, d := range dtypes {
			if name == d.torch {
				return d, true
			}
			if name == d.storage && name != "" {
				return storageType{d}, true
			}
		}
	}
	return nil, false
}

func (m *machine) global(module, name string) {
	value, ok := lookup(module, name)
	if !ok {
		m.fail("it asks Python for %.*s.%.*s, which is no part of a state dict, and it is not run: calling such names is how a pickle "+
			"takes over a machine. If you trust where the file is from, load it in Python and save the tensors alone: "+
			"torch.save(model.state_dict(), path)", maxGlobal, module, maxGlobal, name)
	}
	m.push(value)
}

// call runs REDUCE: a global, called with a tuple of arguments.
func (m *machine) call() {
	arguments, callee := m.pop(), m.pop()
	f, ok := callee.(function)
	args, ok2 := arguments.(tuple)
	if !ok || !ok2 {
		m.fail("it calls %s with %s, want a function and a tuple", kind(callee), kind(arguments))
		return
	}
	value, err := f(m, args)
	if err != nil {
		m.fail("%w", err)
	}
	m.push(value)
}

// arity checks a number of arguments.
func arity(name string, args tuple, least, most int) error {
	if len(args) < least || len(args) > most {
		return fmt.Errorf("%s has %d arguments, want %d to %d", name, len(args), least, most)
	}
	return nil
}

// orderedDict is OrderedDict() or, as Python 2 writes it, OrderedDict([[key, value], ...]).
func orderedDict(m *machine, args tuple) (any, error) {
	d := &dict{}
	if err := arity("OrderedDict", args, 0, 1); err != nil || len(args) == 0 {
		return d, err
	}
	pairs, ok := args[0].(*list)
	if !ok {
		return nil, fmt.Errorf("OrderedDict is made of %s, want a list of pairs", kind(args[0]))
	}
	m.spend(len(pairs.items)) // the list may be given again and again
	if m.err != nil {
		return nil, m.err
	}
	for _, item := range pairs.items {
		var pair []any
		switch item := item.(type) {
		case *list:
			pair = item.items
		case tuple:
			pair = item
		}
		if len(pair) != 2 {
			return nil, fmt.Errorf("OrderedDict is made of a list with %s in it, want pairs", kind(item))
		}
		d.keys, d.values = append(d.keys, pair[0]), append(d.values, pair[1])
	}
	return d, nil
}

// size is torch.Size((2, 3)).
func size(_ *machine, args tuple) (any, error) {
	if err := arity("torch.Size", args, 1, 1); err != nil {
		return nil, err
	}
	if _, err := ints("torch.Size", args[0]); err != nil {
		return nil, err
	}
	return args[0], nil
}

// rebuildTensor is _rebuild_tensor(storage, offset, shape, strides).
func rebuildTensor(_ *machine, args tuple) (any, error) {
	if err := arity("_rebuild_tensor", args, 4, 4); err != nil {
		return nil, err
	}
	return newTensor(args)
}

// rebuildTensorV2 is _rebuild_tensor_v2(storage, offset, shape, strides, requires_grad, hooks, metadata = None).
func rebuildTensorV2(_ *machine, args tuple) (any, error) {
	if err := arity("_rebuild_tensor_v2", args, 6, 7); err != nil {
		return nil, err
	}
	t, err := newTensor(args)
	if err != nil {
		return nil, err
	}
	return t, plain(args[6:])
}

// rebuildTensorV3 is _rebuild_tensor_v3(storage, offset, shape, strides, requires_grad, hooks, dtype, metadata = None).
func rebuildTensorV3(_ *machine, args tuple) (any, error) {
	if err := arity("_rebuild_tensor_v3", args, 7, 8); err != nil {
		return nil, err
	}
	t, err := newTensor(args)
	if err != nil {
		return nil, err
	}
	d, ok := args[6].(dtype)
	if !ok {
		return nil, fmt.Errorf("_rebuild_tensor_v3 has %s for its dtype", kind(args[6]))
	}
	t.dtype = d
	return t, plain(args[7:])
}

// plain refuses a tensor's metadata: they say that its bytes are to be read as their conjugate or their negative.
func plain(metadata tuple) error {
	if len(metadata) == 0 || metadata[0] == nil {
		return nil
	}
	if d, ok := metadata[0].(*dict); ok && len(d.keys) == 0 {
		return nil
	}
	return fmt.Errorf("a tensor is a conjugate or negative view: save tensor.resolve_conj().resolve_neg() instead")
}

// rebuildParameter is _rebuild_parameter(tensor, requires_grad, hooks).
func rebuildParameter(_ *machine, args tuple) (any, error) {
	return parameter("_rebuild_parameter", args, 3)
}

// rebuildParameterWithState is _rebuild_parameter_with_state(tensor, requires_grad, hooks, attributes).
func rebuildParameterWithState(_ *machine, args tuple) (any, error) {
	return parameter("_rebuild_parameter_with_state", args, 4)
}

func parameter(name string, args tuple, n int) (any, error) {
	if err := arity(name, args, n, n); err != nil {
		return nil, err
	}
	t, ok := args[0].(*tensor)
	if !ok {
		return nil, fmt.Errorf("%s is made of %s, want a tensor", name, kind(args[0]))
	}
	return t, nil
}
