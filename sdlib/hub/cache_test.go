package hub

import (
	"errors"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"
)

// pythonCache writes a cache as huggingface_hub 2.4.0 leaves it after hf_hub_download of config.json and model.safetensors of the
// branch main, and after it was told that there is no preprocessor_config.json (testdata/python_cache.py prints it).
func pythonCache(t *testing.T, files map[string][]byte) (root string) {
	t.Helper()
	root = t.TempDir()
	write := func(name, text string) {
		path := filepath.Join(root, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o777); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o666); err != nil {
			t.Fatal(err)
		}
	}
	folder := "models--owner--tiny-vit/"
	write("CACHEDIR.TAG", "Signature: 8a477f597d28d172789f06886806bc55\n# This file is a cache directory tag created by huggingface_hub.\n")
	write(folder+"refs/main", commit1)
	write(folder+".no_exist/"+commit1+"/preprocessor_config.json", "")
	for _, name := range []string{"config.json", "model.safetensors"} {
		etag := etagOf(name, files[name])
		write(folder+"blobs/"+etag, string(files[name]))
		write(".locks/"+folder+etag+".lock", "")
		link := filepath.Join(root, folder, "snapshots", commit1, name)
		if err := os.MkdirAll(filepath.Dir(link), 0o777); err != nil {
			t.Fatal(err)
		}
		if err := os.Symlink("../../blobs/"+etag, link); err != nil {
			t.Fatal(err)
		}
	}
	return root
}

func TestCacheOfPython(t *testing.T) {
	files := tinyModel()
	h := newFakeHub(t, files)
	o := h.options(t)
	o.Dir = pythonCache(t, files)
	for _, repo := range []Repo{{model, commit1}, {Name: model}, {model, "main"}} {
		o.Offline = repo.Revision != commit1
		dir, err := FetchModel(ctx, repo, o)
		if err != nil {
			t.Fatal(err)
		}
		expect(t, dir, files, "config.json", "model.safetensors")
	}
	if asked := h.requests(); len(asked) > 0 {
		t.Errorf("%v was asked for", asked)
	}
	o.Offline = false
	dir, err := Fetch(ctx, Repo{Name: model}, []string{"README.md", "model.safetensors"}, o) // adds a file to the folder
	if err != nil {
		t.Fatal(err)
	}
	expect(t, dir, files, "config.json", "README.md", "model.safetensors")
}

func TestOffline(t *testing.T) {
	files := tinyModel()
	h := newFakeHub(t, files)
	tests := []struct {
		name  string
		repo  Repo
		files []string
		want  string
	}{
		{"no such model", Repo{Name: "owner/other"}, []string{"config.json"}, "lacks revision main of owner/other@main"},
		{"no such revision", Repo{model, "v9"}, []string{"config.json"}, "lacks revision v9 of"},
		{"no such commit", Repo{model, commit2}, []string{"config.json"}, "lacks config.json of owner/tiny-vit@2222"},
		{"files missing", Repo{Name: model}, []string{"a.json", "config.json", "b.json"}, "lacks a.json, b.json of"},
		{"known to be absent", Repo{Name: model}, []string{"preprocessor_config.json"}, "has no file preprocessor_config.json, as the hub said earlier"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Setenv("HF_HUB_OFFLINE", "1")
			o := h.options(t)
			o.Dir = pythonCache(t, files)
			_, err := Fetch(ctx, test.repo, test.files, o)
			if err == nil || !strings.Contains(err.Error(), test.want) {
				t.Errorf("Fetch gave %v, want %q in it", err, test.want)
			}
		})
	}
	o := h.options(t)
	o.Offline = true
	if _, err := FetchModel(ctx, Repo{model, commit1}, o); !errors.Is(err, ErrOffline) || !strings.Contains(err.Error(), "config.json, model.safetensors or another form") {
		t.Errorf("FetchModel gave %v, want all that is missing", err)
	}
	if asked := h.requests(); len(asked) > 0 {
		t.Errorf("%v was asked for", asked)
	}
}

