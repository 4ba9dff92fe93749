package stimuli

import (
	"encoding/json"
	"fmt"
	"image"
	"math"
	"path"
	"path/filepath"
	"strings"

	"samediff/sdlib/internal/imagefile"
)

// The records of metadata.jsonl, one per line. docs/formats.md describes every field. All fields are always written, so
// that all lines have the same columns; reading allows those to be missing that one's own images may lack.

// imageRecord is a line of a set.
type imageRecord struct {
	FileName string `json:"file_name"`
	sceneRecord
}

// sceneRecord is what is known about one image.
type sceneRecord struct {
	Label   *int           `json:"label"`
	Kind    Kind           `json:"kind"`
	Objects []objectRecord `json:"objects"`
	Pairs   []pairRecord   `json:"pairs"`
}

type objectRecord struct {
	Role      Role      `json:"role"`
	Shape     *int      `json:"shape"`
	ShapeName string    `json:"shape_name"`
	Color     *int      `json:"color"`
	ColorName string    `json:"color_name"`
	Box       *pixelBox `json:"box"`            // x0, y0, x1, y1
	Mask      string    `json:"mask,omitempty"` // read only
	Row       int       `json:"row"`
	Col       int       `json:"col"`
	DX        int       `json:"dx"`
	DY        int       `json:"dy"`
	Turn      int       `json:"turn"`
	Contrast  int       `json:"contrast"`
	Texture   Texture   `json:"texture"`
	Tokens    []int     `json:"tokens"`
}

// A pixelBox is four whole numbers, which may be written as 8.0, as Python's tools do.
type pixelBox [4]int

// UnmarshalJSON reads a box.
func (b *pixelBox) UnmarshalJSON(text []byte) error {
	var numbers []float64
	if err := json.Unmarshal(text, &numbers); err != nil || len(numbers) != len(b) {
		return fmt.Errorf("box %s: expected [x0, y0, x1, y1] in pixels", text)
	}
	for i, x := range numbers {
		if x != math.Trunc(x) || math.Abs(x) > maxImage {
			return fmt.Errorf("box %s: expected [x0, y0, x1, y1] in whole pixels", text)
		}
		b[i] = int(x)
	}
	return nil
}

type pairRecord struct {
	First  int `json:"first"`
	Second int `json:"second"`
	Label  int `json:"label"`
}

// counterfactualRecord is a line of counterfactual pairs. The indices count objects; the tokens repeat what they point to.
type counterfactualRecord struct {
	FileName        string      `json:"file_name"`
	CFFileName      string      `json:"cf_file_name"`
	Target          int         `json:"target"`
	Relation        int         `json:"relation"`
	Pair            int         `json:"pair"`
	Edited          int         `json:"edited"`
	NonEdited       int         `json:"non_edited"`
	Source          int         `json:"source"`
	Other           int         `json:"other"`
	EditedTokens    []int       `json:"edited_tokens"`
	NonEditedTokens []int       `json:"non_edited_tokens"`
	SourceTokens    []int       `json:"source_tokens"`
	OtherTokens     []int       `json:"other_tokens"`
	RandomTokens    []int       `json:"random_tokens"`
	Base            sceneRecord `json:"base_scene"`
	CF              sceneRecord `json:"cf_scene"`
}

// sceneOf writes down a stimulus.
func sceneOf(s Stimulus) sceneRecord {
	out := sceneRecord{Label: &s.Label, Kind: s.Kind, Objects: []objectRecord{}, Pairs: []pairRecord{}}
	for _, o := range s.Objects {
		record := objectRecord{
			Role: o.Role, Shape: &o.Shape, Color: &o.Color, Box: &pixelBox{o.Box.Min.X, o.Box.Min.Y, o.Box.Max.X, o.Box.Max.Y},
			Row: o.Row, Col: o.Col, DX: o.DX, DY: o.DY, Turn: o.Turn, Contrast: o.Contrast, Texture: o.Texture, Tokens: o.Tokens,
		}
		if o.Shape >= 0 {
			record.ShapeName = ShapeName(o.Shape)
		}
		if o.Color >= 0 {
			record.ColorName = Colors[o.Color].Name
		}
		out.Objects = append(out.Objects, record)
	}
	for _, p := range s.Pairs {
		out.Pairs = append(out.Pairs, pairRecord(p))
	}
	return out
}

