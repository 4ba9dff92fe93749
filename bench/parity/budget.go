package main

import (
	"errors"
	"fmt"
	"path/filepath"
	"runtime"
	"slices"

	"samediff/bench/internal/golden"
	"samediff/sdlib/backend"
	"samediff/sdlib/figure"
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
	all := map[vit.Family][]golden.Distances{}
	made, failed := "", false
	for _, path := range files {
		m, err := golden.Load(filepath.Dir(path))
		if err != nil {
			return err
		}
		onXLA, _, err := golden.Compare(xla, m, path, vit.F32, vit.TF32, vit.BF16)
		if err != nil {
			return err
		}
		onGo, _, err := golden.Compare(plain, m, path, vit.F32)
		if err != nil {
			return err
		}
		family := m.Config.Family
		if all[family] == nil {
			all[family] = []golden.Distances{{}, {}, {}, {}}
		}
		for i, d := range []golden.Distances{onXLA[0], onGo[0], onXLA[1], onXLA[2]} {
			all[family][i].Add(d)
		}
		failed = failed || !(onXLA[0].Worst() <= golden.Tolerance && onGo[0].Worst() <= golden.Tolerance)
		if made, err = golden.MadeWith(path); err != nil {
			return err
		}
	}
	t := figure.Table{Columns: slices.Concat([]string{"family", "values"}, columns)}
	for _, f := range vit.Families {
		for _, kind := range golden.Kinds {
			row := []any{f.String(), kind}
			for _, d := range all[f] {
				row = append(row, d.Text(kind))
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
		return fmt.Errorf("parity: a value in float32 is further than %.0e of its scale from transformers'", golden.Tolerance)
	}
	return nil
}
