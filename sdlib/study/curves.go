package study

import (
	"context"
	"errors"
	"fmt"
	"math"
	"slices"
	"strconv"

	"samediff/sdlib/artifact"
	"samediff/sdlib/finetune"
)

// A CurvePoint is how many images of the validation set a preset's model answered rightly after an epoch of its training.
type CurvePoint struct {
	Preset string
	Seed   uint64 // of everything random, see [Training.WithSeed]
	Model  artifact.ID
	Epoch  int // counted from 1
	Images int // that the training had shown by then, in all epochs
	Score  finetune.Score
}

// Curves returns how trainings of a preset with several seeds went, and trains what the store does not have; with trained, only
// what is there. Seeds that known has are taken from there. A training without a validation set is an error.
func (l *Lab) Curves(ctx context.Context, preset string, seeds []uint64, trained bool, known ...CurvePoint) (all []CurvePoint, err error) {
	t, err := Preset(preset)
	if err != nil {
		return nil, err
	}
	if t.Val == 0 {
		return nil, fmt.Errorf("%s has no validation set, so its accuracy after each epoch is not known: expected a preset that has one", preset)
	}
	for _, seed := range seeds {
		there := slices.DeleteFunc(slices.Clone(known), func(p CurvePoint) bool { return p.Preset != preset || p.Seed != seed })
		if len(there) > 0 {
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
		for _, e := range m.History {
			right := int(math.Round(e.Val * float64(t.Val)))
			all = append(all, CurvePoint{preset, seed, m.ID, e.Epoch, e.Epoch * m.Training.Stimuli.Size, finetune.Score{N: t.Val, Correct: right}})
		}
	}
	return all, nil
}

// Reached returns how many images a training had shown when its accuracy first was at least a share, of the points of one preset
// and seed; 0 for a training that never got there.
func Reached(points []CurvePoint, share float64) int {
	for _, p := range points {
		if p.Score.Accuracy() >= share {
			return p.Images
		}
	}
	return 0
}

// curveColumns are the columns of the CSV file of curves.
var curveColumns = []string{"preset", "seed", "model", "epoch", "images", "n", "correct", "accuracy", "low", "high"}

// fields are the cells of a line.
func (p CurvePoint) fields() []string {
	low, high := p.Score.Interval()
	return []string{p.Preset, strconv.FormatUint(p.Seed, 10), p.Model.Short(), strconv.Itoa(p.Epoch), strconv.Itoa(p.Images), strconv.Itoa(p.Score.N), strconv.Itoa(p.Score.Correct),
		fmt.Sprintf("%.4f", p.Score.Accuracy()), fmt.Sprintf("%.4f", low), fmt.Sprintf("%.4f", high)}
}

var curveFile = resultFile[CurvePoint]{curveColumns, CurvePoint.fields, parseCurves}

// SaveCurves writes points as CSV to a file, one line each, with Wilson's 95 % interval. Those of other trainings that the file has
// stay in it. The file is written aside and renamed.
func SaveCurves(path string, points []CurvePoint) error {
	return curveFile.add(path, points, func(old, p CurvePoint) bool { return old.Preset == p.Preset && old.Seed == p.Seed })
}

// ReadCurves reads a file that [SaveCurves] wrote. A line whose accuracy and interval do not follow from its counts, or whose epoch is
// not the one after the line before of its training, is an error.
func ReadCurves(path string) ([]CurvePoint, error) { return curveFile.read(path) }

// parseCurves reads the text of a file of curves.
func parseCurves(text []byte) (all []CurvePoint, err error) {
	type training struct {
		preset string
		seed   uint64
	}
	models, last := pairing[training]{}, map[training]CurvePoint{}
	err = parseResults(text, curveColumns, func(cell func(string) string) error {
		p := CurvePoint{Preset: cell("preset"), Model: artifact.ID(cell("model"))}
		var errs [5]error
		p.Seed, errs[0] = strconv.ParseUint(cell("seed"), 10, 64)
		p.Epoch, errs[1] = strconv.Atoi(cell("epoch"))
		p.Images, errs[2] = strconv.Atoi(cell("images"))
		p.Score.N, errs[3] = strconv.Atoi(cell("n"))
		p.Score.Correct, errs[4] = strconv.Atoi(cell("correct"))
		if err := errors.Join(append(errs[:], checkScore(cell, "accuracy", p.Score, 1))...); err != nil {
			return err
		}
		if err := checkModel(cell, "model"); err != nil {
			return err
		}
		if err := checkCells(cell, curveColumns, p.fields()); err != nil {
			return err
		}
		of := training{p.Preset, p.Seed}
		before := last[of]
		if p.Epoch != before.Epoch+1 || p.Images <= before.Images {
			return fmt.Errorf("epoch %d after %d images of %s with seed %d stands behind epoch %d after %d: expected the next one, after more images", p.Epoch, p.Images, p.Preset, p.Seed, before.Epoch, before.Images)
		}
		if other := models.line(of, p.Model, len(all)+1); other > 0 {
			return fmt.Errorf("model %s is that of seed %d of %s, which row %d contradicts: a seed has one model, and a model one seed", p.Model, p.Seed, p.Preset, other)
		}
		last[of] = p
		all = append(all, p)
		return nil
	})
	return all, err
}