// counterfactualOf writes down a counterfactual pair.
func counterfactualOf(c Counterfactual) counterfactualRecord {
	base, cf := c.Base.Objects, c.CF.Objects
	return counterfactualRecord{
		FileName: imageName("base", c.Index), CFFileName: imageName("cf", c.Index),
		Target: c.Target, Relation: c.Relation(), Pair: c.Pair,
		Edited: c.Edited, NonEdited: c.NonEdited, Source: c.Source, Other: c.Other,
		EditedTokens: base[c.Edited].Tokens, NonEditedTokens: base[c.NonEdited].Tokens,
		SourceTokens: cf[c.Source].Tokens, OtherTokens: cf[c.Other].Tokens, RandomTokens: c.Random,
		Base: sceneOf(c.Base), CF: sceneOf(c.CF),
	}
}

func imageName(folder string, i int) string { return path.Join(folder, fmt.Sprintf("%06d.png", i)) }

// stimulus reads a scene back, checking everything against the geometry. maskOf opens an object's mask file; it may be
// nil where masks are not allowed.
func (r sceneRecord) stimulus(index int, g Geometry, maskOf func(name string) (Mask, error)) (Stimulus, error) {
	s := Stimulus{Index: index, Kind: r.Kind}
	if r.Label == nil || *r.Label != 0 && *r.Label != 1 {
		return s, fmt.Errorf("label %s: expected 1 for same or 0 for different", show(r.Label))
	}
	s.Label = *r.Label
	if len(r.Objects) > maxCount {
		return s, fmt.Errorf("%d objects: expected at most %d", len(r.Objects), maxCount)
	}
	for i, record := range r.Objects {
		object, err := record.object(i, g, maskOf)
		if err != nil {
			return s, fmt.Errorf("object %d: %w", i, err)
		}
		s.Objects = append(s.Objects, object)
	}
	for i, p := range r.Pairs {
		n := len(s.Objects)
		if p.First < 0 || p.Second < 0 || p.First >= n || p.Second >= n || p.First == p.Second {
			return s, fmt.Errorf("pair %d of objects %d and %d: expected two of 0..%d", i, p.First, p.Second, n-1)
		}
		if p.Label != 0 && p.Label != 1 {
			return s, fmt.Errorf("pair %d: label %d: expected 1 for same or 0 for different", i, p.Label)
		}
		s.Pairs = append(s.Pairs, Pair(p))
	}
	if r.Pairs == nil && len(s.Objects) == 2 {
		s.Pairs = []Pair{{0, 1, s.Label}}
	}
	if len(s.Pairs) == 1 && s.Pairs[0].Label != s.Label {
		return s, fmt.Errorf("label %d and a single pair with label %d contradict each other", s.Label, s.Pairs[0].Label)
	}
	return s, nil
}

// object reads an object back. Without tokens it covers the patches that its mask touches, or without a mask its box.
func (r objectRecord) object(index int, g Geometry, maskOf func(name string) (Mask, error)) (Object, error) {
	o := Object{Role: orDefault(r.Role, objectRole(index)), Shape: -1, Color: -1, Turn: r.Turn, Contrast: r.Contrast, Texture: r.Texture}
	if r.Shape != nil {
		o.Shape = *r.Shape
	}
	if r.Color != nil {
		o.Color = *r.Color
	}
	if o.Shape < -1 || o.Shape >= NumShapes || o.Color < -1 || o.Color >= NumColors {
		return o, fmt.Errorf("shape %d and color %d: expected 0..%d and 0..%d, or -1 for none of them", o.Shape, o.Color, NumShapes-1, NumColors-1)
	}

	var touched []int
	if r.Box == nil && (r.Mask == "" || maskOf == nil) {
		return o, fmt.Errorf("neither a box nor a mask: expected one of them")
	}
	if r.Box != nil {
		b := *r.Box
		o.Box = image.Rectangle{Min: image.Point{X: b[0], Y: b[1]}, Max: image.Point{X: b[2], Y: b[3]}}
		if o.Box.Empty() || !o.Box.In(image.Rect(0, 0, g.Image, g.Image)) {
			return o, fmt.Errorf("box %v: expected [x0, y0, x1, y1] in pixels with 0 ≤ x0 < x1 ≤ %d and 0 ≤ y0 < y1 ≤ %d", b, g.Image, g.Image)
		}
		touched = g.Covered(o.Box)
	}
	if r.Mask != "" && maskOf != nil { // which says more than a box beside it
		mask, err := maskOf(r.Mask)
		if err != nil {
			return o, err
		}
		bounds, patches := mask.patches(g)
		if len(patches) == 0 {
			return o, fmt.Errorf("mask %s has no object pixel: expected some brighter than middle gray", r.Mask)
		}
		if touched = patches; r.Box == nil {
			o.Box = bounds
		}
	}

	o.Row, o.Col = touched[0]/g.Grid(), touched[0]%g.Grid()
	for _, token := range touched {
		o.Col = min(o.Col, token%g.Grid())
	}
	o.Tokens = touched
	if r.Tokens != nil {
		if err := checkTokens(r.Tokens, g); err != nil {
			return o, err
		}
		o.Tokens, o.Row, o.Col, o.DX, o.DY = r.Tokens, r.Row, r.Col, r.DX, r.DY
	}
	return o, nil
}

