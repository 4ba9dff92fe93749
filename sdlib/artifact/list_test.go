package artifact

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// fill stores the artifacts of a step with parameters 0 to n-1.
func fill(t *testing.T, s *Store, n int) []*Artifact {
	t.Helper()
	var artifacts []*Artifact
	for i := range n {
		artifacts = append(artifacts, get(t, s, Key{Step: "fill", Params: i}, write("model", strings.Repeat("x", i+1))))
	}
	return artifacts
}

// What a process leaves that is killed just after it published a result is no unfinished one, and goes.
func TestListAfterPublishing(t *testing.T) {
	s := open(t)
	a := fill(t, s, 1)[0]
	left := s.unfinished(a.ID)
	if err := errors.Join(os.MkdirAll(left, 0o777), os.WriteFile(filepath.Join(left, keyName), []byte("{}"), 0o666)); err != nil {
		t.Fatal(err)
	}
	if infos, err := s.List(context.Background()); err != nil || len(infos) != 1 || infos[0].State != Finished {
		t.Errorf("List gave %+v, %v, want the finished one alone", infos, err)
	}
	if _, err := os.Stat(left); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("%s is still there (%v)", left, err)
	}
}

func TestList(t *testing.T) {
	s, ctx := open(t), context.Background()
	if infos, err := s.List(ctx); err != nil || len(infos) != 0 {
		t.Errorf("List of a store that is not there yet gave %v, %v", infos, err)
	}
	artifacts := fill(t, s, 3)
	s.Get(ctx, Key{Step: "half"}, func(ctx context.Context, dir string) error {
		return errors.Join(write("half", "12345", "work/a", "b")(ctx, dir), errors.New("stopped"))
	})
	if err := os.Truncate(artifacts[1].Path("model"), 0); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(s.Dir(), "artifacts", ".DS_Store"), nil, 0o666); err != nil {
		t.Fatal(err)
	}
	infos, err := s.List(ctx)
	if err != nil {
		t.Fatal(err)
	}
	got := map[string]bool{}
	for _, info := range infos {
		size := info.Size
		if info.State != Finished {
			size = -1 // with the files of the store itself
		}
		got[fmt.Sprintf("%s %s %s %d %v", info.State, info.Meta.Step, info.Meta.Params, size, info.Problem != nil)] = true
	}
	for _, want := range []string{"finished fill 0 1 false", "finished fill 2 3 false", "damaged fill 1 -1 true", "unfinished half null -1 false"} {
		if !got[want] {
			t.Errorf("List lacks %s: %v", want, got)
		}
	}
	if len(infos) != 4 || infos[3].State != Damaged || infos[2].State != Unfinished || infos[2].Size < 6 || infos[2].Owner != "" {
		t.Errorf("List gave %+v", infos)
	}
	canceled, cancel := context.WithCancel(ctx)
	cancel()
	if _, err := s.List(canceled); !errors.Is(err, context.Canceled) {
		t.Errorf("List with a canceled context gave %v", err)
	}
}

func TestFind(t *testing.T) {
	s := open(t)
	first := map[byte][]*Artifact{} // by the first digit: of 17 artifacts at least two share one
	for _, a := range fill(t, s, 17) {
		first[a.ID[0]] = append(first[a.ID[0]], a)
	}
	tested := false
	for digit, artifacts := range first {
		info, err := s.Find(string(digit))
		if len(artifacts) == 1 {
			if err != nil || info.ID != artifacts[0].ID {
				t.Errorf("Find(%c) gave %s, %v, want %s", digit, info.ID, err, artifacts[0].ID)
			}
			continue
		}
		tested = true
		if err == nil || !strings.Contains(err.Error(), "several IDs") {
			t.Fatalf("Find(%c) gave %s, %v, want that it is ambiguous", digit, info.ID, err)
		}
		for _, a := range artifacts {
			if !strings.Contains(err.Error(), a.ID.Short()+" (fill)") {
				t.Errorf("Find(%c) gave %v, which lacks %s", digit, err, a.ID.Short())
			}
			if info, err := s.Find(string(a.ID)); err != nil || info.ID != a.ID || info.Dir != a.Dir {
				t.Errorf("Find(%s) gave %s, %v", a.ID, info.ID, err)
			}
		}
	}
	if !tested {
		t.Error("no two IDs begin alike")
	}
	if _, err := open(t).Find("abc"); !errors.Is(err, ErrNotFound) {
		t.Errorf("Find in an empty store gave %v, want ErrNotFound", err)
	}
	for _, prefix := range []string{"", "xyz", "../..", "ABC"} {
		if _, err := s.Find(prefix); err == nil || !strings.Contains(err.Error(), "no beginning of an ID") {
			t.Errorf("Find(%q) gave %v", prefix, err)
		}
	}
}

// The finished artifact hides an older damaged copy of the same ID.
func TestFindPrefersTheFinished(t *testing.T) {
	s := open(t)
	a := fill(t, s, 1)[0]
	if err := os.Truncate(a.Path("model"), 0); err != nil {
		t.Fatal(err)
	}
	fill(t, s, 1)
	if info, err := s.Find(a.ID.Short()); err != nil || info.State != Finished {
		t.Errorf("Find gave %+v, %v", info, err)
	}
}

func TestRemove(t *testing.T) {
	s, ctx := open(t), context.Background()
	artifacts := fill(t, s, 2)
	if err := os.Truncate(artifacts[0].Path("model"), 0); err != nil {
		t.Fatal(err)
	}
	fill(t, s, 1) // sets the first aside and makes it anew
	half, empty := Key{Step: "half"}, Key{Step: "empty"}
	s.Get(ctx, half, func(ctx context.Context, dir string) error {
		return errors.Join(os.WriteFile(filepath.Join(dir, "half"), nil, 0o666), never(ctx, dir))
	})
	s.Get(ctx, empty, never) // nothing that another try could go on with: nothing is left
	if _, err := s.Look(ctx, id(t, empty)); !errors.Is(err, ErrNotFound) {
		t.Errorf("of a computation that made nothing there is %v, want ErrNotFound", err)
	}
	for _, id := range []ID{artifacts[0].ID, id(t, half)} {
		if err := s.Remove(id); err != nil {
			t.Error(err)
		}
		if err := s.Remove(id); !errors.Is(err, ErrNotFound) {
			t.Errorf("a second Remove gave %v, want ErrNotFound", err)
		}
	}
	infos, err := s.List(ctx)
	if err != nil || len(infos) != 1 || infos[0].ID != artifacts[1].ID {
		t.Errorf("left are %+v, %v", infos, err)
	}
	for _, folder := range []string{"unfinished", "damaged", "locks"} {
		if left := names(t, filepath.Join(s.Dir(), folder)); len(left) > 0 {
			t.Errorf("%s holds %q", folder, left)
		}
	}
	for _, bad := range []ID{"", "..", "abc"} {
		if err := s.Remove(bad); err == nil || !strings.Contains(err.Error(), "is no ID") {
			t.Errorf("Remove(%q) gave %v", bad, err)
		}
		if err := s.Verify(ctx, bad); err == nil || !strings.Contains(err.Error(), "is no ID") {
			t.Errorf("Verify(%q) gave %v", bad, err)
		}
	}
}
