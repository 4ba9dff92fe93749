package stimuli

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"image"
	"image/color"
	"image/jpeg"
	"image/png"
	"io/fs"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"
)

// TestRoundTrip exports sets of both tasks, all options and factors, and imports them: same pixels, records, arrays.
func TestRoundTrip(t *testing.T) {
	for i, cfg := range []Config{
		{Geometry: Course, Size: 20, Seed: 1},
		{Geometry: B16, Size: 8, Task: RMTS, Objects: OODShapeColor, Split: Test, Seed: 1<<64 - 1},
		{Geometry: Course, Size: 20, Factors: everyFactor, Clip: 255, NoiseSD: 3},
		{Geometry: B14, Size: 20, Objects: Compositional32, Faithful: OriginalCode},
	} {
		set := mustOpen(t, cfg)
		dir := filepath.Join(t.TempDir(), "set")
		if err := set.Export(context.Background(), dir); err != nil {
			t.Fatal(err)
		}
		back, err := Import(dir)
		if err != nil {
			t.Fatal(err)
		}
		equalSets(t, fmt.Sprint("set ", i), set, back)
		want := set.Config()
		if want.Source = back.Config().Source; want != back.Config() || !strings.HasPrefix(want.Source, "sha256:") {
			t.Errorf("set %d: configuration %+v, want %+v", i, back.Config(), want)
		}
		if _, err := Open(back.Config()); err == nil || !strings.Contains(err.Error(), "imported") {
			t.Errorf("set %d: Open of an imported configuration: %v", i, err)
		}

		again := filepath.Join(t.TempDir(), "again")
		if err := back.Export(context.Background(), again); err != nil {
			t.Fatal(err)
		}
		twice, err := Import(again)
		if err != nil {
			t.Fatal(err)
		}
		if twice.Config() != back.Config() {
			t.Errorf("set %d: exported twice, it has configuration %+v, want %+v", i, twice.Config(), back.Config())
		}
	}
}

func equalSets(t *testing.T, name string, want, got *Set) {
	t.Helper()
	if got.Len() != want.Len() {
		t.Fatalf("%s: %d stimuli, want %d", name, got.Len(), want.Len())
	}
	for i := range want.Len() {
		if !reflect.DeepEqual(got.Stimulus(i), want.Stimulus(i)) {
			t.Fatalf("%s: stimulus %d is\n%+v, want\n%+v", name, i, got.Stimulus(i), want.Stimulus(i))
		}
	}
	if !bytes.Equal(got.Images(nil), want.Images(nil)) {
		t.Errorf("%s: the pixels differ", name)
	}
	if !slices.Equal(got.Tokens(), want.Tokens()) || !slices.Equal(got.Labels(), want.Labels()) {
		t.Errorf("%s: the arrays differ", name)
	}
}

func TestCounterfactualRoundTrip(t *testing.T) {
	for _, task := range []Task{Discrimination, RMTS} {
		set := mustOpenCF(t, CounterfactualConfig{Set: Config{Task: task, Geometry: Course, Size: 240, Faithful: OriginalCode}, Property: ColorProperty, Size: 16})
		dir := t.TempDir()
		if err := set.Export(context.Background(), dir); err != nil {
			t.Fatal(err)
		}
		back, err := ImportCounterfactuals(dir)
		if err != nil {
			t.Fatal(err)
		}
		equalSets(t, "base", set.Base(), back.Base())
		equalSets(t, "cf", set.CF(), back.CF())
		for i := range set.Len() {
			if !reflect.DeepEqual(set.Record(i), back.Record(i)) {
				t.Fatalf("record %d is\n%+v, want\n%+v", i, back.Record(i), set.Record(i))
			}
		}
		if !reflect.DeepEqual(set.Tokens(), back.Tokens()) {
			t.Error("the tokens differ")
		}
		want := set.Config()
		if want.Set.Source = back.Config().Set.Source; want != back.Config() {
			t.Errorf("configuration %+v, want %+v", back.Config(), want)
		}
		if _, err := Import(dir); err == nil || !strings.Contains(err.Error(), "ImportCounterfactuals") {
			t.Errorf("Import of counterfactual pairs: %v", err)
		}
	}
}

