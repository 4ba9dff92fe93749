package torchfile

import (
	"archive/zip"
	"bytes"
	"errors"
	"math"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"
)

// entry is one of an archive's, in the way of tests that need to lie.
type entry struct {
	name, content string
	method        uint16
}

func archiveOf(t testing.TB, entries ...entry) []byte {
	t.Helper()
	var b bytes.Buffer
	w := zip.NewWriter(&b)
	for _, e := range entries {
		f, err := w.CreateHeader(&zip.FileHeader{Name: e.name, Method: e.method})
		if err != nil {
			t.Fatal(err)
		}
		f.Write([]byte(e.content))
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// archiveWith returns a file with a pickle and one storage "0" of 8 floats.
func archiveWith(t testing.TB, pickle string) []byte {
	return archiveOf(t, entry{name: "archive/data.pkl", content: pickle}, entry{name: "archive/data/0", content: strings.Repeat("\x00", 32)})
}

// pickled returns the pickle {"w": tensor}, the tensor being a view of the storage "0" of a length.
func pickled(length, offset int, shape, strides []int) string {
	var p pickler
	p = append(p, "\x80\x02}"...)
	p.text("w")
	p.global("torch._utils", "_rebuild_tensor_v2")
	p = append(p, "(("...)
	p.text("storage")
	p.global("torch", "FloatStorage")
	p.text("0")
	p.text("cpu")
	p.int(length)
	p = append(p, "tQ"...)
	p.int(offset)
	p.ints(shape)
	p.ints(strides)
	p = append(p, 0x89)
	p.orderedDict()
	return string(append(p, "tRs."...))
}

const far = math.MaxInt/2 + 1

// legacyOf returns a file of the old format: the checkpoint's pickle, the keys' and what follows.
func legacyOf(checkpoint, keys, rest string) []byte {
	head := "\x80\x02\x8a\x0a" + string(legacyMagic) + ".\x80\x02M\xe9\x03.\x80\x02}X\x0d\x00\x00\x00little_endian\x88s."
	return []byte(head + checkpoint + keys + rest)
}

func TestHostileFiles(t *testing.T) {
	good := pickled(8, 0, []int{2, 4}, []int{4, 1})
	if _, err := Parse(archiveWith(t, good)); err != nil {
		t.Fatalf("the well-formed archive is refused: %v", err)
	}
	const keys = "\x80\x02]X\x01\x00\x00\x000a."
	eight := "\x08\x00\x00\x00\x00\x00\x00\x00" + strings.Repeat("\x00", 32)
	if _, err := Parse(legacyOf(good, keys, eight)); err != nil {
		t.Fatalf("the well-formed old file is refused: %v", err)
	}
	goodEntry := entry{name: "archive/data.pkl", content: good}
	data := entry{name: "archive/data/0", content: strings.Repeat("\x00", 32)}
	whole := archiveOf(t, goodEntry, data)
	text := func(pickle string) []byte { return archiveWith(t, "\x80\x02"+pickle) }
	odict := "ccollections\nOrderedDict\n"
	tests := []struct {
		name string
		file []byte
		want string // part of the error
	}{
		{"empty", nil, "it is empty"},
		{"text", []byte("hello"), "neither like a zip archive nor like a pickle"},
		{"pointer of Git LFS", []byte("version https://git-lfs.github.com/spec/v1\n"), "git lfs pull"},
		{"tar", []byte(strings.Repeat("\x00", 257) + "ustar\x0000"), "tar archive"},
		{"truncated archive", whole[:len(whole)-30], "it is incomplete"},
		{"archive cut to its first bytes", whole[:4], "it is incomplete"},
		{"no pickle", archiveOf(t, data), "without a data.pkl"},
		{"two pickles", archiveOf(t, goodEntry, entry{name: "other/data.pkl"}), "two pickles"},
		{"entry twice", archiveOf(t, goodEntry, data, data), "occurs twice"},
		{"compressed pickle", archiveOf(t, entry{goodEntry.name, good, zip.Deflate}, data), "it is compressed"},
		{"zip bomb", archiveOf(t, goodEntry, entry{data.name, strings.Repeat("\x00", 1<<20), zip.Deflate}), "it is compressed"},
		{"big-endian", archiveOf(t, goodEntry, data, entry{name: "archive/byteorder", content: "big"}), "big-endian machine"},
		{"TorchScript", archiveOf(t, goodEntry, data, entry{name: "archive/constants.pkl"}), "TorchScript"},
		{"empty pickle", archiveOf(t, entry{name: goodEntry.name}), "it ends in the middle"},
		{"storage missing", archiveOf(t, goodEntry), `its storage "0" is missing`},
		{"storage short", archiveOf(t, goodEntry, entry{name: data.name, content: "1234567890123456789012345678901"}), "has 31 bytes, want 8 elements of 4"},

		{"storage longer than its entry", archiveWith(t, pickled(9, 0, []int{9}, []int{1})), "has 32 bytes, want 9 elements"},
		{"storage beyond memory", archiveWith(t, pickled(far, 0, []int{2}, []int{1})), "has 32 bytes, want"},
		{"offset beyond storage", archiveWith(t, pickled(8, 8, []int{1}, []int{1})), "reaches to element 9; its storage has 8"},
		{"offset beyond memory", archiveWith(t, pickled(8, far, []int{far}, []int{1})), "beyond what this machine can address"},
		{"shape beyond storage", archiveWith(t, pickled(8, 0, []int{3, 3}, []int{3, 1})), "reaches to element 9"},
		{"shape overflows", archiveWith(t, pickled(8, 0, []int{far, far}, []int{0, 0})), "beyond what this machine can address"},
		{"strides overflow", archiveWith(t, pickled(8, 0, []int{5, 5}, []int{far, far})), "beyond what this machine can address"},
		{"stride beyond storage", archiveWith(t, pickled(8, 0, []int{2, 2}, []int{7, 1})), "reaches to element 9"},
		{"one element repeated", archiveWith(t, pickled(8, 0, []int{1 << 30}, []int{0})), "repeats a few elements"},
		{"strides for another shape", archiveWith(t, pickled(8, 0, []int{2}, nil)), "of shape [2] has strides []"},
		{"many dimensions", archiveWith(t, pickled(8, 0, slices.Repeat([]int{1}, 65), slices.Repeat([]int{1}, 65))), "has 65 dimensions, want at most 64"},
		{"negative length", archiveWith(t, strings.Replace(good, "K\x08t", "J\xff\xff\xff\xfft", 1)), "its type, its key and its length"},
		{"negative offset", archiveWith(t, strings.Replace(good, "QK\x00", "QJ\xff\xff\xff\xff", 1)), "want a storage and an offset"},
		{"conjugate view", archiveWith(t, strings.Replace(good, "tRs.", "}X\x04\x00\x00\x00conj\x88stRs.", 1)), "resolve_conj"},

		{"no state dict", text("K\x01."), "it holds an integer, want a state dict"},
		{"list", text("]."), "it holds a list"},
		{"unknown opcode", text("i"), "opcode 0x69"},
		{"protocol 9", archiveWith(t, "\x80\x09}."), "protocol 9"},
		{"cut in an opcode", text("X\x05\x00\x00\x00ab"), "5 bytes are wanted, 2 are left"},
		{"string beyond memory", text("X\xff\xff\xff\xff"), "4294967295 bytes are wanted"},
		{"string not UTF-8", text("X\x01\x00\x00\x00\xff."), "not UTF-8"},
		{"no STOP", text("}"), "it ends in the middle"},
		{"empty stack", text("."), "its stack is empty"},
		{"pops below a mark", text("}(s."), "its stack is empty"},
		{"stores below a mark", text("}(q\x00."), "its stack is empty"},
		{"no mark", text("t."), "no mark"},
		{"memo never stored", text("h\x07."), "recalls value 7"},
		{"appends to a dict", text("}K\x01a."), "appends to a dict"},
		{"sets items of a list", text("]K\x01K\x01s."), "sets items of a list"},
		{"key without a value", text("}(K\x01u."), "key without a value"},
		{"calls a string", text("X\x01\x00\x00\x00f)R."), "calls a string with a tuple"},
		{"calls a storage type", text("ctorch\nFloatStorage\n)R."), "calls a type with a tuple"},
		{"calls with a list", text(odict + "]R."), "calls a function with a list"},
		{"attributes of a list", text("]}b."), "sets attributes of a list"},
		{"global named by numbers", text("K\x01K\x01\x93."), "named by an integer and an integer"},
		{"global without a name", text("ctorch\n\n."), "asks Python for torch.,"},
		{"global cut", text("ctorch\nFloat"), "the name of a global is cut"},
		{"long global", text("c" + strings.Repeat("a", 1000) + "\nb\n."), "more than 256 bytes"},
		{"long global from the stack", text("X\x10\x27\x00\x00" + strings.Repeat("a", 10000) + "X\x01\x00\x00\x00b\x93."), "asks Python for aaa"},
		{"whole module", text("(X\x06\x00\x00\x00modulectorch\nSize\ntQ."), "the file holds a whole model"},
		{"OrderedDict of a number", text(odict + "K\x01\x85R."), "OrderedDict is made of an integer"},
		{"OrderedDict of numbers", text(odict + "]K\x01a\x85R."), "OrderedDict is made of a list with an integer"},
		{"OrderedDict of two", text(odict + "K\x01K\x01\x86R."), "2 arguments, want 0 to 1"},
		{"parameter of a number", text("ctorch._utils\n_rebuild_parameter\nK\x01\x89N\x87R."), "is made of an integer, want a tensor"},
		{"size of a string", text("ctorch\nSize\nX\x01\x00\x00\x00a\x85R."), "torch.Size is a string"},
		{"too many values", text(strings.Repeat("N", maxValues+1)), "more than 1048576 values"},
		{"too many marks", text(strings.Repeat("(", maxValues+1)), "more than 1048576 values"},
		{"a long list copied again and again", text(odict + "](" + strings.Repeat("NN\x86", 100_000) + "eq\x00\x85R" + strings.Repeat(odict+"h\x00\x85R", 100)), "more than 1048576 values"},

		{"contains itself", text("}q\x00X\x05\x00\x00\x00modelh\x00s."), "lies too deep"},
		{"two models", text("}(X\x05\x00\x00\x00model}X\x0a\x00\x00\x00state_dict}u."), "which part of it is the state dict"},
		{"no known key", text("}X\x07\x00\x00\x00student}s."), `its keys are "student"`},
		{"tensor twice", archiveWith(t, good[:len(good)-1]+good[3:]), `the tensor "w" twice`},
		{"tensor named by a number", archiveWith(t, strings.Replace(good, "X\x01\x00\x00\x00w", "K\x07", 1)), "named by an integer"},
		{"dict among tensors", archiveWith(t, good[:len(good)-1]+"X\x01\x00\x00\x00d}s."), "has a dict among the tensors"},

		{"old: other pickle", []byte("\x80\x02}."), "torch.save did not write"},
		{"old: other protocol", []byte(strings.Replace(string(legacyOf(good, keys, eight)), "M\xe9\x03", "M\xea\x03", 1)), "protocol is 1002"},
		{"old: big-endian", []byte(strings.Replace(string(legacyOf(good, keys, eight)), "endian\x88", "endian\x89", 1)), "big-endian machine"},
		{"old: properties are a list", []byte(strings.Replace(string(legacyOf(good, keys, eight)), "}X\x0d\x00\x00\x00little_endian\x88s", "]", 1)), "its machine are a list"},
		{"old: cut before the keys", legacyOf(good, "", ""), "it ends in the middle"},
		{"old: keys are a dict", legacyOf(good, "\x80\x02}.", eight), "the list of its storages is a dict"},
		{"old: key unknown", legacyOf(good, strings.Replace(keys, "0a", "1a", 1), eight), "to which its checkpoint does not refer"},
		{"old: key missing", legacyOf(good, "\x80\x02].", eight), `its storage "0" is missing`},
		{"old: cut before a length", legacyOf(good, keys, eight[:7]), `ends before its storage "0"`},
		{"old: cut in a storage", legacyOf(good, keys, eight[:39]), "claims 8 elements of 4 bytes; 31 bytes are left"},
		{"old: length beyond memory", legacyOf(good, keys, strings.Repeat("\xff", 40)), "claims 18446744073709551615 elements"},
		{"old: two element types", legacyOf(good[:len(good)-1]+strings.Replace(good[3:], "FloatStorage", "HalfStorage", 1), keys, eight),
			"elements of 4 and of 2 bytes"},
		{"old: view beyond its storage", legacyOf(strings.Replace(good, "K\x08t", "K\x08X\x01\x00\x00\x00vK\x04K\x05\x87t", 1), keys, eight), "view of a storage of 8 elements is 4 to 5"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "hostile.pt")
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
			if len(err.Error()) > 1500 {
				t.Errorf("the error has %d bytes, which nobody reads", len(err.Error()))
			}
		})
	}
}

