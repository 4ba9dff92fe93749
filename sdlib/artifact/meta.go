package artifact

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path"
	"path/filepath"
	"reflect"
	"runtime"
	"runtime/debug"
	"strings"
	"time"
)

const (
	metaName = "meta.json"
	// maxMeta keeps a hostile meta.json from filling the memory; a real one has a few hundred bytes per file.
	maxMeta = 64 << 20
)

// Meta is an artifact's meta.json: what it is, what made it, and what it consists of.
type Meta struct {
	ID      ID              `json:"id"`
	Step    string          `json:"step"` // Step to Inputs are the key, of which ID is the hash
	Version int             `json:"version"`
	Params  json.RawMessage `json:"params"`
	Inputs  []ID            `json:"inputs"`

	Created time.Time `json:"created"`           // when it was finished
	Seconds float64   `json:"seconds"`           // that the computation took, since it was last resumed
	Resumed bool      `json:"resumed"`           // whether it went on with what an earlier process had left
	Module  string    `json:"module"`            // path, version and revision of this module
	Program string    `json:"program"`           // the command that ran
	Go      string    `json:"go"`                // "go1.26.5"
	System  string    `json:"system"`            // GOOS/GOARCH: "linux/amd64"
	CPUs    int       `json:"cpus"`              // logical ones of the machine
	Machine string    `json:"machine,omitempty"` // Store.Machine: what else computed

	Files []File `json:"files"`
}

// A File is one file of an artifact.
type File struct {
	Name   string `json:"name"` // relative, with forward slashes
	Size   int64  `json:"size"` // bytes
	SHA256 ID     `json:"sha256"`
}

// Size returns the bytes of all files together, meta.json not among them.
func (m Meta) Size() int64 {
	var total int64
	for _, f := range m.Files {
		total += f.Size
	}
	return total
}

// Key returns the key of which the artifact's ID is the hash.
func (m Meta) Key() Key {
	return Key{Step: m.Step, Version: m.Version, Params: m.Params, Inputs: m.Inputs}
}

// newMeta describes a computation that ends now, on this machine.
func newMeta(id ID, key Key, started time.Time) (Meta, error) {
	params, err := canonicalJSON(key.Params)
	if err != nil {
		return Meta{}, err
	}
	now := time.Now()
	return Meta{
		ID: id, Step: key.Step, Version: key.Version, Params: params, Inputs: append([]ID{}, key.Inputs...),
		Created: now.UTC().Truncate(time.Second), Seconds: float64(now.Sub(started).Milliseconds()) / 1000,
		Module: moduleVersion(), Program: filepath.Base(os.Args[0]),
		Go: runtime.Version(), System: runtime.GOOS + "/" + runtime.GOARCH, CPUs: runtime.NumCPU(),
	}, nil
}

// parseMeta decodes a meta.json and checks that it describes the artifact of this ID: that its key has this hash, and that its
// files are within the artifact's folder.
func parseMeta(id ID, text []byte) (Meta, error) {
	var m Meta
	if err := json.Unmarshal(text, &m); err != nil {
		return Meta{}, fmt.Errorf("%s: %w", metaName, err)
	}
	hash, err := m.Key().ID()
	switch {
	case err != nil:
		return Meta{}, fmt.Errorf("%s: %w", metaName, err)
	case hash != id || m.ID != id:
		return Meta{}, fmt.Errorf("%s describes artifact %s (its key has the hash %s), want %s", metaName, m.ID.Short(), hash.Short(), id.Short())
	case len(m.Files) == 0:
		return Meta{}, fmt.Errorf("%s lists no files", metaName)
	}
	var total int64
	seen := make(map[string]bool, len(m.Files))
	for _, f := range m.Files {
		switch {
		case !filepath.IsLocal(filepath.FromSlash(f.Name)) || path.Clean(f.Name) != f.Name || f.Name == "." || f.Name == metaName:
			return Meta{}, fmt.Errorf("%s lists a file %q, which is no clean path within the artifact", metaName, f.Name)
		case seen[f.Name]:
			return Meta{}, fmt.Errorf("%s lists the file %q twice", metaName, f.Name)
		case f.Size < 0 || f.Size > 1<<62-total:
			return Meta{}, fmt.Errorf("%s lists the file %q with %d bytes", metaName, f.Name, f.Size)
		case !f.SHA256.valid():
			return Meta{}, fmt.Errorf("%s lists the file %q with the checksum %q, want 64 hexadecimal digits", metaName, f.Name, f.SHA256)
		}
		seen[f.Name] = true
		total += f.Size
	}
	return m, nil
}

// readMeta reads the meta.json of the artifact in a folder. The error is a *DamageError unless reading itself failed.
func readMeta(root *os.Root, id ID) (Meta, error) {
	text, err := readRegular(root, metaName, maxMeta)
	if err != nil {
		return Meta{}, err
	}
	m, err := parseMeta(id, text)
	if err != nil {
		return Meta{}, &DamageError{ID: id, Reason: err}
	}
	return m, nil
}

// readRegular reads a file of at most a number of bytes. That the file is missing, no regular file or larger is damage.
func readRegular(root *os.Root, name string, most int64) ([]byte, error) {
	file, err := openRegular(root, name)
	if err != nil {
		return nil, err
	}
	defer file.Close()
	text, err := io.ReadAll(io.LimitReader(file, most+1))
	if err == nil && int64(len(text)) > most {
		err = &DamageError{Reason: fmt.Errorf("%s has more than %d bytes", name, most)}
	}
	return text, err
}

// openRegular opens a file without following links, and without waiting for the other end of a pipe.
func openRegular(root *os.Root, name string) (*os.File, error) {
	for i, c := range name + "/" {
		if c != '/' {
			continue
		}
		part := (name + "/")[:i]
		info, err := root.Lstat(part)
		switch {
		case errors.Is(err, os.ErrNotExist):
			return nil, &DamageError{Reason: fmt.Errorf("%s is missing", name)}
		case err != nil:
			return nil, err
		case part == name && !info.Mode().IsRegular():
			return nil, &DamageError{Reason: fmt.Errorf("%s is no regular file but %s", name, info.Mode())}
		case part != name && !info.IsDir():
			return nil, &DamageError{Reason: fmt.Errorf("%s is missing: %s is no folder but %s", name, part, info.Mode())}
		}
	}
	return root.Open(name)
}

// modulePath is the path of the module that this package belongs to.
var modulePath = strings.TrimSuffix(reflect.TypeFor[Store]().PkgPath(), "/sdlib/artifact")

// moduleVersion returns this module's path, version and, where the build knows them, revision and whether it was modified.
func moduleVersion() string {
	build, ok := debug.ReadBuildInfo()
	if !ok {
		return modulePath
	}
	version := modulePath
	for _, module := range append(build.Deps, &build.Main) {
		if module.Path == modulePath {
			version = strings.TrimSpace(version + " " + module.Version)
		}
	}
	for _, setting := range build.Settings {
		switch {
		case build.Main.Path != modulePath: // the revision is another module's
		case setting.Key == "vcs.revision":
			version += " " + setting.Value
		case setting.Key == "vcs.modified" && setting.Value == "true":
			version += " modified"
		}
	}
	return version
}
