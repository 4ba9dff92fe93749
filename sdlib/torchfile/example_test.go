package torchfile_test

import (
	"fmt"
	"log"
	"os"
	"path/filepath"

	"samediff/sdlib/safetensors"
	"samediff/sdlib/torchfile"
)

func Example() {
	dir, err := os.MkdirTemp("", "torchfile")
	if err != nil {
		log.Fatal(err)
	}
	defer os.RemoveAll(dir)
	path := filepath.Join(dir, "pytorch_model.bin")

	bias := safetensors.Float32s("head.bias", []int{2}, []float32{-1, 1})
	if err := torchfile.WriteFile(path, []safetensors.Tensor{bias}); err != nil {
		log.Fatal(err)
	}

	f, err := torchfile.Open(path)
	if err != nil {
		log.Fatal(err)
	}
	defer f.Close()
	t, _ := f.Tensor("head.bias")
	values, err := t.Float32s()
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(f.Names(), t.DType, t.Shape, values)
	// Output: [head.bias] F32 [2] [-1 1]
}

// A pickle that would run a command is refused, and nothing is run.
func ExampleOpen_hostile() {
	_, err := torchfile.Open("testdata/system.pt")
	fmt.Println(err)
	// Output:
	// torchfile: testdata/system.pt cannot be read as a PyTorch state dict: its pickle, byte 16: it asks Python for posix.system, which is no part of a state dict, and it is not run: calling such names is how a pickle takes over a machine. If you trust where the file is from, load it in Python and save the tensors alone: torch.save(model.state_dict(), path)
}
