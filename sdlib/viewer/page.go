package viewer

import (
	"bytes"
	"crypto/sha256"
	"embed"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"html/template"
	"image/color"
	"io"
	"io/fs"
	"strings"

	"samediff/sdlib/attention"
	"samediff/sdlib/figure"
	"samediff/sdlib/internal/disk"
	"samediff/sdlib/stimuli"
	"samediff/sdlib/vit"
)

// A Page is the viewer as HTML.
type Page struct {
	Title  string // "" is "Attention"
	Data   *Data
	Scores *attention.Scores // shown beside the heads; nil for none
}

//go:embed page
var files embed.FS

// code is the page's program, from leaf to root.
var code = []string{"weights.js", "elements.js", "maps.js", "sources.js", "build.js", "viewer.js"}

var templates = template.Must(template.ParseFS(files, "page/*.html"))

// HTML returns the viewer as one element for a page or a notebook's cell, about the bytes
// of the data plus 150 kB. The same page gives the same bytes.
func (p Page) HTML() (string, error) { return p.fill("viewer.html") }

// maxPage bounds a page: of a large model it has some 10 MB.
const maxPage = 1 << 30

// Save writes the viewer as a page of its own. A file that is no such page is left alone, and an error.
func (p Page) Save(path string) error {
	text, err := p.fill("document.html")
	if err != nil {
		return err
	}
	old, err := disk.ReadFile(path, maxPage)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	if len(old) > 0 && !bytes.Contains(old[:min(len(old), 4000)], []byte("data-attention-viewer")) {
		return fmt.Errorf("viewer: %s is no page of this viewer: choose another name, or remove it", path)
	}
	return disk.Replace(path, func(w io.Writer) error {
		_, err := io.WriteString(w, text)
		return err
	})
}

// Alt returns what stands for the viewer where it cannot be seen.
func (p Page) Alt() string {
	if p.check() != nil {
		return p.title()
	}
	d := p.Data
	name, _ := d.first(0)
	return fmt.Sprintf("%s: a viewer of %d blocks of %d heads; images: %d. The picture shows where %s of image %d looks in every head.",
		p.title(), d.Blocks, d.Heads, len(d.Images), name, d.Images[0].Index)
}

func (p Page) title() string {
	if p.Title == "" {
		return "Attention"
	}
	return p.Title
}

// start is the head that is shown at first: the one that attends most within the pair, if that is known.
func (p Page) start() vit.Head {
	if p.Scores == nil {
		return vit.Head{}
	}
	return attention.Highest(p.Scores.Pair)[0]
}

// check returns what is wrong with a page.
func (p Page) check() error {
	if p.Data == nil || len(p.Data.Images) == 0 {
		return errors.New("viewer: a page without images: expected the data of Collect")
	}
	if s := p.Scores; s != nil {
		if len(s.Local) != p.Data.Blocks || len(s.Local[0]) != p.Data.Heads {
			return fmt.Errorf("viewer: scores of %d blocks for attention of %d blocks of %d heads: expected those of the same model", len(s.Local), p.Data.Blocks, p.Data.Heads)
		}
	}
	return nil
}

func (p Page) fill(name string) (string, error) {
	if err := p.check(); err != nil {
		return "", err
	}
	picture, err := p.picture()
	if err != nil {
		return "", err
	}
	still, err := picture.PNG(2 * 96)
	if err != nil {
		return "", err
	}
	width, _ := picture.Size()
	style, err := files.ReadFile("page/viewer.css")
	if err != nil {
		return "", err
	}
	var program strings.Builder
	for _, file := range code {
		text, err := files.ReadFile("page/" + file)
		if err != nil {
			return "", err
		}
		program.Write(text)
	}
	data, err := json.Marshal(p.content()) // escapes <, > and &
	if err != nil {
		return "", fmt.Errorf("viewer: %w", err)
	}
	hash := sha256.Sum256(data)
	var page strings.Builder
	err = templates.ExecuteTemplate(&page, name, map[string]any{
		"ID": hex.EncodeToString(hash[:6]), "Title": p.title(), "Alt": p.Alt(),
		"Picture": template.URL("data:image/png;base64," + base64.StdEncoding.EncodeToString(still)), "Width": int(width * 96),
		"Code": template.JS(program.String()), "Style": string(style), "Data": template.JS(data),
	})
	return page.String(), err
}

// content is what the page's program is given.
func (p Page) content() any {
	var palette, frames []string
	for _, c := range figure.Sequential().Palette(256).Colors() {
		palette = append(palette, hexColor(c))
	}
	for _, c := range frameColors {
		frames = append(frames, hexColor(c))
	}
	content := struct {
		*Data
		Title   string   `json:"title"`
		Palette []string `json:"palette"` // from no weight to the largest
		Frames  []string `json:"frames"`
		Scores  []score  `json:"scores"`
		Scored  int      `json:"scored"` // images that the scores are means over
		Start   vit.Head `json:"start"`  // shown at first
	}{p.Data, p.title(), palette, frames, scoresOf(p.Scores), 0, p.start()}
	if p.Scores != nil {
		content.Scored = p.Scores.Images
	}
	return content
}

// A score is a number for each head.
type score struct {
	Name   string      `json:"name"`
	About  string      `json:"about"`
	Values [][]float64 `json:"values"` // [L][H]
}

func scoresOf(s *attention.Scores) []score {
	if s == nil {
		return []score{}
	}
	scores := []score{
		{"local–global", "0 local, 1 global: share of an object's attention to patches outside it, of the object with most", s.Local},
		{"within object", "share of an object's attention to itself, of the object with least", s.Within},
		{"within pair", "share of an object's attention to the object it is compared with, of the object with most", s.Pair},
		{"background", "share of an object's attention to patches of no object, of the object with most", s.Background},
	}
	if s.Task == stimuli.RMTS {
		scores = append(scores, score{"between pairs", "share of a pair's attention to the other pair, of the pair with most", s.Between})
	}
	return scores
}

func hexColor(c color.Color) string {
	n := color.NRGBAModel.Convert(c).(color.NRGBA)
	return fmt.Sprintf("#%02x%02x%02x", n.R, n.G, n.B)
}
