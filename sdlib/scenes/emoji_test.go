package scenes

import (
	"context"
	"encoding/json"
	"errors"
	"image"
	"image/png"
	"maps"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"samediff/sdlib/emoji"
	"samediff/sdlib/stimuli"
)

// testPack has 30 emoji, half transparent squares of a color each with an opaque band.
func testPack() *emoji.Pack {
	p := new(emoji.Pack)
	for i := range 30 {
		pixels := make([]uint8, emoji.Side*emoji.Side*4)
		for at := 0; at < len(pixels); at += 4 {
			y := at / 4 / emoji.Side
			alpha := 128
			if y/8%2 == i%2 {
				alpha = 255
			}
			for k := range 3 {
				pixels[at+k] = uint8((i * (k*40 + 7)) % 256 * alpha / 255)
			}
			pixels[at+3] = uint8(alpha)
		}
		p.Pictures = append(p.Pictures, emoji.Picture{Name: "thing " + string(rune('a'+i%26)) + strings.Repeat("x", i/26), Category: "Objects", Pixels: pixels})
	}
	return p
}

func TestEmojiScenes(t *testing.T) {
	pack := testPack()
	s, err := OpenEmoji(Config{Image: 48, Seed: 1}, pack)
	if err != nil {
		t.Fatal(err)
	}
	if s.Config().Emoji != pack.Identity() || s.Config().Held != 20 {
		t.Errorf("the configuration %+v does not name its emoji", s.Config())
	}
	held := 0
	for _, x := range pack.Pictures {
		if x.Held(20) {
			held++
			if slices.Contains(s.Names(), x.Name) {
				t.Errorf("%s is held out and shown", x.Name)
			}
		}
	}
	if held == 0 || len(s.Names()) != len(pack.Pictures)-held {
		t.Errorf("%d of %d emoji are shown, %d are held out", len(s.Names()), len(pack.Pictures), held)
	}
	if !slices.Equal(s.Images(0, 4), s.Images(0, 4)) || slices.Equal(s.Images(0, 1), s.Images(1, 2)) {
		t.Error("scenes of emoji are not functions of their number")
	}
	scene := s.Scene(3)
	if tokens := s.Tokens(scene); len(tokens) != len(scene.Words()) || len(tokens) > s.MaxTokens() {
		t.Errorf("%q has %d tokens, of at most %d", scene.Caption(), len(tokens), s.MaxTokens())
	}
	other := Config{Emoji: "sha256:0"}
	if _, err := OpenEmoji(other, pack); err == nil || !strings.Contains(err.Error(), "fetch it again") {
		t.Errorf("another pack than the configuration's: %v", err)
	}
}

// TestStamp: a picture in its own size and place is itself, laid over the ground.
func TestStamp(t *testing.T) {
	x := testPack().Pictures[5]
	c := &canvas{emoji.Side, make([]float32, emoji.Side*emoji.Side*3)}
	for i := range c.level {
		c.level[i] = 200
	}
	stamp(x, c, emoji.Side/2, emoji.Side/2, emoji.Side/2, 0, false)
	for i := range emoji.Side * emoji.Side {
		for k := range 3 {
			want := float64(x.Pixels[4*i+k]) + 200*(1-float64(x.Pixels[4*i+3])/255)
			if got := float64(c.level[3*i+k]); math.Abs(got-want) > .01 {
				t.Fatalf("pixel %d, channel %d is %.2f, expected %.2f", i, k, got, want)
			}
		}
	}
}

