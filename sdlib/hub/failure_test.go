package hub

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"
)

// waits records for how long a fetch would have waited.
func waits(o *Options) *[]time.Duration {
	list := new([]time.Duration)
	o.sleep = func(_ context.Context, d time.Duration) error {
		*list = append(*list, d)
		return nil
	}
	return list
}

func TestTokenGoesToTheHubAlone(t *testing.T) {
	h := newFakeHub(t, tinyModel())
	o := h.options(t)
	o.Token = "hf_secret"
	if _, err := FetchModel(ctx, Repo{Name: model}, o); err != nil {
		t.Fatal(err)
	}
	stores := 0
	for _, r := range h.seen {
		got, want := r.Header.Get("Authorization"), "Bearer hf_secret"
		if "http://"+r.Host == h.store.URL {
			stores++
			want = ""
		}
		if got != want {
			t.Errorf("%s %s%s came with %q, want %q", r.Method, r.Host, r.URL.Path, got, want)
		}
	}
	if stores == 0 {
		t.Error("nothing came from the other host")
	}
}

func TestBrokenConnection(t *testing.T) {
	files := tinyModel()
	h := newFakeHub(t, files)
	for range attempts + 2 { // more often than it would try without progress
		h.nextStore(h.cut)
	}
	o := h.options(t)
	waited := waits(&o)
	dir, err := FetchModel(ctx, Repo{Name: model}, o)
	if err != nil {
		t.Fatal(err)
	}
	expect(t, dir, files, "model.safetensors")
	if want := slices.Repeat([]time.Duration{time.Second}, attempts+2); !slices.Equal(*waited, want) {
		t.Errorf("waited %v, want %v", *waited, want)
	}
	last := h.seen[len(h.seen)-1].Header.Get("Range")
	if want := fmt.Sprintf("bytes=%d-", len(files["model.safetensors"])-len(files["model.safetensors"])>>(attempts+2)); last != want {
		t.Errorf("the last request was for %s, want %s", last, want)
	}
}

// A download that was stopped goes on where it was, in another process too, if what it has is good, and begins anew if it is not.
func TestResume(t *testing.T) {
	files := tinyModel()
	weights := files["model.safetensors"]
	for name, test := range map[string]struct {
		there  []byte
		ranges []string // of the requests to the store
	}{
		"a part":         {weights[:1<<20], []string{"bytes=1048576-"}},
		"all":            {weights, nil},
		"a wrong part":   {[]byte("wrong"), []string{"bytes=5-", ""}},
		"too much":       {append(slices.Clone(weights), 1), []string{""}},
		"as much, wrong": {slices.Repeat([]byte{1}, len(weights)), []string{""}},
	} {
		t.Run(name, func(t *testing.T) {
			h := newFakeHub(t, files)
			o := h.options(t)
			blobs := filepath.Join(o.Dir, "models--owner--tiny-vit", "blobs")
			if err := os.MkdirAll(blobs, 0o777); err != nil {
				t.Fatal(err)
			}
			path := filepath.Join(blobs, etagOf("model.safetensors", weights)+incomplete)
			if err := os.WriteFile(path, test.there, 0o666); err != nil {
				t.Fatal(err)
			}
			dir, err := Fetch(ctx, Repo{Name: model}, []string{"model.safetensors"}, o)
			if err != nil {
				t.Fatal(err)
			}
			expect(t, dir, files, "model.safetensors")
			if _, err := os.Stat(path); !errors.Is(err, fs.ErrNotExist) {
				t.Errorf("%s is still there (%v)", path, err)
			}
			var ranges []string
			for _, r := range h.seen {
				if "http://"+r.Host == h.store.URL {
					ranges = append(ranges, r.Header.Get("Range"))
				}
			}
			if !slices.Equal(ranges, test.ranges) {
				t.Errorf("asked for %q, want %q", ranges, test.ranges)
			}
		})
	}
}

// A server may answer a request for a part with the whole file, or with another part.
func TestRangeIgnored(t *testing.T) {
	files := tinyModel()
	for name, serve := range map[string]func(h *fakeHub) http.HandlerFunc{
		"whole file": func(h *fakeHub) http.HandlerFunc {
			return func(w http.ResponseWriter, r *http.Request) {
				r.Header.Del("Range")
				h.serveStore(w, r)
			}
		},
		"no such range": func(*fakeHub) http.HandlerFunc {
			return func(w http.ResponseWriter, r *http.Request) { w.WriteHeader(http.StatusRequestedRangeNotSatisfiable) }
		},
	} {
		t.Run(name, func(t *testing.T) {
			h := newFakeHub(t, files)
			h.nextStore(h.cut, serve(h))
			dir, err := Fetch(ctx, Repo{Name: model}, []string{"model.safetensors"}, h.options(t))
			if err != nil {
				t.Fatal(err)
			}
			expect(t, dir, files, "model.safetensors")
		})
	}
}