func TestExportErrors(t *testing.T) {
	set := mustOpen(t, Config{Geometry: Course, Size: 20})
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "notes.txt"), nil, 0o666); err != nil {
		t.Fatal(err)
	}
	if err := set.Export(context.Background(), dir); err == nil || !strings.Contains(err.Error(), "notes.txt") {
		t.Errorf("export into a full folder: %v", err)
	}
	if err := set.Export(context.Background(), filepath.Join(dir, "notes.txt", "below")); err == nil {
		t.Error("export below a file: no error")
	}
	canceled, cancel := context.WithCancel(context.Background())
	cancel()
	unfinished := filepath.Join(t.TempDir(), "unfinished")
	if err := set.Export(canceled, unfinished); err == nil {
		t.Error("canceled export: no error")
	}
	if _, err := Import(unfinished); err == nil || !strings.Contains(err.Error(), "finished export") {
		t.Errorf("import of an unfinished export: %v", err)
	}
}

// ownFolder writes two photograph-like images with boxes and masks, as a user would.
func ownFolder(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	picture := image.NewRGBA(image.Rect(0, 0, 64, 64))
	for i := range picture.Pix {
		picture.Pix[i] = uint8(i * 7)
		if i%4 == 3 {
			picture.Pix[i] = 255
		}
	}
	mask := image.NewGray(image.Rect(0, 0, 64, 64))
	for _, p := range []image.Point{{20, 20}, {21, 20}, {40, 9}} {
		mask.SetGray(p.X, p.Y, color.Gray{Y: 255})
	}
	var pngFile, jpegFile, maskFile bytes.Buffer
	for _, err := range []error{png.Encode(&pngFile, picture), jpeg.Encode(&jpegFile, picture, nil), png.Encode(&maskFile, mask)} {
		if err != nil {
			t.Fatal(err)
		}
	}
	writeFile(t, dir, "a.png", pngFile.Bytes())
	writeFile(t, dir, "deep/b.jpg", jpegFile.Bytes())
	writeFile(t, dir, "masks/b.png", maskFile.Bytes())
	writeFile(t, dir, metadataFile, []byte(`{"file_name":"a.png","label":1,"photographer":"me","objects":[{"box":[0,0,8,8]},{"box":[7,7,25,17],"color":3}]}

{"file_name":"deep/b.jpg","label":0,"objects":[{"mask":"masks/b.png"},{"box":[30,30,33,33],"shape":2},{"box":[0,56,64,64]}],"pairs":[{"first":0,"second":2,"label":0}]}
`))
	return dir
}

func writeFile(t *testing.T, dir, name string, data []byte) {
	t.Helper()
	name = filepath.Join(dir, name)
	if err := os.MkdirAll(filepath.Dir(name), 0o777); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(name, data, 0o666); err != nil {
		t.Fatal(err)
	}
}

