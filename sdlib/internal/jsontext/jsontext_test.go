package jsontext

import (
	"testing"
)

type config struct {
	Size  Whole   `json:"size"`
	Name  string  `json:"name"`
	Scale float64 `json:"scale"`
	List  []int   `json:"list"`
	Deep  struct {
		On bool `json:"on"`
	} `json:"deep"`
}

func TestSpellings(t *testing.T) {
	for text, want := range map[string]Whole{`{"size": 64}`: 64, `{"size": 64.0}`: 64, `{"size": [64, 64.0]}`: 64, `{"size": 6.4e1}`: 64, `{"size": null}`: 0, "\xef\xbb\xbf{}": 0} {
		var c config
		if err := Unmarshal([]byte(text), &c); err != nil || c.Size != want {
			t.Errorf("%s: %d, %v, want %d", text, c.Size, err, want)
		}
	}
}

// Errors name the field and what it should hold.
func TestErrors(t *testing.T) {
	for text, want := range map[string]string{
		`{"size": "x"}`:          "size is text, expected a whole number",
		`{"size": 1.5}`:          "size is 1.5, expected a whole number",
		`{"size": [1, 2]}`:       "size is [1, 2], expected a whole number",
		`{"size": {}}`:           "size is an object, expected a whole number",
		`{"size": true}`:         "size is true or false, expected a whole number",
		`{"size": 1e300}`:        "size is 1e300, expected a whole number",
		`{"name": 1}`:            "name is a number, expected text",
		`{"scale": "1"}`:         "scale is text, expected a number",
		`{"list": {}}`:           "list is an object, expected a list",
		`{"deep": {"on": "no"}}`: "on is text, expected true or false",
		`[]`:                     "the value is a list, expected an object in braces",
		"{\n\"size\" 1}":         "line 2: invalid character '1' after object key",
	} {
		var c config
		if err := Unmarshal([]byte(text), &c); err == nil || err.Error() != want {
			t.Errorf("%s: error %v, want %s", text, err, want)
		}
	}
	var c config
	for _, text := range []string{`{"other": 1}`, `{} {}`, `{}]`} {
		if err := UnmarshalStrict([]byte(text), &c); err == nil {
			t.Errorf("%s was read", text)
		}
	}
	if err := UnmarshalStrict([]byte(" {\"size\": 3.0}\n"), &c); err != nil || c.Size != 3 {
		t.Errorf("size %d, %v", c.Size, err)
	}
}
