package hub

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"
)

const (
	attempts     = 5 // without a byte of progress
	headAttempts = 3 // where nothing has come yet: whoever has no network should hear it soon
	firstWait    = time.Second
	longestWait  = 5 * time.Minute  // that a hub may ask for
	answerWithin = 30 * time.Second // else the connection counts as broken
)

// newClient returns a client that gives the token to the hub alone: Go's own rule would let it go to other ports, and to the hub's
// subdomains, from which large files come and to which anybody's files go.
func (f *fetcher) newClient() *http.Client {
	transport := http.DefaultTransport.(*http.Transport).Clone()
	transport.ResponseHeaderTimeout = answerWithin
	return &http.Client{Transport: transport, CheckRedirect: func(request *http.Request, via []*http.Request) error {
		if len(via) >= 10 {
			return errors.New("more than 10 redirects")
		}
		if !f.isHub(request.URL) {
			request.Header.Del("Authorization")
			if request.Method == http.MethodHead && request.Response.Header.Get("X-Repo-Commit") != "" {
				return http.ErrUseLastResponse // the hub has said what the file is; where it is does not matter yet
			}
		}
		return nil
	}}
}

func (f *fetcher) isHub(u *url.URL) bool {
	hub, err := url.Parse(f.Endpoint)
	return err == nil && u.Scheme == hub.Scheme && u.Host == hub.Host
}

// A temporaryError is worth another try.
type temporaryError struct {
	error
	after    time.Duration // what the hub asks to wait
	progress bool          // bytes have come: the count of tries begins anew
}

func (e *temporaryError) Unwrap() []error { return []error{e.error, errNetwork} }

// retry calls try until it returns no temporary error, waiting longer each time.
func (f *fetcher) retry(ctx context.Context, tries int, try func() error) error {
	for n := 1; ; n++ {
		err := try()
		var temporary *temporaryError
		if ctx.Err() != nil {
			return fmt.Errorf("hub: stopped fetching %s, what has come is kept: %w", f.repo, ctx.Err())
		}
		if !errors.As(err, &temporary) {
			return err
		}
		if temporary.progress {
			n = 1
		}
		if n >= tries || temporary.after > longestWait {
			return fmt.Errorf("hub: %s cannot be fetched now: %w; check the network and the proxy (HTTPS_PROXY) and try again, what has come is "+
				"kept; or set HF_HUB_OFFLINE=1 to use what is in the cache", f.repo, err)
		}
		if err := f.sleep(ctx, max(temporary.after, firstWait<<(n-1))); err != nil {
			return fmt.Errorf("hub: stopped fetching %s, what has come is kept: %w", f.repo, err)
		}
	}
}

// do sends a request for a file, from a byte on. The answer is 2xx, or a redirect for HEAD; the error may be temporary.
func (f *fetcher) do(ctx context.Context, method, revision, file string, from int64) (*http.Response, error) {
	request, err := http.NewRequestWithContext(ctx, method, f.repo.url(f.Endpoint, revision, file), nil)
	if err != nil {
		return nil, fmt.Errorf("hub: %w", err)
	}
	request.Header.Set("User-Agent", "samediff; go")
	request.Header.Set("Accept-Encoding", "identity") // sizes and ranges are those of the file
	if f.Token != "" {
		request.Header.Set("Authorization", "Bearer "+f.Token)
	}
	if from > 0 {
		request.Header.Set("Range", fmt.Sprintf("bytes=%d-", from))
	}
	response, err := f.client.Do(request)
	if err != nil {
		return nil, &temporaryError{error: err}
	}
	status := response.StatusCode
	if status/100 == 2 || method == http.MethodHead && status/100 == 3 {
		return response, nil
	}
	response.Body.Close()
	switch {
	case status == http.StatusRequestedRangeNotSatisfiable && from > 0:
		return nil, errRange
	case status == http.StatusRequestTimeout || status == http.StatusTooManyRequests || status/100 == 5,
		!f.isHub(response.Request.URL): // the address of a large file, which the hub gives out for an hour, has expired
		return nil, &temporaryError{error: fmt.Errorf("%s answers %s", response.Request.URL.Host, response.Status), after: retryAfter(response)}
	}
	return nil, f.statusError(response, file)
}

var errRange = errors.New("the part that is there is no part of the file")

// retryAfter returns how long an answer asks to wait, in seconds or until a date.
func retryAfter(response *http.Response) time.Duration {
	value := response.Header.Get("Retry-After")
	if seconds, err := strconv.Atoi(value); err == nil && seconds >= 0 && seconds < 1e9 {
		return time.Duration(seconds) * time.Second
	}
	if date, err := http.ParseTime(value); err == nil {
		return max(0, time.Until(date))
	}
	return 0
}

// head asks what a file is.
func (f *fetcher) head(ctx context.Context, revision, file string, tries int) (r remote, err error) {
	err = f.retry(ctx, tries, func() error {
		response, err := f.do(ctx, http.MethodHead, revision, file, 0)
		if err != nil {
			return err
		}
		response.Body.Close()
		r, err = f.announced(response, file)
		return err
	})
	return r, err
}

// announced reads the headers in which the hub says what a file is.
func (f *fetcher) announced(response *http.Response, file string) (remote, error) {
	h := response.Header
	r := remote{file: file, commit: h.Get("X-Repo-Commit"), etag: firstSet(h.Get("X-Linked-Etag"), h.Get("ETag")), size: -1}
	r.etag = strings.Trim(strings.TrimPrefix(r.etag, "W/"), `"`)
	length := h.Get("X-Linked-Size")
	if length == "" && response.StatusCode/100 == 2 { // that of a redirect is its own
		length = h.Get("Content-Length")
	}
	if n, err := strconv.ParseInt(length, 10, 64); err == nil && n >= 0 {
		r.size = n
	}
	switch {
	case !sha1Hex.MatchString(r.commit):
		return r, fmt.Errorf("hub: %s answers without a commit for %s of %s (X-Repo-Commit is %.80q), so it is no hub of Hugging Face: check "+
			"HF_ENDPOINT and the proxy", response.Request.URL.Host, file, f.repo, r.commit)
	case f.repo.isCommit() && r.commit != f.repo.Revision:
		return r, fmt.Errorf("hub: %s answers with commit %s for %s of %s: check HF_ENDPOINT", response.Request.URL.Host, r.commit, file, f.repo)
	case !sha1Hex.MatchString(r.etag) && !sha256Hex.MatchString(r.etag):
		return r, fmt.Errorf("hub: the ETag of %s of %s is %.80q, want a sha256 or git's hash: the file could not be checked; see HF_ENDPOINT",
			file, f.repo, r.etag)
	}
	return r, nil
}
