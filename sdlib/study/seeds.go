package study

import (
	"context"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strconv"

	"samediff/sdlib/artifact"
	"samediff/sdlib/finetune"
	"samediff/sdlib/internal/disk"
)

// SeedResult is what a preset's model of one seed got right on one set.
type SeedResult struct {
	Preset string
	Seed   uint64 // of everything random, see [Training.WithSeed]
	Set    string // "test (IID)"
	Score  finetune.Score
	Model  artifact.ID
}

// Seeds trains a preset with several seeds, where the store does not have that, and returns what each model got right on a number of
// images of the sets of these names. Seeds of which known has every set, such as [ReadSeeds] returns them, are taken from there. With
// trained, only what is known or in the store is returned.
func (l *Lab) Seeds(ctx context.Context, preset string, seeds []uint64, images int, sets []string, trained bool, known ...SeedResult) ([]SeedResult, error) {
	t, err := Preset(preset)
	if err != nil {
		return nil, err
	}
	var all []SeedResult
	for _, seed := range seeds {
		there := slices.DeleteFunc(slices.Clone(known), func(r SeedResult) bool {
			return r.Preset != preset || r.Seed != seed || !slices.Contains(sets, r.Set) || r.Set != "train" && r.Score.N != images
		})
		if len(there) == len(sets) {
			all = append(all, there...)
			continue
		}
		s := Trained(fmt.Sprintf("%s, seed %d", preset, seed), t.WithSeed(seed))
		if trained {
			if _, there, err := l.id(ctx, s); err != nil {
				return all, err
			} else if !there {
				continue
			}
		}
		m, err := l.Model(ctx, s)
		if err != nil {
			return all, fmt.Errorf("%s: %w", s.Name, err)
		}
		results, err := l.EvaluateSize(ctx, m, images, sets...)
		if err != nil {
			return all, fmt.Errorf("%s: %w", s.Name, err)
		}
		for _, r := range results {
			all = append(all, SeedResult{preset, seed, r.Name, r.All, m.ID})
		}
	}
	return all, nil
}

// seedColumns are the columns of the CSV file of seeds.
var seedColumns = []string{"preset", "seed", "set", "n", "correct", "accuracy", "low", "high", "model"}

// SaveSeeds writes results as CSV to a file, one line each, with Wilson's 95 % interval. The file is written aside and renamed.
func SaveSeeds(path string, results []SeedResult) error {
	return disk.Replace(path, func(w io.Writer) error {
		out := csv.NewWriter(w)
		out.Write(seedColumns)
		for _, r := range results {
			low, high := r.Score.Interval()
			out.Write([]string{r.Preset, strconv.FormatUint(r.Seed, 10), r.Set, strconv.Itoa(r.Score.N), strconv.Itoa(r.Score.Correct),
				fmt.Sprintf("%.4f", r.Score.Accuracy()), fmt.Sprintf("%.4f", low), fmt.Sprintf("%.4f", high), r.Model.Short()})
		}
		out.Flush()
		return out.Error()
	})
}

// ReadSeeds reads a file that [SaveSeeds] wrote.
func ReadSeeds(path string) ([]SeedResult, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	lines, err := csv.NewReader(f).ReadAll()
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	if len(lines) == 0 || !slices.Equal(lines[0], seedColumns) {
		return nil, fmt.Errorf("%s is no table of seeds: expected the columns %v", path, seedColumns)
	}
	var all []SeedResult
	for i, line := range lines[1:] {
		r := SeedResult{Preset: line[0], Set: line[2], Model: artifact.ID(line[8])}
		var errs [3]error
		r.Seed, errs[0] = strconv.ParseUint(line[1], 10, 64)
		r.Score.N, errs[1] = strconv.Atoi(line[3])
		r.Score.Correct, errs[2] = strconv.Atoi(line[4])
		if err := errors.Join(errs[:]...); err != nil {
			return nil, fmt.Errorf("%s: line %d: %w", path, i+2, err)
		}
		all = append(all, r)
	}
	return all, nil
}
