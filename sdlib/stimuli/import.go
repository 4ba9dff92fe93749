package stimuli

import (
	"bufio"
	"bytes"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"image/color"
	"io"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"runtime"

	"golang.org/x/sync/errgroup"

	ondisk "samediff/sdlib/internal/disk"
)

// Folder stands for the objects of one's own images, in the configuration of a set that [ImportFolder] made.
const Folder Objects = "folder"

// Import reads a folder that [Set.Export] wrote. Every record and image is checked; the files stay in memory as they are
// on disk and are decoded when drawn. The configuration is the exported one, with Source added.
func Import(dir string) (*Set, error) {
	m, err := readManifest(dir)
	if err != nil {
		return nil, err
	}
	if m.Set == nil {
		return nil, fmt.Errorf("stimuli: %s holds counterfactual pairs: use ImportCounterfactuals", dir)
	}
	cfg, err := resolveImported(*m.Set)
	if err != nil {
		return nil, inFile(dir, manifestFile, err)
	}
	set, err := importSet(dir, cfg)
	if err != nil {
		return nil, err
	}
	if err := m.holds(dir, len(set.files), set.config.Source); err != nil {
		return nil, err
	}
	return set, nil
}

// ImportFolder makes a set of one's own images: a folder in ImageFolder form whose metadata.jsonl has for each image
// file_name, label (1 same, 0 different) and objects, each with a box [x0, y0, x1, y1] in pixels or a mask, an image file
// of the same size that is white where the object is. Images are PNG, JPEG or WebP, square, of the geometry's size; its
// Cell, Object and Jitter do not matter. An object covers the patches that its mask or box touches, however many, so
// Set.Tokens pads with -1; shape and color are -1 unless given.
func ImportFolder(dir string, g Geometry) (*Set, error) {
	if err := g.validateGrid(); err != nil {
		return nil, err
	}
	if _, err := os.Stat(filepath.Join(dir, unfinishedFile)); err == nil {
		return nil, fmt.Errorf("stimuli: %s holds an unfinished export: export the set again, which goes on with it", dir)
	}
	return importSet(dir, folderConfig(g))
}

// ImportFS is [ImportFolder] for files that are in no folder, such as those of a zip archive.
func ImportFS(files fs.FS, g Geometry) (*Set, error) {
	if err := g.validateGrid(); err != nil {
		return nil, err
	}
	metadata, err := ondisk.OpenFS(files, metadataFile)
	if err != nil {
		return nil, fmt.Errorf("stimuli: import: %w", err)
	}
	defer metadata.Close()
	return importFiles(files, metadata, "", folderConfig(g))
}

func folderConfig(g Geometry) Config {
	return Config{Task: Discrimination, Geometry: g, Objects: Folder}
}

// ImportCounterfactuals reads a folder that [Counterfactuals.Export] wrote.
func ImportCounterfactuals(dir string) (*Counterfactuals, error) {
	m, err := readManifest(dir)
	if err != nil {
		return nil, err
	}
	if m.Counterfactuals == nil {
		return nil, fmt.Errorf("stimuli: %s holds a set and no counterfactual pairs: use Import", dir)
	}
	out := &Counterfactuals{config: *m.Counterfactuals}
	if out.config.Set, err = resolveImported(out.config.Set); err != nil {
		return nil, inFile(dir, manifestFile, err)
	}
	g := out.config.Set.Geometry
	var bases, cfs []Stimulus
	var baseNames, cfNames []string
	root, err := os.OpenRoot(dir)
	if err != nil {
		return nil, fmt.Errorf("stimuli: import: %w", err)
	}
	defer root.Close()
	metadata, err := ondisk.OpenRegular(filepath.Join(dir, metadataFile))
	if err != nil {
		return nil, fmt.Errorf("stimuli: import: %w", err)
	}
	defer metadata.Close()
	content, err := readLines(metadata, dir, func(index int, line []byte) error {
		var record counterfactualRecord
		if err := parseLine(line, &record); err != nil {
			return err
		}
		for _, name := range []string{record.FileName, record.CFFileName} {
			if err := checkFileName(name); err != nil {
				return err
			}
		}
		c, err := record.counterfactual(index, g)
		if err != nil {
			return err
		}
		out.records = append(out.records, c)
		bases, cfs = append(bases, c.Base), append(cfs, c.CF)
		baseNames, cfNames = append(baseNames, record.FileName), append(cfNames, record.CFFileName)
		return nil
	})
	if err != nil {
		return nil, err
	}
	baseFiles, err := readImages(root.FS(), dir, baseNames, g.Image)
	if err != nil {
		return nil, err
	}
	cfFiles, err := readImages(root.FS(), dir, cfNames, g.Image)
	if err != nil {
		return nil, err
	}
	out.config.Set.Source = contentHash(content, baseFiles, cfFiles)
	if err := m.holds(dir, len(out.records), out.config.Set.Source); err != nil {
		return nil, err
	}
	out.base, out.cf = fileSet(out.config.Set, bases, baseFiles), fileSet(out.config.Set, cfs, cfFiles)
	return out, nil
}

