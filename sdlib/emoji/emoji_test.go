package emoji

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"image"
	"image/color"
	"image/png"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
)

// tarball makes an npm package of files, in order.
func tarball(t testing.TB, files ...any) []byte {
	t.Helper()
	var b bytes.Buffer
	z := gzip.NewWriter(&b)
	w := tar.NewWriter(z)
	for i := 0; i < len(files); i += 2 {
		data := files[i+1].([]byte)
		if err := w.WriteHeader(&tar.Header{Name: files[i].(string), Mode: 0o644, Size: int64(len(data))}); err != nil {
			t.Fatal(err)
		}
		w.Write(data)
	}
	w.Close()
	z.Close()
	return b.Bytes()
}

// dot is a picture: a disk of a color, transparent around it.
func dot(t testing.TB, c color.NRGBA) []byte {
	t.Helper()
	m := image.NewNRGBA(image.Rect(0, 0, 96, 96))
	for y := range 96 {
		for x := range 96 {
			if (x-48)*(x-48)+(y-48)*(y-48) < 40*40 {
				m.SetNRGBA(x, y, c)
			}
		}
	}
	var b bytes.Buffer
	if err := png.Encode(&b, m); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// packages makes both packages as small ones, and a npm that hands them out, and says what it was asked in a file.
func packages(t *testing.T) (npm, log string) {
	t.Helper()
	if runtime.GOOS == "windows" {
		t.Skip("the fake npm is a shell script")
	}
	home := t.TempDir()
	entries := []entry{
		{"RED APPLE", "1F34E", "apple", "Food & Drink", "food-fruit", 2},
		{"KEY", "1F511", "key", "Objects", "lock", 1},
		{"MUSHROOM", "1F344", "mushroom", "Food & Drink", "food-vegetable", 3},
		{"GRINNING FACE", "1F600", "grinning", "Smileys & Emotion", "face-smiling", 4},
		{"GHOST TOWN", "FFFF", "ghost-town", "Travel & Places", "place-other", 5}, // without a picture
	}
	text, err := json.Marshal(entries)
	if err != nil {
		t.Fatal(err)
	}
	archives := map[*archive][]byte{
		&names: tarball(t, "package/package.json", []byte("{}"), "package/emoji.json", text),
		&pictures: tarball(t, "package/assets/1f34e.webp", dot(t, color.NRGBA{200, 0, 0, 255}), "package/assets/1f511.webp", dot(t, color.NRGBA{0, 0, 200, 128}),
			"package/assets/1f344.webp", dot(t, color.NRGBA{A: 255}), "package/assets/1f600.webp", []byte("no picture, and not read")),
	}
	for a, data := range archives {
		before := *a
		t.Cleanup(func() { *a = before })
		sum := sha256.Sum256(data)
		a.SHA256 = hex.EncodeToString(sum[:])
		name := strings.ReplaceAll(strings.TrimPrefix(a.Package, "@"), "/", "-") + "-" + a.Version + ".tgz"
		if err := os.WriteFile(filepath.Join(home, name), data, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	log = filepath.Join(home, "log")
	npm = filepath.Join(home, "npm")
	script := fmt.Sprintf("#!/bin/sh\necho \"$@\" >> '%s'\ntest \"$1 $3\" = 'pack --pack-destination' || exit 2\n"+
		"name=$(echo \"$2\" | sed 's/^@//; s/@/-/; s,/,-,')\ncp '%s'/\"$name\".tgz \"$4\"\n", log, home)
	if err := os.WriteFile(npm, []byte(script), 0o700); err != nil {
		t.Fatal(err)
	}
	return npm, log
}

func TestFetch(t *testing.T) {
	npm, log := packages(t)
	dir := filepath.Join(t.TempDir(), "pack")
	got, err := Fetch(t.Context(), Options{Dir: dir, Npm: npm})
	if err != nil || got != dir {
		t.Fatalf("%q, %v", got, err)
	}
	p, err := Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	if len(p.Pictures) != 2 || p.Pictures[0].Name != "key" || p.Pictures[1].Name != "red apple" || p.Pictures[1].Category != "Food & Drink" {
		t.Fatalf("%d pictures, %+v", len(p.Pictures), p.Pictures[0].Name)
	}
	middle := (Side/2*Side + Side/2) * 4
	if got := fmt.Sprint(p.Pictures[0].Pixels[middle : middle+4]); got != "[0 0 100 128]" { // colors are multiplied by alpha
		t.Errorf("the middle of the key is %s", got)
	}
	if corner := p.Pictures[1].Pixels[3]; corner != 0 {
		t.Errorf("the corner of the apple has alpha %d, expected 0", corner)
	}
	if _, err := Fetch(t.Context(), Options{Dir: dir, Npm: npm}); err != nil {
		t.Fatal(err)
	}
	asked, err := os.ReadFile(log)
	if err != nil || strings.Count(string(asked), "pack ") != 2 {
		t.Errorf("npm was asked %q (%v), expected once for each package, and not again", asked, err)
	}
	if left, _ := filepath.Glob(filepath.Join(dir, ".fetch", "*")); len(left) > 0 {
		t.Errorf("%q is left behind", left)
	}
}

func TestFetchErrors(t *testing.T) {
	npm, _ := packages(t)
	fails := filepath.Join(filepath.Dir(npm), "fails")
	if err := os.WriteFile(fails, []byte("#!/bin/sh\necho code E404 >&2\nexit 1\n"), 0o700); err != nil {
		t.Fatal(err)
	}
	for _, test := range []struct {
		npm  string
		kind error
		text string
	}{{fails, ErrNetwork, "E404"}, {"/nowhere/npm", ErrNoNpm, "SD_NPM"}} {
		dir := t.TempDir()
		if _, err := Fetch(t.Context(), Options{Dir: dir, Npm: test.npm}); !errors.Is(err, test.kind) || !strings.Contains(err.Error(), test.text) {
			t.Errorf("%v, expected one of %v with %q", err, test.kind, test.text)
		}
		if _, err := Open(dir); !errors.Is(err, ErrMissing) || !strings.Contains(err.Error(), "sd pictures fetch") {
			t.Errorf("%v, expected that nothing was fetched", err)
		}
	}
	pictures.SHA256 = strings.Repeat("0", 64)
	if _, err := Fetch(t.Context(), Options{Dir: t.TempDir(), Npm: npm}); !errors.Is(err, ErrDamaged) {
		t.Errorf("%v, expected that an archive with another hash is discarded", err)
	}
}

func TestOpenRefusesWhatWasChanged(t *testing.T) {
	npm, _ := packages(t)
	dir := t.TempDir()
	if _, err := Fetch(t.Context(), Options{Dir: dir, Npm: npm}); err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(dir, pixelsFile)
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	data[len(data)/2] ^= 1
	if err := os.WriteFile(path, data, 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := Open(dir); !errors.Is(err, ErrDamaged) {
		t.Errorf("a changed byte: %v", err)
	}
	if err := os.WriteFile(path, data[1:], 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := Open(dir); err == nil || !strings.Contains(err.Error(), "fetch again") {
		t.Errorf("a missing byte: %v", err)
	}
}

// TestHostileArchives: what an archive claims costs nothing, and nothing in it is believed.
func TestHostileArchives(t *testing.T) {
	all := func(string) bool { return true }
	small := bounds{files: 50, file: 1 << 12, all: 1 << 15}
	var many []any
	for i := range small.files + 1 {
		many = append(many, fmt.Sprint("f", i), []byte{})
	}
	huge := func() []byte { // zeros, which gzip makes small
		var files []any
		for i := range small.all/small.file + 2 {
			files = append(files, fmt.Sprint("f", i), make([]byte, small.file))
		}
		return tarball(t, files...)
	}
	good := tarball(t, "a", []byte("one"), "b", []byte("two"))
	for name, data := range map[string][]byte{
		"outside":    tarball(t, "../up", []byte("x")),
		"absolute":   tarball(t, "/etc/x", []byte("x")),
		"large file": tarball(t, "large", make([]byte, small.file+1)),
		"many files": tarball(t, many...),
		"large":      huge(),
		"no gzip":    []byte("text"),
		"cut off":    good[:len(good)/2],
	} {
		if err := small.read(bytes.NewReader(data), all, func(string, []byte) error { return nil }); !errors.Is(err, ErrDamaged) {
			t.Errorf("%s: %v, expected %v", name, err, ErrDamaged)
		}
	}
	var b bytes.Buffer
	z := gzip.NewWriter(&b)
	w := tar.NewWriter(z)
	w.WriteHeader(&tar.Header{Name: "link", Typeflag: tar.TypeSymlink, Linkname: "/etc/passwd"})
	w.Close()
	z.Close()
	if err := small.read(&b, all, func(name string, _ []byte) error { return fmt.Errorf("%s was taken", name) }); err != nil {
		t.Errorf("a link: %v, expected it to be passed over", err)
	}
}

func FuzzRead(f *testing.F) {
	f.Add(tarball(f, "package/a.webp", []byte("x")))
	f.Add([]byte("\x1f\x8b"))
	f.Fuzz(func(t *testing.T, data []byte) {
		limits.read(bytes.NewReader(data), func(string) bool { return true }, func(name string, data []byte) error {
			if !filepath.IsLocal(name) || int64(len(data)) > limits.file {
				t.Errorf("%q with %d bytes was taken", name, len(data))
			}
			return nil
		})
	})
}

// FuzzOpen: a pack's folder is read, or refused; a name is never empty.
func FuzzOpen(f *testing.F) {
	p := Pack{Pictures: []Picture{{"apple", "Food & Drink", make([]uint8, Side*Side*4)}, {"key", "Objects", make([]uint8, Side*Side*4)}}}
	dir := f.TempDir()
	if err := p.write(dir); err != nil {
		f.Fatal(err)
	}
	index, err := os.ReadFile(filepath.Join(dir, indexFile))
	if err != nil {
		f.Fatal(err)
	}
	f.Add(index)
	f.Add(bytes.Replace(index, []byte("apple"), []byte("pear"), 1))
	f.Add([]byte(`{"side": 64, "emoji": [{}, {}]}`))
	f.Fuzz(func(t *testing.T, index []byte) {
		if err := os.WriteFile(filepath.Join(dir, indexFile), index, 0o644); err != nil {
			t.Fatal(err)
		}
		q, err := Open(dir)
		if err != nil {
			return
		}
		if q.Identity() != p.Identity() {
			t.Errorf("%q is taken for another pack of the same pictures", index)
		}
	})
}

// FuzzNames: the list of names comes from a package; what is taken of it are words of letters.
func FuzzNames(f *testing.F) {
	f.Add([]byte(`[{"name": "RED APPLE", "unified": "1F34E", "category": "Food & Drink", "sort_order": 1}]`))
	f.Add([]byte(`[{"name": "\\u0130K\\ud800", "short_name": "-_-"}, null]`))
	f.Fuzz(func(t *testing.T, text []byte) {
		var all []entry
		if json.Unmarshal(text, &all) != nil {
			return
		}
		for _, e := range all {
			e.wanted()
			if w := e.words(); strings.Trim(w, "abcdefghijklmnopqrstuvwxyz ") != "" || strings.TrimSpace(w) != w {
				t.Errorf("%q has the words %q", e.Name, w)
			}
		}
	})
}

// TestWanted: nothing that the tasks show is taken.
func TestWanted(t *testing.T) {
	for name, want := range map[string]bool{"RED APPLE": true, "ELECTRIC LIGHT BULB": true, "GLOWING STAR": false, "HIGH VOLTAGE SIGN": false,
		"CRESCENT MOON": false, "FISH": false, "BASKETBALL": true, "SOCCER BALL": false, "HERB": true, "MAPLE LEAF": false, "FOUR LEAF CLOVER": false, "CROWN": false} {
		if got := (entry{Name: name, Category: "Objects"}).wanted(); got != want {
			t.Errorf("%s is wanted: %v, expected %v", name, got, want)
		}
	}
}

// TestHeld: about a fifth is held out at 20 percent, more at more, and always the same ones.
func TestHeld(t *testing.T) {
	few, many := 0, 0
	for i := range 1000 {
		x := Picture{Name: fmt.Sprint("thing ", i)}
		if x.Held(20) {
			few++
			if !x.Held(50) {
				t.Errorf("%s is held out at 20 percent and not at 50", x.Name)
			}
		}
		if x.Held(50) {
			many++
		}
	}
	if few < 160 || few > 240 || many < 440 || many > 560 {
		t.Errorf("%d and %d of 1,000 are held out at 20 and 50 percent", few, many)
	}
}
