package study

import (
	"context"
	"errors"
	"fmt"
	"math"
	"slices"

	"samediff/sdlib/artifact"
	"samediff/sdlib/attention"
	"samediff/sdlib/delta"
	"samediff/sdlib/finetune"
	"samediff/sdlib/hub"
	"samediff/sdlib/stimuli"
	"samediff/sdlib/vit"
)

// Bases returns the function that finds the base of a packed model (package delta) by its name: a checkpoint that was fetched, to the
// caches that o may place elsewhere, or a model of the course. It downloads nothing. Of a checkpoint whose weights are here twice, the
// hub's and a package's in 8 bits, it takes those of [delta.Base].Weights, or where there is no hash the hub's.
func Bases(o hub.Options) func(delta.Base) (*vit.Model, error) {
	o.Offline = true
	return func(b delta.Base) (*vit.Model, error) {
		if c, err := vit.FindCheckpoint(b.Name); err == nil {
			return checkpointBase(c, b, o)
		}
		if slices.ContainsFunc(CourseModels(), func(c CourseModel) bool { return c.Name == b.Name }) {
			dir, err := CourseModelDir(b.Name)
			if err != nil {
				return nil, err
			}
			return vit.LoadBackbone(dir, 1, 1, 0)
		}
		return nil, fmt.Errorf("there is no base %q: expected a checkpoint of the paper such as clip-b16, or a model of the course (`sd model ls`)", b.Name)
	}
}

// ErrNoBase is the reason why a packed model cannot be loaded where its base was not fetched.
var ErrNoBase = errors.New("not here")

// checkpointBase reads a checkpoint that was fetched.
func checkpointBase(c vit.Checkpoint, b delta.Base, o hub.Options) (*vit.Model, error) {
	if c.Repo == "" && c.Package == nil { // random weights
		return vit.Pretrained(context.Background(), c.Name, 1, 1, o)
	}
	dir, err := baseFolder(c, b, o)
	if err != nil {
		return nil, err
	}
	return vit.LoadBackbone(dir, 1, 1, 0)
}

// baseFolder returns the folder of a checkpoint that was fetched, with the weights that b names.
func baseFolder(c vit.Checkpoint, b delta.Base, o hub.Options) (string, error) {
	for _, dir := range c.Folders(o) {
		origin, err := vit.ReadOrigin(dir)
		if err != nil {
			return "", err
		}
		if b.Hash == "" || origin.String() == b.Weights {
			return dir, nil
		}
	}
	what, how := c.Name, "sd model fetch "+c.Name
	if b.Weights != "" {
		what += " (" + b.Weights + ")"
	}
	if c.Package != nil && c.Repo != "" && b.Weights == c.Package.Origin.String() {
		how += " --package"
	}
	return "", fmt.Errorf("the base %s is %w: `%s` gets it", what, ErrNoBase, how)
}

// identified returns a model with its ID.
func identified(m *vit.Model, dir string) (*Model, error) {
	hash, err := m.Hash()
	if err != nil {
		return nil, err
	}
	return &Model{Model: m, ID: artifact.ID(hash), Dir: dir}, nil
}

// identified returns a model of the lab's, with its ID.
func (l *Lab) identified(m *vit.Model, dir string) (*Model, error) {
	with, err := identified(m, dir)
	if err == nil {
		with.lab = l
	}
	return with, err
}

// CheckPacked compares a model with its packed form, put together again, on fresh images of the objects that it learned:
// both accuracies over a number of images, and the largest change of any head's score over the sample heads.
func (l *Lab) CheckPacked(ctx context.Context, m *Model, packed *vit.Model, images int, heads HeadSample) (delta.Check, error) {
	check := delta.Check{Set: "test (IID)", Images: images}
	p, err := identified(packed, "")
	if err != nil {
		return check, err
	}
	c, err := m.stimuli()
	if err != nil {
		return check, err
	}
	sample, err := headSet(c)
	if err != nil {
		return check, err
	}
	c.Split, c.Size = stimuli.TestIID, images
	set, err := stimuli.Open(c)
	if err != nil {
		return check, err
	}
	var scores [2]*attention.Scores
	for i, m := range []*Model{m, p} {
		e, err := Accuracy.Of(ctx, l, m, set, finetune.Condition{})
		if err != nil {
			return check, err
		}
		if scores[i], err = HeadScores.Of(ctx, l, m, sample, heads); err != nil {
			return check, err
		}
		*[]*float64{&check.Before, &check.After}[i] = e.All.Accuracy()
	}
	check.Heads = largestChange(scores[0].Measures, scores[1].Measures)
	return check, nil
}

// largestChange returns the largest difference between two models in any score of any head.
func largestChange(a, b attention.Measures) float64 {
	largest := 0.
	for _, pair := range [][2][][]float64{{a.Local, b.Local}, {a.Within, b.Within}, {a.Pair, b.Pair}, {a.Background, b.Background}, {a.Between, b.Between}} {
		for l, heads := range pair[0] {
			for h, score := range heads {
				largest = max(largest, math.Abs(score-pair[1][l][h]))
			}
		}
	}
	return largest
}
