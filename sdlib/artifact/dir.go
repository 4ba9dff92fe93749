package artifact

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
)

// DefaultDir returns the folder of the store that Open("") opens: $SD_STORE where it is set; else .sd in the repository, which is
// $SD_ROOT or the nearest folder, from the working folder upwards, with this module's go.mod; else samediff in the user's cache.
func DefaultDir() (string, error) {
	if dir := os.Getenv("SD_STORE"); dir != "" {
		return filepath.Abs(dir)
	}
	if root := os.Getenv("SD_ROOT"); root != "" {
		if info, err := os.Stat(root); err != nil || !info.IsDir() {
			return "", fmt.Errorf("artifact: SD_ROOT is %s, which is no folder: set it to the repository's folder, or unset it", root)
		}
		return filepath.Abs(filepath.Join(root, ".sd"))
	}
	if wd, err := os.Getwd(); err == nil {
		for dir := wd; ; dir = filepath.Dir(dir) {
			if isRepository(dir) {
				return filepath.Join(dir, ".sd"), nil
			}
			if dir == filepath.Dir(dir) {
				break
			}
		}
	}
	cache, err := os.UserCacheDir()
	if err != nil {
		return "", fmt.Errorf("artifact: no place for the store: %w: set SD_STORE to a folder", err)
	}
	return filepath.Join(cache, "samediff"), nil
}

// isRepository reports whether a folder's go.mod is this module's.
func isRepository(dir string) bool {
	text, err := os.ReadFile(filepath.Join(dir, "go.mod"))
	if err != nil {
		return false
	}
	for line := range strings.Lines(string(text)) {
		if fields := strings.Fields(line); len(fields) >= 2 && fields[0] == "module" {
			return fields[1] == modulePath
		}
	}
	return false
}
