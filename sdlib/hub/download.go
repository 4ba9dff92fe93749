package hub

import (
	"context"
	"crypto/sha1"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"hash"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"time"

	"samediff/sdlib/internal/disk"
	"samediff/sdlib/progress"
)

// download brings the wanted files into the cache, one after the other.
func (f *fetcher) download(ctx context.Context) error {
	wanted := f.wanted
	f.wanted, f.downloaded = nil, f.downloaded || len(wanted) > 0
	if len(wanted) == 0 {
		return nil
	}
	var total, there int64
	for _, r := range wanted {
		total += max(r.size, 0)
		if info, err := os.Stat(f.cache.blob(r.etag) + incomplete); err == nil {
			there += info.Size()
		}
	}
	t := &tally{unit: 1e6, name: "MB"}
	if total < 10e6 {
		t = &tally{unit: 1e3, name: "kB"}
	}
	t.meter = progress.New("fetch "+f.repo.Name, t.name, t.in(total), f.Progress)
	t.meter.Start(t.in(there))
	defer t.meter.Finish("")
	for _, r := range wanted {
		t.file = r.file
		if err := f.fetch(ctx, r, t); err != nil {
			return err
		}
		t.before += max(r.size, 0)
	}
	t.set(0)
	return nil
}

// A tally counts bytes and shows them in a larger unit.
type tally struct {
	meter  *progress.Meter
	unit   int64
	name   string
	before int64 // bytes of the files before this one
	file   string
}

// in returns bytes in the unit, rounded up, so that all is done when the last byte is.
func (t *tally) in(bytes int64) int { return int((bytes + t.unit - 1) / t.unit) }

func (t *tally) set(bytes int64) { t.meter.Set(t.in(t.before+bytes), t.file) }

const incomplete = ".incomplete" // behind the name of a blob that has not wholly come

// fetch brings one file: its blob, unless the cache has it for another file or commit, and the link.
func (f *fetcher) fetch(ctx context.Context, r remote, t *tally) error {
	blob := f.cache.blob(r.etag)
	if err := os.MkdirAll(filepath.Dir(blob), 0o777); err != nil {
		return f.explain(err)
	}
	unlock, err := f.cache.lock(ctx, r.etag, func() { t.meter.Set(t.in(t.before), "waiting for another process that fetches "+r.file) })
	if err != nil {
		if ctx.Err() != nil {
			return fmt.Errorf("hub: %w", err)
		}
		return f.explain(err)
	}
	defer unlock()
	if _, err := os.Stat(blob); err != nil {
		if err := f.fetchBlob(ctx, r, blob, t); err != nil {
			return err
		}
	}
	if err := f.cache.link(r.etag, f.commit, r.file); err != nil {
		return f.explain(err)
	}
	return nil
}

// fetchBlob downloads a blob, going on where an earlier download has stopped, and checks it. What does not pass is discarded; if a
// part of it was there before, the whole is fetched once more.
func (f *fetcher) fetchBlob(ctx context.Context, r remote, blob string, t *tally) error {
	file, err := os.OpenFile(blob+incomplete, os.O_RDWR|os.O_CREATE, 0o666)
	if err != nil {
		return f.explain(err)
	}
	defer file.Close()
	for {
		info, err := file.Stat()
		if err != nil {
			return f.explain(err)
		}
		resumed := info.Size() > 0
		reached := info.Size()
		if err := f.retry(ctx, attempts, func() error { return f.stream(ctx, r, file, t, &reached) }); err != nil {
			return err
		}
		err = check(file, r)
		if err == nil {
			break
		}
		os.Truncate(file.Name(), 0)
		if !resumed {
			os.Remove(file.Name())
			return fmt.Errorf("hub: %s of %s: %w; it is discarded: try again, and if it stays so, something on the way, such as a proxy, changes it",
				r.file, f.repo, err)
		}
	}
	if err := errors.Join(file.Sync(), file.Close()); err != nil {
		return f.explain(err)
	}
	if err := os.Rename(file.Name(), blob); err != nil {
		return f.explain(err)
	}
	if err := disk.SyncDir(filepath.Dir(blob)); err != nil {
		return f.explain(err)
	}
	return nil
}

// stream appends what is missing of a file. reached is the most that any try has brought: a hub that ignores ranges and breaks off
// at the same place each time makes no progress.
func (f *fetcher) stream(ctx context.Context, r remote, file *os.File, t *tally, reached *int64) error {
	have, err := file.Seek(0, io.SeekEnd)
	if err != nil {
		return f.explain(err)
	}
	restart := func() error {
		if have == 0 {
			return nil
		}
		have = 0
		if _, err := file.Seek(0, io.SeekStart); err != nil {
			return f.explain(err)
		}
		if err := file.Truncate(0); err != nil {
			return f.explain(err)
		}
		return nil
	}
	if r.size >= 0 && have > r.size {
		if err := restart(); err != nil {
			return err
		}
	}
	if have == r.size {
		return nil
	}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	response, err := f.do(ctx, http.MethodGet, f.commit, r.file, have)
	if err == errRange {
		return errors.Join(restart(), &temporaryError{error: err})
	}
	if err != nil {
		return err
	}
	defer response.Body.Close()
	partial := response.StatusCode == http.StatusPartialContent && strings.HasPrefix(response.Header.Get("Content-Range"), fmt.Sprintf("bytes %d-", have))
	if !partial { // the whole file comes, whatever was asked
		if err := restart(); err != nil {
			return err
		}
	}
	stalled := time.AfterFunc(answerWithin, cancel)
	defer stalled.Stop()
	begin := *reached
	defer func() { *reached = max(*reached, have) }()
	buffer := make([]byte, 1<<18)
	for {
		n, readErr := response.Body.Read(buffer)
		stalled.Reset(answerWithin)
		if _, err := file.Write(buffer[:n]); err != nil {
			return f.explain(err)
		}
		have += int64(n)
		t.set(have)
		switch {
		case r.size >= 0 && have > r.size:
			return nil // check says so
		case readErr == io.EOF && (r.size < 0 || have == r.size):
			return nil
		case readErr == io.EOF:
			readErr = io.ErrUnexpectedEOF
			fallthrough
		case readErr != nil:
			return &temporaryError{error: fmt.Errorf("the connection broke after %d of %d bytes of %s: %w", have, r.size, r.file, readErr), progress: have > begin}
		}
	}
}

// check compares a file with what the hub has announced: its size and its hash.
func check(file *os.File, r remote) error {
	info, err := file.Stat()
	if err != nil {
		return err
	}
	size := info.Size()
	if r.size >= 0 && size != r.size {
		return fmt.Errorf("%d bytes came, want %d (%w)", size, r.size, ErrDamaged)
	}
	var h hash.Hash
	if sha256Hex.MatchString(r.etag) {
		h = sha256.New()
	} else { // as git hash-object does it
		h = sha1.New()
		fmt.Fprintf(h, "blob %d\x00", size)
	}
	if _, err := io.Copy(h, io.NewSectionReader(file, 0, size)); err != nil {
		return err
	}
	if got := hex.EncodeToString(h.Sum(nil)); got != r.etag {
		return fmt.Errorf("what came has the hash %s, want %s (%w)", got, r.etag, ErrDamaged)
	}
	return nil
}
