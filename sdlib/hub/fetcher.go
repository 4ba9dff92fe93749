package hub

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"os"
	"strings"
)

// A fetcher is one call of Fetch.
type fetcher struct {
	Options
	repo   Repo
	cache  cache
	client *http.Client
	commit string            // what the revision is; "" until it is known
	known  map[string]remote // what looking up the commit has told besides
	cause  error             // why the network is not used although it may be
	wanted []remote          // files to download

	downloaded bool
	missing    []string // files that the cache lacks and the network may not bring
}

// A remote is a file as the hub announces it.
type remote struct {
	file, commit string
	etag         string // sha256 of the content, or git's hash of small files
	size         int64  // -1: unknown
}

func newFetcher(repo Repo, o Options) (*fetcher, error) {
	if err := repo.check(); err != nil {
		return nil, err
	}
	o, err := o.withDefaults()
	if err != nil {
		return nil, err
	}
	f := &fetcher{Options: o, repo: repo, cache: cache{o.Dir, repo.folder(), o.symlink}, known: make(map[string]remote)}
	f.client = f.newClient()
	if repo.isCommit() {
		f.commit = repo.Revision
	}
	return f, nil
}

// need notes that a file must be there.
func (f *fetcher) need(ctx context.Context, file string) error {
	r, err := f.find(ctx, file)
	switch {
	case errors.Is(err, ErrOffline) && f.commit != "":
		f.missing = append(f.missing, file) // all that are missing are said at once
		return nil
	case err == nil && r != nil:
		f.wanted = append(f.wanted, *r)
	}
	return err
}

// take notes a file that a model may lack, and reports whether there is one.
func (f *fetcher) take(ctx context.Context, file string) (there bool, err error) {
	r, err := f.find(ctx, file)
	switch {
	case errors.As(err, new(*absentError)), errors.Is(err, ErrOffline) && f.commit != "":
		return false, nil
	case err == nil && r != nil:
		f.wanted = append(f.wanted, *r)
	}
	return err == nil, err
}

// takeFirst notes the first file that there is.
func (f *fetcher) takeFirst(ctx context.Context, files []string) (found string, err error) {
	for _, file := range files {
		if there, err := f.take(ctx, file); there || err != nil {
			return file, err
		}
	}
	if f.Offline {
		f.missing = append(f.missing, files[0]+" or another form of weights")
		return "", nil
	}
	return "", fmt.Errorf("hub: %s has none of %s: its weights may be TensorFlow's or JAX's only; convert them with Python (%w)",
		f.repo, strings.Join(files, ", "), ErrNotFound)
}

// find returns how to get a file, or nil where it is in the cache.
func (f *fetcher) find(ctx context.Context, file string) (*remote, error) {
	if !isPath(file) {
		return nil, fmt.Errorf("hub: %.200q is no path of a file in a model, want one such as config.json", file)
	}
	if f.commit == "" {
		if err := f.lookUp(ctx, file); err != nil {
			return nil, err
		}
	}
	if f.cache.has(f.commit, file) {
		blob, err := f.cache.intact(f.commit, file)
		switch {
		case err == nil:
			return nil, nil
		case !errors.Is(err, ErrDamaged):
			return nil, fmt.Errorf("hub: the cached %s of %s cannot be read: %w", file, f.repo, err)
		case f.Offline:
			return nil, fmt.Errorf("hub: the cached %s of %s is not what its name says (%w): allow the network, so that it is fetched again, or delete %s",
				file, f.repo, err, blob)
		}
		if err := os.Remove(blob); err != nil { // fetched again below
			return nil, f.explain(err)
		}
	}
	if f.cache.knownAbsent(f.commit, file) {
		return nil, &absentError{f.commit, fmt.Sprintf("hub: %s has no file %s, as the hub said earlier: see %s/%s/tree/%s for those it has",
			f.repo, file, f.Endpoint, f.repo.Name, f.commit)}
	}
	if f.Offline {
		return nil, f.offlineError(file)
	}
	if r, ok := f.known[file]; ok {
		return &r, nil
	}
	r, err := f.head(ctx, f.commit, file, headAttempts)
	if absent := (*absentError)(nil); errors.As(err, &absent) {
		f.cache.setAbsent(f.commit, file)
	}
	if err != nil {
		return nil, err
	}
	return &r, nil
}

// lookUp finds the commit that a branch or tag is, by asking for a file.
func (f *fetcher) lookUp(ctx context.Context, file string) error {
	revision := f.repo.revision()
	cached := f.cache.ref(revision)
	if f.Offline {
		if f.commit = cached; cached == "" {
			return f.offlineError("revision " + revision)
		}
		return nil
	}
	tries := headAttempts
	if cached != "" {
		tries = 1 // there may be something to fall back on
	}
	r, err := f.head(ctx, revision, file, tries)
	var absent *absentError
	switch {
	case errors.As(err, &absent) && sha1Hex.MatchString(absent.commit):
		f.commit = absent.commit
		f.cache.setAbsent(f.commit, file)
	case errors.Is(err, errNetwork) && cached != "":
		f.commit, f.Offline, f.cause = cached, true, err
	case err != nil:
		return err
	default:
		f.commit = r.commit
		f.known[file] = r
	}
	return nil
}

// finish downloads what is wanted and returns the commit's folder.
func (f *fetcher) finish(ctx context.Context) (dir string, err error) {
	if len(f.missing) > 0 {
		return "", f.offlineError(f.missing...)
	}
	if err := f.download(ctx); err != nil {
		return "", err
	}
	// Only now: a ref must not lead to a commit of which half has come. That a cache cannot be written which holds all is no error.
	if err := f.cache.setRef(f.repo.revision(), f.commit); err != nil && f.downloaded {
		return "", f.explain(err)
	}
	return f.cache.snapshot(f.commit), nil
}

// offlineError says what the cache lacks.
func (f *fetcher) offlineError(missing ...string) error {
	list := strings.Join(missing, ", ")
	if f.cause != nil {
		return fmt.Errorf("%w; and the cache, %s, lacks %s of %s (%w)", f.cause, f.Dir, list, f.repo, ErrOffline)
	}
	return fmt.Errorf("hub: the cache, %s, lacks %s of %s, and the network may not be used: fetch the model once without HF_HUB_OFFLINE, or copy "+
		"the folder %s from a machine that has it (%w)", f.Dir, list, f.repo, f.repo.folder(), ErrOffline)
}
