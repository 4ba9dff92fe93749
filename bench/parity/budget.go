package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"path/filepath"
	"runtime"
	"slices"

	"samediff/sdlib/backend"
	"samediff/sdlib/figure"
	"samediff/sdlib/safetensors"
	"samediff/sdlib/vit"
)

// printBudget prints how far from transformers the models of sdlib/vit/testdata are, by
// family and kind of value: in float32 on both backends, and in the lower precisions.
func printBudget() error {
	_, here, _, _ := runtime.Caller(0)
	files, err := filepath.Glob(filepath.Join(filepath.Dir(here), "../../sdlib/vit/testdata/*/golden*.safetensors"))
	if err != nil || len(files) == 0 {
		return errors.Join(err, errors.New("parity: there are no golden files: run this in a checkout of the repository"))
	}
	xla, err := backend.Open(backend.CPU)
	if err != nil {
		return err
	}
	plain, err := backend.Open(backend.Go)
	if err != nil {
		return err
	}
	columns := []string{"xla:cpu", "pure Go", "tf32", "bf16"}
	all := map[vit.Family][]distances{}
	made, failed := "", false
	for _, path := range files {
		m, err := load(filepath.Dir(path))
		if err != nil {
			return err
		}
		onXLA, _, err := compare(xla, m, path, vit.F32, vit.TF32, vit.BF16)
		if err != nil {
			return err
		}
		onGo, _, err := compare(plain, m, path, vit.F32)
		if err != nil {
			return err
		}
		family := m.Config.Family
		if all[family] == nil {
			all[family] = []distances{{}, {}, {}, {}}
		}
		for i, d := range []distances{onXLA[0], onGo[0], onXLA[1], onXLA[2]} {
			all[family][i].add(d)
		}
		failed = failed || !(onXLA[0].worst() <= tolerance && onGo[0].worst() <= tolerance)
		if made, err = madeWith(path); err != nil {
			return err
		}
	}
	t := figure.Table{Columns: slices.Concat([]string{"family", "values"}, columns)}
	for _, f := range vit.Families {
		for _, kind := range kindsOfValues {
			row := []any{f.String(), kind}
			for _, d := range all[f] {
				row = append(row, d.text(kind))
			}
			t.Add(row...)
		}
	}
	text, err := t.Markdown()
	if err != nil {
		return err
	}
	fmt.Printf("%d files, made with %s; %v\n\n%s", len(files), made, xla, text)
	if failed {
		return fmt.Errorf("parity: a value in float32 is further than %.0e of its scale from transformers'", tolerance)
	}
	return nil
}

// load reads a classifier, or the encoder of a model that is none.
func load(dir string) (*vit.Model, error) {
	m, err := vit.Load(dir)
	if err == nil {
		return m, nil
	}
	backbone, other := vit.LoadBackbone(dir, 2, 1, 0)
	if other != nil {
		return nil, err
	}
	return backbone, nil
}

// madeWith says which versions a golden file was made with.
func madeWith(path string) (string, error) {
	f, err := safetensors.Open(path)
	if err != nil {
		return "", err
	}
	defer f.Close()
	var versions struct{ Transformers, Torch string }
	if err := json.Unmarshal([]byte(f.Metadata()["made_with"]), &versions); err != nil {
		return "", fmt.Errorf("%s: %w", path, err)
	}
	return fmt.Sprintf("transformers %s, torch %s", versions.Transformers, versions.Torch), nil
}
