package torchfile

import (
	"bytes"
	"os"
	"path/filepath"
	"reflect"
	"testing"

	"samediff/sdlib/safetensors"
)

// FuzzParse looks for a file that makes Parse or Tensor crash, or that passes and holds a tensor that cannot be.
func FuzzParse(f *testing.F) {
	paths, err := filepath.Glob("testdata/*.pt")
	if err != nil || len(paths) < 8 {
		f.Fatalf("the golden files are %v (%v)", paths, err)
	}
	for _, path := range paths {
		file, err := os.ReadFile(path)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(file)
	}
	f.Add(archiveWith(f, pickled(8, 0, []int{2, 4}, []int{1, 2})))
	f.Fuzz(checkParse)
}

// FuzzPickle does the same with the pickle alone, which a mutation of a whole archive seldom reaches.
func FuzzPickle(f *testing.F) {
	for _, path := range []string{"testdata/zip.pt", "testdata/untyped.pt", "testdata/protocol4.pt", "testdata/checkpoint.pt"} {
		file, err := os.ReadFile(path)
		if err != nil {
			f.Fatal(err)
		}
		if begin, end := bytes.IndexByte(file, 0x80), bytes.Index(file, []byte("PK\x07\x08")); begin < end {
			f.Add(file[begin:end])
		} else {
			f.Fatalf("%s has no pickle", path)
		}
	}
	f.Add([]byte(pickled(8, 0, []int{2, 4}, []int{1, 2})))
	f.Fuzz(func(t *testing.T, pickle []byte) { checkParse(t, archiveWith(t, string(pickle))) })
}

func checkParse(t *testing.T, file []byte) {
	parsed, err := Parse(file)
	if err != nil {
		return
	}
	tensors := tensorsOf(parsed)
	for _, tensor := range tensors {
		d, ok := dtypeNamed(tensor.DType)
		if !ok || len(tensor.Data) != tensor.Len()*d.size || len(tensor.Data) > len(file) {
			t.Fatalf("%q, %s of shape %v, has %d bytes; the file has %d", tensor.Name, tensor.DType, tensor.Shape, len(tensor.Data), len(file))
		}
		if d.storage == "" {
			return // has no place in what is written below
		}
	}
	var b bytes.Buffer
	if err := Write(&b, tensors); err != nil {
		t.Fatalf("what was read cannot be written: %v", err)
	}
	again, err := Parse(b.Bytes())
	if err != nil {
		t.Fatalf("what was written cannot be read: %v", err)
	}
	if got := tensorsOf(again); !reflect.DeepEqual(normal(got), normal(tensors)) {
		t.Fatalf("wrote %v, read %v", tensors, got)
	}
}

// normal makes empty slices comparable.
func normal(tensors []safetensors.Tensor) []safetensors.Tensor {
	for i := range tensors {
		tensors[i].Data = append([]byte{}, tensors[i].Data...)
		tensors[i].Shape = append([]int{}, tensors[i].Shape...)
	}
	return tensors
}
