package artifact

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"unicode"
)

// An ID names an artifact, or any other input of one: 64 lower-case hexadecimal digits, a SHA-256.
type ID string

// Short returns the first twelve digits, for messages.
func (id ID) Short() string { return string(id[:min(12, len(id))]) }

func (id ID) valid() bool { return len(id) == 64 && isHex(string(id)) }

func isHex(s string) bool { return strings.Trim(s, "0123456789abcdef") == "" }

// A Key is everything that an artifact's content depends on.
type Key struct {
	Step    string // what computes it: "train"
	Version int    // of the step's code: raise it when the same parameters would give another result
	Params  any    // anything that encodes as JSON; see ID
	Inputs  []ID   // artifacts and files (HashFile) it reads, in an order that the step fixes
}

// ID returns the key's hash: the SHA-256 of its canonical JSON.
//
// In canonical JSON the members of objects are sorted by name, so neither the order of struct fields nor that of maps matters, and
// a struct is equal to a map with the same members. Renaming a field changes the key; so does adding one, unless it is tagged
// omitempty or omitzero and has its zero value, which is the way to add an option without losing results. Numbers count as Go
// prints them: 1 and 1.0 are the same. Fields that JSON leaves out (unexported, or tagged "-") are not part of the key.
//
// NaN, infinities, functions and channels have no JSON and are an error.
func (k Key) ID() (ID, error) {
	text, err := k.canonical()
	if err != nil {
		return "", err
	}
	return sum(text), nil
}

// canonical returns {"inputs":[...],"params":...,"step":"...","version":n} without spaces.
func (k Key) canonical() ([]byte, error) {
	if k.Step == "" || strings.ContainsFunc(k.Step, unicode.IsControl) {
		return nil, fmt.Errorf("artifact: step %q: a key needs the name of a step, without control characters", k.Step)
	}
	for i, input := range k.Inputs {
		if !input.valid() {
			return nil, fmt.Errorf("artifact: step %s: input %d is %q, want 64 hexadecimal digits: use the ID of an artifact, or HashFile",
				k.Step, i, input)
		}
	}
	params, err := canonicalJSON(k.Params)
	if err != nil {
		return nil, fmt.Errorf("artifact: step %s: its parameters %w", k.Step, err)
	}
	return json.Marshal(map[string]any{ // Marshal sorts the keys of maps
		"step": k.Step, "version": k.Version, "params": json.RawMessage(params), "inputs": append([]ID{}, k.Inputs...),
	})
}

// canonicalJSON encodes a value with all objects' members sorted by name.
func canonicalJSON(v any) ([]byte, error) {
	text, err := json.Marshal(v)
	var unsupported *json.UnsupportedValueError
	var noType *json.UnsupportedTypeError
	switch {
	case errors.As(err, &unsupported):
		return nil, fmt.Errorf("hold %s, which JSON cannot express: use finite numbers, and a flag or a pointer for \"none\"", unsupported.Str)
	case errors.As(err, &noType):
		return nil, fmt.Errorf("hold a %s, which is no data: keep it out of the parameters, or tag its field `json:\"-\"`", noType.Type)
	case err != nil:
		return nil, fmt.Errorf("do not encode as JSON: %w", err)
	}
	decoder := json.NewDecoder(bytes.NewReader(text))
	decoder.UseNumber() // float64 would round large integers
	var generic any
	if err := decoder.Decode(&generic); err != nil {
		return nil, fmt.Errorf("do not read back from JSON: %w", err)
	}
	return json.Marshal(generic)
}

func sum(data []byte) ID {
	h := sha256.Sum256(data)
	return ID(hex.EncodeToString(h[:]))
}
