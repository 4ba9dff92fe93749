package hub

import (
	"errors"
	"fmt"
	"net/http"
	"syscall"
)

// What went wrong, for errors.Is. The errors' texts say what to do.
var (
	ErrNotFound = errors.New("not found")         // no such model, revision or file
	ErrAccess   = errors.New("no access")         // private or gated, or the token is wrong
	ErrOffline  = errors.New("not in the cache")  // and the network may not be used
	ErrDamaged  = errors.New("damaged")           // what came is not what the hub announced
	errNetwork  = errors.New("hub not reachable") // may pass
)

// An absentError says that a commit has no such file.
type absentError struct{ commit, message string }

func (e *absentError) Error() string { return e.message }
func (e *absentError) Unwrap() error { return ErrNotFound }

// statusError explains an answer that is neither a file nor worth a second try. The hub says in headers what it means.
func (f *fetcher) statusError(response *http.Response, file string) error {
	code, message := response.Header.Get("X-Error-Code"), response.Header.Get("X-Error-Message")
	status := response.Status
	if message != "" {
		status += fmt.Sprintf(": %.300q", message)
	}
	host := response.Request.URL.Host
	gated := func() error {
		return fmt.Errorf("hub: %s is gated: ask for access at %s/%s, then set HF_TOKEN to a token of your account (%s) (%w)",
			f.repo, f.Endpoint, f.repo.Name, status, ErrAccess)
	}
	switch {
	case code == "EntryNotFound":
		commit := response.Header.Get("X-Repo-Commit")
		return &absentError{commit, fmt.Sprintf("hub: %s has no file %s: see %s/%s/tree/%s for those it has", f.repo, file, f.Endpoint, f.repo.Name, f.repo.revision())}
	case code == "RevisionNotFound":
		return fmt.Errorf("hub: %s has no revision %q: see %s/%s/commits/main (%w)", f.repo.Name, f.repo.revision(), f.Endpoint, f.repo.Name, ErrNotFound)
	case code == "GatedRepo":
		return gated()
	case code == "RepoNotFound" || response.StatusCode == http.StatusUnauthorized || response.StatusCode == http.StatusNotFound:
		if f.Token != "" && response.StatusCode == http.StatusUnauthorized {
			return fmt.Errorf("hub: %s refuses the token: correct HF_TOKEN, or log in again with hf auth login; or there is no model %s, or it is "+
				"private (%s) (%w)", host, f.repo.Name, status, ErrAccess)
		}
		return fmt.Errorf("hub: there is no model %s at %s, or it is private: check the name; for a private one set HF_TOKEN to a token that may "+
			"read it (%s) (%w)", f.repo.Name, host, status, ErrNotFound)
	case response.StatusCode == http.StatusForbidden:
		return gated()
	}
	return fmt.Errorf("hub: %s answers %s to a request for %s of %s", host, status, file, f.repo)
}

// explain says what to do about a failure to write the cache.
func (f *fetcher) explain(err error) error {
	if errors.Is(err, syscall.ENOSPC) || errors.Is(err, syscall.EDQUOT) {
		return fmt.Errorf("hub: the disk of the cache, %s, is full: free some space, or set HF_HUB_CACHE to a folder on another disk; "+
			"what has come is kept, and the download goes on from there: %w", f.Dir, err)
	}
	return fmt.Errorf("hub: the cache, %s, cannot be written: set HF_HUB_CACHE to a folder that you may write: %w", f.Dir, err)
}
