package artifact

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// damages spoil the artifact a with the files "model" ("weights") and "logs/run".
var damages = []struct {
	name  string
	spoil func(a *Artifact) error
	want  string // in the message
}{
	{"truncated", func(a *Artifact) error { return os.Truncate(a.Path("model"), 3) }, "model has 3 bytes, want 7"},
	{"one bit", func(a *Artifact) error { return os.WriteFile(a.Path("model"), []byte("weightr"), 0o666) }, "model has the checksum"},
	{"file missing", func(a *Artifact) error { return os.Remove(a.Path("logs/run")) }, "logs/run is missing"},
	{"folder missing", func(a *Artifact) error { return os.RemoveAll(a.Path("logs")) }, "logs/run is missing"},
	{"file is a link", func(a *Artifact) error {
		return errors.Join(os.Rename(a.Path("model"), a.Path("other")), os.Symlink("other", a.Path("model")))
	}, "model is no regular file"},
	{"file is a folder", func(a *Artifact) error {
		return errors.Join(os.Remove(a.Path("model")), os.Mkdir(a.Path("model"), 0o777))
	}, "model is no regular file"},
	{"folder is a link out", func(a *Artifact) error {
		away := a.Dir + "-away"
		return errors.Join(os.Rename(a.Path("logs"), away), os.Symlink(away, a.Path("logs")))
	}, "logs/run is missing: logs is no folder"},
	{"folder is a file", func(a *Artifact) error {
		return errors.Join(os.RemoveAll(a.Path("logs")), os.WriteFile(a.Path("logs"), nil, 0o666))
	}, "logs/run is missing: logs is no folder"},
	{"meta.json missing", func(a *Artifact) error { return os.Remove(a.Path(metaName)) }, "meta.json is missing"},
	{"meta.json empty", func(a *Artifact) error { return os.Truncate(a.Path(metaName), 0) }, "meta.json: unexpected end"},
	{"meta.json is a folder", func(a *Artifact) error {
		return errors.Join(os.Remove(a.Path(metaName)), os.Mkdir(a.Path(metaName), 0o777))
	}, "meta.json is no regular file"},
	{"a file in its place", func(a *Artifact) error {
		return errors.Join(os.RemoveAll(a.Dir), os.WriteFile(a.Dir, []byte("x"), 0o666))
	}, "is no folder"},
}

func TestDamageIsComputedAgain(t *testing.T) {
	for _, damage := range damages {
		t.Run(damage.name, func(t *testing.T) {
			s, key := open(t), Key{Step: "train"}
			compute := write("model", "weights", "logs/run", "{}")
			a := get(t, s, key, compute)
			if err := damage.spoil(a); err != nil {
				t.Fatal(err)
			}
			var messages []string
			s.Notify = func(m string) { messages = append(messages, m) }
			b := get(t, s, key, compute)
			if got := content(t, b.Path("model")); got != "weights" {
				t.Errorf("model holds %q", got)
			}
			if len(messages) != 1 || !strings.Contains(messages[0], damage.want) || !strings.Contains(messages[0], "set aside in") {
				t.Errorf("messages %q, want one with %q", messages, damage.want)
			}
			if aside := names(t, filepath.Join(s.Dir(), "damaged")); len(aside) != 1 || !strings.HasPrefix(aside[0], string(a.ID)+"-") {
				t.Errorf("damaged holds %q", aside)
			}
			get(t, s, key, never)
		})
	}
}

// A large artifact's checksums are compared by a process's first read; Verify and Value always compare them.
func TestLargeDamage(t *testing.T) {
	s, key, ctx := open(t), Key{Step: "large"}, context.Background()
	large := bytes.Repeat([]byte("0"), smallPayload+1)
	a := get(t, s, key, write("model", string(large)))
	if err := s.Verify(ctx, a.ID); err != nil {
		t.Fatal(err)
	}
	large[smallPayload/2] = '1'
	if err := os.WriteFile(a.Path("model"), large, 0o666); err != nil {
		t.Fatal(err)
	}
	get(t, s, key, never) // this process wrote it, and does not look again
	checked.Delete(a.Dir) // as in another process
	again := 0
	b := get(t, s, key, func(ctx context.Context, dir string) error {
		again++
		large[smallPayload/2] = '0'
		return write("model", string(large))(ctx, dir)
	})
	if again != 1 || content(t, b.Path("model")) != string(large) {
		t.Fatalf("computed %d times again, want the damage noticed once", again)
	}
	checked.Delete(a.Dir)
	get(t, s, key, never)
	if infos, err := s.List(ctx); err != nil || len(infos) != 2 {
		t.Errorf("List gave %+v, %v, want the damaged one set aside", infos, err)
	} else if err := s.RemoveDamaged(infos[1]); err != nil {
		t.Fatal(err)
	}
	large[smallPayload/2] = '1'
	if err := os.WriteFile(a.Path("model"), large, 0o666); err != nil {
		t.Fatal(err)
	}
	err := s.Verify(ctx, a.ID)
	var damage *DamageError
	if !errors.As(err, &damage) || damage.Moved == "" || !strings.Contains(err.Error(), "model has the checksum") {
		t.Fatalf("Verify gave %v, want damage set aside", err)
	}
	if err := s.Verify(ctx, a.ID); !errors.Is(err, ErrNotFound) {
		t.Errorf("Verify of what was set aside gave %v, want ErrNotFound", err)
	}
	infos, err := s.List(ctx)
	if err != nil || len(infos) != 1 || infos[0].State != Damaged || infos[0].Dir != damage.Moved || infos[0].Meta.Step != "large" {
		t.Errorf("List gave %+v, %v", infos, err)
	}

	valueKey, computed := Key{Step: "value"}, 0
	value := func() string {
		v, err := Value(ctx, s, valueKey, func(context.Context) (string, error) {
			computed++
			return string(bytes.Repeat([]byte("0"), smallPayload)), nil
		})
		if err != nil {
			t.Fatal(err)
		}
		return v
	}
	value()
	v, err := s.Find(string(id(t, valueKey)))
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(v.Dir, valueName), append(append([]byte{'"', '1'}, bytes.Repeat([]byte("0"), smallPayload-1)...), "\"\n"...), 0o666); err != nil {
		t.Fatal(err)
	}
	if got := value(); got[0] != '0' || computed != 2 {
		t.Errorf("a spoiled value was read: computed %d times, want 2", computed)
	}
}

