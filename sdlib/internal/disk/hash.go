package disk

import (
	"crypto/sha256"
	"encoding/hex"
	"io"
)

// Hash returns the SHA-256 of a regular file, in hexadecimal.
func Hash(path string) (string, error) {
	file, err := OpenRegular(path)
	if err != nil {
		return "", err
	}
	defer file.Close()
	h := sha256.New()
	if _, err := io.Copy(h, file); err != nil {
		return "", err
	}
	return hex.EncodeToString(h.Sum(nil)), nil
}