// TestImportFolder reads a user's own images: tokens from boxes and masks, arrays padded with -1, pixels as decoded.
func TestImportFolder(t *testing.T) {
	dir := ownFolder(t)
	set, err := ImportFolder(dir, Geometry{Image: 64, Patch: 8})
	if err != nil {
		t.Fatal(err)
	}
	if set.Len() != 2 || set.ObjectsPerImage() != 3 || set.TokensPerObject() != 12 {
		t.Fatalf("%d images, %d objects, %d tokens", set.Len(), set.ObjectsPerImage(), set.TokensPerObject())
	}
	a, b := set.Stimulus(0), set.Stimulus(1)
	for _, c := range []struct {
		what      string
		got, want any
	}{
		{"tokens of the first box", a.Objects[0].Tokens, []int{0}},
		// x 7..24 and y 7..16 touch columns 0..3 and rows 0..2.
		{"tokens of the second box", a.Objects[1].Tokens, []int{0, 1, 2, 3, 8, 9, 10, 11, 16, 17, 18, 19}},
		{"pairs of a", a.Pairs, []Pair{{0, 1, 1}}},
		{"pairs of b", b.Pairs, []Pair{{0, 2, 0}}},
		{"tokens of the mask", b.Objects[0].Tokens, []int{13, 18}},
		{"box of the mask", b.Objects[0].Box, image.Rect(20, 9, 41, 21)},
		{"corner of the mask", []int{b.Objects[0].Row, b.Objects[0].Col}, []int{1, 2}},
		{"tokens of the last box", b.Objects[2].Tokens, []int{56, 57, 58, 59, 60, 61, 62, 63}},
	} {
		if !reflect.DeepEqual(c.got, c.want) {
			t.Errorf("%s: %v, want %v", c.what, c.got, c.want)
		}
	}
	shapes, colors := set.Attributes()
	if !slices.Equal(shapes, []int32{-1, -1, -1, -1, 2, -1}) || !slices.Equal(colors, []int32{-1, 3, -1, -1, -1, -1}) {
		t.Errorf("attributes %v, %v", shapes, colors)
	}
	pixels := make([]uint8, 64*64*3)
	set.Draw(0, pixels)
	for p := range 64 * 64 {
		for c := range 3 {
			if want := uint8((4*p + c) * 7); pixels[3*p+c] != want {
				t.Fatalf("pixel %d is %d, want %d", p, pixels[3*p+c], want)
			}
		}
	}
	other := filepath.Join(t.TempDir(), "exported")
	if err := set.Export(context.Background(), other); err != nil {
		t.Fatal(err)
	}
	back, err := Import(other)
	if err != nil {
		t.Fatal(err)
	}
	equalSets(t, "own images", set, back)
}

// TestImportFS: the same files are the same set, whatever holds them, and a mask beside a box says which patches are covered.
func TestImportFS(t *testing.T) {
	dir, g := ownFolder(t), Geometry{Image: 64, Patch: 8}
	folder, err := ImportFolder(dir, g)
	if err != nil {
		t.Fatal(err)
	}
	set, err := ImportFS(os.DirFS(dir), g)
	if err != nil {
		t.Fatal(err)
	}
	equalSets(t, "a file system", folder, set)
	if set.Config() != folder.Config() {
		t.Errorf("the file system is %+v, the folder %+v", set.Config(), folder.Config())
	}

	writeFile(t, dir, metadataFile, []byte(`{"file_name":"deep/../a.png","label":1,"objects":[{"box":[16,8,48,24],"mask":"masks/b.png"},{"box":[0,0,8,8]}]}`))
	if set, err = ImportFS(os.DirFS(dir), g); err != nil {
		t.Fatal(err)
	}
	if o := set.Stimulus(0).Objects[0]; !slices.Equal(o.Tokens, []int{13, 18}) || o.Box != image.Rect(16, 8, 48, 24) {
		t.Errorf("the object has box %v and covers %v, expected its box and the patches of its mask, 13 and 18", o.Box, o.Tokens)
	}
	for _, files := range []fs.FS{os.DirFS(t.TempDir()), os.DirFS(filepath.Join(dir, "deep"))} {
		if _, err := ImportFS(files, g); !errors.Is(err, fs.ErrNotExist) || !strings.Contains(err.Error(), metadataFile) {
			t.Errorf("without metadata: %v", err)
		}
	}
}

