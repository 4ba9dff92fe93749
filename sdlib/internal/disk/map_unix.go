//go:build unix

package disk

import (
	"fmt"

	"golang.org/x/sys/unix"
)

// Map returns a file's bytes, mapped read-only, and a function that unmaps them. Opening a file of gigabytes costs microseconds;
// pages are read when touched. Writing to data crashes the program.
func Map(path string) (data []byte, release func() error, err error) {
	file, err := OpenRegular(path)
	if err != nil {
		return nil, nil, err
	}
	defer file.Close()
	info, err := file.Stat()
	if err != nil {
		return nil, nil, err
	}
	switch size := info.Size(); {
	case size == 0: // cannot be mapped
		return read(path)
	case uint64(size) > maxInt:
		return nil, nil, fmt.Errorf("%s has %d bytes, more than this machine can address", path, size)
	}
	data, err = unix.Mmap(int(file.Fd()), 0, int(info.Size()), unix.PROT_READ, unix.MAP_SHARED)
	if err != nil {
		return read(path) // some network and container file systems cannot map
	}
	return data, func() error { return unix.Munmap(data) }, nil
}
