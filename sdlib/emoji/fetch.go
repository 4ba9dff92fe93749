package emoji

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"

	"github.com/gofrs/flock"
)

// Options say how to fetch. The zero value is the default folder and npm as it is set up.
type Options struct {
	// Dir is the folder that gets the pack; "" is DefaultDir.
	Dir string
	// Npm is the program that downloads; "" is $SD_NPM, else npm in PATH.
	Npm string
	// Say gets what is done next; nil is silence.
	Say func(text string)
}

// DefaultDir is where the pack lies: $SD_EMOJI, else a folder in the user's cache.
func DefaultDir() (string, error) {
	if dir := os.Getenv("SD_EMOJI"); dir != "" {
		return dir, nil
	}
	cache, err := os.UserCacheDir()
	if err != nil {
		return "", fmt.Errorf("emoji: there is no folder for caches (%w): set SD_EMOJI to a folder", err)
	}
	return filepath.Join(cache, "samediff", "emoji"), nil
}

// What went wrong, for errors.Is. The errors' texts say what to do.
var (
	ErrNoNpm   = errors.New("no npm")
	ErrNetwork = errors.New("package not to be had")
)

// Fetch brings the pack onto this machine, unless it is there, and returns its folder. Of several processes one works and the others
// wait. What a killed run leaves in the folder is removed by the next.
func Fetch(ctx context.Context, o Options) (dir string, err error) {
	if dir = o.Dir; dir == "" {
		if dir, err = DefaultDir(); err != nil {
			return "", err
		}
	}
	if err := os.MkdirAll(dir, 0o777); err != nil {
		return "", fmt.Errorf("emoji: %w: set SD_EMOJI to a folder that you may write", err)
	}
	lock := flock.New(filepath.Join(dir, ".fetch.lock"))
	if ok, err := lock.TryLockContext(ctx, 200*time.Millisecond); err != nil || !ok {
		return "", fmt.Errorf("emoji: wait for another process that fetches: %w", cmp.Or(ctx.Err(), err))
	}
	defer lock.Close()
	if _, err := Open(dir); err == nil {
		return dir, nil
	}
	aside := filepath.Join(dir, ".fetch")
	if err := os.RemoveAll(aside); err != nil {
		return "", fmt.Errorf("emoji: %w", err)
	}
	defer os.RemoveAll(aside)
	if err := os.Mkdir(aside, 0o777); err != nil {
		return "", fmt.Errorf("emoji: %w: set SD_EMOJI to a folder that you may write", err)
	}
	var files []string
	for _, a := range []archive{names, pictures} {
		file, err := o.download(ctx, a, aside)
		if err != nil {
			return "", err
		}
		files = append(files, file)
	}
	o.say("scaling the pictures")
	if err := build(dir, files[0], files[1]); err != nil {
		return "", err
	}
	return dir, nil
}

func (o Options) say(text string) {
	if o.Say != nil {
		o.Say(text)
	}
}

// download lets npm bring an archive into a folder, and returns its path.
func (o Options) download(ctx context.Context, a archive, dir string) (string, error) {
	o.say("npm downloads " + a.String())
	npm, err := exec.LookPath(cmp.Or(o.Npm, os.Getenv("SD_NPM"), "npm"))
	if err != nil {
		return "", fmt.Errorf("emoji: there is no npm (%w): install Node.js, or set SD_NPM to the program (%w)", err, ErrNoNpm)
	}
	// npm's own settings (.npmrc, npm_config_registry, HTTPS_PROXY) hold; nothing of the package is run.
	cmd := exec.CommandContext(ctx, npm, "pack", a.String(), "--pack-destination", dir, "--ignore-scripts", "--silent", "--no-update-notifier")
	cmd.Dir = dir // and not a folder with a package.json of its own
	cmd.Cancel = func() error { return cmd.Process.Signal(os.Interrupt) }
	cmd.WaitDelay = 5 * time.Second
	var said bytes.Buffer
	cmd.Stdout, cmd.Stderr = &said, &said
	err = cmd.Run()
	switch {
	case ctx.Err() != nil:
		return "", fmt.Errorf("emoji: stopped downloading %s, nothing is left behind: %w", a, ctx.Err())
	case err != nil:
		return "", fmt.Errorf("emoji: npm could not download %s (%w): check the network, the proxy (HTTPS_PROXY) and npm's settings (`npm config list`) and try again; npm says: %s (%w)",
			a, err, strings.TrimSpace(said.String()), ErrNetwork)
	}
	name := strings.ReplaceAll(strings.TrimPrefix(a.Package, "@"), "/", "-") + "-" + a.Version + ".tgz"
	file := filepath.Join(dir, name)
	if err := a.check(file); err != nil {
		return "", err
	}
	return file, nil
}
