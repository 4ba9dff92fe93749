package safetensors

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// encode puts a header before n bytes of data.
func encode(header string, n int) []byte {
	b := binary.LittleEndian.AppendUint64(nil, uint64(len(header)))
	return append(append(b, header...), make([]byte, n)...)
}

func TestHostileFiles(t *testing.T) {
	one := func(dtype, shape, offsets string) string {
		return fmt.Sprintf(`{"a":{"dtype":%s,"shape":%s,"data_offsets":%s}}`, dtype, shape, offsets)
	}
	two := func(a, b string) string {
		return fmt.Sprintf(`{"a":{"dtype":"U8","shape":[4],"data_offsets":%s},"b":{"dtype":"U8","shape":[4],"data_offsets":%s}}`, a, b)
	}
	good := one(`"F32"`, `[2]`, `[0,8]`)
	if _, err := Parse(encode(good, 8)); err != nil {
		t.Fatalf("the well-formed file is refused: %v", err)
	}
	tests := []struct {
		name string
		file []byte
		want string // part of the error
	}{
		{"empty", nil, "it has 0 bytes"},
		{"short", []byte("1234567"), "it has 7 bytes"},
		{"huge header", bytes.Repeat([]byte{0xff}, 16), "claims 18446744073709551615 bytes; at most 100000000"},
		{"header longer than file", binary.LittleEndian.AppendUint64(nil, 99), "claims 99 bytes; 0 follow"},
		{"no header", encode("", 8), "no JSON object"},
		{"header is a list", encode("[]", 0), "no JSON object"},
		{"header is not UTF-8", encode("{\"\xff\":1}", 0), "not UTF-8"},
		{"header cut", encode(good[:len(good)-1], 8), "EOF"},
		{"header goes on", encode(good+"{}", 8), "goes on"},
		{"data cut", encode(good, 7), "ends at byte 8; the file holds 7"},
		{"trailing garbage", encode(good, 9), "end at byte 8; the file holds 9"},
		{"data without tensors", encode("{}", 1), "end at byte 0; the file holds 1"},
		{"overlap", encode(two("[0,4]", "[3,7]"), 7), "inside its predecessor"},
		{"same place", encode(two("[0,4]", "[0,4]"), 4), "inside its predecessor"},
		{"hole", encode(two("[0,4]", "[5,9]"), 9), "leaves a hole"},
		{"hole in front", encode(one(`"U8"`, `[1]`, `[1,2]`), 2), "leaves a hole"},
		{"offsets reversed", encode(one(`"U8"`, `[0]`, `[4,0]`), 4), "leaves a hole"},
		{"offsets end before they begin", encode(`{"a":{"dtype":"U8","shape":[4],"data_offsets":[0,4]},"b":{"dtype":"U8","shape":[0],"data_offsets":[4,3]}}`, 4), "offsets are 4 to 3"},
		{"offsets differ from shape", encode(one(`"F32"`, `[2]`, `[0,4]`), 4), "F32 of shape [2] takes 8 bytes"},
		{"one offset", encode(one(`"U8"`, `[1]`, `[0]`), 1), "has 1 numbers"},
		{"negative offset", encode(one(`"U8"`, `[1]`, `[-1,0]`), 1), "want non-negative integers"},
		{"offset beyond 64 bits", encode(one(`"U8"`, `[1]`, `[0,18446744073709551616]`), 1), "want non-negative integers"},
		{"fraction", encode(one(`"U8"`, `[1.0]`, `[0,1]`), 1), "want non-negative integers"},
		{"exponent", encode(one(`"U8"`, `[1e0]`, `[0,1]`), 1), "want non-negative integers"},
		{"negative dimension", encode(one(`"U8"`, `[-1]`, `[0,1]`), 1), "want non-negative integers"},
		{"shape overflows", encode(one(`"U8"`, `[4294967296,4294967296]`, `[0,0]`), 0), "more bytes than"},
		{"shape overflows to a match", encode(one(`"F32"`, `[4611686018427387905]`, `[0,4]`), 4), "more bytes than"},
		{"shape is no list", encode(one(`"U8"`, `1`, `[0,1]`), 1), "want ["},
		{"many dimensions", encode(one(`"U8"`, "["+strings.Repeat("2,", 9999)+"2]", `[0,1]`), 1), "the first 16 of 10000 dimensions"},
		{"bad dtype", encode(one(`"F33"`, `[1]`, `[0,1]`), 1), `dtype "F33" is not one of BOOL`},
		{"dtype is no string", encode(one(`32`, `[1]`, `[0,1]`), 1), "want a string"},
		{"duplicate tensor", encode(good[:len(good)-1]+","+good[1:], 8), `key "a" twice`},
		{"duplicate by escape", encode(good[:len(good)-1]+","+strings.Replace(good[1:], `"a"`, `"\u0061"`, 1), 8), `key "a" twice`},
		{"duplicate field", encode(`{"a":{"dtype":"U8","dtype":"U8","shape":[]}}`, 1), `key "dtype" twice`},
		{"missing field", encode(`{"a":{"dtype":"U8","shape":[]}}`, 1), "lacks"},
		{"unknown field", encode(`{"a":{"type":"U8"}}`, 1), `unknown key "type"`},
		{"tensor is a number", encode(`{"a":1}`, 0), "want {"},
		{"metadata is a number", encode(`{"__metadata__":1}`, 0), "want {"},
		{"metadata holds a number", encode(`{"__metadata__":{"a":1}}`, 0), "want a string"},
		{"metadata twice", encode(`{"__metadata__":{},"__metadata__":{}}`, 0), "twice"},
		{"deep JSON", encode(`{"a":`+strings.Repeat("[", 1<<20), 0), "want {"},
		{"deep shape", encode(`{"a":{"shape":`+strings.Repeat("[", 1<<20), 0), "want non-negative integers"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "hostile.safetensors")
			if err := os.WriteFile(path, test.file, 0o644); err != nil {
				t.Fatal(err)
			}
			_, err := Open(path)
			var format *FormatError
			if !errors.As(err, &format) || format.Path != path {
				t.Fatalf("Open gave %v, want a FormatError of %s", err, path)
			}
			if !strings.Contains(err.Error(), test.want) {
				t.Errorf("Open gave %v, want %q in it", err, test.want)
			}
			if len(err.Error()) > 1000 {
				t.Errorf("the error has %d bytes, which nobody reads", len(err.Error()))
			}
		})
	}
}

