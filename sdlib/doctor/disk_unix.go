//go:build linux || darwin

package doctor

import (
	"fmt"

	"golang.org/x/sys/unix"
)

// freeSpace returns the bytes that an ordinary user may still write on the disk of a folder.
func freeSpace(dir string) (uint64, error) {
	var s unix.Statfs_t
	if err := unix.Statfs(dir, &s); err != nil {
		return 0, fmt.Errorf("free disk at %s: %w", dir, err)
	}
	return s.Bavail * uint64(s.Bsize), nil
}
