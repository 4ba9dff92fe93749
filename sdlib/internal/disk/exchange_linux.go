package disk

import "golang.org/x/sys/unix"

// exchange swaps two paths in one step, and reports whether it did: file systems that cannot, and a path that is not there, are why not.
func exchange(a, b string) bool {
	return unix.Renameat2(unix.AT_FDCWD, a, unix.AT_FDCWD, b, unix.RENAME_EXCHANGE) == nil
}
