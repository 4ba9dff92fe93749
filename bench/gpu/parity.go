package main

import (
	"context"
	"fmt"
	"math"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"sync"

	"samediff/bench/internal/golden"
	"samediff/sdlib/backend"
	"samediff/sdlib/vit"
)

// bounds are how far a value may be from transformers', as a part of its tensor's scale. Those
// of TF32 and bf16 are 20 roundings of 11 and of 8 significant bits, as in sdlib/vit's
// TestPrecision; the CPU's are up to 3.1e-3 and 4.3e-2 (docs/parity.md).
var bounds = map[precision]float64{f32: golden.Tolerance, tf32: 20 * math.Exp2(-11), bf16: 20 * math.Exp2(-8)}

// parity compares the forward pass of the tiny golden models with transformers', in each
// precision. Files are compiled side by side: a GPU's compiler leaves most cores idle.
func (o options) parity(ctx context.Context, list string) error {
	precisions := []precision{f32, bf16}
	if list != "" {
		precisions = nil
		for _, p := range strings.Split(list, ",") {
			if _, ok := bounds[precision(p)]; !ok {
				return fmt.Errorf("no precision %q: expected f32, tf32 or bf16", p)
			}
			precisions = append(precisions, precision(p))
		}
	} else if !isGPU(o.backend) {
		precisions = append(precisions, tf32)
	}
	name, _ := precisions[0].on(o.backend)
	var models []vit.Precision
	for _, p := range precisions {
		other, model := p.on(o.backend)
		if other != name {
			return fmt.Errorf("%v are not of one backend: compare tf32 on a GPU alone", precisions)
		}
		models = append(models, model)
	}
	be, err := o.start(name)
	if be == nil {
		return err
	}
	files, err := o.goldenFiles()
	if err != nil {
		return err
	}
	var (
		all   sync.WaitGroup
		mu    sync.Mutex // of results and first
		first error
		queue = make(chan string)
	)
	for range max(1, runtime.NumCPU()/4) {
		all.Go(func() {
			for path := range queue {
				rows := compareFile(ctx, be, path, precisions, models)
				mu.Lock()
				for _, r := range rows {
					if err := o.results.add(r); err != nil && first == nil {
						first = err
					}
				}
				mu.Unlock()
			}
		})
	}
	for _, path := range files {
		queue <- path
	}
	close(queue)
	all.Wait()
	return first
}

// goldenFiles are the golden files of sdlib/vit, those of each model's own size first.
func (o options) goldenFiles() ([]string, error) {
	testdata := filepath.Join(o.root, "sdlib", "vit", "testdata")
	var files []string
	patterns := []string{"*/golden.safetensors", "*/golden-*.safetensors"}
	if o.tiny {
		patterns = []string{"registers/golden-16.safetensors"}
	}
	for _, pattern := range patterns {
		found, err := filepath.Glob(filepath.Join(testdata, pattern))
		if err != nil {
			return nil, err
		}
		files = append(files, slices.Sorted(slices.Values(found))...)
	}
	if len(files) == 0 {
		return nil, fmt.Errorf("no golden files in %s: name the repository with -root", testdata)
	}
	return files, nil
}

// compareFile has a row for each precision of a golden file.
func compareFile(ctx context.Context, be *backend.Backend, path string, precisions []precision, models []vit.Precision) []row {
	model := filepath.Base(filepath.Dir(path))
	if _, size, ok := strings.Cut(strings.TrimSuffix(filepath.Base(path), ".safetensors"), "-"); ok {
		model += " at " + size + " px"
	}
	each := func(of func(i int) row) (rows []row) {
		for i, p := range precisions {
			r := of(i)
			r.what, r.config = "forward", model+" "+string(p)
			rows = append(rows, r)
		}
		return rows
	}
	if ctx.Err() != nil {
		return each(func(int) row { return row{ok: skipped, note: "no time left"} })
	}
	failed := func(err error) []row { return each(func(int) row { return row{ok: no, note: oneLine(err)} }) }
	m, err := golden.Load(filepath.Dir(path))
	if err != nil {
		return failed(err)
	}
	found, _, err := golden.Compare(be, m, path, models...)
	if err != nil {
		return failed(err)
	}
	return each(func(i int) row {
		worst, bound, ok := found[i].Worst(), bounds[precisions[i]], no
		if worst <= bound {
			ok = yes
		}
		kind := ""
		for k, x := range found[i] {
			if x == worst {
				kind = k
			}
		}
		return row{value: golden.Scientific(worst), unit: "of scale", bound: golden.Scientific(bound), ok: ok, note: "largest of " + kind}
	})
}