// Without a network, a branch is what it was last time.
func TestNoNetwork(t *testing.T) {
	files := tinyModel()
	h := newFakeHub(t, files)
	o := h.options(t)
	o.Dir = pythonCache(t, files)
	waited := waits(&o)
	h.hub.Close()
	dir, err := FetchModel(ctx, Repo{Name: model}, o)
	if err != nil {
		t.Fatal(err)
	}
	expect(t, dir, files, "config.json", "model.safetensors")
	if len(*waited) > 0 {
		t.Errorf("it waited %v although all is there", *waited)
	}
	if _, err := Fetch(ctx, Repo{Name: model}, []string{"README.md"}, o); !errors.Is(err, ErrOffline) || !strings.Contains(err.Error(), "refused") || !strings.Contains(err.Error(), "lacks README.md") {
		t.Errorf("Fetch gave %v, want the cause and the missing file", err)
	}
	o.Dir = t.TempDir()
	if _, err := Fetch(ctx, Repo{Name: model}, []string{"config.json"}, o); err == nil || !strings.Contains(err.Error(), "check the network and the proxy") || len(*waited) != headAttempts-1 {
		t.Errorf("Fetch gave %v after %v, want advice after %d tries", err, *waited, headAttempts)
	}
}

// Where the file system has no links, the folder holds copies.
func TestNoLinks(t *testing.T) {
	files := tinyModel()
	h := newFakeHub(t, files)
	o := h.options(t)
	o.symlink = func(string, string) error { return errors.ErrUnsupported }
	dir, err := FetchModel(ctx, Repo{Name: model}, o)
	if err != nil {
		t.Fatal(err)
	}
	expect(t, dir, files, "config.json", "model.safetensors", "preprocessor_config.json")
	for _, name := range tree(t, dir) {
		if strings.Contains(name, "->") || strings.HasPrefix(name, ".") {
			t.Errorf("the folder holds %s", name)
		}
	}
}

// A link whose blob somebody has removed is as good as none.
func TestBlobRemoved(t *testing.T) {
	files := tinyModel()
	h := newFakeHub(t, files)
	o := h.options(t)
	o.Dir = pythonCache(t, files)
	if err := os.RemoveAll(filepath.Join(o.Dir, "models--owner--tiny-vit", "blobs")); err != nil {
		t.Fatal(err)
	}
	dir, err := FetchModel(ctx, Repo{model, commit1}, o)
	if err != nil {
		t.Fatal(err)
	}
	expect(t, dir, files, "config.json", "model.safetensors")
}

// Another process that downloads the file is waited for, and its result used.
func TestWaitsForAnother(t *testing.T) {
	files := tinyModel()
	h := newFakeHub(t, files)
	o := h.options(t)
	etag := etagOf("config.json", files["config.json"])
	c := cache{o.Dir, "models--owner--tiny-vit", os.Symlink}
	unlock, err := c.lock(ctx, etag, nil)
	if err != nil {
		t.Fatal(err)
	}
	done := make(chan error)
	go func() {
		_, err := Fetch(ctx, Repo{model, commit1}, []string{"config.json"}, o)
		done <- err
	}()
	select {
	case err := <-done:
		t.Errorf("it did not wait for the lock (%v)", err)
	case <-time.After(100 * time.Millisecond):
	}
	if err := os.MkdirAll(filepath.Dir(c.blob(etag)), 0o777); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(c.blob(etag), files["config.json"], 0o666); err != nil {
		t.Fatal(err)
	}
	unlock()
	if err := <-done; err != nil {
		t.Error(err)
	}
	for _, request := range h.requests() {
		if strings.HasPrefix(request, http.MethodGet) {
			t.Errorf("%s although another process has brought it", request)
		}
	}
}

// A cached file that was cut, or has a bit changed, is fetched again where the network may be used, and an error where not.
func TestDamagedBlob(t *testing.T) {
	files := tinyModel()
	for name, spoil := range map[string]func(data []byte) []byte{
		"cut":     func(data []byte) []byte { return data[:len(data)/2] },
		"one bit": func(data []byte) []byte { data[len(data)/2] ^= 4; return data },
	} {
		for _, file := range []string{"config.json", "model.safetensors"} {
			h := newFakeHub(t, files)
			o := h.options(t)
			o.Dir = pythonCache(t, files)
			blob := cache{o.Dir, "models--owner--tiny-vit", os.Symlink}.blob(etagOf(file, files[file]))
			if err := os.WriteFile(blob, spoil(slices.Clone(files[file])), 0o666); err != nil {
				t.Fatal(err)
			}
			o.Offline = true
			if _, err := FetchModel(ctx, Repo{model, commit1}, o); !errors.Is(err, ErrDamaged) || !strings.Contains(err.Error(), blob) {
				t.Errorf("%s, %s, offline: %v, want ErrDamaged and the file's path", name, file, err)
			}
			o.Offline = false
			dir, err := FetchModel(ctx, Repo{model, commit1}, o)
			if err != nil {
				t.Fatal(err)
			}
			expect(t, dir, files, "config.json", "model.safetensors")
		}
	}
}
