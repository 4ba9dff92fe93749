package das

import (
	"fmt"

	"samediff/sdlib/internal/disk"
	"samediff/sdlib/internal/jsontext"
)

// ParseRecipe reads a recipe from JSON. A field that a recipe does not have is an error, so that a misspelled one is not taken for 0.
func ParseRecipe(text []byte) (Recipe, error) {
	var r Recipe
	if err := jsontext.UnmarshalStrict(jsontext.WholeNumbers(text), &r); err != nil {
		return Recipe{}, fmt.Errorf("das: read a recipe: %w", err)
	}
	return r, nil
}

// ReadRecipe reads a recipe from a file of JSON.
func ReadRecipe(path string) (Recipe, error) {
	text, err := disk.ReadText(path)
	if err != nil {
		return Recipe{}, fmt.Errorf("das: %w", err)
	}
	r, err := ParseRecipe(text)
	if err != nil {
		return Recipe{}, fmt.Errorf("%s: %w", path, err)
	}
	return r, nil
}
