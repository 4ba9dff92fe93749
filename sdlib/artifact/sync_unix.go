//go:build unix

package artifact

import "os"

// syncFile flushes a file, which may be open for reading only, to the disk.
func syncFile(file *os.File) error { return file.Sync() }

// syncDir makes the names within a folder outlast a power cut.
func syncDir(dir string) error {
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	defer d.Close()
	return d.Sync()
}
