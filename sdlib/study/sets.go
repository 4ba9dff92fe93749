package study

import (
	"errors"
	"io/fs"

	"samediff/sdlib/stimuli"
	"samediff/sdlib/vit"
)

// ImportSet reads a folder of images for a model: a set that `sd stimuli export` wrote, or
// images of one's own in ImageFolder form ([stimuli.ImportFolder]), which must have the
// size that the model sees.
func ImportSet(dir string, c vit.Config) (*stimuli.Set, error) {
	set, err := stimuli.Import(dir)
	if errors.Is(err, fs.ErrNotExist) {
		g := geometryOf(c)
		if g == (stimuli.Geometry{}) {
			g = stimuli.Geometry{Name: "folder", Image: c.Image, Patch: c.Patch}
		}
		return stimuli.ImportFolder(dir, g)
	}
	return set, err
}
