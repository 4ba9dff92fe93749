package shards

import (
	"encoding/json"
	"io/fs"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
)

func TestIndex(t *testing.T) {
	path := filepath.Join(t.TempDir(), "index.json")
	text := `{"metadata":{"total_size":24},"weight_map":{"c":"b.bin","a":"b.bin","b":"sub/a.bin"}}`
	if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
	index, err := ReadIndex(path)
	if err != nil {
		t.Fatal(err)
	}
	if got, want := index.Files(), []string{"b.bin", "sub/a.bin"}; !reflect.DeepEqual(got, want) {
		t.Errorf("files %v, want %v", got, want)
	}
}

func TestHostileIndex(t *testing.T) {
	files := func(name string) string {
		quoted, _ := json.Marshal(name)
		return `{"weight_map":{"a":` + string(quoted) + `}}`
	}
	tests := map[string]struct{ text, want string }{
		"empty":             {"", "unexpected end"},
		"no JSON":           {"safetensors", "invalid character"},
		"list":              {"[]", "cannot unmarshal array"},
		"goes on":           {files("a.bin") + "{}", "after top-level value"},
		"no map":            {"{}", `no "weight_map"`},
		"map is null":       {`{"weight_map":null}`, "no JSON object"},
		"map is a list":     {`{"weight_map":[]}`, "no JSON object"},
		"map is empty":      {`{"weight_map":{}}`, "is empty"},
		"file is a number":  {`{"weight_map":{"a":1}}`, `gives "a" no file name`},
		"file is an object": {`{"weight_map":{"a":{"b":"c"}}}`, `gives "a" no file name`},
		"tensor twice":      {`{"weight_map":{"a":"x","\u0061":"y"}}`, `has "a" twice`},
		"parent":            {files("../secret"), "want one in the folder"},
		"hidden parent":     {files("a/../../secret"), "want one in the folder"},
		"absolute":          {files("/etc/passwd"), "want one in the folder"},
		"empty file":        {files(""), "want one in the folder"},
		"the folder":        {files("."), "want one in the folder"},
		"backslash":         {files(`..\secret`), "want one in the folder"},
		"drive":             {files(`C:secret`), "want one in the folder"},
		"deep":              {strings.Repeat(`{"a":`, 1<<20), "exceeded max depth"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "index.json")
			if err := os.WriteFile(path, []byte(test.text), 0o644); err != nil {
				t.Fatal(err)
			}
			_, err := ReadIndex(path)
			if err == nil || !strings.Contains(err.Error(), test.want) || !strings.Contains(err.Error(), path) {
				t.Errorf("ReadIndex gave %v, want %q and the path", err, test.want)
			}
		})
	}
}

// FuzzIndex looks for an index that crashes the parser or passes with a path that leaves its folder.
func FuzzIndex(f *testing.F) {
	f.Add([]byte(`{"metadata":{"total_size":24},"weight_map":{"c":"b.bin","a":"b.bin"}}`))
	f.Add([]byte(`{"weight_map":{"a":"../b"},"Weight_Map":{"a":"b"}}`))
	f.Fuzz(func(t *testing.T, text []byte) {
		files, err := parseIndex(text)
		for _, file := range files {
			if err == nil && (!filepath.IsLocal(file) || !fs.ValidPath(file)) {
				t.Errorf("the file %q passed", file)
			}
		}
	})
}