// Storages of very old files are views of others: 4 elements from the third on.
func TestOldViews(t *testing.T) {
	pickle := strings.Replace(pickled(8, 1, []int{3}, []int{1}), "K\x08t", "K\x08X\x01\x00\x00\x00vK\x02K\x04\x87t", 1)
	content := make([]byte, 32)
	for i := range content {
		content[i] = byte(i)
	}
	f, err := Parse(legacyOf(pickle, "\x80\x02]X\x01\x00\x00\x000a.", "\x08\x00\x00\x00\x00\x00\x00\x00"+string(content)))
	if err != nil {
		t.Fatal(err)
	}
	if w, _ := f.Tensor("w"); !bytes.Equal(w.Data, content[3*4:6*4]) {
		t.Errorf("the view holds %v, want %v", w.Data, content[3*4:6*4])
	}
}

// What a pickle makes is bounded, whatever it says: pairs of pairs of pairs with 2^40 leaves, and as many dicts and lists as fit.
func TestMemoryIsBounded(t *testing.T) {
	for name, pickle := range map[string]string{
		"pairs": "\x80\x02N" + strings.Repeat("q\x00h\x00\x86", 40) + ".",
		"dicts": "\x80\x02" + strings.Repeat("}", 2<<20),
		"lists": "\x80\x02]" + strings.Repeat("]q\x00a", 1<<20),
	} {
		file := archiveWith(t, pickle)
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		if _, err := Parse(file); err == nil {
			t.Errorf("%s: a hostile pickle was read", name)
		}
		runtime.ReadMemStats(&after)
		if used := after.TotalAlloc - before.TotalAlloc; used > 200<<20 {
			t.Errorf("%s: %d MB were allocated", name, used>>20)
		}
	}
}
