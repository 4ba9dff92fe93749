// Package flips flips single bits of files, for tests of what notices them.
//
//	make flips       100 bits in each kind of file, other ones each time
package flips

import (
	"encoding/binary"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"testing"
	"time"
)

// seedEnv is the environment variable that says which bits are flipped: a number, or "new" for others each time.
const seedEnv = "SD_FLIPS"

// OrFewer returns how many bits to flip where each takes long: 100 in make flips, fewer in an ordinary test run.
func OrFewer(n int) int {
	if os.Getenv(seedEnv) != "" {
		return 100
	}
	return n
}

// Each flips n random bits, one at a time, each in a random one of the files, and calls try while it is flipped; which says what was
// flipped. The file is then as it was. A file that is listed twice is taken twice as often.
func Each(t *testing.T, n int, files []string, try func(which string)) {
	t.Helper()
	seed := uint64(1)
	switch text := os.Getenv(seedEnv); text {
	case "":
	case "new":
		seed = uint64(time.Now().UnixNano())
		t.Logf("%s=%d", seedEnv, seed)
	default:
		var err error
		if seed, err = strconv.ParseUint(text, 10, 64); err != nil {
			t.Fatalf("%s: %v", seedEnv, err)
		}
	}
	var key [32]byte
	binary.LittleEndian.PutUint64(key[:], seed)
	copy(key[8:], t.Name())
	rng := rand.New(rand.NewChaCha8(key))
	for range n {
		path := files[rng.IntN(len(files))]
		data, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		spoiled, bit := slices.Clone(data), rng.IntN(8*len(data))
		spoiled[bit/8] ^= 1 << (bit % 8)
		write(t, path, spoiled)
		try(fmt.Sprintf("bit %d of byte %d of %s, %q for %q", bit%8, bit/8, filepath.Base(path), spoiled[bit/8], data[bit/8]))
		write(t, path, data)
	}
}

// write replaces a file: what a process has mapped or linked stays as it is.
func write(t *testing.T, path string, data []byte) {
	t.Helper()
	aside := path + ".flip"
	if err := os.WriteFile(aside, data, 0o666); err != nil {
		t.Fatal(err)
	}
	if err := os.Rename(aside, path); err != nil {
		t.Fatal(err)
	}
}
