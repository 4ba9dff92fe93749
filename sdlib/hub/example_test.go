package hub_test

import (
	"context"
	"crypto/sha1"
	"fmt"
	"log"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"time"

	"samediff/sdlib/hub"
)

func Example() {
	// A hub of one model with one file, so that this example needs no network. Leave Endpoint and Dir empty for the real one.
	const commit = "0123456789abcdef0123456789abcdef01234567"
	config := `{"model_type": "vit"}`
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("X-Repo-Commit", commit)
		w.Header().Set("ETag", fmt.Sprintf(`"%x"`, sha1.Sum(fmt.Appendf(nil, "blob %d\x00%s", len(config), config))))
		http.ServeContent(w, r, "", time.Time{}, strings.NewReader(config))
	}))
	defer server.Close()
	cache, err := os.MkdirTemp("", "hub")
	if err != nil {
		log.Fatal(err)
	}
	defer os.RemoveAll(cache)

	repo := hub.Repo{Name: "owner/tiny-vit", Revision: commit}
	dir, err := hub.Fetch(context.Background(), repo, []string{"config.json"}, hub.Options{Endpoint: server.URL, Dir: cache})
	if err != nil {
		log.Fatal(err)
	}
	text, err := os.ReadFile(filepath.Join(dir, "config.json"))
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(repo, string(text))

	server.Close() // a commit that is in the cache needs no hub
	_, err = hub.Fetch(context.Background(), repo, []string{"config.json"}, hub.Options{Endpoint: server.URL, Dir: cache})
	fmt.Println(err)
	// Output:
	// owner/tiny-vit@0123456789abcdef0123456789abcdef01234567 {"model_type": "vit"}
	// <nil>
}
