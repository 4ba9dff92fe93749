//go:build !unix

package safetensors

// mapFile reads the file: this system has no mapping that golang.org/x/sys/unix knows.
func mapFile(path string) (data []byte, release func() error, err error) { return readFile(path) }

// syncDir does nothing: folders cannot be flushed on this system.
func syncDir(string) error { return nil }
