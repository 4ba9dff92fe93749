package stimuli

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"runtime"

	"golang.org/x/sync/errgroup"
)

// The files of an exported folder besides the images. See docs/formats.md.
const (
	manifestFile = "set.json"
	metadataFile = "metadata.jsonl"
)

// A manifest says what a folder holds.
type manifest struct {
	Format          string                `json:"format"`
	Version         int                   `json:"version"`
	Set             *Config               `json:"set,omitempty"`
	Counterfactuals *CounterfactualConfig `json:"counterfactuals,omitempty"`
}

const (
	formatName    = "samediff stimuli"
	formatVersion = 1
)

// Export writes the set to a folder in Hugging Face ImageFolder form: 000000.png and so on, metadata.jsonl with a record
// per image, and set.json with the configuration, last, so that a folder without it is an unfinished export. The
// folder must not exist or be empty. [Import] gives back the same pixels and records; Python reads it with
// datasets.load_dataset("imagefolder", data_dir=...), or with PIL and json.
func (s *Set) Export(ctx context.Context, dir string) error {
	if err := makeEmpty(dir); err != nil {
		return err
	}
	if err := s.exportImages(ctx, dir, ""); err != nil {
		return err
	}
	err := writeLines(filepath.Join(dir, metadataFile), s.Len(), func(i int) any {
		return imageRecord{FileName: imageName("", i), sceneRecord: sceneOf(s.plan()[i])}
	})
	if err != nil {
		return err
	}
	return writeManifest(dir, manifest{Set: &s.config})
}

// Export writes the pairs to a folder as [Set.Export] does, base images in base/, counterfactual ones in cf/, and both in
// each record of metadata.jsonl. [ImportCounterfactuals] gives back the same.
func (c *Counterfactuals) Export(ctx context.Context, dir string) error {
	if err := makeEmpty(dir); err != nil {
		return err
	}
	for _, half := range []struct {
		set    *Set
		folder string
	}{{c.base, "base"}, {c.cf, "cf"}} {
		if err := os.Mkdir(filepath.Join(dir, half.folder), 0o777); err != nil {
			return fmt.Errorf("stimuli: export: %w", err)
		}
		if err := half.set.exportImages(ctx, dir, half.folder); err != nil {
			return err
		}
	}
	err := writeLines(filepath.Join(dir, metadataFile), c.Len(), func(i int) any { return counterfactualOf(c.records[i]) })
	if err != nil {
		return err
	}
	return writeManifest(dir, manifest{Counterfactuals: &c.config})
}

// makeEmpty makes a folder, or accepts one that is there and empty.
func makeEmpty(dir string) error {
	if err := os.MkdirAll(dir, 0o777); err != nil {
		return fmt.Errorf("stimuli: export: %w", err)
	}
	entries, err := os.ReadDir(dir)
	if err != nil {
		return fmt.Errorf("stimuli: export: %w", err)
	}
	if len(entries) > 0 {
		return fmt.Errorf("stimuli: export: %s holds %s already: expected a new or empty folder", dir, entries[0].Name())
	}
	return nil
}

// exportImages writes all images on all cores.
func (s *Set) exportImages(ctx context.Context, dir, folder string) error {
	group, ctx := errgroup.WithContext(ctx)
	workers := runtime.GOMAXPROCS(0)
	for w := range workers {
		group.Go(func() error {
			pixels := make([]uint8, s.imageBytes())
			for i := w; i < s.Len(); i += workers {
				if err := ctx.Err(); err != nil {
					return err
				}
				s.Draw(i, pixels)
				data, err := encodePNG(pixels, s.config.Geometry.Image)
				if err != nil {
					return err
				}
				if err := os.WriteFile(filepath.Join(dir, filepath.FromSlash(imageName(folder, i))), data, 0o666); err != nil {
					return err
				}
			}
			return nil
		})
	}
	if err := group.Wait(); err != nil {
		return fmt.Errorf("stimuli: export: %w", err)
	}
	return nil
}

// writeLines writes n records as JSON, one per line.
func writeLines(name string, n int, record func(i int) any) error {
	file, err := os.Create(name)
	if err != nil {
		return fmt.Errorf("stimuli: export: %w", err)
	}
	defer file.Close()
	buffer := bufio.NewWriter(file)
	encoder := json.NewEncoder(buffer)
	for i := range n {
		if err := encoder.Encode(record(i)); err != nil {
			return fmt.Errorf("stimuli: export: %w", err)
		}
	}
	if err := buffer.Flush(); err != nil {
		return fmt.Errorf("stimuli: export: %w", err)
	}
	if err := file.Close(); err != nil {
		return fmt.Errorf("stimuli: export: %w", err)
	}
	return nil
}

func writeManifest(dir string, m manifest) error {
	m.Format, m.Version = formatName, formatVersion
	data, err := json.MarshalIndent(m, "", "  ")
	if err != nil {
		return fmt.Errorf("stimuli: export: %w", err)
	}
	if err := os.WriteFile(filepath.Join(dir, manifestFile), append(data, '\n'), 0o666); err != nil {
		return fmt.Errorf("stimuli: export: %w", err)
	}
	return nil
}
