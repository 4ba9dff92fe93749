package stimuli

import (
	"bufio"
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"runtime"
	"strings"

	"golang.org/x/sync/errgroup"

	ondisk "samediff/sdlib/internal/disk"
)

// The files of an exported folder besides the images. See docs/formats.md.
const (
	manifestFile   = "set.json"
	metadataFile   = "metadata.jsonl"
	unfinishedFile = ".unfinished.json" // while an export is under way: what it is to become
)

// A manifest says what a folder holds.
type manifest struct {
	Format          string                `json:"format"`
	Version         int                   `json:"version"`
	Set             *Config               `json:"set,omitempty"`
	Counterfactuals *CounterfactualConfig `json:"counterfactuals,omitempty"`
	// Of a finished export; exports of earlier versions of this package lack them.
	Records int    `json:"records,omitempty"` // lines of metadata.jsonl
	Content string `json:"content,omitempty"` // hash of metadata.jsonl and all images, see contentHash
	Check   string `json:"check,omitempty"`   // hash of the fields above, see manifest.check
}

const (
	formatName    = "samediff stimuli"
	formatVersion = 1
)

// Export writes the set to a folder in Hugging Face ImageFolder form: 000000.png and so on, metadata.jsonl with a record
// per image, and set.json with the configuration and a hash of all files, last, so that a folder without it is an
// unfinished export. The folder must not exist or be empty, or hold an export of the same set: an unfinished one is gone
// on with, and of a finished one what is damaged is written again. [Import] gives back the same pixels and records; Python reads it with
// datasets.load_dataset("imagefolder", data_dir=...), or with PIL and json.
func (s *Set) Export(ctx context.Context, dir string) error {
	m := manifest{Set: &s.config, Records: s.Len()}
	if err := m.begin(dir); err != nil {
		return err
	}
	images, err := s.exportImages(ctx, dir, "")
	if err != nil {
		return err
	}
	metadata, err := writeLines(filepath.Join(dir, metadataFile), s.Len(), func(i int) any {
		return imageRecord{FileName: imageName("", i), sceneRecord: sceneOf(s.plan()[i])}
	})
	if err != nil {
		return err
	}
	m.Content = contentOf(metadata, images)
	return m.finish(dir)
}

// Export writes the pairs to a folder as [Set.Export] does, base images in base/, counterfactual ones in cf/, and both in
// each record of metadata.jsonl. [ImportCounterfactuals] gives back the same.
func (c *Counterfactuals) Export(ctx context.Context, dir string) error {
	m := manifest{Counterfactuals: &c.config, Records: c.Len()}
	if err := m.begin(dir); err != nil {
		return err
	}
	var images [2][][sha256.Size]byte
	for i, half := range []struct {
		set    *Set
		folder string
	}{{c.base, "base"}, {c.cf, "cf"}} {
		if err := os.MkdirAll(filepath.Join(dir, half.folder), 0o777); err != nil {
			return fmt.Errorf("stimuli: export: %w", err)
		}
		var err error
		if images[i], err = half.set.exportImages(ctx, dir, half.folder); err != nil {
			return err
		}
	}
	metadata, err := writeLines(filepath.Join(dir, metadataFile), c.Len(), func(i int) any { return counterfactualOf(c.records[i]) })
	if err != nil {
		return err
	}
	m.Content = contentOf(metadata, images[:]...)
	return m.finish(dir)
}

// begin makes a folder, or accepts one that is empty or holds an export of the same set.
func (m manifest) begin(dir string) error {
	if err := os.MkdirAll(dir, 0o777); err != nil {
		return fmt.Errorf("stimuli: export: %w", err)
	}
	entries, err := os.ReadDir(dir)
	if err != nil {
		return fmt.Errorf("stimuli: export: %w", err)
	}
	text, err := m.text()
	if err != nil {
		return err
	}
	path := filepath.Join(dir, unfinishedFile)
	if len(entries) > 0 {
		there, err := ondisk.ReadFile(path, ondisk.Small)
		switch {
		case err != nil && len(entries) == 1 && strings.HasPrefix(entries[0].Name(), "."+unfinishedFile): // killed while it wrote that
		case err != nil && m.isOf(dir):
		case err != nil:
			return fmt.Errorf("stimuli: export: %s holds %s already: expected a new or empty folder", dir, entries[0].Name())
		case !bytes.Equal(there, text):
			return fmt.Errorf("stimuli: export: %s holds an unfinished export of another set: expected a new or empty folder", dir)
		}
		if err := ondisk.RemoveLeftovers(dir); err != nil {
			return fmt.Errorf("stimuli: export: %w", err)
		}
	}
	return replace(path, text)
}

