package paper

import (
	"errors"
	"fmt"
	"io/fs"
	"slices"

	"samediff/sdlib/study"
)

// A role is a model of the paper, fine-tuned on a task, and the models of the course that stand for
// it, the nearest first.
type role struct {
	name string
	here []string
	why  string // there is no model here that stands for it; "" where the results are missing alone
}

// The paper's models. What is missing is weights: those of the others are on the Hugging Face hub, which
// was out of reach where the models here were made.
var (
	clipPair    = role{name: clipB16, here: []string{"discrimination-256-clip-b16", "discrimination-256-clip-b16-112", "discrimination-256-course"}}
	clipRMTS    = role{name: clipB16 + " on RMTS", here: []string{"rmts-256-clip-b16-112", "rmts-256-course", "rmts-256-quick"}}
	clip32Set   = role{name: clipB16 + " on 32 combinations", here: []string{"discrimination-32-clip-b16-112"}}
	clip32RMTS  = role{name: clipB16 + " on RMTS with 32 combinations", here: []string{"rmts-32-clip-b16-112"}}
	wideClip    = role{name: clipB32, here: []string{"discrimination-256-quick"}, why: hubOnly(clipB32)}
	wideRMTS    = role{name: clipB32 + " on RMTS", here: []string{"rmts-256-quick"}, why: hubOnly(clipB32)}
	dinoV2Pair  = role{name: "DINOv2 ViT-B/14", here: []string{"discrimination-256-dinov2-s-saliency"}, why: hubOnly("DINOv2 ViT-B/14")}
	dinoV2RMTS  = role{name: "DINOv2 ViT-B/14 on RMTS", here: []string{"rmts-256-dinov2-s-saliency"}, why: hubOnly("DINOv2 ViT-B/14")}
	others      = noWeights("ImageNet, DINO and MAE ViT-B/16", hubOnly("ImageNet, DINO and MAE ViT-B/16"))
	scratchPair = role{name: "ViT-B/16 from scratch", here: []string{"discrimination-256-course-plain"}}
	scratchRMTS = role{name: "ViT-B/16 from scratch on RMTS", here: []string{"rmts-256-course-plain"}}
	scratch32   = role{name: "ViT-B/16 from scratch on 32 combinations", here: []string{"discrimination-32-course-plain"}}
	scratch32R  = role{name: "ViT-B/16 from scratch on RMTS with 32 combinations", here: []string{"rmts-32-course-plain"}}
)

// An otherKind is one of the paper's pretrained models of which there are small analogues at most, for both tasks.
type otherKind struct {
	name       string // in figures and logs
	pair, rmts role
}

// The analogues are pretrained here with the objective of their model, where the library has that.
var otherKinds = map[string]otherKind{
	dino:     analogues(dino, "course-distilled"),
	imageNet: analogues(imageNet, "course-supervised"),
	mae:      analogues(mae, "course-masked"),
}

func analogues(name, preset string) otherKind {
	known := func(preset string) []string {
		if _, ok := study.Presets[preset]; ok {
			return []string{preset}
		}
		return nil
	}
	return otherKind{name, role{name + " ViT-B/16", known(preset), others.why}, role{name + " ViT-B/16 on RMTS", known(preset + "-rmts"), others.why}}
}

func noWeights(name, why string) role { return role{name: name, why: why} }

// What is said of weights that are on the Hugging Face hub alone.
const (
	weightsOf = "weights of "
	onHub     = " (on the hub alone)"
)

func hubOnly(model string) string { return weightsOf + model + onHub }

// pretrained leaves out the models that were trained from scratch.
func (w role) pretrained() role {
	only := role{name: w.name, why: w.why}
	for _, model := range w.here {
		if !small(model) {
			only.here = append(only.here, model)
		}
	}
	return only
}

// A source is a kind of results that come with the repository.
type source[T any] struct {
	what    string // "alignment searches in "
	read    func(r *Results, model string) (T, error)
	file    func(model string) string
	command func(model string, x T) string // that made x; of the zero T, that would make it
}

// find judges the results of the first model of a role that has some. judge fills in value and
// verdict; it reports false for results that lack what the claim is about.
func find[T any](w role, s source[T], otherwise string, judge func(x T, f *Finding) bool) func(*Results) (Finding, error) {
	return func(r *Results) (Finding, error) {
		here := w.here
		if r.only != nil {
			here = r.only.standsFor(w, s.what == accuracy.what)
		}
		for i, model := range here {
			x, err := s.read(r, model)
			if errors.Is(err, fs.ErrNotExist) {
				continue
			}
			if err != nil {
				return Finding{}, err
			}
			f := Finding{Model: r.label(model), Small: r.small(model), Command: s.command(model, x), blocks: r.blocks(model)}
			if !judge(x, &f) {
				continue
			}
			switch {
			case r.only != nil:
			case f.Small && i > 0:
				f.Missing = fmt.Sprintf("%s: %s", s.file(w.firstReal()), s.makes(r, w.firstReal()))
			default:
				f.Missing = w.why // where another pretrained model or a small one stands for the paper's
			}
			return f, nil
		}
		f := Finding{Verdict: Untested, Missing: w.why, Command: otherwise}
		if len(w.here) > 0 {
			first := w.firstReal()
			f.Command = s.makes(r, first)
			if f.Missing == "" || !small(first) {
				f.Missing = s.what + first
			}
			if r.unlearned(first) {
				f.Missing = notLearned(first)
			}
		}
		return f, nil
	}
}

// makes is the command that makes the results of a model, after the one that makes the model if it is not here.
func (s source[T]) makes(r *Results, model string) string {
	command, build := s.command(model, *new(T)), "sd model build "+model
	_, err := r.metrics(model)
	switch known := slices.ContainsFunc(study.CourseModels(), func(c study.CourseModel) bool { return c.Name == model }); {
	case !known || !errors.Is(err, fs.ErrNotExist) || command == build:
		return command
	case s.what == headScores.what && !small(model): // that command writes them
		return build
	}
	return build + " && " + command
}

// firstReal is the model to ask for when results are missing: the real one that is surest to be here,
// the last of them, or a small one where there is no other.
func (w role) firstReal() string {
	real := w.pretrained().here
	if len(real) == 0 {
		return w.here[0]
	}
	return real[len(real)-1]
}