// TestImportErrors breaks a sound folder in one way at a time.
func TestImportErrors(t *testing.T) {
	line := func(format string, args ...any) string { return fmt.Sprintf(format, args...) }
	withObject := func(object string) string {
		return line(`{"file_name":"a.png","label":1,"objects":[%s]}`, object)
	}
	for name, c := range map[string]struct{ metadata, says string }{
		"empty":           {"", "no records"},
		"twice":           {line("%[1]s\n%[1]s", `{"file_name":"a.png","label":1}`), "line 2: file_name \"a.png\": record 1 is about the same image"},
		"twice by detour": {line("%s\n%s", `{"file_name":"a.png","label":1}`, `{"file_name":"deep/../a.png","label":0}`), "same image"},
		"contradiction":   {`{"file_name":"a.png","label":1,"objects":[{"box":[0,0,5,5]},{"box":[9,9,12,12]}],"pairs":[{"first":0,"second":1,"label":0}]}`, "contradict"},
		"box fraction":    {withObject(`{"box":[0,0,5.5,5]}`), "whole pixels"},
		"box of three":    {withObject(`{"box":[0,0,5]}`), "expected [x0, y0, x1, y1]"},
		"not json":        {"{", "line 1: expected one JSON object"},
		"second line":     {line("{%s}\n[]", `"file_name":"a.png","label":1`), "line 2"},
		"null":            {"null", "file_name"},
		"no name":         {`{"label":1}`, "ends in .png, .jpg"},
		"outside":         {`{"file_name":"../a.png","label":1}`, "inside the folder"},
		"absolute":        {`{"file_name":"/a.png","label":1}`, "inside the folder"},
		"no such file":    {`{"file_name":"c.png","label":1}`, "c.png"},
		"a folder":        {`{"file_name":"folder.png","label":1}`, "folder.png"},
		"no label":        {`{"file_name":"a.png"}`, "label missing"},
		"label 2":         {`{"file_name":"a.png","label":2}`, "label 2: expected 1 for same"},
		"label text":      {`{"file_name":"a.png","label":"same"}`, "expected one JSON object"},
		"no box":          {withObject(`{}`), "neither a box nor a mask"},
		"box outside":     {withObject(`{"box":[50,50,65,60]}`), "box [50 50 65 60]: expected [x0, y0, x1, y1]"},
		"box negative":    {withObject(`{"box":[-1,0,5,5]}`), "expected [x0, y0, x1, y1]"},
		"box reversed":    {withObject(`{"box":[5,5,1,1]}`), "expected [x0, y0, x1, y1]"},
		"box huge":        {withObject(`{"box":[0,0,2147483647,9]}`), "expected [x0, y0, x1, y1]"},
		"tokens outside":  {withObject(`{"box":[0,0,5,5],"tokens":[64]}`), "expected different patches of 0..63"},
		"tokens twice":    {withObject(`{"box":[0,0,5,5],"tokens":[3,3]}`), "expected different patches"},
		"tokens none":     {withObject(`{"box":[0,0,5,5],"tokens":[]}`), "no tokens"},
		"shape":           {withObject(`{"box":[0,0,5,5],"shape":20}`), "shape 20"},
		"mask outside":    {withObject(`{"mask":"../m.png"}`), "inside the folder"},
		"mask missing":    {withObject(`{"mask":"m.png"}`), "m.png"},
		"mask black":      {withObject(`{"mask":"black.png"}`), "no object pixel"},
		"pair":            {`{"file_name":"a.png","label":1,"objects":[],"pairs":[{"first":0,"second":1,"label":1}]}`, "pair 0"},
		"pair label":      {`{"file_name":"a.png","label":1,"objects":[{"box":[0,0,5,5]},{"box":[0,0,5,5]}],"pairs":[{"first":0,"second":1,"label":7}]}`, "label 7"},
		"wrong size":      {`{"file_name":"small.png","label":1}`, "png of 32 x 32 pixels: expected 64 x 64"},
		"not an image":    {`{"file_name":"text.png","label":1}`, "no sound PNG, JPEG or WebP file"},
		"truncated":       {`{"file_name":"half.png","label":1}`, "broken png"},
		"bomb":            {`{"file_name":"bomb.png","label":1}`, "bomb.png: "},
		"link":            {`{"file_name":"link.png","label":1}`, "escapes"},
		"long line":       {`{"file_name":"` + strings.Repeat("a", maxLine) + `"}`, "too long"},
		"too many pieces": {line(`{"file_name":"a.png","label":1,"objects":[%s{"box":[0,0,5,5]}]}`, strings.Repeat(`{"box":[0,0,5,5]},`, maxCount)), "at most 64"},
	} {
		t.Run(name, func(t *testing.T) {
			dir := ownFolder(t)
			breakFolder(t, dir)
			writeFile(t, dir, metadataFile, []byte(c.metadata))
			_, err := ImportFolder(dir, Geometry{Image: 64, Patch: 8})
			if err == nil || !strings.Contains(err.Error(), c.says) || !strings.Contains(err.Error(), dir) {
				t.Errorf("error %v, want one that names the folder and says %q", err, c.says)
			}
		})
	}
	if _, err := ImportFolder(filepath.Join(t.TempDir(), "none"), Course); err == nil {
		t.Error("a folder that is not there: no error")
	}
	if _, err := ImportFolder(t.TempDir(), Geometry{Image: 64, Patch: 10}); err == nil || !strings.Contains(err.Error(), "divisor") {
		t.Errorf("a geometry that does not divide: %v", err)
	}
}

