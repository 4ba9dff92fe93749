package study

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"slices"
	"strings"

	"samediff/sdlib/artifact"
	"samediff/sdlib/vit"
)

// A Cost is floating-point operations that a job takes, roughly: its own, or those of a result
// that other jobs may need too and that is computed once.
type Cost struct {
	Key   *artifact.Key // of that result; nil for the job's own
	FLOPs float64
}

// costs are those of a training and of what it starts from.
func (t Training) costs() []Cost {
	all := []Cost{{FLOPs: t.flops()}}
	if r, err := t.resolve(); err == nil { // else whoever asks for the training hears of it
		key := r.key()
		all[0].Key = &key
	}
	if t.After != nil {
		all = append(all, t.After.costs()...)
	}
	if t.Pretraining != nil {
		before := Cost{FLOPs: t.Pretraining.flops()}
		if p, _, err := t.Pretraining.resolve(); err == nil {
			key := p.key()
			before.Key = &key
		}
		all = append(all, before)
	}
	return all
}

// flops are the floating-point operations of a training itself: backward passes cost twice a forward pass.
func (t Training) flops() float64 {
	return (3*float64(t.images()) + float64(t.Recipe.Epochs*t.Val)) * forwardFlops(t.Model)
}

// images returns the number of images that a training shows, in all epochs.
func (t Training) images() int {
	n := t.Stimuli.Size
	if c, err := t.Stimuli.Resolved(); err == nil {
		n = c.Size
	}
	return t.Recipe.Epochs * n
}

// forwardFlops returns the floating-point operations of a forward pass for one image: two for
// each weight of a block and token, and those of attention.
func forwardFlops(c vit.Config) float64 {
	T, D, L := float64(c.Tokens()), float64(c.Width), float64(c.Blocks)
	block := 2*T*D*(4*D+2*float64(c.MLP)) + 4*T*T*D
	patches := 2 * T * D * float64(3*c.Patch*c.Patch)
	return L*block + patches
}

// A bill adds up the costs of jobs, what they share once.
type bill struct {
	lab  *Lab
	seen map[artifact.ID]bool
}

func newBill(l *Lab) bill { return bill{l, map[artifact.ID]bool{}} }

// add returns the floating-point operations of a job that is not done, without those of results
// that the store has or that an earlier job was billed for.
func (b bill) add(ctx context.Context, s JobStatus, c vit.Config) (flops float64, err error) {
	model := s.model
	if model == "" { // not there: any ID that no other subject has
		model = artifact.ID(fmt.Sprintf("%x", sha256.Sum256([]byte(s.Subject.Name))))
	}
	for _, cost := range s.costs(model, c) {
		if cost.Key != nil {
			id, err := cost.Key.ID()
			if err != nil {
				return 0, err
			}
			if b.seen[id] {
				continue
			}
			b.seen[id] = true
			info, err := b.lab.Store.Look(ctx, id)
			if err != nil && !errors.Is(err, artifact.ErrNotFound) {
				return 0, err
			}
			if info.State == artifact.Finished {
				continue
			}
		}
		flops += cost.FLOPs
	}
	return flops, nil
}

// A Rate is how fast something computes.
type Rate struct {
	FLOPS  float64 // floating-point operations per second
	Source string  // where that comes from: "measured in 3 trainings of the store"
}

const (
	// assumedCPU is the speed of two CPU cores.
	assumedCPU = 60e9
	// assumedGPU is that of an RTX 3090, which the paper used, at two fifths of its peak of 36e12 in
	// float32 or TF32. All of the paper's fine-tunings then take about the 200 hours that it states.
	assumedGPU = 15e12
)

// Rate returns the median speed of the trainings in the store, of those on a GPU at the paper's
// scale, or an assumed speed where there are none.
func (l *Lab) Rate(ctx context.Context, scale Scale) (Rate, error) {
	infos, err := l.trainings(ctx)
	if err != nil {
		return Rate{}, err
	}
	var speeds []float64
	for _, i := range infos {
		t, err := trainingOf(i)
		alone := err == nil && t.Pretraining == nil && t.After == nil // what it starts from may have been there already
		gpu := strings.Contains(i.Meta.Machine, "cuda")
		if alone && i.Meta.Seconds > 1 && !i.Meta.Resumed && (gpu || scale != PaperScale) {
			speeds = append(speeds, t.flops()/i.Meta.Seconds)
		}
	}
	slices.Sort(speeds)
	switch {
	case len(speeds) > 0:
		return Rate{speeds[len(speeds)/2], fmt.Sprintf("measured in %d trainings of the store", len(speeds))}, nil
	case scale == PaperScale:
		return Rate{assumedGPU, "assumed: an RTX 3090, as the paper used, at two fifths of its peak"}, nil
	}
	return Rate{assumedCPU, "assumed: two CPU cores"}, nil
}