// FuzzParse looks for a file that makes Parse crash, or that passes but cannot be written and read again as what it is.
func FuzzParse(f *testing.F) {
	reference, err := os.ReadFile("testdata/golden.safetensors")
	if err != nil {
		f.Fatal(err)
	}
	f.Add(reference)
	f.Add(encode("{}", 0))
	f.Add(encode(`{"__metadata__":{"a":"b"}}  `, 0))
	f.Add(encode(`{"a":{"dtype":"F16","shape":[1,0,2],"data_offsets":[0,0]},"b":{"dtype":"I32","shape":[],"data_offsets":[0,4]}}`, 4))
	f.Add(encode(`{"a":{"dtype":"U8","shape":[4],"data_offsets":[3,7]},"b":{"dtype":"U8","shape":[4],"data_offsets":[0,4]}}`, 7))
	f.Add(encode(`{"a":{"dtype":"F32","shape":[4611686018427387905],"data_offsets":[0,4]}}`, 4))
	f.Add(encode(`{"\ud800":{"dtype":"U8","shape":[1],"data_offsets":[0,1]},"\udc00":{"dtype":"U8","shape":[1],"data_offsets":[1,2]}}`, 2))
	f.Fuzz(func(t *testing.T, file []byte) {
		parsed, err := Parse(file)
		if err != nil {
			return
		}
		tensors := tensorsOf(parsed)
		for _, tensor := range tensors {
			if _, err := tensor.Float32s(); err != nil && strings.Contains(err.Error(), "takes") {
				t.Error(err)
			}
		}
		var first, second bytes.Buffer
		if err := Write(&first, tensors, parsed.Metadata()); err != nil {
			t.Fatalf("what was read cannot be written: %v", err)
		}
		again, err := Parse(first.Bytes())
		if err != nil {
			t.Fatalf("what was written cannot be read: %v", err)
		}
		if err := Write(&second, tensorsOf(again), again.Metadata()); err != nil || !bytes.Equal(first.Bytes(), second.Bytes()) {
			t.Fatalf("written twice, %q and %q (%v)", first.Bytes(), second.Bytes(), err)
		}
	})
}

// Some writers put null where there are no metadata.
func TestNullMetadata(t *testing.T) {
	metadata, entries, err := parseHeader([]byte(`{"__metadata__":null,"a":{"dtype":"U8","shape":[1],"data_offsets":[0,1]}}`), 1)
	if err != nil || len(metadata) != 0 || len(entries) != 1 {
		t.Errorf("%v, %v, %v, want one tensor", metadata, entries, err)
	}
	for _, bad := range []string{"1", `"a"`, "[]", "true"} {
		if _, _, err := parseHeader([]byte(`{"__metadata__":`+bad+`}`), 0); err == nil {
			t.Errorf("metadata %s pass", bad)
		}
	}
}
