package photographs

import (
	"archive/zip"
	"bytes"
	"encoding/json"
	"fmt"
	"image"
	"image/draw"
	"image/png"
	"io"
	"io/fs"

	"samediff/sdlib/internal/imagefile"
	"samediff/sdlib/pictures"
)

// Side is that of the pictures as they were rendered, in pixels.
const Side = 224

// scaled returns the files of the set with its pictures scaled to another side, by Pillow's bicubic filter as CLIP's own
// preparation does. A pixel of a scaled mask is object where at least half of its area is. Boxes follow from the masks.
func scaled(files fs.FS, side int) (fs.FS, error) {
	metadata, err := fs.ReadFile(files, "metadata.jsonl")
	if err != nil {
		return nil, err
	}
	var out bytes.Buffer
	to := zip.NewWriter(&out)
	var lines bytes.Buffer
	encoder := json.NewEncoder(&lines)
	decoder := json.NewDecoder(bytes.NewReader(metadata))
	for {
		var r record
		if err := decoder.Decode(&r); err == io.EOF {
			break
		} else if err != nil {
			return nil, fmt.Errorf("metadata.jsonl: %w", err)
		}
		if err := copyScaled(to, files, r.FileName, side, pictures.Bicubic); err != nil {
			return nil, err
		}
		for _, o := range r.Objects {
			if err := copyScaled(to, files, o.Mask, side, pictures.Box); err != nil {
				return nil, err
			}
		}
		if err := encoder.Encode(r); err != nil {
			return nil, err
		}
	}
	w, err := to.Create("metadata.jsonl")
	if err != nil {
		return nil, err
	}
	if _, err := w.Write(lines.Bytes()); err != nil {
		return nil, err
	}
	if err := to.Close(); err != nil {
		return nil, err
	}
	return zip.NewReader(bytes.NewReader(out.Bytes()), int64(out.Len()))
}

// A record is a line of metadata.jsonl, as far as a scaled picture needs it.
type record struct {
	FileName string         `json:"file_name"`
	Label    int            `json:"label"`
	Kind     string         `json:"kind"`
	Objects  []recordObject `json:"objects"`
}

type recordObject struct {
	Mask string `json:"mask"`
}

// copyScaled writes an image, scaled, to an archive under the name that it has in files.
func copyScaled(to *zip.Writer, files fs.FS, name string, side int, f pictures.Filter) error {
	data, err := fs.ReadFile(files, name)
	if err != nil {
		return err
	}
	decoded, err := imagefile.Decode(data)
	if err != nil {
		return fmt.Errorf("%s: %w", name, err)
	}
	m := image.NewRGBA(image.Rectangle{Max: decoded.Bounds().Size()})
	draw.Draw(m, m.Rect, decoded, decoded.Bounds().Min, draw.Src)
	if m, err = pictures.Resize(m, side, side, f); err != nil {
		return fmt.Errorf("%s: %w", name, err)
	}
	w, err := to.CreateHeader(&zip.FileHeader{Name: name}) // stored: a PNG does not get smaller
	if err != nil {
		return err
	}
	return (&png.Encoder{CompressionLevel: png.BestSpeed}).Encode(w, m)
}
