package study

import (
	"bytes"
	"context"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"io/fs"
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
	c, err := t.Stimuli.Resolved()
	if err != nil {
		return nil, err
	}
	asked := 0 // of the sets, those that the preset has
	for _, s := range Sets(c, images) {
		if slices.Contains(sets, s.Name) {
			asked++
		}
	}
	var all []SeedResult
	for _, seed := range seeds {
		there := slices.DeleteFunc(slices.Clone(known), func(r SeedResult) bool {
			return r.Preset != preset || r.Seed != seed || !slices.Contains(sets, r.Set) || r.Set != "train" && r.Score.N != images
		})
		if len(there) == asked {
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

// MergeSeeds returns the results of a list with those of another in it: one of the same preset, seed and set takes the place of the
// other, the rest comes behind.
func MergeSeeds(all, more []SeedResult) []SeedResult {
	merged := slices.Clone(all)
	for _, r := range more {
		if i := slices.IndexFunc(merged, func(m SeedResult) bool { return m.Preset == r.Preset && m.Seed == r.Seed && m.Set == r.Set }); i >= 0 {
			merged[i] = r
		} else {
			merged = append(merged, r)
		}
	}
	return merged
}

// seedColumns are the columns of the CSV file of seeds.
var seedColumns = []string{"preset", "seed", "set", "n", "correct", "accuracy", "low", "high", "model"}

// SaveSeeds writes results as CSV to a file, one line each, with Wilson's 95 % interval. The lines that it has already keep their
// places: those of the same presets, seeds and sets are replaced, those of another model of the same preset and seed go, as it was
// trained again, all others stay, and new ones come behind. The file is written aside and renamed, and left alone where nothing changes.
func SaveSeeds(path string, results []SeedResult) error {
	there, err := ReadSeeds(path)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	merged := slices.DeleteFunc(slices.Clone(there), func(old SeedResult) bool {
		return slices.ContainsFunc(results, func(r SeedResult) bool {
			return r.sameTraining(old) && r.Set != old.Set && r.Model.Short() != old.Model.Short()
		})
	})
	for _, r := range results {
		same := func(old SeedResult) bool { return r.sameTraining(old) && r.Set == old.Set }
		if i := slices.IndexFunc(merged, same); i >= 0 {
			merged[i] = r
		} else {
			merged = append(merged, r)
		}
	}
	text, was := seedsText(merged), seedsText(there)
	if err == nil && bytes.Equal(text, was) {
		return nil
	}
	return disk.Replace(path, func(w io.Writer) error {
		_, err := w.Write(text)
		return err
	})
}

// sameTraining reports whether two results are about the same preset and seed.
func (r SeedResult) sameTraining(other SeedResult) bool {
	return r.Preset == other.Preset && r.Seed == other.Seed
}

// seedsText is the content of a file of results.
func seedsText(results []SeedResult) []byte {
	var text bytes.Buffer
	out := csv.NewWriter(&text)
	out.Write(seedColumns)
	for _, r := range results {
		out.Write(r.fields())
	}
	out.Flush()
	return text.Bytes()
}

// fields are the cells of a line.
func (r SeedResult) fields() []string {
	low, high := r.Score.Interval()
	return []string{r.Preset, strconv.FormatUint(r.Seed, 10), r.Set, strconv.Itoa(r.Score.N), strconv.Itoa(r.Score.Correct),
		fmt.Sprintf("%.4f", r.Score.Accuracy()), fmt.Sprintf("%.4f", low), fmt.Sprintf("%.4f", high), r.Model.Short()}
}

// ReadSeeds reads a file that [SaveSeeds] wrote. A line whose accuracy and interval do not follow from its counts is an error.
func ReadSeeds(path string) ([]SeedResult, error) {
	text, err := disk.ReadText(path)
	if err != nil {
		return nil, err
	}
	all, err := parseSeeds(text)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return all, nil
}

// parseSeeds reads the text of a file of seeds.
func parseSeeds(text []byte) (all []SeedResult, err error) {
	type training struct {
		preset string
		seed   uint64
	}
	models := pairing[training]{}
	err = parseResults(text, seedColumns, func(cell func(string) string) error {
		r := SeedResult{Preset: cell("preset"), Set: cell("set"), Model: artifact.ID(cell("model"))}
		var errs [3]error
		r.Seed, errs[0] = strconv.ParseUint(cell("seed"), 10, 64)
		r.Score.N, errs[1] = strconv.Atoi(cell("n"))
		r.Score.Correct, errs[2] = strconv.Atoi(cell("correct"))
		if err := errors.Join(append(errs[:], checkScore(cell, "accuracy", r.Score, 1))...); err != nil {
			return err
		}
		if !shortID.MatchString(cell("model")) {
			return fmt.Errorf("the model is %q, expected the first 12 hexadecimal digits of an ID", cell("model"))
		}
		for i, want := range r.fields() {
			if column := seedColumns[i]; cell(column) != want {
				return fmt.Errorf("%s is %q, expected it as %q", column, cell(column), want)
			}
		}
		if other := models.line(training{r.Preset, r.Seed}, r.Model, len(all)+1); other > 0 {
			return fmt.Errorf("model %s is that of seed %d, which row %d contradicts: a seed has one model, and a model one seed", r.Model, r.Seed, other)
		}
		all = append(all, r)
		return nil
	})
	return all, err
}
