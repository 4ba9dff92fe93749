package docker_test

import (
	"encoding/json"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

func read(t *testing.T, elems ...string) string {
	t.Helper()
	data, err := os.ReadFile(filepath.Join(append([]string{".."}, elems...)...))
	if err != nil {
		t.Fatal(err)
	}
	return string(data)
}

// match returns what the pattern's first group finds in a file, once.
func match(t *testing.T, pattern string, elems ...string) string {
	t.Helper()
	found := regexp.MustCompile(pattern).FindAllStringSubmatch(read(t, elems...), -1)
	if len(found) != 1 {
		t.Fatalf("%s has %d places like %s, expected 1", filepath.Join(elems...), len(found), pattern)
	}
	return found[0][1]
}

// The README, the bare Debian in which it is tried, and the image agree on which of Debian's packages are needed.
func TestPackages(t *testing.T) {
	sorted := func(s string) string {
		words := strings.Fields(s)
		slices.Sort(words)
		return strings.Join(words, " ")
	}
	want := sorted(match(t, `PACKAGES-([a-z0-9 -]+)\}`, "docker", "bare-root.sh"))
	for _, f := range []struct{ pattern, dir, name string }{
		{`apt-get install -y --no-install-recommends ([a-z0-9 -]+) \\`, "docker", "cpu.Dockerfile"},
		{`apt-get install ([a-z0-9 -]+)`, "", "README.md"},
	} {
		if got := sorted(match(t, f.pattern, f.dir, f.name)); got != want {
			t.Errorf("%s names the packages %q, docker/bare-root.sh %q", f.name, got, want)
		}
	}
}

// The image's Go is at least the one that go.mod asks for: in an image nothing can fetch another one.
func TestGo(t *testing.T) {
	image := match(t, `ARG BASE=golang:1\.(26\.\d+)-bookworm`, "docker", "cpu.Dockerfile")
	module := match(t, `(?m)^go 1\.(26\.\d+)$`, "go.mod")
	if len(image) < len(module) || len(image) == len(module) && image < module {
		t.Errorf("the image has Go 1.%s, go.mod asks for 1.%s", image, module)
	}
}

// What the image copies before the rest is there.
func TestCopied(t *testing.T) {
	for _, m := range regexp.MustCompile(`(?m)^COPY --chown=student:student (.*) \S+$`).FindAllStringSubmatch(read(t, "docker", "cpu.Dockerfile"), -1) {
		for _, name := range strings.Fields(m[1]) {
			if _, err := os.Stat(filepath.Join("..", name)); err != nil {
				t.Error(err)
			}
		}
	}
}

// Binder's file is a copy, since a link out of its folder is not followed by all builders.
func TestBinder(t *testing.T) {
	if read(t, ".binder", "Dockerfile") != read(t, "docker", "cpu.Dockerfile") {
		t.Error(".binder/Dockerfile is not docker/cpu.Dockerfile: cp docker/cpu.Dockerfile .binder/Dockerfile")
	}
}

// The dev container is built from a stage that is there, and makes targets that are.
func TestDevcontainer(t *testing.T) {
	var c struct {
		Build             struct{ Dockerfile, Context, Target string }
		PostCreateCommand string
		RemoteUser        string
	}
	comments := regexp.MustCompile(`(?m)^\s*//.*$`) // which JSON itself does not have
	if err := json.Unmarshal([]byte(comments.ReplaceAllString(read(t, ".devcontainer", "devcontainer.json"), "")), &c); err != nil {
		t.Fatal(err)
	}
	if dir := filepath.Join("..", ".devcontainer", c.Build.Context); !same(t, dir, "..") {
		t.Errorf("the build's context is %s, expected the repository", dir)
	}
	dockerfile := read(t, ".devcontainer", c.Build.Dockerfile)
	for _, want := range []string{" AS " + c.Build.Target + "\n", "USER " + c.RemoteUser + "\n"} {
		if !strings.Contains(dockerfile, want) {
			t.Errorf("%s has no line with %q", c.Build.Dockerfile, want)
		}
	}
	targets, ok := strings.CutPrefix(c.PostCreateCommand, "make ")
	if !ok {
		t.Errorf("the container's set-up is %q, expected make ...", c.PostCreateCommand)
	}
	makefile := read(t, "Makefile")
	for _, target := range strings.Fields(targets) {
		if !strings.Contains(makefile, "\n"+target+":") {
			t.Errorf("there is no make %s", target)
		}
	}
}

func same(t *testing.T, a, b string) bool {
	t.Helper()
	x, err := os.Stat(a)
	if err != nil {
		t.Fatal(err)
	}
	y, err := os.Stat(b)
	if err != nil {
		t.Fatal(err)
	}
	return os.SameFile(x, y)
}