func TestRetries(t *testing.T) {
	status := func(code int, retryAfter string) http.HandlerFunc {
		return func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Retry-After", retryAfter)
			w.WriteHeader(code)
		}
	}
	t.Run("then well", func(t *testing.T) {
		files := tinyModel()
		h := newFakeHub(t, files)
		h.next("HEAD", "main/config.json", status(429, "7"))
		h.next("GET", "config.json", status(503, ""))
		h.next("GET", "config.json", status(500, ""))
		h.nextStore(status(403, "")) // the signed address has expired
		o := h.options(t)
		waited := waits(&o)
		dir, err := FetchModel(ctx, Repo{Name: model}, o)
		if err != nil {
			t.Fatal(err)
		}
		expect(t, dir, files, "config.json", "model.safetensors")
		if want := []time.Duration{7 * time.Second, time.Second, 2 * time.Second, time.Second}; !slices.Equal(*waited, want) {
			t.Errorf("waited %v, want %v", *waited, want)
		}
	})
	t.Run("never well", func(t *testing.T) {
		h := newFakeHub(t, tinyModel())
		for range 2 * attempts {
			h.next("GET", "config.json", status(502, ""))
		}
		o := h.options(t)
		waited := waits(&o)
		_, err := FetchModel(ctx, Repo{Name: model}, o)
		if err == nil || !strings.Contains(err.Error(), "502 Bad Gateway") || !strings.Contains(err.Error(), "HF_HUB_OFFLINE=1") {
			t.Errorf("FetchModel gave %v, want the status and what to do", err)
		}
		if want := []time.Duration{time.Second, 2 * time.Second, 4 * time.Second, 8 * time.Second}; !slices.Equal(*waited, want) {
			t.Errorf("waited %v, want %v", *waited, want)
		}
	})
	t.Run("in an hour", func(t *testing.T) {
		h := newFakeHub(t, tinyModel())
		h.next("HEAD", "config.json", status(429, "3600"))
		o := h.options(t)
		waited := waits(&o)
		if _, err := FetchModel(ctx, Repo{Name: model}, o); err == nil || len(*waited) > 0 || !strings.Contains(err.Error(), "429") {
			t.Errorf("FetchModel gave %v after %v, want an error at once", err, *waited)
		}
	})
}

func TestWrongChecksum(t *testing.T) {
	for name, file := range map[string]string{"large file": "model.safetensors", "small file": "config.json"} {
		t.Run(name, func(t *testing.T) {
			h := newFakeHub(t, tinyModel())
			size := len(h.commits[commit1][file])
			wrong := func(w http.ResponseWriter, _ *http.Request) { w.Write(make([]byte, size)) }
			h.next("GET", "resolve/"+commit1+"/"+file, wrong)
			o := h.options(t)
			_, err := Fetch(ctx, Repo{Name: model}, []string{file}, o)
			if !errors.Is(err, ErrDamaged) || !strings.Contains(err.Error(), file) || !strings.Contains(err.Error(), "discarded") {
				t.Errorf("Fetch gave %v, want that %s is damaged", err, file)
			}
			if left := tree(t, o.Dir); len(left) > 0 {
				t.Errorf("the cache holds %v, want nothing", left)
			}
			if _, err := Fetch(ctx, Repo{Name: model}, []string{file}, o); err != nil {
				t.Errorf("the second time: %v", err)
			}
		})
	}
	t.Run("too long", func(t *testing.T) {
		h := newFakeHub(t, tinyModel())
		h.next("GET", "config.json", func(w http.ResponseWriter, _ *http.Request) { w.Write(make([]byte, 1<<20)) })
		_, err := Fetch(ctx, Repo{Name: model}, []string{"config.json"}, h.options(t))
		if !errors.Is(err, ErrDamaged) || !strings.Contains(err.Error(), "bytes came, want 21") {
			t.Errorf("Fetch gave %v, want the sizes", err)
		}
	})
}

// Several goroutines, as well as processes, that want the same files fetch them once.
func TestTogether(t *testing.T) {
	files := tinyModel()
	h := newFakeHub(t, files)
	o := h.options(t)
	o.sleep = sleep
	var all sync.WaitGroup
	for range 4 {
		all.Go(func() {
			dir, err := FetchModel(ctx, Repo{Name: model}, o)
			if err != nil {
				t.Error(err)
				return
			}
			expect(t, dir, files, "config.json", "model.safetensors")
		})
	}
	all.Wait()
	gets := map[string]int{}
	for _, request := range h.requests() {
		if strings.HasPrefix(request, "GET") {
			gets[request]++
		}
	}
	if want := map[string]int{
		fmt.Sprintf("GET hub /%s/resolve/%s/config.json", model, commit1):              1,
		fmt.Sprintf("GET hub /%s/resolve/%s/preprocessor_config.json", model, commit1): 1,
		fmt.Sprintf("GET hub /%s/resolve/%s/model.safetensors", model, commit1):        1,
		fmt.Sprintf("GET store /%s%s/model.safetensors", storePrefix, commit1):         1,
	}; fmt.Sprint(gets) != fmt.Sprint(want) {
		t.Errorf("asked for %v, want %v", gets, want)
	}
}

// A hub that ignores ranges and breaks off at the same place each time is given up, not asked for ever.
func TestNoProgress(t *testing.T) {
	h := newFakeHub(t, tinyModel())
	for range 4 * attempts {
		h.nextStore(func(w http.ResponseWriter, r *http.Request) {
			r.Header.Del("Range")
			h.cut(w, r)
		})
	}
	o := h.options(t)
	waited := waits(&o)
	_, err := Fetch(ctx, Repo{Name: model}, []string{"model.safetensors"}, o)
	if err == nil || !strings.Contains(err.Error(), "cannot be fetched now") || len(*waited) > attempts {
		t.Errorf("Fetch gave %v after %d waits, want an error after %d", err, len(*waited), attempts)
	}
}
