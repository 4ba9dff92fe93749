package photographs

import (
	"archive/zip"
	"bytes"
	"crypto/sha256"
	_ "embed"
	"encoding/hex"
	"fmt"
	"io/fs"
	"os"
	"sync"

	"samediff/sdlib/stimuli"
)

// Name is what commands call the set: --set photographs.
const Name = "photographs"

// All is how many pictures there are, with those that do not come with the package.
const All = 1024

// archive is the part of the set that comes with the package, as render/pack.py writes it.
//
//go:embed photographs.zip
var archive []byte

// archiveHash is its SHA-256.
const archiveHash = "a838b26086e1a808d07100bacef519b3e04bcff552212483cd06c58a7a505108"

// Files are the pictures, masks and metadata.jsonl of that part, as in a folder of one's own images (docs/formats.md).
func Files() (fs.FS, error) {
	if sum := sha256.Sum256(archive); hex.EncodeToString(sum[:]) != archiveHash {
		return nil, fmt.Errorf("photographs: photographs.zip has the SHA-256 %x: expected %s; get the file from the repository again", sum, archiveHash)
	}
	return zip.NewReader(bytes.NewReader(archive), int64(len(archive)))
}

// opened are the sets that [Open] has returned, by geometry: all masks are read to open one, a second's work, and a plan of the whole
// paper asks for the set of each model.
var opened sync.Map

// Open returns the part of the set that comes with the package, as a model of that geometry sees it; half of its pictures are
// same. Of the geometry, image and patch count alone. Asked again for a geometry it returns the same set.
func Open(g stimuli.Geometry) (*stimuli.Set, error) {
	if set, ok := opened.Load(g); ok {
		return set.(*stimuli.Set), nil
	}
	files, err := Files()
	if err != nil {
		return nil, err
	}
	set, err := open(files, g)
	if err != nil {
		return nil, err
	}
	opened.Store(g, set)
	return set, nil
}

// OpenFolder returns the pictures of a folder that render/render.py wrote, as [Open] does.
func OpenFolder(dir string, g stimuli.Geometry) (*stimuli.Set, error) {
	root, err := os.OpenRoot(dir)
	if err != nil {
		return nil, fmt.Errorf("photographs: %w", err)
	}
	defer root.Close()
	if _, err := fs.Stat(root.FS(), "metadata.jsonl"); err != nil {
		return nil, fmt.Errorf("photographs: %s has no metadata.jsonl: expected a folder that render.py filled (`make photographs`): %w", dir, err)
	}
	return open(root.FS(), g)
}

func open(files fs.FS, g stimuli.Geometry) (*stimuli.Set, error) {
	if g.Image != Side {
		var err error
		if files, err = scaled(files, g.Image); err != nil {
			return nil, fmt.Errorf("photographs: %w", err)
		}
	}
	return stimuli.ImportFS(files, g)
}
