package safetensors

import "samediff/sdlib/internal/shards"

// A Sharded is a model whose tensors are spread over several safetensors files. Its methods are those of a File.
type Sharded struct{ set *shards.Set[Tensor] }

// OpenSharded opens all files that an index, "model.safetensors.index.json", names. It fails where a file is missing, where a tensor
// is in another file than the index says, in two, or in none, and where a path leads out of the index's folder.
func OpenSharded(indexPath string) (*Sharded, error) {
	set, err := shards.Open(indexPath, func(path string) (shards.File[Tensor], error) { return Open(path) })
	if err != nil {
		return nil, err
	}
	return &Sharded{set}, nil
}

// Names returns the tensors' names: file by file, in the order of their data.
func (s *Sharded) Names() []string { return s.set.Names() }

// Tensor returns the tensor of a name and whether there is one. Its Data is the file's memory: read-only, and gone after Close.
func (s *Sharded) Tensor(name string) (Tensor, bool) { return s.set.Tensor(name) }

// Close gives the files' memory back. A second Close does nothing.
func (s *Sharded) Close() error { return s.set.Close() }
