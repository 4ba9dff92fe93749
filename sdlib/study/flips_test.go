package study

import (
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"testing"

	"samediff/sdlib/artifact"
	"samediff/sdlib/finetune"
	"samediff/sdlib/internal/flips"
)

// Of 100 bits that are flipped in each table that a command reads back, every one is noticed, or the rows are the same. A row of seeds
// that is then of another preset or set is not asked for, and computed again.
func TestFlipsInTables(t *testing.T) {
	dir := t.TempDir()
	losses := filepath.Join(dir, "losses.csv")
	text, err := os.ReadFile("../../models/table1.csv")
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(losses, text, 0o666); err != nil {
		t.Fatal(err)
	}
	seeds := filepath.Join(dir, "seeds.csv")
	seedSets := []string{"test (IID)", "OOD shape-color"}
	var all []SeedResult
	for seed := range uint64(3) {
		for i, set := range seedSets {
			all = append(all, SeedResult{"course", seed + 1, set, finetune.Score{N: 1000, Correct: 900 + 10*int(seed) + i}, artifact.ID("0123456789ab"[seed:] + "cdef"[:seed])})
		}
	}
	if err := SaveSeeds(seeds, all); err != nil {
		t.Fatal(err)
	}
	for path, read := range map[string]func(string) (any, error){
		losses: func(path string) (any, error) { return ReadAblation(path) },
		seeds: func(path string) (any, error) {
			rows, err := ReadSeeds(path)
			return slices.DeleteFunc(rows, func(r SeedResult) bool { return r.Preset != "course" || !slices.Contains(seedSets, r.Set) }), err
		},
	} {
		t.Run(filepath.Base(path), func(t *testing.T) {
			want, err := read(path)
			if err != nil {
				t.Fatal(err)
			}
			noticed, missing := 0, 0
			flips.Each(t, 100, []string{path}, func(which string) {
				if got, err := read(path); err != nil {
					noticed++
				} else if rows, ok := got.([]SeedResult); ok && len(rows) < len(all) { // each that is left is one of them
					missing++
					if slices.ContainsFunc(rows, func(r SeedResult) bool { return !slices.Contains(want.([]SeedResult), r) }) {
						t.Errorf("not noticed: %s", which)
					}
				} else if !reflect.DeepEqual(got, want) {
					t.Errorf("not noticed: %s", which)
				}
			})
			t.Logf("%d of 100 noticed, %d rows not asked for", noticed, missing)
			if noticed+missing < 95 {
				t.Errorf("%d of 100 noticed: expected 95 or more", noticed+missing)
			}
		})
	}
}
