package torchfile

import (
	"samediff/sdlib/internal/shards"
	"samediff/sdlib/safetensors"
)

// A Sharded is a model whose tensors are spread over several PyTorch files. Its methods are those of a File.
type Sharded struct {
	set *shards.Set[safetensors.Tensor]
}

// OpenSharded opens all files that an index, "pytorch_model.bin.index.json", names, with the checks of safetensors.OpenSharded.
func OpenSharded(indexPath string) (*Sharded, error) {
	set, err := shards.Open(indexPath, func(path string) (shards.File[safetensors.Tensor], error) { return Open(path) })
	if err != nil {
		return nil, err
	}
	return &Sharded{set}, nil
}

// Names returns the tensors' names: file by file, in the order of each state dict.
func (s *Sharded) Names() []string { return s.set.Names() }

// Tensor returns the tensor of a name and whether there is one, as [File.Tensor] does.
func (s *Sharded) Tensor(name string) (safetensors.Tensor, bool) { return s.set.Tensor(name) }

// Close gives the files' memory back. A second Close does nothing.
func (s *Sharded) Close() error { return s.set.Close() }
