package safetensors

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// A file that came in pieces has the bytes of one that was written at once.
func TestWriteStream(t *testing.T) {
	dir := t.TempDir()
	whole, streamed := filepath.Join(dir, "whole"), filepath.Join(dir, "streamed")
	metadata := map[string]string{"files": "a.png"}
	if err := WriteFile(whole, sample(), metadata); err != nil {
		t.Fatal(err)
	}
	plan := sample()
	for i := range plan {
		plan[i].Data = nil
	}
	err := WriteStream(streamed, plan, metadata, func(at func(string, int, []byte) error) error {
		for _, x := range sample()[1:] { // the other way round, byte by byte
			for i := len(x.Data) - 1; i >= 0; i-- {
				if err := at(x.Name, i, x.Data[i:i+1]); err != nil {
					return err
				}
			}
		}
		return at("mask", 0, sample()[0].Data)
	})
	if err != nil {
		t.Fatal(err)
	}
	a, _ := os.ReadFile(whole)
	b, _ := os.ReadFile(streamed)
	if len(a) == 0 || !bytes.Equal(a, b) {
		t.Errorf("a file in pieces is\n%q, at once it is\n%q", b, a)
	}
}

func TestWriteStreamRefuses(t *testing.T) {
	path := filepath.Join(t.TempDir(), "file")
	broken := errors.New("broken off")
	for _, test := range []struct {
		name string
		fill func(at func(string, int, []byte) error) error
		want string
	}{
		{"failure", func(func(string, int, []byte) error) error { return broken }, "broken off"},
		{"beyond the end", func(at func(string, int, []byte) error) error { return at("mask", 2, []byte{1, 1}) }, `2 bytes at 2 of tensor "mask", which has 3`},
		{"before the begin", func(at func(string, int, []byte) error) error { return at("mask", -1, []byte{1}) }, "at -1"},
		{"unknown", func(at func(string, int, []byte) error) error { return at("x", 0, []byte{1}) }, `"x"`},
	} {
		if err := WriteStream(path, sample(), nil, test.fill); err == nil || !strings.Contains(err.Error(), test.want) {
			t.Errorf("%s: error %v, want %q", test.name, err, test.want)
		}
	}
	twice := append(sample(), sample()[0])
	if err := WriteStream(path, twice, nil, func(func(string, int, []byte) error) error { return nil }); err == nil || !strings.Contains(err.Error(), "given twice") {
		t.Errorf("a name given twice: error %v", err)
	}
	if entries, _ := os.ReadDir(filepath.Dir(path)); len(entries) != 0 {
		t.Errorf("failures left %v", entries)
	}
}
