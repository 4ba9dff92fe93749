package torchfile

// A dtype is one of PyTorch's element types.
type dtype struct {
	name    string // in safetensors' words: "F32"
	torch   string // torch.float32
	storage string // torch.FloatStorage, empty where PyTorch has none and keeps the type in the tensor
	size    int    // bytes per element
}

var dtypes = []dtype{
	{"F32", "float32", "FloatStorage", 4},
	{"F16", "float16", "HalfStorage", 2},
	{"BF16", "bfloat16", "BFloat16Storage", 2},
	{"F64", "float64", "DoubleStorage", 8},
	{"I64", "int64", "LongStorage", 8},
	{"I32", "int32", "IntStorage", 4},
	{"I16", "int16", "ShortStorage", 2},
	{"I8", "int8", "CharStorage", 1},
	{"U8", "uint8", "ByteStorage", 1},
	{"BOOL", "bool", "BoolStorage", 1},
	{"C64", "complex64", "ComplexFloatStorage", 8},
	{"U16", "uint16", "", 2},
	{"U32", "uint32", "", 4},
	{"U64", "uint64", "", 8},
	{"F8_E4M3", "float8_e4m3fn", "", 1},
	{"F8_E5M2", "float8_e5m2", "", 1},
}

// bytesType is the element type of an untyped storage.
var bytesType = dtype{"U8", "uint8", "UntypedStorage", 1}

// dtypeNamed returns the element type that safetensors calls name.
func dtypeNamed(name string) (dtype, bool) {
	for _, d := range dtypes {
		if d.name == name {
			return d, true
		}
	}
	return dtype{}, false
}
