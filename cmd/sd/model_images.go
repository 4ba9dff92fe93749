package main

import (
	"bufio"
	"fmt"
	"image"
	"image/color"
	_ "image/jpeg"
	_ "image/png"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"golang.org/x/image/draw"

	"samediff/sdlib/safetensors"
	"samediff/sdlib/vit"
)

// images are the pictures that a model is shown.
type images interface {
	Len() int
	Names() []string               // nil where they have none
	Read(i int, dst []uint8) error // [height, width, 3] of the model's size
	Close() error
}

// folderImages are the PNG and JPEG files of a folder.
type folderImages struct {
	dir   string
	names []string
	side  int
}

// maxPixels keeps a small file that claims to be a huge image from taking all memory.
const maxPixels = 200_000_000

// openFolder lists a folder's images, sorted by name. Without resize all must have the model's size.
func openFolder(dir string, c vit.Config, resize bool) (*folderImages, error) {
	entries, err := os.ReadDir(dir) // sorted by name
	if err != nil {
		return nil, err
	}
	f := &folderImages{dir: dir, side: c.Image}
	var others []string
	for _, e := range entries {
		if !slices.Contains([]string{".png", ".jpg", ".jpeg"}, strings.ToLower(filepath.Ext(e.Name()))) || e.IsDir() {
			continue
		}
		f.names = append(f.names, e.Name())
		config, err := f.config(e.Name())
		if err != nil {
			return nil, err
		}
		if config.Width*config.Height > maxPixels {
			return nil, fmt.Errorf("%s has %d x %d pixels, expected at most %d megapixels", e.Name(), config.Width, config.Height, maxPixels/1_000_000)
		}
		if config.Width != c.Image || config.Height != c.Image {
			others = append(others, fmt.Sprintf("%s has %d x %d pixels", e.Name(), config.Width, config.Height))
		}
	}
	switch {
	case len(f.names) == 0:
		return nil, fmt.Errorf("the folder %s has no PNG or JPEG images: expected files that end in .png, .jpg or .jpeg", dir)
	case len(others) > 0 && !resize:
		more := ""
		if len(others) > 1 {
			more = fmt.Sprintf(" (and %d more images have another size)", len(others)-1)
		}
		return nil, fmt.Errorf("%s%s, expected %d x %d: --resize scales them", others[0], more, c.Image, c.Image)
	}
	return f, nil
}

func (f *folderImages) config(name string) (image.Config, error) {
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

func (f *folderImages) Len() int        { return len(f.names) }
func (f *folderImages) Names() []string { return f.names }
func (f *folderImages) Close() error    { return nil }

func (f *folderImages) Read(i int, dst []uint8) error {
	file, err := os.Open(filepath.Join(f.dir, f.names[i]))
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

// tensorImages are a tensor of bytes in a safetensors file.
type tensorImages struct {
	*safetensors.File
	pixels []uint8
	each   int // bytes per image
}

func openTensor(path string, c vit.Config) (_ *tensorImages, err error) {
	file, err := safetensors.Open(path)
	if err != nil {
		return nil, err
	}
	defer func() {
		if err != nil {
			file.Close()
		}
	}()
	names := file.Names()
	t, ok := file.Tensor("images")
	if !ok && len(names) == 1 {
		t, ok = file.Tensor(names[0])
	}
	if !ok {
		return nil, fmt.Errorf("%s has %d tensors and none is called images: expected that, or a single one", path, len(names))
	}
	if t.DType != "U8" || len(t.Shape) != 4 || t.Shape[0] < 1 || !slices.Equal(t.Shape[1:], []int{c.Image, c.Image, 3}) {
		return nil, fmt.Errorf("%s: the tensor %s is %s %s, expected U8 [n, %d, %d, 3], images that the model takes", path, t.Name, t.DType, shapeText(t.Shape),
			c.Image, c.Image)
	}
	return &tensorImages{file, t.Data, c.Image * c.Image * 3}, nil
}

func (t *tensorImages) Len() int        { return len(t.pixels) / t.each }
func (t *tensorImages) Names() []string { return nil }

func (t *tensorImages) Read(i int, dst []uint8) error {
	copy(dst, t.pixels[i*t.each:(i+1)*t.each])
	return nil
}
