package pictures

import (
	"bufio"
	"fmt"
	"image"
	"image/color"
	_ "image/jpeg"
	_ "image/png"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"

	"golang.org/x/image/draw"
	"golang.org/x/sync/errgroup"
)

// A Folder is the PNG and JPEG files of a folder, sorted by name.
type Folder struct {
	dir   string
	names []string
	side  int
}

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

// OpenFolder lists a folder's images, which are read when asked for. They must have side x
// side pixels (a *[SizeError] names one that has not), unless resize is true: then others
// are scaled to that size, bilinearly and without keeping their proportions. Transparent
// images are laid on white.
func OpenFolder(dir string, side int, resize bool) (*Folder, error) {
	entries, err := os.ReadDir(dir) // sorted by name
	if err != nil {
		return nil, err
	}
	f := &Folder{dir: dir, side: side}
	var other *SizeError
	for _, e := range entries {
		if !slices.Contains([]string{".png", ".jpg", ".jpeg"}, strings.ToLower(filepath.Ext(e.Name()))) || e.IsDir() {
			continue
		}
		f.names = append(f.names, e.Name())
		config, err := f.config(e.Name())
		switch {
		case err != nil:
			return nil, err
		case config.Width*config.Height > maxPixels:
			return nil, fmt.Errorf("%s has %d x %d pixels, expected at most %d megapixels", e.Name(), config.Width, config.Height, maxPixels/1_000_000)
		case config.Width == side && config.Height == side:
		case other == nil:
			other = &SizeError{Name: e.Name(), Width: config.Width, Height: config.Height, Side: side}
		default:
			other.More++
		}
	}
	switch {
	case len(f.names) == 0:
		return nil, fmt.Errorf("the folder %s has no PNG or JPEG images: expected files that end in .png, .jpg or .jpeg", dir)
	case other != nil && !resize:
		return nil, other
	}
	return f, nil
}

func (f *Folder) config(name string) (image.Config, error) {
	file, err := os.Open(filepath.Join(f.dir, name))
	if err != nil {
		return image.Config{}, err
	}
	defer file.Close()
	config, _, err := image.DecodeConfig(bufio.NewReader(file))
	if err != nil {
		return image.Config{}, fmt.Errorf("%s is no PNG or JPEG image, or damaged: %w", file.Name(), err)
	}
	return config, nil
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
	file, err := os.Open(filepath.Join(f.dir, name))
	if err != nil {
		return err
	}
	defer file.Close()
	picture, _, err := image.Decode(bufio.NewReader(file))
	if err != nil {
		return fmt.Errorf("%s is damaged: %w", file.Name(), err)
	}
	canvas := image.NewRGBA(image.Rect(0, 0, f.side, f.side))
	draw.Draw(canvas, canvas.Bounds(), image.NewUniform(color.White), image.Point{}, draw.Src)
	if size := picture.Bounds().Size(); size == canvas.Bounds().Size() {
		draw.Draw(canvas, canvas.Bounds(), picture, picture.Bounds().Min, draw.Over)
	} else {
		draw.BiLinear.Scale(canvas, canvas.Bounds(), picture, picture.Bounds(), draw.Over, nil)
	}
	for p := range f.side * f.side {
		copy(dst[3*p:3*p+3], canvas.Pix[4*p:])
	}
	return nil
}
