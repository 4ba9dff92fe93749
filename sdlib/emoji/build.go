package emoji

import (
	"encoding/json"
	"fmt"
	"image"
	"io"
	"path/filepath"
	"slices"
	"strings"

	"golang.org/x/image/draw"

	"samediff/sdlib/internal/disk"
	"samediff/sdlib/internal/imagefile"
)

// Side is the side of the pictures in pixels: as large as the largest thing in a scene of 64 pixels, drawn half as large again.
const Side = 64

// taken are the categories of emoji that are taken.
var taken = []string{"Animals & Nature", "Food & Drink", "Travel & Places", "Activities", "Objects"}

// shapes are words of names that are left out: what the same-different tasks show, or could be taken for it.
var shapes = strings.Fields("disk ball circle square triangle diamond plus cross saltire star heart moon crescent arrow hourglass bolt lightning voltage fish arch crown " +
	"zigzag mushroom leaf leaves clover girder pinwheel stairs ladder comb clock o'clock oclock clock-face thirty")

// similar are subcategories whose pictures differ in little.
var similar = []string{"time", "heart", "av-symbol"}

// entry is what emoji.json of the names has for an emoji, as far as it is read.
type entry struct {
	Name        string `json:"name"`
	Unified     string `json:"unified"`
	ShortName   string `json:"short_name"`
	Category    string `json:"category"`
	Subcategory string `json:"subcategory"`
	SortOrder   int    `json:"sort_order"`
}

// wanted reports whether an emoji is taken.
func (e entry) wanted() bool {
	words := append(strings.Fields(strings.ToLower(e.Name)), strings.FieldsFunc(e.ShortName, func(r rune) bool { return r == '_' || r == '-' })...)
	return slices.Contains(taken, e.Category) && !slices.Contains(similar, e.Subcategory) &&
		!slices.ContainsFunc(words, func(w string) bool {
			return slices.Contains(shapes, strings.TrimSuffix(w, "s")) || slices.Contains(shapes, w)
		})
}

// words is the emoji's name in lower case, letters alone: "red apple".
func (e entry) words() string {
	return strings.Join(strings.FieldsFunc(strings.ToLower(e.Name), func(r rune) bool { return r < 'a' || r > 'z' }), " ")
}

// build reads both archives and writes the pack to a folder.
func build(dir, namesFile, picturesFile string) error {
	var all []entry
	err := readFile(namesFile, func(name string) bool { return name == "package/emoji.json" }, func(_ string, data []byte) error {
		return json.Unmarshal(data, &all)
	})
	if err != nil {
		return fmt.Errorf("emoji: %s: %w", names, err)
	}
	all = slices.DeleteFunc(all, func(e entry) bool { return !e.wanted() || e.words() == "" })
	slices.SortFunc(all, func(a, b entry) int { return a.SortOrder - b.SortOrder })
	byFile, named := map[string]entry{}, map[string]bool{}
	for _, e := range all {
		if !named[e.words()] { // a few names are there twice
			named[e.words()] = true
			byFile["package/assets/"+strings.ToLower(e.Unified)+".webp"] = e
		}
	}
	pixels := map[string][]uint8{} // by name
	err = readFile(picturesFile, func(name string) bool { _, ok := byFile[name]; return ok }, func(name string, data []byte) error {
		scaled, err := scale(data)
		if err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
		pixels[byFile[name].words()] = scaled
		return nil
	})
	if err != nil {
		return fmt.Errorf("emoji: %s: %w", pictures, err)
	}
	var p Pack
	for _, e := range all {
		if pix, ok := pixels[e.words()]; ok {
			p.Pictures = append(p.Pictures, Picture{e.words(), e.Category, pix})
			delete(pixels, e.words())
		}
	}
	if len(p.Pictures) < 2 {
		return fmt.Errorf("emoji: %d pictures with names in the archives, expected many", len(p.Pictures))
	}
	return p.write(dir)
}

// scale decodes a picture, and scales it to Side x Side pixels with colors multiplied by alpha.
func scale(data []byte) ([]uint8, error) {
	const most = 2048
	if w, h, _, err := imagefile.Size(data); err != nil || w > most || h > most {
		return nil, fmt.Errorf("a picture of %d x %d pixels (%v), expected at most %d", w, h, err, most)
	}
	m, err := imagefile.Decode(data)
	if err != nil {
		return nil, err
	}
	out := image.NewRGBA(image.Rect(0, 0, Side, Side))
	draw.CatmullRom.Scale(out, out.Rect, m, m.Bounds(), draw.Src, nil)
	return out.Pix, nil
}

// write writes the pack, the pictures first: emoji.json says that both are whole.
func (p *Pack) write(dir string) error {
	err := disk.Replace(filepath.Join(dir, pixelsFile), func(w io.Writer) error {
		for _, x := range p.Pictures {
			if _, err := w.Write(x.Pixels); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return fmt.Errorf("emoji: %w", err)
	}
	index := index{From: []string{pictures.String(), names.String()}, Side: Side, SHA256: p.hash()}
	for _, x := range p.Pictures {
		index.Emoji = append(index.Emoji, indexed{x.Name, x.Category})
	}
	err = disk.Replace(filepath.Join(dir, indexFile), func(w io.Writer) error {
		e := json.NewEncoder(w)
		e.SetEscapeHTML(false)
		e.SetIndent("", " ")
		return e.Encode(index)
	})
	if err != nil {
		return fmt.Errorf("emoji: %w", err)
	}
	return nil
}
