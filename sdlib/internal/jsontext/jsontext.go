// Package jsontext reads JSON that people and other programs wrote, and says in their words what is wrong with it.
package jsontext

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"reflect"
	"strings"
)

// Unmarshal is json.Unmarshal with errors that name the field and what it should hold, not a type of Go, and the line of a slip of
// the keyboard. A byte order mark in front is passed over.
func Unmarshal(text []byte, to any) error {
	text = bytes.TrimPrefix(text, []byte("\xef\xbb\xbf"))
	return explain(text, json.Unmarshal(text, to))
}

// UnmarshalStrict is [Unmarshal] that refuses fields which to lacks, and anything behind the value.
func UnmarshalStrict(text []byte, to any) error {
	text = bytes.TrimPrefix(text, []byte("\xef\xbb\xbf"))
	d := json.NewDecoder(bytes.NewReader(text))
	d.DisallowUnknownFields()
	if err := d.Decode(to); err != nil {
		return explain(text, err)
	}
	if _, err := d.Token(); err != io.EOF {
		return errors.New("there is more behind the value: expected one object")
	}
	return nil
}

func explain(text []byte, err error) error {
	var mismatch *json.UnmarshalTypeError
	var syntax *json.SyntaxError
	switch {
	case errors.As(err, &mismatch):
		field := mismatch.Field[strings.LastIndexByte(mismatch.Field, '.')+1:]
		if field == "" {
			field = "the value"
		}
		return fmt.Errorf("%s is %s, expected %s", field, article(mismatch.Value), want(mismatch.Type))
	case errors.As(err, &syntax):
		at := min(max(int(syntax.Offset)-1, 0), len(text))
		return fmt.Errorf("line %d: %w", 1+bytes.Count(text[:at], []byte("\n")), err)
	}
	return err
}

// article puts a word in front of what encoding/json calls a value.
func article(value string) string {
	switch {
	case strings.HasPrefix(value, "number "):
		return strings.TrimPrefix(value, "number ")
	case value == "string":
		return "text"
	case value == "bool":
		return "true or false"
	case value == "array":
		return "a list"
	case value == "object":
		return "an object"
	}
	return "a " + value
}

func want(t reflect.Type) string {
	switch t.Kind() {
	case reflect.Int, reflect.Int64, reflect.Int32, reflect.Uint, reflect.Uint64, reflect.Uint32, reflect.Uint8:
		return "a whole number"
	case reflect.Float64, reflect.Float32:
		return "a number"
	case reflect.String:
		return "text"
	case reflect.Bool:
		return "true or false"
	case reflect.Slice, reflect.Array:
		return "a list"
	case reflect.Pointer:
		return want(t.Elem())
	}
	return "an object in braces"
}

// A Whole is a whole number, which may be written as 64, 64.0 or, as some programs write both sides of a square, [64, 64].
type Whole int

// UnmarshalJSON reads a whole number.
func (w *Whole) UnmarshalJSON(text []byte) error {
	var one float64
	if err := json.Unmarshal(text, &one); err != nil {
		var sides []float64
		if err := json.Unmarshal(text, &sides); err != nil || len(sides) != 2 || sides[0] != sides[1] {
			return &json.UnmarshalTypeError{Value: kind(text), Type: reflect.TypeFor[int]()}
		}
		one = sides[0]
	}
	if bytes.Equal(text, []byte("null")) {
		return nil // as encoding/json does
	}
	if one != math.Trunc(one) || math.Abs(one) > 1<<53 {
		return &json.UnmarshalTypeError{Value: "number " + string(text), Type: reflect.TypeFor[int]()}
	}
	*w = Whole(one)
	return nil
}

// kind names what a text of JSON is.
func kind(text []byte) string {
	switch {
	case bytes.HasPrefix(text, []byte(`"`)):
		return "string"
	case bytes.HasPrefix(text, []byte("[")):
		return "number " + string(text[:min(len(text), 40)])
	case bytes.HasPrefix(text, []byte("{")):
		return "object"
	}
	return "bool"
}
