package disk

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
)

// ReplaceTable is [Replace] for a CSV file. A file that begins with another line than the new table, its columns, is somebody else's or
// another table: that is an error, and it stays.
func ReplaceTable(path string, write func(io.Writer) error) error {
	var table bytes.Buffer
	if err := write(&table); err != nil {
		return err
	}
	old, err := ReadText(path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
	case err != nil:
		return err
	case len(bytes.TrimSpace(old)) > 0 && !bytes.Equal(firstLine(old), firstLine(table.Bytes())):
		const most = 100
		there := firstLine(old)
		return fmt.Errorf("%s holds something else: it begins with %q, and not with the columns %s; choose another name, or remove it", path, there[:min(len(there), most)], firstLine(table.Bytes()))
	}
	return Replace(path, func(w io.Writer) error {
		_, err := w.Write(table.Bytes())
		return err
	})
}

func firstLine(text []byte) []byte {
	line, _, _ := bytes.Cut(text, []byte("\n"))
	return bytes.TrimSuffix(line, []byte("\r"))
}
