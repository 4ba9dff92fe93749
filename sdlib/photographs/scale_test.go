package photographs

import (
	"bytes"
	"encoding/binary"
	"hash/crc32"
	"image"
	"image/png"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/fstest"
)

// A folder of pictures may come from anywhere: what cannot be read is refused before it fills the memory, with its name.
func TestScaledRefuses(t *testing.T) {
	var small bytes.Buffer
	if err := png.Encode(&small, image.NewGray(image.Rect(0, 0, 8, 8))); err != nil {
		t.Fatal(err)
	}
	huge := bytes.Clone(small.Bytes()) // claims 65,536 x 65,536 pixels
	binary.BigEndian.PutUint32(huge[16:], 1<<16)
	binary.BigEndian.PutUint32(huge[20:], 1<<16)
	binary.BigEndian.PutUint32(huge[29:], crc32.ChecksumIEEE(huge[12:29]))
	const good = `{"file_name": "a.png", "label": 1, "objects": [{"mask": "m.png"}]}` + "\n"
	for want, files := range map[string]map[string]string{
		"a.png has 65536 x 65536 pixels": {"metadata.jsonl": good, "a.png": string(huge), "m.png": small.String()},
		"m.png has 65536 x 65536 pixels": {"metadata.jsonl": good, "a.png": small.String(), "m.png": string(huge)},
		"a.png has 0 x 0 pixels":         {"metadata.jsonl": good, "a.png": "no picture", "m.png": small.String()},
		"m.png":                          {"metadata.jsonl": good, "a.png": small.String()},
		"line 2: label is text":          {"metadata.jsonl": "\n" + strings.Replace(good, "1", `"same"`, 1)},
		"line 1: no file_name":           {"metadata.jsonl": "{}"},
		"has no mask":                    {"metadata.jsonl": strings.Replace(good, `"m.png"`, `""`, 1)},
		"line 1: unexpected end":         {"metadata.jsonl": good[:20]},
		"../a.png":                       {"metadata.jsonl": strings.Replace(good, "a.png", "../a.png", 1)},
	} {
		folder := fstest.MapFS{}
		for name, text := range files {
			folder[name] = &fstest.MapFile{Data: []byte(text)}
		}
		if _, err := scaled(folder, 64); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("the error is %v, expected one with %q", err, want)
		}
	}
	pipe := fstest.MapFS{"metadata.jsonl": {Data: []byte(good)}, "a.png": {Mode: fs.ModeNamedPipe}}
	if _, err := scaled(pipe, 64); err == nil || !strings.Contains(err.Error(), "a.png is no regular file") {
		t.Errorf("of a pipe: %v", err)
	}
	device := filepath.Join(t.TempDir(), "metadata.jsonl")
	if err := os.Symlink("/dev/zero", device); err != nil {
		t.Fatal(err)
	}
	if _, err := scaled(os.DirFS(filepath.Dir(device)), 64); err == nil || !strings.Contains(err.Error(), "no regular file") {
		t.Errorf("of a device without an end: %v", err)
	}
}

func FuzzParseRecords(f *testing.F) {
	f.Add([]byte(`{"file_name": "images/0001.png", "label": 1, "kind": "same", "objects": [{"mask": "masks/0001-0.png"}, {"mask": "masks/0001-1.png"}]}` + "\n\n"))
	f.Add([]byte("\xef\xbb\xbf{\"file_name\": \"a\"}\n{\"label\": 1e9}"))
	f.Fuzz(func(t *testing.T, metadata []byte) {
		all, err := parseRecords(metadata)
		if err != nil {
			return
		}
		for _, r := range all {
			if r.FileName == "" || len(all) > len(metadata) {
				t.Errorf("%q is read as %+v", metadata, all)
			}
		}
	})
}
