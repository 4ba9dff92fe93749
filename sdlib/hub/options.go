package hub

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"time"
	"unicode"

	"samediff/sdlib/internal/disk"
	"samediff/sdlib/progress"
)

// Options say where the hub and the cache are. The zero value is what Python's huggingface_hub would do, environment included.
type Options struct {
	// Dir is the cache. Empty: $HF_HUB_CACHE, else $HF_HOME/hub, else huggingface/hub in $XDG_CACHE_HOME or ~/.cache.
	Dir string
	// Token gives access to private and gated models. Empty: $HF_TOKEN, else the file $HF_TOKEN_PATH or $HF_HOME/token, which
	// "hf auth login" writes, else none.
	Token string
	// Endpoint is the hub. Empty: $HF_ENDPOINT, else https://huggingface.co.
	Endpoint string
	// Offline uses what is in the cache and never the network. $HF_HUB_OFFLINE=1 does the same.
	Offline bool
	// Assets is the folder for what is made of downloads. Empty: $HF_ASSETS_CACHE, else $HF_HOME/assets, else huggingface/assets in
	// $XDG_CACHE_HOME or ~/.cache. Python's huggingface_hub keeps it for other programs, a folder for each (cached_assets_path).
	Assets string
	// Progress shows how far a download is, in megabytes. It is not called where everything is in the cache.
	Progress progress.Func

	sleep   func(context.Context, time.Duration) error // a test's clock
	symlink func(old, new string) error                // a test's file system
}

const defaultEndpoint = "https://huggingface.co"

// withDefaults fills in what the environment says.
func (o Options) withDefaults() (Options, error) {
	home := os.Getenv("HF_HOME")
	if home == "" {
		caches := os.Getenv("XDG_CACHE_HOME")
		if caches == "" {
			user, err := os.UserHomeDir()
			if err != nil && o.Dir == "" {
				return o, fmt.Errorf("hub: where is the cache? Set HF_HUB_CACHE to a folder that you may write: %w", err)
			}
			caches = filepath.Join(user, ".cache")
		}
		home = filepath.Join(caches, "huggingface")
	}
	home = expand(home)
	dir, err := filepath.Abs(expand(firstSet(o.Dir, os.Getenv("HF_HUB_CACHE"), os.Getenv("HUGGINGFACE_HUB_CACHE"), filepath.Join(home, "hub"))))
	if err != nil {
		return o, fmt.Errorf("hub: %w", err)
	}
	o.Dir = dir
	if o.Assets, err = filepath.Abs(expand(firstSet(o.Assets, os.Getenv("HF_ASSETS_CACHE"), filepath.Join(home, "assets")))); err != nil {
		return o, fmt.Errorf("hub: %w", err)
	}
	o.Endpoint = strings.TrimRight(firstSet(o.Endpoint, os.Getenv("HF_ENDPOINT"), defaultEndpoint), "/")
	if u, err := url.Parse(o.Endpoint); err != nil || u.Host == "" || u.Scheme != "https" && u.Scheme != "http" {
		return o, fmt.Errorf("hub: the endpoint is %q, want an address such as %s: correct HF_ENDPOINT", o.Endpoint, defaultEndpoint)
	}
	o.Token = firstSet(o.Token, os.Getenv("HF_TOKEN"), os.Getenv("HUGGING_FACE_HUB_TOKEN"))
	if o.Token == "" {
		path := expand(firstSet(os.Getenv("HF_TOKEN_PATH"), filepath.Join(home, "token")))
		if text, err := disk.ReadFile(path, disk.Small); err == nil { // most people have none
			o.Token = string(text)
		}
	}
	o.Token = strings.TrimSpace(o.Token)
	if strings.ContainsFunc(o.Token, func(r rune) bool { return r > unicode.MaxASCII || !unicode.IsPrint(r) || r == ' ' }) {
		return o, errors.New("hub: the token has characters that no token has: copy it again from huggingface.co/settings/tokens to HF_TOKEN")
	}
	o.Offline = o.Offline || isTrue(os.Getenv("HF_HUB_OFFLINE")) || isTrue(os.Getenv("TRANSFORMERS_OFFLINE"))
	if o.sleep == nil {
		o.sleep = sleep
	}
	if o.symlink == nil {
		o.symlink = os.Symlink
	}
	return o, nil
}

// AssetsDir returns the folder in which this project keeps what it makes of downloads: samediff, in [Options].Assets.
func AssetsDir(o Options) (string, error) {
	o, err := o.withDefaults()
	return filepath.Join(o.Assets, "samediff"), err
}

func firstSet(values ...string) string {
	for _, v := range values {
		if v != "" {
			return v
		}
	}
	return ""
}

// expand replaces $VARIABLES and a leading ~, as Python does with these settings.
func expand(path string) string {
	path = os.ExpandEnv(path)
	if rest, ok := strings.CutPrefix(path, "~"); ok && (rest == "" || os.IsPathSeparator(rest[0])) {
		if user, err := os.UserHomeDir(); err == nil {
			return user + rest
		}
	}
	return path
}

func isTrue(value string) bool {
	switch strings.ToUpper(value) {
	case "1", "ON", "YES", "TRUE":
		return true
	}
	return false
}

func sleep(ctx context.Context, d time.Duration) error {
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-time.After(d):
		return nil
	}
}
