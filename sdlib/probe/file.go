package probe

import (
	"fmt"
	"strings"

	"samediff/sdlib/safetensors"
)

// Save writes probes to a file: tensors PLACE/weight [C, F] and PLACE/bias [C], float32, which
// Python reads with the library safetensors. The file is written aside and renamed.
func Save(path string, probes []Probe, metadata map[string]string) error {
	var all []safetensors.Tensor
	for _, p := range probes {
		all = append(all, safetensors.Float32s(p.Place+weightSuffix, []int{len(p.Bias), p.Width()}, p.Weight),
			safetensors.Float32s(p.Place+biasSuffix, []int{len(p.Bias)}, p.Bias))
	}
	if err := safetensors.WriteFile(path, all, metadata); err != nil {
		return fmt.Errorf("probe: %w", err)
	}
	return nil
}

const weightSuffix, biasSuffix = "/weight", "/bias"

// Load reads the probes of a file that [Save] wrote, in the order of their places' names.
func Load(path string) ([]Probe, error) {
	f, err := safetensors.Open(path)
	if err != nil {
		return nil, fmt.Errorf("probe: %w", err)
	}
	defer f.Close()
	var all []Probe
	for _, name := range f.Names() {
		place, ok := strings.CutSuffix(name, weightSuffix)
		if !ok {
			continue
		}
		w, _ := f.Tensor(name)
		b, ok := f.Tensor(place + biasSuffix)
		if !ok || len(w.Shape) != 2 || len(b.Shape) != 1 || w.Shape[0] != b.Shape[0] || b.Shape[0] == 0 {
			return nil, fmt.Errorf("probe: %s: %s is %d and its bias %d, expected [classes, features] and [classes]", path, name, w.Shape, b.Shape)
		}
		p := Probe{Place: place}
		if p.Weight, err = w.Float32s(); err == nil {
			p.Bias, err = b.Float32s()
		}
		if err != nil {
			return nil, fmt.Errorf("probe: %s: %w", path, err)
		}
		all = append(all, p)
	}
	if len(all) == 0 {
		return nil, fmt.Errorf("probe: %s holds no probes: expected tensors whose names end in %s", path, weightSuffix)
	}
	return all, nil
}
