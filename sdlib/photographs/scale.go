package photographs

import (
	"archive/zip"
	"bytes"
	"encoding/json"
	"fmt"
	"image"
	"image/draw"
	"image/png"
	"io/fs"

	"samediff/sdlib/internal/disk"
	"samediff/sdlib/internal/imagefile"
	"samediff/sdlib/internal/jsontext"
	"samediff/sdlib/pictures"
)

// Side is that of the pictures as they were rendered, in pixels.
const Side = 224

// scaled returns the files of the set with its pictures scaled to another side, by Pillow's bicubic filter as CLIP's own
// preparation does. A pixel of a scaled mask is object where at least half of its area is. Boxes follow from the masks.
func scaled(files fs.FS, side int) (fs.FS, error) {
	metadata, err := disk.ReadFS(files, "metadata.jsonl", disk.Small)
	if err != nil {
		return nil, err
	}
	records, err := parseRecords(metadata)
	if err != nil {
		return nil, fmt.Errorf("metadata.jsonl, %w", err)
	}
	var out, lines bytes.Buffer
	to := zip.NewWriter(&out)
	encoder := json.NewEncoder(&lines)
	for _, r := range records {
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

// parseRecords reads a metadata.jsonl. Blank lines are skipped.
func parseRecords(metadata []byte) (all []record, err error) {
	number := 0
	for line := range bytes.Lines(metadata) {
		number++
		if len(bytes.TrimSpace(line)) == 0 {
			continue
		}
		var r record
		if err := jsontext.Unmarshal(line, &r); err != nil {
			return nil, fmt.Errorf("line %d: %w", number, err)
		}
		if r.FileName == "" {
			return nil, fmt.Errorf("line %d: no file_name", number)
		}
		for _, o := range r.Objects {
			if o.Mask == "" {
				return nil, fmt.Errorf("line %d: an object of %s has no mask, which a picture of another size than %d needs", number, r.FileName, Side)
			}
		}
		all = append(all, r)
	}
	return all, nil
}

// maxFile and maxSide bound a picture's file and its pixels: far more than one of the set has.
const (
	maxFile = 16 << 20
	maxSide = 16 * Side
)

// copyScaled writes an image, scaled, to an archive under the name that it has in files.
func copyScaled(to *zip.Writer, files fs.FS, name string, side int, f pictures.Filter) error {
	data, err := disk.ReadFS(files, name, maxFile)
	if err != nil {
		return err
	}
	if width, height, _, err := imagefile.Size(data); err != nil || width > maxSide || height > maxSide {
		return fmt.Errorf("%s has %d x %d pixels (%v): expected a picture of %d x %d", name, width, height, err, Side, Side)
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