// breakFolder adds bad files to a folder.
func breakFolder(t *testing.T, dir string) {
	t.Helper()
	var small, black bytes.Buffer
	for _, err := range []error{png.Encode(&small, image.NewGray(image.Rect(0, 0, 32, 32))), png.Encode(&black, image.NewGray(image.Rect(0, 0, 64, 64)))} {
		if err != nil {
			t.Fatal(err)
		}
	}
	sound, err := os.ReadFile(filepath.Join(dir, "a.png"))
	if err != nil {
		t.Fatal(err)
	}
	writeFile(t, dir, "small.png", small.Bytes())
	writeFile(t, dir, "black.png", black.Bytes())
	writeFile(t, dir, "text.png", []byte("this is no picture"))
	writeFile(t, dir, "half.png", sound[:len(sound)/2])
	writeFile(t, dir, "bomb.png", bomb())
	writeFile(t, dir, "folder.png/x", nil)
	outside := filepath.Join(t.TempDir(), "outside.png")
	if err := os.WriteFile(outside, sound, 0o666); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(outside, filepath.Join(dir, "link.png")); err != nil {
		t.Fatal(err)
	}
}

// bomb is a PNG file of a few bytes that claims to hold 60,000 x 60,000 pixels of 8 bytes.
func bomb() []byte {
	header := []byte("IHDR\x00\x00\xea\x60\x00\x00\xea\x60\x10\x06\x00\x00\x00")
	data := append([]byte("\x89PNG\r\n\x1a\n\x00\x00\x00\r"), header...)
	return binary.BigEndian.AppendUint32(data, crc32.ChecksumIEEE(header))
}

// TestManifestErrors breaks set.json, and records of counterfactual pairs.
func TestManifestErrors(t *testing.T) {
	dir := t.TempDir()
	set := mustOpenCF(t, CounterfactualConfig{Set: Config{Geometry: Course, Size: 240}, Property: ColorProperty, Size: 4})
	if err := set.Export(context.Background(), dir); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct{ file, old, new, says string }{
		{manifestFile, formatName, "other", `format "other"`},
		{manifestFile, `"version": 1`, `"version": 2`, "version 2"},
		{manifestFile, `"counterfactuals"`, `"nothing"`, "either"},
		{manifestFile, `"patch": 8`, `"patch": 9`, "divisor"},
		{manifestFile, `{`, ``, "set.json"},
		{metadataFile, `"target":1`, `"target":0`, "opposite of the base's label"},
		{metadataFile, `"edited":`, `"edited":9,"was":`, "edited object 9"},
		{metadataFile, `"pair":0`, `"pair":5`, "pair 5"},
		{metadataFile, `"source_tokens":[`, `"source_tokens":[1,`, "source_tokens"},
		{metadataFile, `"random_tokens":[`, `"random_tokens":[-7,`, "random_tokens"},
		{metadataFile, `"cf/000000.png"`, `"../cf/000000.png"`, "inside the folder"},
		{metadataFile, `"cf_scene":{"label":`, `"cf_scene":{"label":3,"was":`, "cf: label 3"},
	} {
		name := filepath.Join(dir, c.file)
		sound, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		broken := strings.Replace(string(sound), c.old, c.new, 1)
		if broken == string(sound) {
			t.Fatalf("%s has no %s", c.file, c.old)
		}
		writeFile(t, dir, c.file, []byte(broken))
		if _, err := ImportCounterfactuals(dir); err == nil || !strings.Contains(err.Error(), c.says) {
			t.Errorf("%s for %s: error %v, want one that says %q", c.new, c.old, err, c.says)
		}
		writeFile(t, dir, c.file, sound)
	}
	if _, err := ImportCounterfactuals(dir); err != nil {
		t.Errorf("the mended folder: %v", err)
	}
	plain := filepath.Join(t.TempDir(), "plain")
	if err := mustOpen(t, Config{Geometry: Course, Size: 2}).Export(context.Background(), plain); err != nil {
		t.Fatal(err)
	}
	if _, err := ImportCounterfactuals(plain); err == nil || !strings.Contains(err.Error(), "use Import") {
		t.Errorf("ImportCounterfactuals of a set: %v", err)
	}
}

