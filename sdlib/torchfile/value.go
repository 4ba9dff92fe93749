package torchfile

// The machine's stack holds values of these types, and nil (Python's None), bool, int, float64 and string.
type (
	// A tuple does not change once it is made, so several places may share one.
	tuple []any
	// A list is shared by reference, as in Python.
	list struct{ items []any }
	// A dict keeps its pairs in the order in which they came. Keys that occur twice are found when it is read as a state dict.
	dict struct{ keys, values []any }
	// A long is an integer beyond 64 bits, as its bytes. The magic number of old files is one.
	long string
	// A function is one of the globals that can be called.
	function func(m *machine, args tuple) (any, error)
	// A storageType is the class of a storage, torch.FloatStorage.
	storageType struct{ dtype }
	// A storage is a run of elements that tensors are views of.
	storage struct {
		dtype  dtype
		key    string
		begin  int // in elements, from the start of the storage called key; not 0 only in views in very old files
		length int // elements
	}
	// A tensor is a view of a storage: element (i, j, ...) stands at offset + i·strides[0] + j·strides[1] + ...
	tensor struct {
		storage        *storage
		dtype          dtype
		offset         int // elements
		shape, strides []int
	}
)

// kind names a value for error messages.
func kind(v any) string {
	switch v.(type) {
	case nil:
		return "None"
	case bool:
		return "a bool"
	case int, long:
		return "an integer"
	case float64:
		return "a float"
	case string:
		return "a string"
	case tuple:
		return "a tuple"
	case *list:
		return "a list"
	case *dict:
		return "a dict"
	case *storage:
		return "a storage"
	case *tensor:
		return "a tensor"
	case dtype, storageType:
		return "a type"
	case function:
		return "a function"
	}
	return "a mark"
}
