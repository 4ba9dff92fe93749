//go:build !unix

package disk

// Map reads the file: this system has no mapping that golang.org/x/sys/unix knows.
func Map(path string) (data []byte, release func() error, err error) { return read(path) }
