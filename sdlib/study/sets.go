package study

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"strings"

	"samediff/sdlib/photographs"
	"samediff/sdlib/stimuli"
	"samediff/sdlib/vit"
)

// ImportSet reads a set of images for a model: the one that comes with the library as "photographs" ([photographs.Open]), all
// that `make photographs` has rendered as "photographs=FOLDER", or a folder with a set that `sd stimuli export` wrote or with images of
// one's own in ImageFolder form ([stimuli.ImportFolder]) of the size that the model sees.
func ImportSet(name string, c vit.Config) (*stimuli.Set, error) {
	g := geometryOf(c)
	if g == (stimuli.Geometry{}) {
		g = stimuli.Geometry{Name: "folder", Image: c.Image, Patch: c.Patch}
	}
	if known, folder, given := strings.Cut(name, "="); known == photographs.Name {
		if given {
			return photographs.OpenFolder(folder, g)
		}
		return photographs.Open(g)
	}
	if info, err := os.Stat(name); err == nil && !info.IsDir() {
		return nil, fmt.Errorf("the set %s is a file: expected a folder with images and their metadata.jsonl, or %s", name, photographs.Name)
	}
	set, err := stimuli.Import(name)
	if errors.Is(err, fs.ErrNotExist) {
		return stimuli.ImportFolder(name, g)
	}
	return set, err
}
