package main

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"

	"samediff/bench/internal/golden"
	"samediff/bench/internal/peer"
	"samediff/sdlib/backend"
	"samediff/sdlib/figure"
	"samediff/sdlib/safetensors"
	"samediff/sdlib/vit"
)

// formats are the ways in which weights pass between the two, by the folder's name.
var formats = []vit.Format{vit.Safetensors, vit.Sharded, vit.Bin}

// exchange draws models and prints how far the two libraries are apart.
func exchange(python string, seed uint64, base, keep string) error {
	draws, err := draw(seed, base)
	if err != nil {
		return err
	}
	_, here, _, _ := runtime.Caller(0)
	p, err := peer.Start(python, filepath.Join(filepath.Dir(here), "parity.py"))
	if err != nil {
		return fmt.Errorf("parity: %s does not run parity.py: %w: `make parity` makes an environment for it", python, err)
	}
	be, err := backend.Open(backend.CPU)
	if err != nil {
		return err
	}
	if keep == "" {
		if keep, err = os.MkdirTemp("", "parity"); err != nil {
			return err
		}
		defer os.RemoveAll(keep)
	}
	fmt.Printf("seed %d; %s; %v\n\n", seed, p.Version, be)
	t := figure.Table{Columns: []string{"family", "model", "images", "backend", golden.Hidden, golden.Attention, golden.Logits, "PyTorch to float64", "read back"}}
	var failures []string
	for i, d := range draws {
		fmt.Fprintf(os.Stderr, "%d of %d: %s, %s\n", i+1, len(draws), d.Kind, d)
		dir := filepath.Join(keep, fmt.Sprintf("%02d-%s", i, d.Kind))
		rows, err := one(p, d, dir)
		if err != nil {
			return fmt.Errorf("parity: %s, %s (seed %d): %w", d.Kind, d, seed, err)
		}
		for _, r := range rows {
			t.Add(d.Kind, d.String(), d.Batch, r.backend, r.here.Text(golden.Hidden), r.here.Text(golden.Attention), r.here.Text(golden.Logits),
				golden.Scientific(r.exact), golden.Scientific(r.back))
			if x := max(r.here.Worst(), r.back); !(x <= golden.Tolerance) {
				failures = append(failures, fmt.Sprintf("%s, %s on %s: %.1e", d.Kind, d, r.backend, x))
			}
		}
		if d.isBase() {
			if err := os.RemoveAll(dir); err != nil {
				return err
			}
		}
	}
	text, err := t.Markdown()
	if err != nil {
		return err
	}
	fmt.Print(text)
	if len(failures) > 0 {
		return fmt.Errorf("parity: further from transformers than allowed (seed %d):\n%s", seed, strings.Join(failures, "\n"))
	}
	return nil
}

// draw draws two small models of every kind, and those of ViT-B's size that base names.
func draw(seed uint64, base string) ([]drawing, error) {
	rng := rand.New(rand.NewPCG(seed, 0))
	var all []drawing
	for _, kind := range kinds() {
		all = append(all, drawTiny(kind, false, rng), drawTiny(kind, true, rng))
	}
	var large []string
	switch {
	case base == "none":
	case base == "all":
		large = kinds()
	case base == "one":
		large = []string{kinds()[rng.IntN(len(kinds()))]}
	case slices.Contains(kinds(), base):
		large = []string{base}
	default:
		return nil, fmt.Errorf("parity: -base is %q, expected none, one, all, or one of %s", base, strings.Join(kinds(), ", "))
	}
	for _, kind := range large {
		all = append(all, drawBase(kind, rng))
	}
	return all, nil
}

// A row is what was found for a model on a backend.
type row struct {
	backend string
	here    golden.Distances // from what PyTorch computed
	exact   float64          // PyTorch's own distance from the same computation in float64
	back    float64          // of the logits that transformers computes from what was written here
}

// one has PyTorch make a model, computes with it, and has PyTorch read what is written of it.
func one(p *peer.Process, d drawing, dir string) ([]row, error) {
	text, err := json.Marshal(d)
	if err != nil {
		return nil, err
	}
	answer, err := p.Ask("write", dir, string(text))
	if err != nil {
		return nil, err
	}
	if len(answer) != 1 {
		return nil, fmt.Errorf("parity.py answered %v, expected one number", answer)
	}
	m, err := readAll(dir)
	if err != nil {
		return nil, err
	}
	backends := []string{backend.CPU, backend.Go}
	if d.isBase() {
		backends = backends[:1] // pure Go takes a minute for an image
	}
	var rows []row
	for _, name := range backends {
		be, err := backend.Open(name)
		if err != nil {
			return nil, err
		}
		found, ours, err := golden.Compare(be, m, filepath.Join(dir, "golden.safetensors"), vit.F32)
		if err != nil {
			return nil, err
		}
		r := row{backend: name, here: found[0], exact: answer[0]}
		computed := safetensors.Float32s("logits", []int{d.Batch, m.Config.Classes}, ours)
		if err := safetensors.WriteFile(filepath.Join(dir, "computed.safetensors"), []safetensors.Tensor{computed}, nil); err != nil {
			return nil, err
		}
		for _, format := range formats {
			back := filepath.Join(dir, "back-"+string(format))
			if err := m.SaveAs(back, vit.Saving{Format: format}); err != nil {
				return nil, err
			}
			distance, err := p.Ask("read", dir, back)
			if err != nil {
				return nil, fmt.Errorf("%s: %w", format, err)
			}
			for _, x := range distance {
				r.back = max(r.back, x)
			}
		}
		rows = append(rows, r)
	}
	return rows, nil
}

// readAll reads the three folders that parity.py wrote, which must hold the same model.
func readAll(dir string) (*vit.Model, error) {
	var first *vit.Model
	var name string
	for _, format := range formats {
		m, err := golden.Load(filepath.Join(dir, string(format)))
		if err != nil {
			return nil, err
		}
		hash, err := m.Hash()
		switch {
		case err != nil:
			return nil, err
		case first == nil:
			first, name = m, hash
		case hash != name:
			return nil, fmt.Errorf("%s holds other weights than %s", format, formats[0])
		}
	}
	return first, nil
}
