package safetensors

import (
	"encoding/json"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"
)

// writeShards writes two shards, of tensors a and b and of tensor c, and an index, and returns the index's path.
func writeShards(t *testing.T, weightMap map[string]string) string {
	t.Helper()
	dir := t.TempDir()
	one := func(names ...string) (tensors []Tensor) {
		for i, name := range names {
			tensors = append(tensors, Float32s(name, []int{1}, []float32{float32(i)}))
		}
		return tensors
	}
	for file, tensors := range map[string][]Tensor{"1.safetensors": one("b", "a"), "2.safetensors": one("c")} {
		if err := WriteFile(filepath.Join(dir, file), tensors, nil); err != nil {
			t.Fatal(err)
		}
	}
	text, err := json.Marshal(map[string]any{"metadata": map[string]any{"total_size": 12}, "weight_map": weightMap})
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(dir, "model.safetensors.index.json")
	if err := os.WriteFile(path, text, 0o644); err != nil {
		t.Fatal(err)
	}
	return path
}

func TestSharded(t *testing.T) {
	s, err := OpenSharded(writeShards(t, map[string]string{"a": "1.safetensors", "b": "1.safetensors", "c": "2.safetensors"}))
	if err != nil {
		t.Fatal(err)
	}
	if got, want := s.Names(), []string{"b", "a", "c"}; !slices.Equal(got, want) {
		t.Errorf("names %v, want %v", got, want)
	}
	if a, ok := s.Tensor("a"); !ok || !reflect.DeepEqual(a, Float32s("a", []int{1}, []float32{1})) {
		t.Errorf("a is %v, %v", a, ok)
	}
	if _, ok := s.Tensor("d"); ok {
		t.Error("there is a tensor that no shard has")
	}
	for range 2 {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	}
	if _, ok := s.Tensor("a"); ok || len(s.Names()) > 0 {
		t.Error("closed shards still have tensors")
	}
}

func TestShardedRefuses(t *testing.T) {
	tests := []struct {
		name      string
		weightMap map[string]string
		damage    func(dir string) error
		want      string
	}{
		{"missing shard", map[string]string{"a": "1.safetensors", "b": "1.safetensors", "c": "3.safetensors"}, nil, "names files that are not there: 3.safetensors"},
		{"tensor missing in its shard", map[string]string{"a": "1.safetensors", "b": "1.safetensors", "c": "2.safetensors", "d": "2.safetensors"}, nil,
			"promises tensors that are not there: d in 2.safetensors"},
		{"tensor in another shard", map[string]string{"a": "2.safetensors", "b": "1.safetensors", "c": "2.safetensors"}, nil,
			"promises tensors that are not there: a in 2.safetensors; there are tensors that it has elsewhere or not at all: a in 1.safetensors"},
		{"tensor that the index does not know", map[string]string{"a": "1.safetensors", "c": "2.safetensors"}, nil, "elsewhere or not at all: b in 1.safetensors"},
		{"tensor in two shards", map[string]string{"a": "1.safetensors", "b": "1.safetensors", "c": "2.safetensors"}, func(dir string) error {
			return WriteFile(filepath.Join(dir, "2.safetensors"), []Tensor{Float32s("c", nil, []float32{1}), Float32s("a", nil, []float32{1})}, nil)
		}, "elsewhere or not at all: a in 2.safetensors"},
		{"damaged shard", map[string]string{"a": "1.safetensors", "b": "1.safetensors", "c": "2.safetensors"}, func(dir string) error {
			return os.Truncate(filepath.Join(dir, "2.safetensors"), 20)
		}, "2.safetensors: its header claims"},
		{"path out of the folder", map[string]string{"a": "../1.safetensors"}, nil, "want one in the folder of the index"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			path := writeShards(t, test.weightMap)
			if test.damage != nil {
				if err := test.damage(filepath.Dir(path)); err != nil {
					t.Fatal(err)
				}
			}
			if _, err := OpenSharded(path); err == nil || !strings.Contains(err.Error(), test.want) {
				t.Errorf("OpenSharded gave %v, want %q in it", err, test.want)
			}
		})
	}
	if _, err := OpenSharded(filepath.Join(t.TempDir(), "absent.json")); err == nil || !strings.Contains(err.Error(), "absent.json") {
		t.Errorf("an absent index gave %v", err)
	}
}
