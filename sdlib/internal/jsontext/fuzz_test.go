package jsontext

import (
	"encoding/json"
	"strings"
	"testing"
)

// What is wrong with a text is said in one line and without a type of Go; a whole number is one.
func FuzzUnmarshal(f *testing.F) {
	for _, text := range []string{`{"n": [64, 64.0], "x": 1e999}`, `{"n": "a"}`, `{"n": null}`, "\xef\xbb\xbf{\"n\": 64.0} x", `{"n": [1, 2]}`, `{"n": {}}`, `{"n": true}`, `[`, ``} {
		f.Add([]byte(text))
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		for _, read := range []func([]byte, any) error{Unmarshal, UnmarshalStrict} {
			var v struct {
				N Whole   `json:"n"`
				X float64 `json:"x"`
				S struct {
					T string `json:"t"`
				} `json:"s"`
			}
			if err := read(text, &v); err == nil {
				if _, err := json.Marshal(v); err != nil {
					t.Errorf("%q is read as %+v: %v", text, v, err)
				}
			} else if said := err.Error(); strings.Contains(said, "Go struct") || strings.Contains(said, "Go value") {
				t.Errorf("%q: %s", text, said)
			}
		}
	})
}
