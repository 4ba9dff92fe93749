package study

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"
	"slices"
	"strconv"

	"samediff/sdlib/artifact"
	"samediff/sdlib/finetune"
	"samediff/sdlib/stimuli"
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
	_, c, err := presetStimuli(preset)
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
		m, err := l.seeded(ctx, preset, seed, trained)
		if err != nil {
			return all, err
		}
		if m == nil {
			continue
		}
		results, err := l.EvaluateSize(ctx, m, images, sets...)
		if err != nil {
			return all, fmt.Errorf("%s, seed %d: %w", preset, seed, err)
		}
		for _, r := range results {
			all = append(all, SeedResult{preset, seed, r.Name, r.All, m.ID})
		}
	}
	return all, nil
}

// SeedsOn is [Lab.Seeds] for one set of images that [ImportSet] reads, such as a folder: what each model got right on all of them.
// Results name the set by the last part of its name. Preset and set must have the same task.
func (l *Lab) SeedsOn(ctx context.Context, preset string, seeds []uint64, set string, trained bool) ([]SeedResult, error) {
	t, c, err := presetStimuli(preset)
	if err != nil {
		return nil, err
	}
	images, err := ImportSet(set, t.Model)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", preset, err)
	}
	if asks := images.Config().Task; asks != c.Task {
		return nil, fmt.Errorf("%s learns %s, but the set %s is one of %s", preset, c.Task, set, asks)
	}
	name := filepath.Base(set)
	var all []SeedResult
	for _, seed := range seeds {
		m, err := l.seeded(ctx, preset, seed, trained)
		if err != nil {
			return all, err
		}
		if m == nil {
			continue
		}
		r, err := l.EvaluateOn(ctx, m, name, images)
		if err != nil {
			return all, fmt.Errorf("%s, seed %d: %w", preset, seed, err)
		}
		all = append(all, SeedResult{preset, seed, name, r.All, m.ID})
	}
	return all, nil
}

// presetStimuli returns a preset and the whole description of the images that it learns from.
func presetStimuli(preset string) (Training, stimuli.Config, error) {
	t, err := Preset(preset)
	if err != nil {
		return t, stimuli.Config{}, err
	}
	c, err := t.Stimuli.Resolved()
	return t, c, err
}

// seedColumns are the columns of the CSV file of seeds.
var seedColumns = []string{"preset", "seed", "set", "n", "correct", "accuracy", "low", "high", "model"}

// SeededSubject is the subject of a preset with one seed for everything random, under a name that says so where the seed is not 1.
func SeededSubject(preset string, seed uint64) (Subject, error) {
	t, err := Preset(preset)
	if err != nil {
		return Subject{}, err
	}
	name := preset
	if seed != 1 {
		name = fmt.Sprintf("%s, seed %d", preset, seed)
	}
	return Trained(name, t.WithSeed(seed)), nil
}

// seeded returns the model of a preset with a seed, trained where the store does not have it; with trained that one is nil.
func (l *Lab) seeded(ctx context.Context, preset string, seed uint64, trained bool) (*Model, error) {
	s, err := SeededSubject(preset, seed)
	if err != nil {
		return nil, err
	}
	if trained {
		if _, there, err := l.id(ctx, s); err != nil || !there {
			return nil, err
		}
	}
	m, err := l.Model(ctx, s)
	if err != nil {
		return nil, fmt.Errorf("%s, seed %d: %w", preset, seed, err)
	}
	return m, nil
}

var seedFile = resultFile[SeedResult]{seedColumns, SeedResult.fields, parseSeeds}

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
	if err == nil && bytes.Equal(seedFile.text(merged), seedFile.text(there)) {
		return nil
	}
	return seedFile.save(path, merged)
}

// sameTraining reports whether two results are about the same preset and seed.
func (r SeedResult) sameTraining(other SeedResult) bool {
	return r.Preset == other.Preset && r.Seed == other.Seed
}

// fields are the cells of a line.
func (r SeedResult) fields() []string {
	low, high := r.Score.Interval()
	return []string{r.Preset, strconv.FormatUint(r.Seed, 10), r.Set, strconv.Itoa(r.Score.N), strconv.Itoa(r.Score.Correct),
		fmt.Sprintf("%.4f", r.Score.Accuracy()), fmt.Sprintf("%.4f", low), fmt.Sprintf("%.4f", high), r.Model.Short()}
}

// ReadSeeds reads a file that [SaveSeeds] wrote. A line whose accuracy and interval do not follow from its counts is an error.
func ReadSeeds(path string) ([]SeedResult, error) { return seedFile.read(path) }

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
		if err := checkModel(cell, "model"); err != nil {
			return err
		}
		if err := checkCells(cell, seedColumns, r.fields()); err != nil {
			return err
		}
		if other := models.line(training{r.Preset, r.Seed}, r.Model, len(all)+1); other > 0 {
			return fmt.Errorf("model %s is that of seed %d, which row %d contradicts: a seed has one model, and a model one seed", r.Model, r.Seed, other)
		}
		all = append(all, r)
		return nil
	})
	return all, err
}
