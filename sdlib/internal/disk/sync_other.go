//go:build !unix

package disk

// SyncDir does nothing: folders cannot be flushed on this system.
func SyncDir(string) error { return nil }
