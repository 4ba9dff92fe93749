package scenes

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"image"
	"image/png"
	"io"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"

	"samediff/sdlib/emoji"
	"samediff/sdlib/internal/disk"
	"samediff/sdlib/stimuli"
)

// Pairs describe a same-different set whose objects are emoji: a test that is neither silhouettes nor photographs. Images,
// places and labels are those of a discrimination set. Same means the same emoji, and never the same picture of it: each object has a
// size, an offset of less than a pixel, a brightness and noise of its own.
type Pairs struct {
	Geometry stimuli.Geometry `json:"geometry"`
	Size     int              `json:"size"` // images; an even number, half of them same
	Seed     uint64           `json:"seed"`
	// Held takes only emoji that scenes with this Config.Held do not show; 0 takes all.
	Held int `json:"held"`
}

// record is a line of metadata.jsonl, as stimuli.ImportFolder reads it.
type record struct {
	FileName string         `json:"file_name"`
	Label    int            `json:"label"`
	Objects  []recordObject `json:"objects"`
}

type recordObject struct {
	Box  [4]int `json:"box"`
	Name string `json:"shape_name"`
}

// pairsFile, in the folder of a set, says what it is or is to become.
const pairsFile = "pairs.json"

// pairsNote is the content of pairsFile.
type pairsNote struct {
	Emoji string `json:"emoji"` // identity of the pack
	Pairs
}

// Write writes the set to a folder in ImageFolder form, which [stimuli.ImportFolder] and study.ImportSet read. The folder must not
// exist or be empty, or hold the same set, whole or not: Write goes on with that. Without metadata.jsonl, which comes last, it is
// no set.
func (p Pairs) Write(ctx context.Context, dir string, pack *emoji.Pack) error {
	objects, err := p.choose(pack)
	if err != nil {
		return err
	}
	set, err := stimuli.Open(stimuli.Config{Geometry: p.Geometry, Split: stimuli.Test, Size: p.Size, Seed: p.Seed})
	if err != nil {
		return err
	}
	if err := p.begin(dir, pack); err != nil {
		return fmt.Errorf("scenes: %w", err)
	}
	return disk.Replace(filepath.Join(dir, "metadata.jsonl"), func(w io.Writer) error {
		buffer := bufio.NewWriter(w)
		lines := json.NewEncoder(buffer)
		for i := range set.Len() {
			if err := ctx.Err(); err != nil {
				return err
			}
			m, r := p.draw(set.Stimulus(i), objects)
			var file bytes.Buffer
			if err := png.Encode(&file, m); err != nil {
				return err
			}
			path := filepath.Join(dir, r.FileName)
			if there, err := disk.ReadFile(path, disk.Small); err != nil || !bytes.Equal(there, file.Bytes()) {
				if err := disk.Put(path, file.Bytes()); err != nil {
					return err
				}
			}
			if err := lines.Encode(r); err != nil {
				return err
			}
		}
		return buffer.Flush()
	})
}

// begin makes a folder, or accepts one that is empty or holds this set, and notes what it is to become.
func (p Pairs) begin(dir string, pack *emoji.Pack) error {
	note, err := json.MarshalIndent(pairsNote{pack.Identity(), p}, "", "  ")
	if err != nil {
		return err
	}
	note = append(note, '\n')
	if err := os.MkdirAll(dir, 0o777); err != nil {
		return err
	}
	entries, err := os.ReadDir(dir)
	if err != nil {
		return err
	}
	path := filepath.Join(dir, pairsFile)
	switch there, err := disk.ReadFile(path, disk.Small); {
	case err == nil && bytes.Equal(there, note):
		return disk.RemoveLeftovers(dir)
	case err == nil:
		return fmt.Errorf("%s holds another set of emoji: expected a new or empty folder", dir)
	case len(entries) > 1, len(entries) == 1 && !strings.HasPrefix(entries[0].Name(), "."+pairsFile): // that one was killed while it wrote the note
		return fmt.Errorf("%s holds %s already: expected a new or empty folder", dir, entries[0].Name())
	}
	return disk.Replace(path, func(w io.Writer) error {
		_, err := w.Write(note)
		return err
	})
}

// choose returns the emoji that objects are.
func (p Pairs) choose(pack *emoji.Pack) (objects []emoji.Picture, err error) {
	for _, x := range pack.Pictures {
		if p.Held == 0 || x.Held(p.Held) {
			objects = append(objects, x)
		}
	}
	if len(objects) < 2 {
		return nil, fmt.Errorf("scenes: %d emoji to choose from, expected 2 or more: raise Held from %d", len(objects), p.Held)
	}
	return objects, nil
}

// draw paints the emoji where a stimulus has its objects.
func (p Pairs) draw(s stimuli.Stimulus, objects []emoji.Picture) (*image.NRGBA, record) {
	rng := rand.New(rand.NewPCG(mix(p.Seed), mix(uint64(s.Index)|1<<40)))
	side := p.Geometry.Image
	level := make([]float32, side*side*3)
	for i := range level {
		level[i] = 255
	}
	c := &canvas{side, level}
	r := record{FileName: fmt.Sprintf("%06d.png", s.Index), Label: s.Label}
	first := rng.IntN(len(objects))
	for o, object := range s.Objects {
		which := first
		if o > 0 && s.Label == 0 { // any other one
			which = (first + 1 + rng.IntN(len(objects)-1)) % len(objects)
		}
		b := object.Box
		offset := func() float64 { return rng.Float64() - .5 }
		x, y := float64(b.Min.X+b.Max.X)/2+offset(), float64(b.Min.Y+b.Max.Y)/2+offset()
		stamp(objects[which], c, x, y, float64(b.Dx())/2*(.9+.1*rng.Float64()), 0, false)
		p.disturb(c, b, rng)
		r.Objects = append(r.Objects, recordObject{[4]int{b.Min.X, b.Min.Y, b.Max.X, b.Max.Y}, objects[which].Name})
	}
	m := image.NewNRGBA(image.Rect(0, 0, side, side))
	for i := range side * side {
		for k := range 3 {
			m.Pix[4*i+k] = uint8(math.Round(min(max(float64(c.level[3*i+k]), 0), 255)))
		}
		m.Pix[4*i+3] = 255
	}
	return m, r
}

// disturb changes an object's brightness and adds noise to its pixels, the standard deviation that the tasks' objects have.
func (p Pairs) disturb(c *canvas, box image.Rectangle, rng *rand.Rand) {
	const sd = 10
	brightness := .9 + .2*rng.Float64()
	c.within(float64(box.Min.X)-1, float64(box.Min.Y)-1, float64(box.Max.X), float64(box.Max.Y), func(x, y int) {
		of := c.level[(y*c.side+x)*3:][:3]
		if of[0] == 255 && of[1] == 255 && of[2] == 255 {
			return
		}
		for k := range of {
			of[k] = float32(float64(of[k])*brightness + sd*rng.NormFloat64())
		}
	})
}
