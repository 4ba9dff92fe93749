//go:build unix

package safetensors

import (
	"fmt"
	"os"

	"golang.org/x/sys/unix"
)

// mapFile returns a file's bytes, mapped read-only, and a function that unmaps them.
func mapFile(path string) (data []byte, release func() error, err error) {
	file, err := os.Open(path)
	if err != nil {
		return nil, nil, err
	}
	defer file.Close()
	info, err := file.Stat()
	if err != nil {
		return nil, nil, err
	}
	switch size := info.Size(); {
	case !info.Mode().IsRegular():
		return nil, nil, fmt.Errorf("%s is no regular file", path)
	case size == 0: // cannot be mapped
		return readFile(path)
	case uint64(size) > maxInt:
		return nil, nil, fmt.Errorf("%s has %d bytes, more than this machine can address", path, size)
	}
	data, err = unix.Mmap(int(file.Fd()), 0, int(info.Size()), unix.PROT_READ, unix.MAP_SHARED)
	if err != nil {
		return readFile(path) // some network and container file systems cannot map
	}
	return data, func() error { return unix.Munmap(data) }, nil
}

// syncDir makes a rename within a folder outlast a power cut.
func syncDir(dir string) error {
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	defer d.Close()
	return d.Sync()
}
