package paper

import (
	"fmt"

	"samediff/sdlib/figure"
)

// checked returns a figure that can be drawn, or the error that it remembers.
func checked(f *figure.Figure) (*figure.Figure, error) {
	if err := f.Err(); err != nil {
		return nil, fmt.Errorf("paper: %w", err)
	}
	return f, nil
}