// Valid spellings: a byte order mark, lines of blanks, boxes in floats.
func TestImportSpellings(t *testing.T) {
	dir := ownFolder(t)
	writeFile(t, dir, metadataFile, []byte("\xef\xbb\xbf"+`{"file_name":"a.png","label":1,"objects":[{"box":[0.0,0,8.0,8e0]}]}`+"\r\n  \t\n"))
	set, err := ImportFolder(dir, Geometry{Image: 64, Patch: 8})
	if err != nil {
		t.Fatal(err)
	}
	if set.Len() != 1 || set.Stimulus(0).Objects[0].Box != image.Rect(0, 0, 8, 8) {
		t.Errorf("%d images, %+v", set.Len(), set.Stimulus(0))
	}
}

// A photograph is turned as the camera says, before its size is checked.
func TestImportTurned(t *testing.T) {
	dir := t.TempDir()
	turned, err := os.ReadFile(filepath.Join("..", "pictures", "testdata", "pillow", "lossless.webp")) // 16 x 12, orientation 8
	if err != nil {
		t.Fatal(err)
	}
	writeFile(t, dir, "a.webp", turned)
	writeFile(t, dir, metadataFile, []byte(`{"file_name":"a.webp","label":1}`))
	if _, err := ImportFolder(dir, Geometry{Image: 16, Patch: 4}); err == nil || !strings.Contains(err.Error(), "webp of 12 x 16 pixels") {
		t.Errorf("error %v, want the size of the turned image", err)
	}
}

// A mask that is transparent around the object says the same as one that is black there.
func TestTransparentMask(t *testing.T) {
	dir := ownFolder(t)
	mask := image.NewNRGBA(image.Rect(0, 0, 64, 64)) // all transparent
	for x := 20; x < 30; x++ {
		mask.SetNRGBA(x, 20, color.NRGBA{255, 255, 255, 255})
	}
	var file bytes.Buffer
	if err := png.Encode(&file, mask); err != nil {
		t.Fatal(err)
	}
	writeFile(t, dir, "masks/b.png", file.Bytes())
	set, err := ImportFolder(dir, Geometry{Image: 64, Patch: 8})
	if err != nil {
		t.Fatal(err)
	}
	if got, want := set.Stimulus(1).Objects[0].Box, image.Rect(20, 20, 30, 21); got != want {
		t.Errorf("the object is in %v, want %v", got, want)
	}
}

// Another mask is another set, though neither metadata nor images changed.
func TestMaskIsContent(t *testing.T) {
	dir := ownFolder(t)
	before, err := ImportFolder(dir, Course)
	if err != nil {
		t.Fatal(err)
	}
	mask := image.NewGray(image.Rect(0, 0, 64, 64))
	mask.SetGray(40, 40, color.Gray{Y: 255})
	var file bytes.Buffer
	if err := png.Encode(&file, mask); err != nil {
		t.Fatal(err)
	}
	writeFile(t, dir, "masks/b.png", file.Bytes())
	after, err := ImportFolder(dir, Course)
	if err != nil {
		t.Fatal(err)
	}
	if before.Config().Source == after.Config().Source {
		t.Error("sets with different masks have one identity")
	}
}
