package disk

import (
	"errors"
	"fmt"
	"os"

	"golang.org/x/sys/unix"
)

// Reserve gives an empty file its size, all zeros, and takes the space on the disk: a disk that is too full shows now, and not when
// hours of results have been written. File systems that cannot take space in advance only note the size.
func Reserve(file *os.File, size int64) error {
	if size == 0 {
		return nil
	}
	err := unix.EINTR
	for errors.Is(err, unix.EINTR) {
		err, _ = unix.Fallocate(int(file.Fd()), 0, 0, size).(unix.Errno)
	}
	switch {
	case err == 0:
		return nil
	case errors.Is(err, unix.EOPNOTSUPP), errors.Is(err, unix.ENOSYS):
		return file.Truncate(size)
	}
	return fmt.Errorf("no room for %d bytes: %w", size, err)
}
