package repo

import (
	"cmp"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// root is the repository's root; tests run in the folder of their package.
const root = "../../.."

// maxTracked bounds the bytes of all tracked files together, so that a copy of the tree travels in seconds to a machine
// without a network.
const maxTracked = 45e6

type trackedFile struct {
	path  string // from the root, with slashes
	bytes int64
}

// git runs a git command that only reads, and skips the test where there is no repository.
func git(t *testing.T, args ...string) string {
	t.Helper()
	cmd := exec.Command("git", append([]string{"-C", root}, args...)...)
	var problem strings.Builder
	cmd.Stderr = &problem
	out, err := cmd.Output()
	if err != nil {
		t.Skipf("the tracked files are known in a clone only: %s: %v %s", cmd, err, problem.String())
	}
	return string(out)
}

// tracked lists the files that git tracks, as they are in the working tree, the largest first.
func tracked(t *testing.T) []trackedFile {
	t.Helper()
	index := strings.TrimSpace(git(t, "rev-parse", "--path-format=absolute", "--git-path", "index"))
	if _, err := os.Stat(index); err != nil { // tells go test's cache that results depend on it
		t.Skipf("the tracked files are known in a clone only: %v", err)
	}
	var all []trackedFile
	for name := range strings.SplitSeq(strings.TrimSuffix(git(t, "ls-files", "-z", "--deduplicate"), "\x00"), "\x00") {
		info, err := os.Lstat(filepath.Join(root, filepath.FromSlash(name)))
		if errors.Is(err, fs.ErrNotExist) {
			continue // deleted, and the deletion not yet committed
		}
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, trackedFile{name, info.Size()})
	}
	if !slices.ContainsFunc(all, func(f trackedFile) bool { return f.path == "go.mod" }) {
		t.Skip("the tracked files are known in a clone only: this folder lies in another repository, or git tracks nothing here")
	}
	slices.SortFunc(all, func(a, b trackedFile) int { return cmp.Or(cmp.Compare(b.bytes, a.bytes), cmp.Compare(a.path, b.path)) })
	return all
}

// The repository stays small.
func TestTrackedSize(t *testing.T) {
	files := tracked(t)
	total := 0.
	for _, f := range files {
		total += float64(f.bytes)
	}
	if total <= maxTracked {
		return
	}
	var largest strings.Builder
	for _, f := range files[:min(20, len(files))] {
		fmt.Fprintf(&largest, "%6.2f MB  %s\n", float64(f.bytes)/1e6, f.path)
	}
	t.Errorf("the tracked files hold %.1f MB, expected at most %.0f. Keep weights in 16 bits (`sd model convert --dtype f16`), and out of the repository\n"+
		"what a command makes again; git's history keeps what was committed once. The largest:\n%s", total/1e6, maxTracked/1e6, largest.String())
}

// Nothing large is stored twice.
func TestTrackedOnce(t *testing.T) {
	const large = 64 << 10
	seen := map[[sha256.Size]byte]string{}
	for _, f := range tracked(t) {
		if f.bytes <= large {
			break // they are sorted
		}
		data, err := os.ReadFile(filepath.Join(root, filepath.FromSlash(f.path)))
		if err != nil {
			t.Fatal(err)
		}
		sum := sha256.Sum256(data)
		if first, twice := seen[sum]; twice {
			t.Errorf("%s and %s are the same %d bytes: keep one, and read it from both places", first, f.path, f.bytes)
		}
		seen[sum] = f.path
	}
}

// Of the course's models at chance, which differ in little but their recipe, at most one for each task and size has its weights here.
func TestModelsAtChance(t *testing.T) {
	kept := map[string]string{}
	for _, f := range tracked(t) {
		if ok, _ := path.Match("models/*/model.safetensors", f.path); !ok {
			continue
		}
		file := filepath.Join(root, filepath.FromSlash(path.Dir(f.path)), "metrics.json")
		var metrics struct {
			Training struct {
				Stimuli struct {
					Task     string
					Geometry struct{ Name string }
				}
			}
			Sets []struct {
				Name string
				All  struct{ N, Correct float64 }
			}
		}
		text, err := os.ReadFile(file)
		if err == nil {
			err = json.Unmarshal(text, &metrics)
		}
		if err != nil || len(metrics.Sets) < 2 || metrics.Sets[1].Name != "test (IID)" {
			t.Fatalf("%s: %v, expected the accuracies on training images and on test (IID), first of the sets %+v", file, err, metrics.Sets)
		}
		if fresh := metrics.Sets[1].All; fresh.Correct > .55*fresh.N {
			continue
		}
		s := metrics.Training.Stimuli
		kind := s.Task + ", " + s.Geometry.Name
		if other, more := kept[kind]; more {
			t.Errorf("%s and %s hold weights of models at chance, both of %s: one is enough, `sd model build` makes the other", other, f.path, kind)
		}
		kept[kind] = f.path
	}
	if len(kept) == 0 {
		t.Error("no model at chance has its weights in models/, expected at least one: a course compares with them")
	}
}
