package emoji

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"
	"strings"

	"samediff/sdlib/internal/disk"
)

// Files of a pack's folder.
const (
	indexFile  = "emoji.json"
	pixelsFile = "emoji.rgba"
)

// A Pack is the emoji that are on this machine. It is read-only.
type Pack struct{ Pictures []Picture }

// A Picture is one emoji.
type Picture struct {
	Name     string  // "red apple": words in lower case
	Category string  // "Food & Drink"
	Pixels   []uint8 // [Side, Side, 4] red, green, blue and alpha, colors multiplied by alpha
}

type index struct {
	From   []string  `json:"from"` // packages and versions
	Side   int       `json:"side"`
	SHA256 string    `json:"sha256"` // of names and pictures
	Emoji  []indexed `json:"emoji"`
}

type indexed struct {
	Name     string `json:"name"`
	Category string `json:"category"`
}

// ErrMissing is why [Open] fails where nothing was fetched, for errors.Is.
var ErrMissing = errors.New("not fetched yet")

// Open reads the pack in a folder that [Fetch] filled.
func Open(dir string) (*Pack, error) {
	text, err := disk.ReadText(filepath.Join(dir, indexFile))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("emoji: %s has no %s (%w): `sd pictures fetch` brings them", dir, indexFile, ErrMissing)
	}
	if err != nil {
		return nil, fmt.Errorf("emoji: %w", err)
	}
	var i index
	if err := json.Unmarshal(text, &i); err != nil {
		return nil, fmt.Errorf("emoji: %s: %w", filepath.Join(dir, indexFile), err)
	}
	const each = Side * Side * 4
	path := filepath.Join(dir, pixelsFile)
	pixels, err := disk.ReadFile(path, limits.all)
	if err != nil {
		return nil, fmt.Errorf("emoji: %w", err)
	}
	if i.Side != Side || len(pixels) != each*len(i.Emoji) {
		return nil, fmt.Errorf("emoji: %s has %d bytes, expected %d pictures of %d x %d x 4: remove %s and fetch again", path, len(pixels), len(i.Emoji), Side, Side, dir)
	}
	p := new(Pack)
	for k, e := range i.Emoji {
		if strings.TrimSpace(e.Name) == "" {
			return nil, fmt.Errorf("emoji: %s: picture %d has no name: remove %s and fetch again", filepath.Join(dir, indexFile), k, dir)
		}
		p.Pictures = append(p.Pictures, Picture{e.Name, e.Category, pixels[k*each : (k+1)*each]})
	}
	if p.hash() != i.SHA256 {
		return nil, fmt.Errorf("emoji: %s was changed since it was written (%w): remove %s and fetch again", path, ErrDamaged, dir)
	}
	return p, nil
}

// Identity names what the pack holds, for the keys of results.
func (p *Pack) Identity() string { return "sha256:" + p.hash() }

func (p *Pack) hash() string {
	h := sha256.New()
	for _, x := range p.Pictures {
		fmt.Fprintf(h, "%q %q\n", x.Name, x.Category)
		h.Write(x.Pixels)
	}
	return hex.EncodeToString(h.Sum(nil))
}

// Held reports whether a picture is among a percentage that is held out, which depends on its name alone.
func (x Picture) Held(percent int) bool {
	sum := sha256.Sum256([]byte(x.Name))
	return int(sum[0])*100/256 < percent
}
