package hub

import (
	"fmt"
	"io/fs"
	"net/url"
	"regexp"
	"strings"
)

// A Repo is a model at a revision.
type Repo struct {
	Name     string // "openai/clip-vit-base-patch16"
	Revision string // a commit (40 hexadecimal digits), a branch or a tag; empty: "main"
}

// String returns the model with its revision: "openai/clip-vit-base-patch16@main".
func (r Repo) String() string { return r.Name + "@" + r.revision() }

func (r Repo) revision() string {
	if r.Revision == "" {
		return "main"
	}
	return r.Revision
}

var (
	repoName  = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9._-]*(/[A-Za-z0-9][A-Za-z0-9._-]*)?$`)
	sha1Hex   = regexp.MustCompile(`^[0-9a-f]{40}$`)
	sha256Hex = regexp.MustCompile(`^[0-9a-f]{64}$`)
)

// check refuses names that the hub does not have, before they become paths.
func (r Repo) check() error {
	if len(r.Name) > 200 || !repoName.MatchString(r.Name) || strings.Contains(r.Name, "--") || strings.Contains(r.Name, "..") {
		return fmt.Errorf("hub: %.200q is no name of a model, want owner/name, such as openai/clip-vit-base-patch16", r.Name)
	}
	if rev := r.revision(); len(rev) > 200 || !isPath(rev) {
		return fmt.Errorf("hub: %s: %.200q is no revision, want a commit, a branch or a tag", r.Name, rev)
	}
	return nil
}

// isCommit reports whether the revision is a whole commit hash, whose files never change.
func (r Repo) isCommit() bool { return sha1Hex.MatchString(r.Revision) }

// folder is the model's folder in the cache.
func (r Repo) folder() string { return "models--" + strings.ReplaceAll(r.Name, "/", "--") }

// url is the address of a file of a revision.
func (r Repo) url(endpoint, revision, file string) string {
	parts := strings.Split(file, "/")
	for i, part := range parts {
		parts[i] = url.PathEscape(part)
	}
	return fmt.Sprintf("%s/%s/resolve/%s/%s", endpoint, r.Name, url.PathEscape(revision), strings.Join(parts, "/"))
}

// isPath reports whether a slash-separated path stays in its folder on every system.
func isPath(path string) bool {
	return fs.ValidPath(path) && path != "." && !strings.ContainsAny(path, `\:`) && !strings.ContainsFunc(path, func(r rune) bool { return r < ' ' })
}
