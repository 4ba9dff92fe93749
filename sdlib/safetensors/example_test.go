package safetensors_test

import (
	"fmt"
	"log"
	"os"
	"path/filepath"

	"samediff/sdlib/safetensors"
)

func Example() {
	dir, err := os.MkdirTemp("", "safetensors")
	if err != nil {
		log.Fatal(err)
	}
	defer os.RemoveAll(dir)
	path := filepath.Join(dir, "rotation.safetensors")

	rotation := safetensors.Float32s("rotation", []int{2, 2}, []float32{0, -1, 1, 0})
	if err := safetensors.WriteFile(path, []safetensors.Tensor{rotation}, map[string]string{"property": "color"}); err != nil {
		log.Fatal(err)
	}

	f, err := safetensors.Open(path)
	if err != nil {
		log.Fatal(err)
	}
	defer f.Close()
	t, _ := f.Tensor("rotation")
	values, err := t.Float32s()
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(f.Names(), t.DType, t.Shape, values, f.Metadata()["property"])
	// Output: [rotation] F32 [2 2] [0 -1 1 0] color
}