// TestPairs: an imported set whose labels say whether the emoji are the same, and in which no picture occurs twice.
func TestPairs(t *testing.T) {
	dir, pack := filepath.Join(t.TempDir(), "pairs"), testPack()
	p := Pairs{Geometry: stimuli.Course, Size: 40, Seed: 2, Held: 50}
	if err := p.Write(t.Context(), dir, pack); err != nil {
		t.Fatal(err)
	}
	set, err := stimuli.ImportFolder(dir, stimuli.Course)
	if err != nil {
		t.Fatal(err)
	}
	if set.Len() != 40 || set.ObjectsPerImage() != 2 || set.TokensPerObject() != 4 {
		t.Fatalf("%d images of %d objects of %d tokens", set.Len(), set.ObjectsPerImage(), set.TokensPerObject())
	}
	text, err := os.ReadFile(filepath.Join(dir, "metadata.jsonl"))
	if err != nil {
		t.Fatal(err)
	}
	same := 0
	cut := map[string]bool{}
	for _, line := range strings.Split(strings.TrimSpace(string(text)), "\n") {
		var r record
		if err := json.Unmarshal([]byte(line), &r); err != nil {
			t.Fatal(err)
		}
		if equal := r.Objects[0].Name == r.Objects[1].Name; equal != (r.Label == 1) {
			t.Errorf("%s: label %d of %+v", r.FileName, r.Label, r.Objects)
		}
		same += r.Label
		f, err := os.Open(filepath.Join(dir, r.FileName))
		if err != nil {
			t.Fatal(err)
		}
		m, err := png.Decode(f)
		f.Close()
		if err != nil {
			t.Fatal(err)
		}
		for _, o := range r.Objects {
			box := image.Rect(o.Box[0], o.Box[1], o.Box[2], o.Box[3])
			var pixels strings.Builder
			for y := box.Min.Y; y < box.Max.Y; y++ {
				for x := box.Min.X; x < box.Max.X; x++ {
					red, green, blue, _ := m.At(x, y).RGBA()
					pixels.WriteByte(byte(red))
					pixels.WriteByte(byte(green))
					pixels.WriteByte(byte(blue))
				}
			}
			if cut[pixels.String()] {
				t.Errorf("%s: %s is a copy of another picture", r.FileName, o.Name)
			}
			cut[pixels.String()] = true
			for _, x := range pack.Pictures {
				if x.Name == o.Name && !x.Held(50) {
					t.Errorf("%s: %s is not held out", r.FileName, o.Name)
				}
			}
		}
	}
	if same != 20 {
		t.Errorf("%d of 40 are same, expected half", same)
	}
}

// TestPairsGoOn: what was interrupted goes on to the same files; another set, or files of somebody else, are left alone.
func TestPairsGoOn(t *testing.T) {
	pack := testPack()
	p := Pairs{Geometry: stimuli.Course, Size: 10, Seed: 2, Held: 50}
	files := func(dir string) map[string]string {
		all := map[string]string{}
		entries, err := os.ReadDir(dir)
		if err != nil {
			t.Fatal(err)
		}
		for _, e := range entries {
			text, err := os.ReadFile(filepath.Join(dir, e.Name()))
			if err != nil {
				t.Fatal(err)
			}
			all[e.Name()] = string(text)
		}
		return all
	}
	whole, dir := t.TempDir(), filepath.Join(t.TempDir(), "pairs")
	if err := p.Write(t.Context(), whole, pack); err != nil {
		t.Fatal(err)
	}
	want := files(whole)
	stopped, stop := context.WithCancel(t.Context())
	stop()
	if err := p.Write(stopped, dir, pack); !errors.Is(err, context.Canceled) {
		t.Fatalf("stopped: %v", err)
	}
	if _, err := os.Stat(filepath.Join(dir, "metadata.jsonl")); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("a folder half written is a set: %v", err)
	}
	// As a kill leaves it: one image whole, one cut, and what was being written aside.
	for name, text := range map[string]string{"000001.png": want["000001.png"], "000002.png": want["000002.png"][:50], ".000003.png.aside-1": "x", ".metadata.jsonl.aside-2": "{"} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	for range 2 { // the second time all is there
		if err := p.Write(t.Context(), dir, pack); err != nil {
			t.Fatal(err)
		}
		if got := files(dir); !maps.Equal(got, want) {
			t.Fatalf("it went on to %v, expected %v", slices.Sorted(maps.Keys(got)), slices.Sorted(maps.Keys(want)))
		}
	}
	other := p
	other.Seed++
	if err := other.Write(t.Context(), dir, pack); err == nil || !strings.Contains(err.Error(), "another set of emoji") {
		t.Errorf("over another set: %v", err)
	}
	theirs := t.TempDir()
	if err := os.WriteFile(filepath.Join(theirs, "thesis.txt"), nil, 0o644); err != nil {
		t.Fatal(err)
	}
	if err := p.Write(t.Context(), theirs, pack); err == nil || !strings.Contains(err.Error(), "empty folder") {
		t.Errorf("into a folder of somebody else: %v", err)
	}
}