func TestHostileMeta(t *testing.T) {
	key := Key{Step: "train"}
	sha := `"sha256":"` + string(someID) + `"`
	file := func(name string) string { return `[{"name":` + name + `,"size":1,` + sha + `}]` }
	text := func(key Key, files string) []byte {
		id, err := key.ID()
		if err != nil {
			t.Fatal(err)
		}
		params, _ := json.Marshal(key.Params)
		return []byte(`{"id":"` + string(id) + `","step":"` + key.Step + `","version":0,"params":` + string(params) + `,"inputs":[],"files":` + files + `}`)
	}
	want := id(t, key)
	if _, err := parseMeta(want, text(key, file(`"a/b"`))); err != nil {
		t.Fatalf("the well-formed meta.json is refused: %v", err)
	}
	for _, test := range []struct {
		name string
		text []byte
		want string
	}{
		{"empty", nil, "unexpected end"},
		{"null", []byte("null"), "needs the name of a step"},
		{"list", []byte("[]"), "cannot unmarshal array"},
		{"deep", bytes.Repeat([]byte("["), 1<<20), "max depth"},
		{"deep parameters", []byte(`{"step":"train","params":` + strings.Repeat("[", 9000) + strings.Repeat("]", 9000) + "}"), "describes artifact"},
		{"another artifact's", text(Key{Step: "eval"}, file(`"a"`)), "describes artifact"},
		{"another key's", bytes.Replace(text(key, file(`"a"`)), []byte("train"), []byte("eval"), 1), "its key has the hash"},
		{"terminal codes", bytes.Replace(text(key, file(`"a"`)), []byte("train"), []byte(`\u001b[2J`), 1), "without control characters"},
		{"no files", text(key, "[]"), "lists no files"},
		{"outside", text(key, file(`"../../etc/passwd"`)), "no clean path"},
		{"outside by detour", text(key, file(`"a/../../b"`)), "no clean path"},
		{"absolute", text(key, file(`"/etc/passwd"`)), "no clean path"},
		{"unclean", text(key, file(`"a//b"`)), "no clean path"},
		{"the folder itself", text(key, file(`"."`)), "no clean path"},
		{"no name", text(key, file(`""`)), "no clean path"},
		{"meta.json itself", text(key, file(`"meta.json"`)), "no clean path"},
		{"twice", text(key, `[{"name":"a","size":1,`+sha+`},{"name":"a","size":1,`+sha+`}]`), "twice"},
		{"negative size", text(key, `[{"name":"a","size":-1,`+sha+`}]`), "-1 bytes"},
		{"sizes overflow", text(key, `[{"name":"a","size":4611686018427387904,`+sha+`},{"name":"b","size":4611686018427387904,`+sha+`}]`), "4611686018427387904 bytes"},
		{"bad checksum", text(key, `[{"name":"a","size":1,"sha256":"abc"}]`), "want 64 hexadecimal digits"},
	} {
		if m, err := parseMeta(want, test.text); err == nil || !strings.Contains(err.Error(), test.want) {
			t.Errorf("%s: parsed as %+v, %v, want an error with %q", test.name, m, err, test.want)
		}
	}
}

// FuzzMeta looks for a meta.json that makes the parser crash, or that passes with files outside the artifact.
func FuzzMeta(f *testing.F) {
	key := Key{Step: "train", Params: recipe{Width: 96}}
	hash, err := key.ID()
	if err != nil {
		f.Fatal(err)
	}
	f.Add([]byte(`{"id":"` + string(hash) + `","step":"train","params":{"rate":0,"seed":0,"width":96},"files":[{"name":"a/b","size":1,"sha256":"` + string(someID) + `"}]}`))
	f.Add([]byte(`{"id":"` + string(hash) + `","step":"train","params":{"rate":0,"seed":0,"width":96},"files":[{"name":"../a","size":-1}]}`))
	f.Add([]byte(`{"params":[[[`))
	f.Fuzz(func(t *testing.T, text []byte) {
		m, err := parseMeta(hash, text)
		if err != nil {
			return
		}
		if m.Step != "train" || m.Size() < 0 {
			t.Errorf("passed: %+v", m)
		}
		for _, file := range m.Files {
			if !strings.HasPrefix(filepath.Join("/store", filepath.FromSlash(file.Name)), "/store"+string(filepath.Separator)) {
				t.Errorf("passed a file %q", file.Name)
			}
		}
	})
}
