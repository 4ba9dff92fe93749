package pictures

import (
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"

	"golang.org/x/sync/errgroup"

	"samediff/sdlib/internal/disk"
	"samediff/sdlib/internal/imagefile"
)

// A Folder is the PNG, JPEG and WebP files of a folder, sorted by name.
type Folder struct {
	dir   string
	names []string
	side  int
	how   *Preparation // nil: they have the right size
}

// maxFile bounds an image file in bytes.
const maxFile = 1 << 30

// maxPixels keeps a small file that claims to be a huge image from taking all memory.
const maxPixels = 200_000_000

// A SizeError says which image of a folder has another size than expected.
type SizeError struct {
	Name          string // the first of them
	Width, Height int    // its size
	More          int    // images of another size
	Side          int    // expected width and height
}

func (e *SizeError) Error() string {
	more := ""
	if e.More > 0 {
		more = fmt.Sprintf(" (and %d more images have another size)", e.More)
	}
	return fmt.Sprintf("%s has %d x %d pixels%s, expected %d x %d", e.Name, e.Width, e.Height, more, e.Side, e.Side)
}

// OpenFolder lists a folder's images, which are read when asked for; hidden files are none. They
// must have side x side pixels (a *[SizeError] names one that has not), unless there is a
// preparation, which makes them so. Images are turned as their EXIF orientation says;
// transparent ones are laid on white.
func OpenFolder(dir string, side int, how *Preparation) (*Folder, error) {
	entries, err := os.ReadDir(dir) // sorted by name
	if err != nil {
		return nil, err
	}
	f := &Folder{dir: dir, side: side, how: how}
	var other *SizeError
	for _, e := range entries {
		if !imagefile.Named(e.Name()) || e.IsDir() {
			continue
		}
		f.names = append(f.names, e.Name())
		width, height, err := f.size(e.Name())
		switch {
		case err != nil:
			return nil, err
		case width*height > maxPixels:
			return nil, fmt.Errorf("%s has %d x %d pixels, expected at most %d megapixels", e.Name(), width, height, maxPixels/1_000_000)
		case width == side && height == side:
		case other == nil:
			other = &SizeError{Name: e.Name(), Width: width, Height: height, Side: side}
		default:
			other.More++
		}
	}
	switch {
	case len(f.names) == 0:
		return nil, fmt.Errorf("the folder %s has no PNG, JPEG or WebP images: expected files that end in %s", dir, strings.Join(imagefile.Extensions, ", "))
	case other != nil && how == nil:
		return nil, other
	}
	return f, nil
}

// size returns the size of an image as it is seen.
func (f *Folder) size(name string) (width, height int, err error) {
	data, err := f.data(name)
	if err != nil {
		return 0, 0, err
	}
	width, height, _, err = imagefile.Size(data)
	if err != nil {
		return 0, 0, fmt.Errorf("%s is no PNG, JPEG or WebP image, or damaged: %w", filepath.Join(f.dir, name), err)
	}
	return width, height, nil
}

// data returns an image's file.
func (f *Folder) data(name string) ([]byte, error) {
	return disk.ReadFile(filepath.Join(f.dir, name), maxFile)
}

// Len returns the number of images.
func (f *Folder) Len() int { return len(f.names) }

// Names returns the names of the image files, in order.
func (f *Folder) Names() []string { return slices.Clone(f.names) }

// Pixels reads images by their positions, on all processor cores: [n, side, side, 3].
func (f *Folder) Pixels(items []int) ([]uint8, error) {
	each := f.side * f.side * 3
	pixels := make([]uint8, len(items)*each)
	var group errgroup.Group
	group.SetLimit(runtime.GOMAXPROCS(0))
	for i, item := range items {
		group.Go(func() error { return f.read(f.names[item], pixels[i*each:(i+1)*each]) })
	}
	return pixels, group.Wait()
}

// read decodes an image into dst.
func (f *Folder) read(name string, dst []uint8) error {
	data, err := f.data(name)
	if err != nil {
		return err
	}
	path := filepath.Join(f.dir, name)
	picture, err := imagefile.Decode(data)
	if err != nil {
		return fmt.Errorf("%s is damaged: %w", path, err)
	}
	how := Preparation{Keep: true}
	if f.how != nil {
		how = *f.how
	}
	canvas, err := how.prepare(picture, f.side)
	if err != nil {
		return fmt.Errorf("%s: %w", path, err)
	}
	for p := range f.side * f.side {
		copy(dst[3*p:3*p+3], canvas.Pix[4*p:])
	}
	return nil
}
