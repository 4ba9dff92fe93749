//go:build !linux

package disk

// exchange reports that this system does not swap paths.
func exchange(string, string) bool { return false }
