//go:build unix

package disk

import "os"

// SyncDir makes a rename within a folder outlast a power cut.
func SyncDir(dir string) error {
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	defer d.Close()
	return d.Sync()
}
