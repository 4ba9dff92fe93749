package imagefile

import (
	"os"
	"path/filepath"
	"testing"
)

// The golden images of what Decode gives are with package pictures, which compares them with Pillow's.
const golden = "../../pictures/testdata/pillow"

func TestNamed(t *testing.T) {
	for name, want := range map[string]bool{"a.png": true, "b.JPEG": true, "deep/c.webp": true, "._a.png": false, "deep/.c.png": false, ".png": false, "a.gif": false, "png": false} {
		if Named(name) != want {
			t.Errorf("%s: %v, want %v", name, !want, want)
		}
	}
}

// A JPEG's orientation is found behind other segments, in either byte order; what is cut or strange is as it is.
func TestOrientation(t *testing.T) {
	exif := "Exif\x00\x00II*\x00\x08\x00\x00\x00\x01\x00\x12\x01\x03\x00\x01\x00\x00\x00\x06\x00\x00\x00"
	segment := func(marker byte, body string) string {
		return string([]byte{0xff, marker, byte((len(body) + 2) >> 8), byte(len(body) + 2)}) + body
	}
	for name, test := range map[string]struct {
		data string
		want int
	}{
		"little":      {"\xff\xd8" + segment(0xe0, "JFIF") + segment(0xe1, exif), 6},
		"big":         {"\xff\xd8" + segment(0xe1, "Exif\x00\x00MM\x00*\x00\x00\x00\x08\x00\x01\x01\x12\x00\x03\x00\x00\x00\x01\x00\x03\x00\x00"), 3},
		"cut":         {("\xff\xd8" + segment(0xe1, exif))[:30], 1},
		"no exif":     {"\xff\xd8" + segment(0xe1, "http://ns.adobe.com/xap/1.0/"), 1},
		"after image": {"\xff\xd8" + segment(0xda, "") + segment(0xe1, exif), 1},
		"nothing":     {"", 1},
	} {
		if got := Orientation([]byte(test.data)); got != test.want {
			t.Errorf("%s: %d, want %d", name, got, test.want)
		}
	}
}

// Any bytes give an error, or an image of the size that was said.
func FuzzDecode(f *testing.F) {
	for _, name := range []string{"jpeg-420.jpg", "jpeg-422.jpg", "turn-5.png", "lossless.webp"} {
		data, err := os.ReadFile(filepath.Join(golden, name))
		if err != nil {
			f.Fatal(err)
		}
		f.Add(data)
		f.Add(data[:len(data)/2])
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		width, height, _, err := Size(data)
		if err != nil || width*height > 1<<16 {
			return
		}
		m, err := Decode(data)
		if err != nil {
			return
		}
		if s := m.Bounds().Size(); s.X != width || s.Y != height {
			t.Errorf("an image of %v, Size said %d x %d", s, width, height)
		}
	})
}
