package hub

import (
	"errors"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
)

func TestRefusals(t *testing.T) {
	answer := func(status int, code, message string) http.HandlerFunc {
		return func(w http.ResponseWriter, _ *http.Request) { fail(w, status, code, message) }
	}
	header := func(name, value string) http.HandlerFunc {
		return func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("X-Repo-Commit", commit1)
			w.Header().Set("ETag", `"`+commit2+`"`)
			w.Header().Set(name, value)
		}
	}
	tests := []struct {
		name   string
		repo   Repo
		file   string
		token  string
		answer http.HandlerFunc
		is     error
		want   string
	}{
		{"no such model", Repo{Name: "owner/other"}, "config.json", "", nil, ErrNotFound, "there is no model owner/other"},
		{"no such revision", Repo{model, "v9"}, "config.json", "", nil, ErrNotFound, `has no revision "v9"`},
		{"no such commit", Repo{model, commit2}, "config.json", "", nil, ErrNotFound, "has no revision"},
		{"no such file", Repo{Name: model}, "tf_model.h5", "", nil, ErrNotFound, "has no file tf_model.h5"},
		{"gated", Repo{Name: model}, "config.json", "", answer(403, "GatedRepo", "Access is restricted"), ErrAccess, "is gated: ask for access"},
		{"gated, no token", Repo{Name: model}, "config.json", "", answer(401, "GatedRepo", "Access is restricted"), ErrAccess, "Access is restricted"},
		{"private", Repo{Name: model}, "config.json", "", answer(401, "", ""), ErrNotFound, "set HF_TOKEN"},
		{"wrong token", Repo{Name: model}, "config.json", "hf_x", answer(401, "", "Invalid credentials"), ErrAccess, "refuses the token"},
		{"forbidden", Repo{Name: model}, "config.json", "", answer(403, "", ""), ErrAccess, "ask for access"},
		{"other status", Repo{Name: model}, "config.json", "", answer(418, "", "teapot"), nil, `418 I'm a teapot: "teapot"`},

		{"no hub", Repo{Name: model}, "config.json", "", header("X-Repo-Commit", ""), nil, "no hub of Hugging Face"},
		{"commit is a path", Repo{Name: model}, "config.json", "", header("X-Repo-Commit", "../../.."), nil, "no hub of Hugging Face"},
		{"other commit", Repo{model, commit1}, "config.json", "", header("X-Repo-Commit", commit2), nil, "answers with commit 2222"},
		{"etag is a path", Repo{Name: model}, "config.json", "", header("ETag", `"../../../owned"`), nil, "want a sha256 or git's hash"},
		{"no etag", Repo{Name: model}, "config.json", "", header("ETag", ""), nil, "want a sha256 or git's hash"},

		{"file is a path out", Repo{Name: model}, "../config.json", "", nil, nil, "no path of a file"},
		{"file is absolute", Repo{Name: model}, "/etc/passwd", "", nil, nil, "no path of a file"},
		{"model is a path out", Repo{Name: "../x"}, "config.json", "", nil, nil, "no name of a model"},
		{"model is a URL", Repo{Name: "https://huggingface.co/owner/x"}, "config.json", "", nil, nil, "want owner/name"},
		{"no model", Repo{}, "config.json", "", nil, nil, "no name of a model"},
		{"revision is a path out", Repo{model, "../main"}, "config.json", "", nil, nil, "no revision"},
		{"token of two lines", Repo{Name: model}, "config.json", "hf_x\nhost: y", nil, nil, "the token has characters"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			h := newFakeHub(t, tinyModel())
			if test.answer != nil {
				h.next("HEAD", test.file, test.answer)
			}
			o := h.options(t)
			o.Token = test.token
			_, err := Fetch(ctx, test.repo, []string{test.file}, o)
			if err == nil || !strings.Contains(err.Error(), test.want) || test.is != nil && !errors.Is(err, test.is) {
				t.Errorf("Fetch gave %v, want %q in it and that it is %v", err, test.want, test.is)
			}
			if gets := slices.DeleteFunc(h.requests(), func(r string) bool { return strings.HasPrefix(r, "HEAD") }); len(gets) > 0 {
				t.Errorf("%v was asked for", gets)
			}
		})
	}
	if _, err := Fetch(ctx, Repo{Name: model}, nil, Options{}); err == nil || !strings.Contains(err.Error(), "no file") {
		t.Errorf("no file at all gave %v", err)
	}
}

// The headers of an answer come from whoever answers: an error, or a commit and a hash.
func FuzzAnnounced(f *testing.F) {
	f.Add(commit1, `"`+strings.Repeat("0a", 32)+`"`, "1234", 200)
	f.Add(commit1, `W/"`+strings.Repeat("0a", 20)+`"`, "-1", 302)
	f.Add("main", "", "99999999999999999999", 200)
	f.Add("../../etc", `"../../../x"`, "1e3", 200)
	f.Fuzz(func(t *testing.T, commit, etag, length string, status int) {
		fetch := &fetcher{repo: Repo{Name: model}}
		request := httptest.NewRequest(http.MethodHead, "http://hub.test/", nil)
		answer := &http.Response{StatusCode: status, Request: request, Header: http.Header{}}
		answer.Header.Set("X-Repo-Commit", commit)
		answer.Header.Set("ETag", etag)
		answer.Header.Set("Content-Length", length)
		r, err := fetch.announced(answer, "config.json")
		if err != nil {
			return
		}
		if !sha1Hex.MatchString(r.commit) || !sha1Hex.MatchString(r.etag) && !sha256Hex.MatchString(r.etag) || r.size < -1 {
			t.Errorf("passed: %+v", r)
		}
		if strings.ContainsAny(r.etag+r.commit, "/.") {
			t.Errorf("a name that leads out of the cache: %+v", r)
		}
	})
}
