package stimuli

import (
	"encoding/json"
	"image/color"
	"os"
	"path/filepath"
	"testing"
)

// FuzzRecord feeds the reader of records with anything: it returns an error or a stimulus whose every index is in range.
func FuzzRecord(f *testing.F) {
	set := mustOpen(f, Config{Task: RMTS, Geometry: Course, Size: 8})
	for i := range 2 {
		line, err := json.Marshal(imageRecord{FileName: "a.png", sceneRecord: sceneOf(set.Stimulus(i))})
		if err != nil {
			f.Fatal(err)
		}
		f.Add(line)
	}
	f.Add([]byte(`{"file_name":"a.png","label":1,"objects":[{"box":[0,0,8,8]},{"mask":"m.png"}]}`))
	mask := func(string) (Mask, error) { return sample(silhouettes[0].inside, 64), nil }
	f.Fuzz(func(t *testing.T, line []byte) {
		var record imageRecord
		if parseLine(line, &record) != nil {
			return
		}
		s, err := record.stimulus(0, Course, mask)
		if err != nil {
			return
		}
		checkStimulus(t, s)
	})
}

// FuzzCounterfactualRecord does the same for counterfactual pairs.
func FuzzCounterfactualRecord(f *testing.F) {
	set := mustOpenCF(f, CounterfactualConfig{Set: Config{Geometry: Course, Size: 60}, Property: ColorProperty, Size: 2})
	for i := range set.Len() {
		line, err := json.Marshal(counterfactualOf(set.Record(i)))
		if err != nil {
			f.Fatal(err)
		}
		f.Add(line)
	}
	f.Fuzz(func(t *testing.T, line []byte) {
		var record counterfactualRecord
		if parseLine(line, &record) != nil {
			return
		}
		c, err := record.counterfactual(0, Course)
		if err != nil {
			return
		}
		checkStimulus(t, c.Base)
		checkStimulus(t, c.CF)
		_ = c.Relation()
		_, _ = c.Base.Objects[c.Edited], c.Base.Objects[c.NonEdited]
		_, _ = c.CF.Objects[c.Source], c.CF.Objects[c.Other]
	})
}

func checkStimulus(t *testing.T, s Stimulus) {
	for _, o := range s.Objects {
		if o.Shape >= NumShapes || o.Color >= NumColors || len(o.Tokens) == 0 {
			t.Fatalf("accepted %+v", o)
		}
		for _, token := range o.Tokens {
			if token < 0 || token >= Course.Patches() {
				t.Fatalf("accepted patch %d", token)
			}
		}
	}
	for _, p := range s.Pairs {
		_, _ = s.Objects[p.First], s.Objects[p.Second]
	}
	sceneOf(s)
}

// FuzzDecodeImage feeds the image reader with anything: an error, or an image of the expected size.
func FuzzDecodeImage(f *testing.F) {
	pixels := make([]uint8, 8*8*3)
	sound, err := encodePNG(pixels, 8)
	if err != nil {
		f.Fatal(err)
	}
	f.Add(sound)
	f.Add(bomb())
	f.Fuzz(func(t *testing.T, data []byte) {
		if decoded, err := decodeImage(data, 8, color.White); err == nil && len(decoded.Pix) != 8*8*4 {
			t.Fatalf("accepted an image of %v", decoded.Rect)
		}
	})
}

// FuzzConfig opens whatever configuration a file may hold, small enough to draw: an error, or a set that draws.
func FuzzConfig(f *testing.F) {
	for _, cfg := range []Config{{Geometry: Course, Size: 8}, {Task: RMTS, Geometry: CourseQuick, Size: 8, Factors: Factors{OffGrid: true}}, {Geometry: Course, Size: 4, Factors: everyFactor}} {
		text, err := json.Marshal(cfg)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		var cfg Config
		if json.Unmarshal(text, &cfg) != nil || cfg.Size <= 0 || cfg.Size > 64 || cfg.Geometry.Image > 128 {
			return
		}
		set, err := Open(cfg)
		if err != nil {
			return
		}
		set.Images([]int{0, set.Len() - 1})
		set.Tokens()
	})
}

// FuzzImport reads whatever lies beside an image as a set, exported or of one's own: an error, or a set that draws.
func FuzzImport(f *testing.F) {
	dir := f.TempDir()
	if err := mustOpen(f, Config{Geometry: CourseQuick, Size: 2}).Export(f.Context(), filepath.Join(dir, "set")); err != nil {
		f.Fatal(err)
	}
	var files [3][]byte
	for i, name := range []string{manifestFile, metadataFile, "000000.png"} {
		var err error
		if files[i], err = os.ReadFile(filepath.Join(dir, "set", name)); err != nil {
			f.Fatal(err)
		}
	}
	f.Add(files[0], files[1])
	f.Add([]byte{}, []byte(`{"file_name":"000000.png","label":1,"objects":[{"box":[0,0,8,8.0]},{"mask":"000000.png"}]}`))
	f.Add([]byte(`{"format":"samediff stimuli","version":1,"set":{}}`), files[1])
	f.Add([]byte(`{"records":-1}`), []byte("\xef\xbb\xbf\n \n"))
	f.Fuzz(func(t *testing.T, manifest, metadata []byte) {
		dir := t.TempDir()
		for name, data := range map[string][]byte{manifestFile: manifest, metadataFile: metadata, "000000.png": files[2], "000001.png": files[2]} {
			if err := os.WriteFile(filepath.Join(dir, name), data, 0o666); err != nil {
				t.Fatal(err)
			}
		}
		set, err := Import(dir)
		if err != nil {
			if set, err = ImportFolder(dir, CourseQuick); err != nil {
				return
			}
		}
		set.Images([]int{0, set.Len() - 1})
		set.Tokens()
		set.Labels()
	})
}