// checkTokens checks that patches are on the grid, each once, and at least one.
func checkTokens(tokens []int, g Geometry) error {
	seen := make(map[int]bool, len(tokens))
	for _, token := range tokens {
		if token < 0 || token >= g.Patches() || seen[token] {
			return fmt.Errorf("tokens %v: expected different patches of 0..%d", tokens, g.Patches()-1)
		}
		seen[token] = true
	}
	if len(tokens) == 0 {
		return fmt.Errorf("no tokens: expected the patches that the object covers")
	}
	return nil
}

// patches finds a mask's bounding box and the patches it touches, as raster indices in order.
func (m Mask) patches(g Geometry) (bounds image.Rectangle, tokens []int) {
	touched := make([]bool, g.Patches())
	for i, object := range m.Bits {
		if object {
			x, y := i%m.Size, i/m.Size
			bounds = bounds.Union(image.Rect(x, y, x+1, y+1))
			touched[y/g.Patch*g.Grid()+x/g.Patch] = true
		}
	}
	for token, is := range touched {
		if is {
			tokens = append(tokens, token)
		}
	}
	return bounds, tokens
}

// counterfactual reads a counterfactual pair back.
func (r counterfactualRecord) counterfactual(index int, g Geometry) (Counterfactual, error) {
	c := Counterfactual{Index: index, Target: r.Target, Pair: r.Pair, Edited: r.Edited, NonEdited: r.NonEdited, Source: r.Source, Other: r.Other, Random: r.RandomTokens}
	var err error
	if c.Base, err = r.Base.stimulus(index, g, nil); err != nil {
		return c, fmt.Errorf("base: %w", err)
	}
	if c.CF, err = r.CF.stimulus(index, g, nil); err != nil {
		return c, fmt.Errorf("cf: %w", err)
	}
	if c.Target != 1-c.Base.Label {
		return c, fmt.Errorf("target %d: expected %d, the opposite of the base's label", c.Target, 1-c.Base.Label)
	}
	if c.Pair < 0 || c.Pair >= len(c.Base.Pairs) {
		return c, fmt.Errorf("pair %d: expected 0..%d", c.Pair, len(c.Base.Pairs)-1)
	}
	for _, end := range []struct {
		name       string
		at, except int
		objects    []Object
		tokens     []int
	}{
		{"edited", c.Edited, c.NonEdited, c.Base.Objects, r.EditedTokens},
		{"non_edited", c.NonEdited, c.Edited, c.Base.Objects, r.NonEditedTokens},
		{"source", c.Source, c.Other, c.CF.Objects, r.SourceTokens},
		{"other", c.Other, c.Source, c.CF.Objects, r.OtherTokens},
	} {
		if end.at < 0 || end.at >= len(end.objects) || end.at == end.except {
			return c, fmt.Errorf("%s object %d: expected one of 0..%d, and not its partner", end.name, end.at, len(end.objects)-1)
		}
		if tokens := end.objects[end.at].Tokens; fmt.Sprint(tokens) != fmt.Sprint(end.tokens) {
			return c, fmt.Errorf("%s_tokens %v: expected those of object %d, %v", end.name, end.tokens, end.at, tokens)
		}
	}
	if len(c.Random) > 0 {
		if err := checkTokens(c.Random, g); err != nil {
			return c, fmt.Errorf("random_tokens: %w", err)
		}
	}
	return c, nil
}

// checkFileName accepts the names of image files inside the folder.
func checkFileName(name string) error {
	if !imagefile.Named(name) {
		return fmt.Errorf("file_name %q: expected a name that ends in %s and is not hidden", name, strings.Join(imagefile.Extensions, ", "))
	}
	if !filepath.IsLocal(filepath.FromSlash(name)) {
		return fmt.Errorf("file_name %q: expected a path inside the folder", name)
	}
	return nil
}

// parseLine reads a line of metadata.jsonl into a record.
func parseLine(line []byte, record any) error {
	if err := json.Unmarshal(line, record); err != nil {
		return fmt.Errorf("expected one JSON object per line: %w", err)
	}
	return nil
}

func show(v *int) string {
	if v == nil {
		return "missing"
	}
	return fmt.Sprint(*v)
}
