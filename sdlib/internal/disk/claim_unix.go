//go:build unix

package disk

import (
	"os"

	"golang.org/x/sys/unix"
)

// claims reports whether this system has claims, so that what nobody claims is left over.
const claims = true

// claim locks a file or folder aside, as whoever writes it does: the kernel gives the lock up when the process ends, however that
// ends. ok is false where another process holds it, or has removed it meanwhile.
func claim(aside string) (release func(), ok bool) {
	file, err := os.Open(aside)
	if err != nil {
		return nil, false
	}
	if err := unix.Flock(int(file.Fd()), unix.LOCK_EX|unix.LOCK_NB); err == unix.EWOULDBLOCK {
		file.Close()
		return nil, false
	}
	locked, err := file.Stat()
	there, now := os.Stat(aside)
	if err != nil || now != nil || !os.SameFile(locked, there) {
		file.Close()
		return nil, false
	}
	return func() { file.Close() }, true
}
