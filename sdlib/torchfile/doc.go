// Package torchfile reads and writes the files of torch.save, "pytorch_model.bin" and "model.pt", as far as they hold state dicts:
// names and tensors. Several of the paper's checkpoints exist in this form only.
//
// # The way in
//
// [Open] maps a file into memory, like [samediff/sdlib/safetensors.Open], and gives out the same tensors:
//
//	f, err := torchfile.Open("pytorch_model.bin")
//	if err != nil {
//		return err
//	}
//	defer f.Close()
//	t, ok := f.Tensor("embeddings.cls_token") // Shape [1 1 768]
//	values, err := t.Float32s()
//
// [OpenSharded] opens a model that is spread over several files, by its index.
//
// [WriteFile] writes one that torch.load(path, weights_only=True) reads.
//
// # No code is run
//
// A PyTorch file describes its tensors by a pickle, and a pickle is a program: Python imports whatever it names and calls it with
// whatever it likes, so that loading a stranger's file hands over the machine. Here the program runs on a machine of 37 opcodes that
// knows the few globals a state dict is made of (globals.go) and refuses every other by its name:
//
//	torchfile: evil.bin cannot be read as a PyTorch state dict: its pickle, byte 16: it asks Python for posix.system, which is ...
//
// It makes no more than a million values, whatever the pickle says. Tensors are views of their storages: their offsets, shapes and
// strides are checked against the bytes that are there, and no tensor is larger than the file it is from.
//
// # What a file may look like
//
//   - The zip archive of PyTorch 1.6 and later, in which tensors are used where they lie, and the older format, five pickles followed
//     by raw storages, which old checkpoints of the hub have. Big-endian files, compressed archives and TorchScript are refused with
//     a word on how to convert them.
//   - Tensors that share a storage, as tied weights do, share the mapped memory. Those that are transposed, or cut out, come out
//     row-major, gathered into fresh memory at each call of [File.Tensor].
//   - Parameters are tensors. A training script's {"model": state dict, "epoch": 3, ...} is looked into where one of the keys
//     state_dict, model and model_state_dict, and only one, is there. Everything else, such as a whole model saved with its class, is
//     refused: what it would need is Python.
//
// # Why not a library
//
// The one Go library for this, github.com/nlpodyssey/gopickle, allocates what the file claims before it looks whether that is there,
// panics at views in old files and at tar archives, resolves unknown globals to general objects, and copies every storage to a slice
// of numbers, element by element. None of this can be configured away.
//
// The format: torch/serialization.py (_save, _load, _legacy_load) and torch/_weights_only_unpickler.py of PyTorch, pickletools of
// Python.
package torchfile
