package study

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strconv"

	"samediff/sdlib/attention"
	"samediff/sdlib/delta"
	"samediff/sdlib/internal/disk"
	"samediff/sdlib/vit"
)

// pretrained lists the real models of the course, fine-tuned. Whole they take hundreds of megabytes each, as differences of low rank
// two or three. The first one stays in 16 bits, as the one that published results are about.
func pretrained() []CourseModel {
	first, small, smaller := delta.Method{Rank: 8}, delta.Method{Rank: 12, Bits: 8}, delta.Method{Rank: 6, Bits: 8}
	return []CourseModel{
		{"discrimination-256-clip-b16", "CLIP at the paper's 224 pixels", ClipMinutes224, small, 800},
		{"discrimination-256-clip-b16-112", "CLIP at half the resolution", ClipMinutes, first, 1600},
		{"discrimination-32-clip-b16-112", "the same on 32 combinations", ClipMinutes32, small, 1600},
		{"rmts-256-clip-b16-112", "RMTS after discrimination, without auxiliary losses", ClipMinutesRMTS, small, 1600},
		{"rmts-32-clip-b16-112", "the same on 32 combinations, after discrimination on them", ClipMinutes32RMTS, smaller, 1600},
		{"discrimination-256-dinov2-s-saliency", "a DINOv2-S that was tuned for saliency, 112 pixels", SaliencyMinutes, small, 1600},
		{"rmts-256-dinov2-s-saliency", "RMTS after that", SaliencyMinutesRMTS, small, 1600},
	}
}

// Base names what a training, or the one before it, began from: a checkpoint or a folder, "" for random weights.
func (t Training) Base() string {
	for t.After != nil {
		t = *t.After
	}
	return t.Start
}

// packCourseModel keeps a trained model as a difference to the checkpoint that it began from, and compares both on fresh images.
func (l *Lab) packCourseModel(ctx context.Context, c CourseModel, m *Model) (*delta.Delta, error) {
	name := c.Training.Base()
	base, err := l.bases(delta.Base{Name: name})
	if err != nil {
		return nil, err
	}
	d, err := delta.Pack(ctx, base, m.Model, delta.Options{Base: name, Method: c.Pack, Progress: l.options.Progress})
	if err != nil {
		return nil, err
	}
	packed, err := d.Apply(base)
	if err != nil {
		return nil, err
	}
	images := c.Images
	if images == 0 {
		images = evalSize
	}
	check, err := l.CheckPacked(ctx, m, packed, images, PaperSample)
	d.Checks = []delta.Check{check}
	return d, err
}

// CheckCourseModel returns nil if a model of the course can be loaded, without loading a large one, and otherwise the reason
// why [Lab.CourseModel] would fail.
func (l *Lab) CheckCourseModel(name string) error {
	dir, err := CourseModelDir(name)
	if err != nil {
		return err
	}
	if !delta.Packed(dir) {
		_, _, err := l.CourseModel(name)
		return err
	}
	d, err := delta.Read(dir)
	if err != nil {
		return err
	}
	c, err := vit.FindCheckpoint(d.Base.Name)
	if err != nil {
		return fmt.Errorf("the model %s: its base: %w", name, err)
	}
	if _, err := baseFolder(c, d.Base, l.options.Hub); err != nil {
		return fmt.Errorf("the model %s is kept as a difference to another one: %w", name, err)
	}
	return nil
}

// headsFile holds the head scores of a packed model of the course.
const headsFile = "heads.json"

// writeHeads writes a model's head scores to a folder.
func (l *Lab) writeHeads(ctx context.Context, m *Model, dir string) error {
	scores, err := l.Heads(ctx, m)
	if err != nil {
		return err
	}
	scores.Bootstrap.Maxima = nil // large, and of use where two models are compared
	text, err := json.Marshal(scores)
	if err != nil {
		return err
	}
	return os.WriteFile(filepath.Join(dir, headsFile), append(sixDigits(text), '\n'), 0o644)
}

var fraction = regexp.MustCompile(`[0-9]+\.[0-9]+(e-[0-9]+)?`)

// sixDigits rounds the fractions in a JSON text, which are longer than anyone reads and make most of its size.
func sixDigits(text []byte) []byte {
	return fraction.ReplaceAllFunc(text, func(number []byte) []byte {
		v, err := strconv.ParseFloat(string(number), 64)
		if err != nil {
			return number
		}
		return strconv.AppendFloat(nil, v, 'g', 6, 64)
	})
}

// CourseHeads returns the head scores of a fine-tuned pretrained model of the course, as [Lab.Heads] does but to six digits and
// without the resamples of their bootstrap. It needs no weights: they lie in the model's folder.
func CourseHeads(name string) (*attention.Scores, error) {
	dir, err := CourseModelDir(name)
	if err != nil {
		return nil, err
	}
	path := filepath.Join(dir, headsFile)
	text, err := disk.ReadFile(path, disk.Small)
	if err != nil {
		return nil, fmt.Errorf("the head scores of %s are in the folders of fine-tuned pretrained models alone; Lab.Heads computes those of others: %w", name, err)
	}
	scores := new(attention.Scores)
	if err := json.Unmarshal(text, scores); err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return scores, nil
}
