package wheel

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	"samediff/sdlib/internal/repo"
	"samediff/sdlib/progress"
)

// download lets pip bring the wheel into a folder, and returns its path.
func download(ctx context.Context, f File, dir string, o Options) (string, error) {
	python, err := findPython(o.Python)
	if err != nil {
		return "", err
	}
	list := filepath.Join(dir, "requirements.txt")
	if err := os.WriteFile(list, fmt.Appendf(nil, "%s==%s --hash=sha256:%s\n", f.Package, f.Version, f.Wheel), 0o666); err != nil {
		return "", explain(filepath.Dir(dir), err)
	}
	to, scratch := filepath.Join(dir, "wheel"), filepath.Join(dir, "tmp")
	for _, d := range []string{to, scratch} {
		if err := os.Mkdir(d, 0o777); err != nil {
			return "", explain(filepath.Dir(dir), err)
		}
	}
	// -I keeps the user's PYTHONPATH out; pip's own settings (pip.conf, PIP_INDEX_URL, HTTPS_PROXY) hold.
	cmd := exec.CommandContext(ctx, python, "-I", "-m", "pip", "download", "--quiet", "--disable-pip-version-check", "--no-input", "--no-cache-dir",
		"--no-deps", "--only-binary=:all:", "--require-hashes", "--requirement", list, "--dest", to)
	cmd.Env = append(os.Environ(), "TMPDIR="+scratch) // on the disk of the result, and removed with it
	cmd.Cancel = func() error { return cmd.Process.Signal(os.Interrupt) }
	cmd.WaitDelay = 5 * time.Second
	var said bytes.Buffer
	cmd.Stdout, cmd.Stderr = &said, &said
	stop := watch(scratch, to, f, o.Progress)
	err = cmd.Run()
	stop()
	switch {
	case ctx.Err() != nil:
		return "", fmt.Errorf("wheel: stopped downloading %s==%s, nothing is left behind: %w", f.Package, f.Version, ctx.Err())
	case err != nil:
		return "", failure(f, dir, python, err, said.String())
	}
	wheels, err := filepath.Glob(filepath.Join(to, "*.whl"))
	if err != nil || len(wheels) != 1 {
		return "", fmt.Errorf("wheel: pip left %d wheels of %s==%s, expected one: %s", len(wheels), f.Package, f.Version, tail(said.String()))
	}
	return wheels[0], nil
}

// findPython returns a Python: the one named, or that of set-up, or the first in PATH.
func findPython(named string) (string, error) {
	if named == "" {
		if root, ok := repo.Root(); ok {
			named = filepath.Join(root, ".venv", "bin", "python")
			if _, err := os.Stat(named); err != nil {
				named = ""
			}
		}
	}
	if named == "" {
		named = "python3"
	}
	path, err := exec.LookPath(named)
	if err != nil {
		return "", fmt.Errorf("wheel: there is no Python with pip (%w): make setup installs one in .venv (%w)", err, ErrNoPip)
	}
	return path, nil
}

// failure explains why pip failed.
func failure(f File, dir, python string, err error, said string) error {
	what := fmt.Sprintf("%s==%s", f.Package, f.Version)
	text := strings.ToLower(said)
	switch {
	case strings.Contains(text, "no module named pip"):
		return fmt.Errorf("wheel: %s has no pip: make setup installs one in .venv (%w)", python, ErrNoPip)
	case strings.Contains(text, "do not match the hashes"):
		return fmt.Errorf("wheel: what pip got as %s is not the wheel with the SHA-256 %s (%w); it is discarded: try again, and if it stays so, the mirror "+
			"that pip uses, or something on the way, has another file; pip says:\n%s", what, f.Wheel, ErrDamaged, tail(said))
	case strings.Contains(text, "no space left on device"):
		return explain(filepath.Dir(dir), syscall.ENOSPC)
	}
	var exit *exec.ExitError
	if !errors.As(err, &exit) {
		return fmt.Errorf("wheel: %s does not run: %w: make setup installs one in .venv (%w)", python, err, ErrNoPip)
	}
	return fmt.Errorf("wheel: pip could not download %s (%w): check the network, the proxy (HTTPS_PROXY) and pip's settings (`%s -m pip config list`) and "+
		"try again; pip says:\n%s", what, ErrNetwork, python, tail(said))
}

// tail returns the last lines of what a program said.
func tail(said string) string {
	lines := strings.Split(strings.TrimSpace(said), "\n")
	return "  " + strings.Join(lines[max(0, len(lines)-4):], "\n  ")
}

// watch shows how many bytes have come, by the files that pip writes. It is stopped by the function that it returns.
func watch(scratch, to string, f File, report progress.Func) (stop func()) {
	const unit = 1e6
	meter := progress.New("fetch "+f.Package, "MB", 0, report) // how large the wheel is, pip knows
	meter.Start(0)
	done, ended := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(ended)
		for {
			select {
			case <-done:
				return
			case <-time.After(200 * time.Millisecond):
				meter.Set(int(max(size(scratch), size(to))/unit), "pip download")
			}
		}
	}()
	return func() {
		close(done)
		<-ended
		meter.Finish("")
	}
}

// size returns the bytes of the files in a folder.
func size(dir string) (bytes int64) {
	filepath.WalkDir(dir, func(_ string, d os.DirEntry, err error) error {
		if err == nil && d.Type().IsRegular() {
			if info, err := d.Info(); err == nil {
				bytes += info.Size()
			}
		}
		return nil // files come and go
	})
	return bytes
}
