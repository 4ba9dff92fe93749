package disk

import (
	"bytes"
	"fmt"
	"io"
	"io/fs"
	"os"
)

// Small is a bound for files that people write: configurations, recipes, tables.
const Small = 16 << 20

// ReadFile returns a file's content, at most the given number of bytes. What is no regular file, such as a device without an end or a
// pipe that nobody fills, is an error before it is opened.
func ReadFile(path string, most int64) ([]byte, error) {
	file, err := OpenRegular(path)
	if err != nil {
		return nil, err
	}
	defer file.Close()
	return readAll(file, path, most)
}

func readAll(from io.Reader, name string, most int64) ([]byte, error) {
	data, err := io.ReadAll(io.LimitReader(from, most+1))
	if err != nil {
		return nil, err
	}
	if int64(len(data)) > most {
		return nil, fmt.Errorf("%s has more than %d bytes: it is another kind of file", name, most)
	}
	return data, nil
}

// OpenFS opens a regular file of files, as [OpenRegular] does one of the disk.
func OpenFS(files fs.FS, name string) (fs.File, error) {
	info, err := fs.Stat(files, name)
	if err != nil {
		return nil, err
	}
	if !info.Mode().IsRegular() {
		return nil, fmt.Errorf("%s is no regular file", name)
	}
	return files.Open(name)
}

// ReadFS is [ReadFile] for files that are in no folder, such as those of a zip archive.
func ReadFS(files fs.FS, name string, most int64) ([]byte, error) {
	file, err := OpenFS(files, name)
	if err != nil {
		return nil, err
	}
	defer file.Close()
	return readAll(file, name, most)
}

// ReadText is [ReadFile] for text that people write: without the byte order mark that some editors put in front.
func ReadText(path string) ([]byte, error) {
	data, err := ReadFile(path, Small)
	return bytes.TrimPrefix(data, []byte("\xef\xbb\xbf")), err
}

// OpenRegular opens a regular file. Anything else is an error and is not opened: opening a pipe waits until somebody writes to it.
func OpenRegular(path string) (*os.File, error) {
	info, err := os.Stat(path)
	if err != nil {
		return nil, err
	}
	if !info.Mode().IsRegular() {
		return nil, fmt.Errorf("%s is no regular file", path)
	}
	return os.Open(path)
}