// importSet reads the metadata.jsonl of a folder and the images it names.
func importSet(dir string, cfg Config) (*Set, error) {
	root, err := os.OpenRoot(dir)
	if err != nil {
		return nil, fmt.Errorf("stimuli: import: %w", err)
	}
	defer root.Close()
	metadata, err := ondisk.OpenRegular(filepath.Join(dir, metadataFile))
	if err != nil {
		return nil, fmt.Errorf("stimuli: import: %w", err)
	}
	defer metadata.Close()
	return importFiles(root.FS(), metadata, dir, cfg)
}

// importFiles reads the records of metadata and the images they name, which errors place in dir.
func importFiles(files fs.FS, metadata io.Reader, dir string, cfg Config) (*Set, error) {
	g := cfg.Geometry
	var stimuli []Stimulus
	var names []string
	var masks [][]byte
	seen := map[string]int{} // records of images, by name
	content, err := readLines(metadata, dir, func(index int, line []byte) error {
		var record imageRecord
		if err := parseLine(line, &record); err != nil {
			return err
		}
		if err := checkFileName(record.FileName); err != nil {
			return err
		}
		name := path.Clean(record.FileName)
		if before, twice := seen[name]; twice {
			return fmt.Errorf("file_name %q: record %d is about the same image: expected one record for each", record.FileName, before+1)
		}
		seen[name] = index
		s, err := record.stimulus(index, g, func(name string) (Mask, error) {
			mask, data, err := readMask(files, name, g.Image)
			masks = append(masks, data)
			return mask, err
		})
		if err != nil {
			return err
		}
		stimuli, names = append(stimuli, s), append(names, record.FileName)
		return nil
	})
	if err != nil {
		return nil, err
	}
	images, err := readImages(files, dir, names, g.Image)
	if err != nil {
		return nil, err
	}
	if cfg.Objects == Folder {
		cfg.Size = len(stimuli)
	}
	cfg.Source = contentHash(content, images, masks)
	return fileSet(cfg, stimuli, images), nil
}

// resolveImported checks a configuration from a manifest, which may itself have been imported.
func resolveImported(cfg Config) (Config, error) {
	if cfg.Objects == Folder {
		return cfg, cfg.Geometry.validateGrid()
	}
	cfg.Source = ""
	return cfg.Resolved()
}

// fileSet is a set whose images are files.
func fileSet(cfg Config, stimuli []Stimulus, files [][]byte) *Set {
	s := newSet(cfg, 0, func() []Stimulus { return stimuli })
	s.files = files
	return s
}

// drawFile decodes file i, which readImages has checked, into dst.
func (s *Set) drawFile(i int, dst []uint8) {
	decoded, err := decodeImage(s.files[i], s.config.Geometry.Image, color.White)
	if err != nil {
		panic(fmt.Sprintf("stimuli: image %d was sound when it was imported and is not now: %v", i, err))
	}
	for p := range len(dst) / 3 {
		copy(dst[3*p:3*p+3], decoded.Pix[4*p:4*p+3])
	}
}

// noManifest says that a folder is no finished export. It is fs.ErrNotExist.
type noManifest struct{ dir string }

func (e *noManifest) Error() string {
	return fmt.Sprintf("stimuli: %s has no %s: expected a finished export; one's own images are read with ImportFolder", e.dir, manifestFile)
}

