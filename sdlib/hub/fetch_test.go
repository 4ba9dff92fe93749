package hub

import (
	"bytes"
	"context"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"samediff/sdlib/progress"
)

var ctx = context.Background()

// expect compares files of a folder with what they should hold.
func expect(t *testing.T, dir string, want map[string][]byte, names ...string) {
	t.Helper()
	for _, name := range names {
		got, err := os.ReadFile(filepath.Join(dir, name))
		if err != nil {
			t.Error(err)
		} else if !bytes.Equal(got, want[name]) {
			t.Errorf("%s holds %d bytes, want the %d of the hub", name, len(got), len(want[name]))
		}
	}
}

// tree lists the files of a cache with what links point to and without the locks.
func tree(t *testing.T, root string) (list []string) {
	t.Helper()
	err := filepath.WalkDir(root, func(path string, d os.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		name, err := filepath.Rel(root, path)
		if target, err := os.Readlink(path); err == nil {
			name += " -> " + target
		}
		if !strings.HasPrefix(name, ".locks") {
			list = append(list, filepath.ToSlash(name))
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return list
}

// The layout is that of huggingface_hub 2.4.0, which was compared by hand: testdata/python_cache.py.
func TestLayout(t *testing.T) {
	files := tinyModel()
	files["sub/vocabulary.txt"] = []byte("same different")
	h := newFakeHub(t, files)
	o := h.options(t)
	dir, err := Fetch(ctx, Repo{Name: model}, []string{"config.json", "model.safetensors", "sub/vocabulary.txt"}, o)
	if err != nil {
		t.Fatal(err)
	}
	folder := "models--owner--tiny-vit/"
	if want := filepath.Join(o.Dir, folder, "snapshots", commit1); dir != want {
		t.Errorf("the folder is %s, want %s", dir, want)
	}
	config, weights, vocabulary := etagOf("config.json", files["config.json"]), etagOf("model.safetensors", files["model.safetensors"]),
		etagOf("vocabulary.txt", files["sub/vocabulary.txt"])
	want := []string{
		folder + "blobs/" + config,
		folder + "blobs/" + weights,
		folder + "blobs/" + vocabulary,
		folder + "refs/main",
		folder + "snapshots/" + commit1 + "/config.json -> ../../blobs/" + config,
		folder + "snapshots/" + commit1 + "/model.safetensors -> ../../blobs/" + weights,
		folder + "snapshots/" + commit1 + "/sub/vocabulary.txt -> ../../../blobs/" + vocabulary,
	}
	slices.Sort(want)
	got := tree(t, o.Dir)
	slices.Sort(got)
	if !slices.Equal(got, want) {
		t.Errorf("the cache holds\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
	if ref, err := os.ReadFile(filepath.Join(o.Dir, folder, "refs", "main")); string(ref) != commit1 {
		t.Errorf("refs/main holds %q, want %q (%v)", ref, commit1, err)
	}
	expect(t, dir, files, "config.json", "model.safetensors", "sub/vocabulary.txt")
}

func TestFetchModel(t *testing.T) {
	index := []byte(`{"metadata": {}, "weight_map": {"a": "model-00001-of-00002.safetensors", "b": "model-00002-of-00002.safetensors"}}`)
	config, one, two := []byte("{}"), []byte("first"), []byte("second")
	tests := []struct {
		name  string
		files map[string][]byte
		want  []string // in the folder
	}{
		{"safetensors", tinyModel(), []string{"config.json", "model.safetensors", "preprocessor_config.json"}},
		{"safetensors before bin", map[string][]byte{"config.json": config, "model.safetensors": one, "pytorch_model.bin": two}, []string{"config.json", "model.safetensors"}},
		{"shards", map[string][]byte{"config.json": config, "model.safetensors.index.json": index, "model-00001-of-00002.safetensors": one,
			"model-00002-of-00002.safetensors": two, "pytorch_model.bin": two},
			[]string{"config.json", "model-00001-of-00002.safetensors", "model-00002-of-00002.safetensors", "model.safetensors.index.json"}},
		{"bin", map[string][]byte{"config.json": config, "pytorch_model.bin": two}, []string{"config.json", "pytorch_model.bin"}},
		{"bin shards", map[string][]byte{"config.json": config, "pytorch_model.bin.index.json": []byte(`{"weight_map": {"a": "x.bin"}}`), "x.bin": one},
			[]string{"config.json", "pytorch_model.bin.index.json", "x.bin"}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			h := newFakeHub(t, test.files)
			o := h.options(t)
			dir, err := FetchModel(ctx, Repo{Name: model}, o)
			if err != nil {
				t.Fatal(err)
			}
			var got []string
			for _, name := range tree(t, dir) {
				name, _, _ = strings.Cut(name, " -> ")
				got = append(got, name)
			}
			if !slices.Equal(got, test.want) {
				t.Errorf("the folder holds %v, want %v", got, test.want)
			}
			expect(t, dir, test.files, test.want...)

			// All is in the cache now: a commit needs no network at all, and says the same offline.
			h.requests()
			for _, offline := range []bool{false, true} {
				o.Offline = offline
				again, err := FetchModel(ctx, Repo{model, commit1}, o)
				if err != nil || again != dir {
					t.Errorf("fetched again (offline %v): %s, %v, want %s", offline, again, err, dir)
				}
			}
			if asked := h.requests(); len(asked) > 0 {
				t.Errorf("the second time %v was asked for", asked)
			}
		})
	}
}

func TestNoSuchModel(t *testing.T) {
	for name, test := range map[string]struct {
		files map[string][]byte
		want  string
	}{
		"no configuration": {map[string][]byte{"model.safetensors": nil}, "has no file config.json"},
		"no weights":       {map[string][]byte{"config.json": nil, "flax_model.msgpack": nil}, "has none of model.safetensors"},
		"index leads out":  {map[string][]byte{"config.json": nil, "model.safetensors.index.json": []byte(`{"weight_map":{"a":"../../../x"}}`)}, "want one in the folder"},
		"shard missing":    {map[string][]byte{"config.json": nil, "model.safetensors.index.json": []byte(`{"weight_map":{"a":"x.safetensors"}}`)}, "has no file x.safetensors"},
	} {
		t.Run(name, func(t *testing.T) {
			h := newFakeHub(t, test.files)
			if _, err := FetchModel(ctx, Repo{Name: model}, h.options(t)); err == nil || !strings.Contains(err.Error(), test.want) {
				t.Errorf("FetchModel gave %v, want %q in it", err, test.want)
			}
		})
	}
}

// When a branch moves, what has not changed is not fetched again, and the old folder stays as it is.
func TestMovedBranch(t *testing.T) {
	old := tinyModel()
	h := newFakeHub(t, old)
	o := h.options(t)
	before, err := FetchModel(ctx, Repo{Name: model}, o)
	if err != nil {
		t.Fatal(err)
	}
	moved := tinyModel()
	moved["config.json"] = []byte(`{"model_type": "clip"}`)
	h.main, h.commits[commit2] = commit2, moved
	h.requests()
	after, err := FetchModel(ctx, Repo{Name: model}, o)
	if err != nil {
		t.Fatal(err)
	}
	expect(t, before, old, "config.json", "model.safetensors")
	expect(t, after, moved, "config.json", "model.safetensors")
	for _, request := range h.requests() {
		if strings.HasPrefix(request, "GET") && !strings.HasSuffix(request, "config.json") {
			t.Errorf("%s although nothing has changed", request)
		}
	}
}

// The files of one call are of one commit, though the branch moves after the first.
func TestOneCommit(t *testing.T) {
	files := tinyModel()
	h := newFakeHub(t, files)
	changed := tinyModel()
	changed["model.safetensors"] = []byte("other weights")
	h.commits[commit2] = changed
	f, err := newFetcher(Repo{Name: model}, h.options(t))
	if err != nil {
		t.Fatal(err)
	}
	first := f.need(ctx, "config.json")
	h.mu.Lock()
	h.main = commit2
	h.mu.Unlock()
	second := f.need(ctx, "model.safetensors")
	dir, err := f.finish(ctx)
	if err := errors.Join(first, second, err); err != nil {
		t.Fatal(err)
	}
	expect(t, dir, files, "config.json", "model.safetensors")
}

func TestProgress(t *testing.T) {
	files := tinyModel()
	h := newFakeHub(t, files)
	o := h.options(t)
	var updates []progress.Update
	o.Progress = func(u progress.Update) { updates = append(updates, u) }
	if _, err := FetchModel(ctx, Repo{Name: model}, o); err != nil {
		t.Fatal(err)
	}
	last := updates[len(updates)-1]
	if last.Task != "fetch "+model || last.Unit != "kB" || last.Done != 3146 || last.Total != 3146 || !last.Finished {
		t.Errorf("the last update is %+v, want all 3146 kB, and finished", last)
	}
	n := len(updates)
	if _, err := FetchModel(ctx, Repo{Name: model}, o); err != nil || len(updates) != n {
		t.Errorf("there is progress although all was there: %v (%v)", updates[n:], err)
	}
}

func TestCanceled(t *testing.T) {
	h := newFakeHub(t, tinyModel())
	canceled, cancel := context.WithTimeout(ctx, time.Nanosecond)
	defer cancel()
	if _, err := FetchModel(canceled, Repo{Name: model}, h.options(t)); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("FetchModel gave %v, want the context's error", err)
	}
}
