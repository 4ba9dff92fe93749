package hub

import (
	"bytes"
	"context"
	"crypto/sha1"
	"crypto/sha256"
	"fmt"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"
)

const (
	model       = "owner/tiny-vit"
	storePrefix = "store/" // of paths at the store
	commit1     = "1111111111111111111111111111111111111111"
	commit2     = "2222222222222222222222222222222222222222"
)

// A fakeHub imitates huggingface.co, as far as this package knows it: small files come from the hub itself, large ones by a redirect
// from another host, to which Range requests go.
type fakeHub struct {
	hub, store *httptest.Server

	mu      sync.Mutex
	main    string                       // the commit of the branch main
	commits map[string]map[string][]byte // files by commit
	seen    []*http.Request              // all requests
	answers []answer                     // each once, instead of the usual
}

// An answer is one to a request of a method whose path ends with a suffix.
type answer struct {
	method, suffix string
	serve          http.HandlerFunc
}

func newFakeHub(t *testing.T, files map[string][]byte) *fakeHub {
	t.Helper()
	h := &fakeHub{main: commit1, commits: map[string]map[string][]byte{commit1: files}}
	h.hub = httptest.NewServer(h.wrap(h.serveHub))
	h.store = httptest.NewServer(h.wrap(h.serveStore))
	t.Cleanup(h.hub.Close)
	t.Cleanup(h.store.Close)
	for _, name := range []string{"HF_HOME", "HF_HUB_CACHE", "HUGGINGFACE_HUB_CACHE", "HF_TOKEN", "HUGGING_FACE_HUB_TOKEN", "HF_ENDPOINT",
		"HF_HUB_OFFLINE", "TRANSFORMERS_OFFLINE", "HF_TOKEN_PATH"} {
		t.Setenv(name, "")
	}
	t.Setenv("XDG_CACHE_HOME", t.TempDir())
	return h
}

// options are those of a test: a cache of its own, and no time lost by waiting.
func (h *fakeHub) options(t *testing.T) Options {
	return Options{Dir: t.TempDir(), Endpoint: h.hub.URL, sleep: func(ctx context.Context, _ time.Duration) error { return ctx.Err() }}
}

// next makes something else happen, once, to a request of a method whose path ends like this.
func (h *fakeHub) next(method, suffix string, serve http.HandlerFunc) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.answers = append(h.answers, answer{method, suffix, serve})
}

// nextStore makes these the store's next answers to requests for the weights.
func (h *fakeHub) nextStore(serve ...http.HandlerFunc) {
	for _, s := range serve {
		h.next("GET", "/"+storePrefix+commit1+"/model.safetensors", s)
	}
}

// requests returns what was asked, such as "GET hub /owner/tiny-vit/resolve/main/config.json", and forgets it.
func (h *fakeHub) requests() (list []string) {
	h.mu.Lock()
	defer h.mu.Unlock()
	for _, r := range h.seen {
		host := "hub"
		if r.Host == strings.TrimPrefix(h.store.URL, "http://") {
			host = "store"
		}
		list = append(list, fmt.Sprintf("%s %s %s", r.Method, host, r.URL.Path))
	}
	h.seen = nil
	return list
}

func (h *fakeHub) wrap(serve http.HandlerFunc) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		h.mu.Lock()
		h.seen = append(h.seen, r)
		now := serve
		for i, a := range h.answers {
			if r.Method == a.method && strings.HasSuffix(r.URL.Path, a.suffix) {
				now, h.answers = a.serve, slices.Delete(h.answers, i, i+1)
				break
			}
		}
		h.mu.Unlock()
		now(w, r)
	})
}

func fail(w http.ResponseWriter, status int, code, message string) {
	w.Header().Set("X-Error-Code", code)
	w.Header().Set("X-Error-Message", message)
	w.WriteHeader(status)
}

func (h *fakeHub) serveHub(w http.ResponseWriter, r *http.Request) {
	h.mu.Lock()
	defer h.mu.Unlock()
	rest, ok := strings.CutPrefix(r.URL.Path, "/"+model+"/resolve/")
	if !ok {
		fail(w, http.StatusUnauthorized, "RepoNotFound", "Repository not found")
		return
	}
	revision, name, _ := strings.Cut(rest, "/")
	if revision == "main" {
		revision = h.main
	}
	files, ok := h.commits[revision]
	if !ok {
		fail(w, http.StatusNotFound, "RevisionNotFound", "Invalid rev id: "+revision)
		return
	}
	w.Header().Set("X-Repo-Commit", revision)
	content, ok := files[name]
	if !ok {
		fail(w, http.StatusNotFound, "EntryNotFound", "Entry not found")
		return
	}
	if !isLarge(name) {
		w.Header().Set("ETag", `"`+etagOf(name, content)+`"`)
		http.ServeContent(w, r, name, time.Time{}, bytes.NewReader(content))
		return
	}
	w.Header().Set("X-Linked-Etag", `"`+etagOf(name, content)+`"`)
	w.Header().Set("X-Linked-Size", fmt.Sprint(len(content)))
	w.Header().Set("ETag", `"of the redirect"`)
	http.Redirect(w, r, h.store.URL+"/"+storePrefix+revision+"/"+name+"?signature=1", http.StatusFound)
}

func (h *fakeHub) serveStore(w http.ResponseWriter, r *http.Request) {
	h.mu.Lock()
	defer h.mu.Unlock()
	revision, name, _ := strings.Cut(strings.TrimPrefix(r.URL.Path, "/"+storePrefix), "/")
	http.ServeContent(w, r, name, time.Time{}, bytes.NewReader(h.commits[revision][name]))
}

func isLarge(name string) bool {
	return strings.HasSuffix(name, ".safetensors") || strings.HasSuffix(name, ".bin")
}

// etagOf is what the hub names a content: sha256 for large files, git's hash for small ones.
func etagOf(name string, content []byte) string {
	if isLarge(name) {
		return fmt.Sprintf("%x", sha256.Sum256(content))
	}
	return fmt.Sprintf("%x", sha1.Sum(append(fmt.Appendf(nil, "blob %d\x00", len(content)), content...)))
}

// tinyModel are a model's files; the weights have 3 MB, so that they come in pieces.
func tinyModel() map[string][]byte {
	return map[string][]byte{
		"config.json":              []byte(`{"model_type": "vit"}`),
		"preprocessor_config.json": []byte(`{"image_mean": [0.5]}`),
		"model.safetensors":        bytes.Repeat([]byte("weights "), 3<<17),
		"README.md":                []byte("a model"),
	}
}

// cut sends the header and the first half of what was asked, then breaks the connection.
func (h *fakeHub) cut(w http.ResponseWriter, r *http.Request) {
	record := httptest.NewRecorder()
	h.serveStore(record, r)
	for key, values := range record.Header() {
		w.Header()[key] = values
	}
	w.WriteHeader(record.Code)
	w.Write(record.Body.Bytes()[:record.Body.Len()/2])
	w.(http.Flusher).Flush()
	panic(http.ErrAbortHandler)
}