func (e *noManifest) Is(target error) bool { return target == fs.ErrNotExist }

// readManifest reads set.json.
func readManifest(dir string) (manifest, error) {
	var m manifest
	text, err := ondisk.ReadFile(filepath.Join(dir, manifestFile), 1<<20)
	if errors.Is(err, fs.ErrNotExist) {
		return m, &noManifest{dir}
	}
	if err != nil {
		return m, fmt.Errorf("stimuli: import: %w", err)
	}
	if err := json.Unmarshal(text, &m); err != nil {
		return m, inFile(dir, manifestFile, err)
	}
	if m.Format != formatName || m.Version != formatVersion {
		return m, inFile(dir, manifestFile, fmt.Errorf("format %q, version %d: expected %q, version %d", m.Format, m.Version, formatName, formatVersion))
	}
	if (m.Set == nil) == (m.Counterfactuals == nil) {
		return m, inFile(dir, manifestFile, errors.New(`expected either "set" or "counterfactuals"`))
	}
	return m, nil
}

// maxLine bounds a record of metadata.jsonl.
const maxLine = 4 << 20

// readLines hands the records of a metadata.jsonl in dir to a function and returns the file's SHA-256. Blank lines are skipped.
func readLines(file io.Reader, dir string, each func(index int, line []byte) error) (content [sha256.Size]byte, err error) {
	hash := sha256.New()
	scanner := bufio.NewScanner(io.TeeReader(file, hash))
	scanner.Buffer(nil, maxLine)
	count := 0
	for number := 1; scanner.Scan(); number++ {
		line := bytes.TrimSpace(bytes.TrimPrefix(scanner.Bytes(), []byte("\xef\xbb\xbf"))) // an editor's byte order mark
		if len(line) == 0 {
			continue
		}
		if count == maxSize {
			return content, inFile(dir, metadataFile, fmt.Errorf("more than %d records", maxSize))
		}
		if err := each(count, line); err != nil {
			return content, inFile(dir, metadataFile, fmt.Errorf("line %d: %w", number, err))
		}
		count++
	}
	if err := scanner.Err(); err != nil {
		return content, inFile(dir, metadataFile, err)
	}
	if count == 0 {
		return content, inFile(dir, metadataFile, errors.New("no records: expected a JSON object per line"))
	}
	return [sha256.Size]byte(hash.Sum(nil)), nil
}

// readImages reads and checks the image files on all cores; dir is where errors say they are.
func readImages(from fs.FS, dir string, names []string, side int) ([][]byte, error) {
	files := make([][]byte, len(names))
	var group errgroup.Group
	group.SetLimit(runtime.GOMAXPROCS(0))
	for i, name := range names {
		group.Go(func() error {
			data, err := readImageFile(from, name, side)
			files[i] = data
			return err
		})
	}
	if err := group.Wait(); err != nil {
		return nil, fmt.Errorf("stimuli: import from %s: %w", dir, err)
	}
	return files, nil
}

// contentHash names what was imported: the metadata and all files of images and masks.
func contentHash(metadata [sha256.Size]byte, files ...[][]byte) string {
	var sums [][sha256.Size]byte
	for _, list := range files {
		for _, data := range list {
			sums = append(sums, fileHash(data))
		}
	}
	return contentOf(metadata, sums)
}

// holds checks what was imported against the manifest of the export.
func (m manifest) holds(dir string, records int, content string) error {
	switch {
	case m.Content == "" && m.Check == "" && m.Records == 0: // of an earlier version of this package
		return nil
	case m.check() != m.Check:
		return inFile(dir, manifestFile, errors.New("it was changed since the export: export the set again"))
	case records != m.Records:
		return inFile(dir, metadataFile, fmt.Errorf("%d records, expected %d as %s says: the file was cut or added to; export the set again", records, m.Records, manifestFile))
	case content != m.Content:
		return fmt.Errorf("stimuli: %s does not hold what was exported: %s or an image was changed or swapped since; export the set again,"+
			" or remove %s to read the folder as images of your own", dir, metadataFile, manifestFile)
	}
	return nil
}

func inFile(dir, name string, err error) error {
	return fmt.Errorf("stimuli: %s: %w", filepath.Join(dir, name), err)
}
