// Package safetensors reads and writes the safetensors format, in which Hugging Face models, and every weight, rotation and
// activation of this project, are kept. Python reads what this package writes and the other way round, byte for byte.
//
// A file is three things in a row:
//
//	8 bytes    N, the header's length, unsigned little endian
//	N bytes    the header, a JSON object: {"name": {"dtype": "F32", "shape": [197,768], "data_offsets": [begin, end]}, ...},
//	           with an optional "__metadata__" object of strings, padded with spaces so that the data start at a multiple of 8
//	the rest   the tensors' bytes, little endian, row-major, without holes: offsets count from the end of the header
//
// # The way in
//
// [Open] maps a file into memory, so that opening a model of gigabytes costs microseconds and pages are read when touched:
//
//	f, err := safetensors.Open("model.safetensors")
//	if err != nil {
//		return err
//	}
//	defer f.Close()
//	t, ok := f.Tensor("vit.embeddings.cls_token") // Shape [1 1 768]
//	values, err := t.Float32s()                   // a copy, whatever the floating-point type in the file
//
// [OpenSharded] opens a model whose tensors are spread over several files, by its index.
//
// [WriteFile] writes one: aside, flushed to the disk, then renamed, so that a reader sees the old file or the new one and never half
// of one. Tensors keep the order they are given in; [Sort] puts them in the reference writer's order. [WriteStream] writes what comes
// piece by piece, or does not fit into memory. [Tensor.As] rounds to half precision.
//
// # Dangers
//
// [Tensor.Data] of an opened file is the mapping itself. It is read-only (writing to it crashes the program) and gone after
// [File.Close]. Nobody may truncate a file while it is mapped: replace files, as WriteFile does, and never write into them.
//
// # Trust
//
// Weights come from strangers. Everything in a header is checked before a byte of data is touched: lengths, types, shapes and
// their products, offsets without overlap, hole or remainder, names that occur twice. What does not pass is a [FormatError].
//
// The format: https://github.com/huggingface/safetensors#format.
package safetensors
