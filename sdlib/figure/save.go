package figure

import (
	"bytes"
	"encoding/xml"
	"fmt"
	"image"
	"io"
	"path/filepath"
	"strings"
	"time"

	pdf "codeberg.org/go-pdf/fpdf"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/vgpdf"
	"gonum.org/v1/plot/vg/vgsvg"

	"samediff/sdlib/internal/disk"
)

// A PDF carries its date of creation and lists its resources in map order,
// unless told otherwise. gonum/plot gives no way to its document, only these
// package-wide defaults of the PDF library are within reach.
func init() {
	epoch := time.Date(2000, 1, 1, 0, 0, 0, 0, time.UTC)
	pdf.SetDefaultCreationDate(epoch)
	pdf.SetDefaultModificationDate(epoch)
	pdf.SetDefaultCatalogSort(true)
}

// PDF returns the figure as a one-page PDF of the figure's size. The same figure
// gives the same bytes.
func (f *Figure) PDF() ([]byte, error) {
	if err := f.Err(); err != nil {
		return nil, err
	}
	c := vgpdf.New(f.w, f.h)
	if err := f.paint(upright{c}); err != nil {
		return nil, err
	}
	var b bytes.Buffer
	_, err := c.WriteTo(&b)
	return b.Bytes(), err
}

// upright turns images over before they reach the PDF canvas of gonum/plot
// v0.17.0, which puts its origin at the bottom and so shows them upside down.
type upright struct{ vg.Canvas }

func (c upright) DrawImage(rect vg.Rectangle, img image.Image) {
	b := img.Bounds()
	flipped := image.NewNRGBA(image.Rect(0, 0, b.Dx(), b.Dy()))
	for y := range b.Dy() {
		for x := range b.Dx() {
			flipped.Set(x, b.Dy()-1-y, img.At(b.Min.X+x, b.Min.Y+y))
		}
	}
	c.Canvas.DrawImage(rect, flipped)
}

// SVG returns the figure as an SVG document with the alternative text as its
// description.
func (f *Figure) SVG() ([]byte, error) {
	if err := f.Err(); err != nil {
		return nil, err
	}
	c := vgsvg.NewWith(vgsvg.UseWH(f.w, f.h))
	if err := f.paint(c); err != nil {
		return nil, err
	}
	var b bytes.Buffer
	if _, err := c.WriteTo(&b); err != nil {
		return nil, err
	}
	// vgsvg labels embedded PNGs as JPEG, which strict readers refuse.
	svg := bytes.ReplaceAll(b.Bytes(), []byte("data:image/jpg;base64,"), []byte("data:image/png;base64,"))
	var desc bytes.Buffer
	desc.WriteString("<desc>")
	if err := xml.EscapeText(&desc, []byte(f.alt)); err != nil {
		return nil, err
	}
	desc.WriteString("</desc>\n")
	start := bytes.Index(svg, []byte("<g ")) // the drawing; the header stands before it
	if start < 0 {
		return nil, fmt.Errorf("figure: the SVG of %q has no drawing", f.alt)
	}
	return append(svg[:start:start], append(desc.Bytes(), svg[start:]...)...), nil
}

// Save writes the figure in the format of the path's extension: .png (at [DPI]),
// .svg, .pdf, .jpg or .jpeg (at [DPI], [JPEGQuality]). The file is written aside
// and renamed, so a reader never sees half of it, and a failing figure leaves an
// older file as it was. The folder must exist.
func (f *Figure) Save(path string) error {
	var data []byte
	var err error
	switch ext := strings.ToLower(filepath.Ext(path)); ext {
	case ".png":
		data, err = f.PNG(DPI)
	case ".svg":
		data, err = f.SVG()
	case ".pdf":
		data, err = f.PDF()
	case ".jpg", ".jpeg":
		data, err = f.JPEG(DPI, JPEGQuality)
	default:
		return fmt.Errorf("figure: cannot save %q: the extension is %q, expected .png, .svg, .pdf, .jpg or .jpeg", path, ext)
	}
	if err != nil {
		return err
	}
	return writeFile(path, data)
}

// writeFile writes data beside path and renames it into place.
func writeFile(path string, data []byte) error {
	err := disk.Replace(path, func(w io.Writer) error {
		_, err := w.Write(data)
		return err
	})
	if err != nil {
		return fmt.Errorf("figure: cannot save %q: %w", path, err)
	}
	return nil
}
