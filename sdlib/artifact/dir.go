package artifact

import (
	"fmt"
	"os"
	"path/filepath"

	"samediff/sdlib/internal/repo"
)

// DefaultDir returns the folder of the store that Open("") opens: $SD_STORE where it is set; else .sd in the repository, which is
// $SD_ROOT or the nearest folder with this module's go.mod, from the working folder or the program's upwards; else samediff in the user's cache.
func DefaultDir() (string, error) {
	if dir := os.Getenv("SD_STORE"); dir != "" {
		return filepath.Abs(dir)
	}
	if root, ok := repo.Root(); ok {
		if info, err := os.Stat(root); err != nil || !info.IsDir() {
			return "", fmt.Errorf("artifact: SD_ROOT is %s, which is no folder: set it to the repository's folder, or unset it", root)
		}
		return filepath.Abs(filepath.Join(root, ".sd"))
	}
	cache, err := os.UserCacheDir()
	if err != nil {
		return "", fmt.Errorf("artifact: no place for the store: %w: set SD_STORE to a folder", err)
	}
	return filepath.Join(cache, "samediff"), nil
}