// isOf reports whether a folder holds a finished export of the same set, as one has it that was killed at its very end.
func (m manifest) isOf(dir string) bool {
	there, err := readManifest(dir)
	if err != nil {
		return false
	}
	there.Content, there.Check = "", ""
	text, err := there.text()
	own, ownErr := m.text()
	return err == nil && ownErr == nil && bytes.Equal(text, own)
}

// finish writes set.json, which says that the export is whole.
func (m manifest) finish(dir string) error {
	m.Check = m.check()
	text, err := m.text()
	if err != nil {
		return err
	}
	if err := replace(filepath.Join(dir, manifestFile), text); err != nil {
		return err
	}
	if err := os.Remove(filepath.Join(dir, unfinishedFile)); err != nil {
		return fmt.Errorf("stimuli: export: %w", err)
	}
	return nil
}

func replace(path string, text []byte) error {
	err := ondisk.Replace(path, func(w io.Writer) error {
		_, err := w.Write(text)
		return err
	})
	if err != nil {
		return fmt.Errorf("stimuli: export: %w", err)
	}
	return nil
}

// text is the manifest as its file has it.
func (m manifest) text() ([]byte, error) {
	m.Format, m.Version = formatName, formatVersion
	data, err := json.MarshalIndent(m, "", "  ")
	if err != nil {
		return nil, fmt.Errorf("stimuli: export: %w", err)
	}
	return append(data, '\n'), nil
}

// check is a hash of what the manifest says, so that a changed byte in set.json shows: it is part of the set's identity.
func (m manifest) check() string {
	m.Format, m.Version, m.Check = formatName, formatVersion, ""
	text, err := json.Marshal(m)
	if err != nil {
		panic(fmt.Sprintf("stimuli: a configuration without JSON: %v", err)) // it is plain data
	}
	return fmt.Sprintf("sha256:%x", sha256.Sum256(text))
}

// exportImages writes those images that are not there, on all cores, and returns the hash of each file. A file that an
// earlier export wrote is taken if it is whole: a power cut may leave a file without its end.
func (s *Set) exportImages(ctx context.Context, dir, folder string) ([][sha256.Size]byte, error) {
	hashes := make([][sha256.Size]byte, s.Len())
	group, ctx := errgroup.WithContext(ctx)
	workers := runtime.GOMAXPROCS(0)
	for w := range workers {
		group.Go(func() error {
			pixels := make([]uint8, s.imageBytes())
			for i := w; i < s.Len(); i += workers {
				if err := ctx.Err(); err != nil {
					return err
				}
				path := filepath.Join(dir, filepath.FromSlash(imageName(folder, i)))
				data, err := ondisk.ReadFile(path, maxFile)
				if err != nil || !bytes.HasSuffix(data, pngEnd) {
					s.Draw(i, pixels)
					if data, err = encodePNG(pixels, s.config.Geometry.Image); err != nil {
						return err
					}
					if err := ondisk.Put(path, data); err != nil {
						return err
					}
				}
				hashes[i] = sha256.Sum256(data)
			}
			return nil
		})
	}
	if err := group.Wait(); err != nil {
		return nil, fmt.Errorf("stimuli: export: %w", err)
	}
	return hashes, nil
}

// pngEnd is the last chunk of every PNG file: no bytes, of type IEND, and their checksum.
var pngEnd = []byte("\x00\x00\x00\x00IEND\xaeB`\x82")

// writeLines writes n records as JSON, one per line, and returns the hash of the file.
func writeLines(name string, n int, record func(i int) any) (content [sha256.Size]byte, err error) {
	hash := sha256.New()
	err = ondisk.Replace(name, func(w io.Writer) error {
		buffer := bufio.NewWriter(io.MultiWriter(w, hash))
		encoder := json.NewEncoder(buffer)
		for i := range n {
			if err := encoder.Encode(record(i)); err != nil {
				return err
			}
		}
		return buffer.Flush()
	})
	if err != nil {
		return content, fmt.Errorf("stimuli: export: %w", err)
	}
	return [sha256.Size]byte(hash.Sum(nil)), nil
}

// contentOf names what a folder holds: the metadata and all files of images and masks, by their hashes.
func contentOf(metadata [sha256.Size]byte, files ...[][sha256.Size]byte) string {
	hash := sha256.New()
	hash.Write(metadata[:])
	for _, list := range files {
		for _, sum := range list {
			hash.Write(sum[:])
		}
	}
	return "sha256:" + hex.EncodeToString(hash.Sum(nil))
}
