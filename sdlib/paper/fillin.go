package paper

import (
	"bytes"
	"fmt"
	"io"
	"slices"
	"strings"

	"samediff/sdlib/internal/disk"
)

// FillIn replaces what stands between two lines of a file, and leaves the rest as it is. The file is written aside and renamed.
func FillIn(path, start, end, text string) error {
	old, err := disk.ReadFile(path, disk.Small)
	if err != nil {
		return err
	}
	before, rest, ok := bytes.Cut(old, []byte(start))
	_, after, closed := bytes.Cut(rest, []byte(end))
	if !ok || !closed {
		return fmt.Errorf("%s has no place for the table: expected a line %s and one %s", path, strings.TrimSpace(start), strings.TrimSpace(end))
	}
	return disk.Replace(path, func(w io.Writer) error {
		_, err := w.Write(slices.Concat(before, []byte(start+text+end), after))
		return err
	})
}
