package vit

import (
	"errors"
	"fmt"
	"io/fs"
	"math"
	"os"
	"path/filepath"
	"slices"

	"samediff/sdlib/pictures"
)

const (
	processorFile = "preprocessor_config.json"
	// newProcessorFile is what transformers 5 writes for models of image and text, with the image processor's part inside.
	newProcessorFile = "processor_config.json"
)

// maeClass is what MAE's config.json names; its encoder is a plain ViT.
const maeClass = "ViTMAEForPreTraining"

// hfProcessor is preprocessor_config.json: what is done to an image before the model sees it.
type hfProcessor struct {
	Type      string    `json:"image_processor_type"`
	OldType   string    `json:"feature_extractor_type,omitempty"` // of files of 2021
	Normalize *bool     `json:"do_normalize"`
	Rescale   *bool     `json:"do_rescale"`
	Factor    *float64  `json:"rescale_factor"`
	Resize    *bool     `json:"do_resize"`
	Size      any       `json:"size"` // a number, or {"height", "width"}, or {"shortest_edge"}
	Resample  *int      `json:"resample,omitempty"`
	DoCrop    *bool     `json:"do_center_crop,omitempty"`
	Crop      any       `json:"crop_size,omitempty"` // likewise
	Mean      []float64 `json:"image_mean"`
	Std       []float64 `json:"image_std"`
}

// processorKind is what an image processor's class does where its file does not say.
type processorKind struct {
	filter pictures.Filter
	crop   bool // cuts a square from the center
	edge   bool // a size that is one number is the shorter side's
}

// processorKinds are the image processors of the families that this package reads, by the beginning of their names; "Fast" may follow.
var processorKinds = []struct {
	name string
	processorKind
}{
	{"CLIP", processorKind{pictures.Bicubic, true, true}},
	{"Bit", processorKind{pictures.Bicubic, true, true}},
	{"DeiT", processorKind{pictures.Bicubic, true, false}},
	{"Siglip", processorKind{pictures.Bicubic, false, false}},
	{"ViT", processorKind{pictures.Bilinear, false, false}},
}

// readProcessor reads how images are brought to the model's size and normalized: the side that they then have, 0 where no file
// says. What no file says is taken from the family, and noted in Preparation.Assumed.
func (a *About) readProcessor(dir string) (side int, err error) {
	f := a.Config.Family.Traits()
	a.Config.Mean, a.Config.Std = f.Mean, f.Std // what transformers takes for the family's models
	if a.class == maeClass {
		a.Config.Mean, a.Config.Std = imageNetMean, imageNetStd // not a plain ViT's (docs/paper.md D6)
	}
	var p hfProcessor
	path := filepath.Join(dir, processorFile)
	err = readJSON(path, &p)
	if errors.Is(err, fs.ErrNotExist) {
		path = filepath.Join(dir, newProcessorFile)
		nested := struct {
			Image *hfProcessor `json:"image_processor"`
		}{&p}
		if err = readJSON(path, &nested); err == nil && nested.Image == nil {
			return 0, fmt.Errorf("vit: %s has no image_processor: expected one, with image_mean and image_std", path)
		}
	}
	switch {
	case errors.Is(err, fs.ErrNotExist):
		a.Preparation.Assumed = fmt.Sprintf("no %s: normalization with mean %.4g, std %.4g and scaling are those that models of family %s usually have", processorFile, a.Config.Mean, a.Config.Std, a.Config.Family)
		return 0, nil
	case err != nil:
		return 0, err
	}
	if err := a.normalize(p); err != nil {
		return 0, fmt.Errorf("vit: %s %w", path, err)
	}
	if side, err = a.prepare(p); err != nil {
		return 0, fmt.Errorf("vit: %s %w", path, err)
	}
	return side, nil
}

// hasProcessor reports whether a folder says how images are prepared.
func hasProcessor(dir string) bool {
	for _, name := range []string{processorFile, newProcessorFile} {
		if _, err := os.Stat(filepath.Join(dir, name)); err == nil {
			return true
		}
	}
	return false
}

// normalize takes the normalization of images.
func (a *About) normalize(p hfProcessor) error {
	switch {
	case p.Rescale != nil && !*p.Rescale || p.Factor != nil && math.Abs(*p.Factor*255-1) > 1e-6:
		return errors.New("does not scale bytes to 0..1: expected do_rescale true and rescale_factor 1/255")
	case p.Normalize != nil && !*p.Normalize:
		a.Config.Mean, a.Config.Std = [3]float64{}, [3]float64{1, 1, 1}
	case p.Mean == nil && p.Std == nil:
		a.Preparation.Assumed = fmt.Sprintf("%s has no image_mean and image_std: %.4g and %.4g are those that models of family %s usually have",
			processorFile, a.Config.Mean, a.Config.Std, a.Config.Family)
	case len(p.Mean) != 3 || len(p.Std) != 3:
		return fmt.Errorf("has image_mean %v and image_std %v, expected three numbers each", p.Mean, p.Std)
	default:
		a.Config.Mean, a.Config.Std = [3]float64(p.Mean), [3]float64(p.Std)
	}
	return nil
}

// prepare takes how images are brought to the model's size, and returns that.
func (a *About) prepare(p hfProcessor) (side int, err error) {
	how := &a.Preparation
	if how.Class = p.Type; p.Type == "" {
		how.Class = p.OldType
	}
	kind, known := processorKind{filter: pictures.Bilinear}, false
	for _, k := range processorKinds {
		if len(how.Class) > len(k.name) && how.Class[:len(k.name)] == k.name {
			kind, known = k.processorKind, true
		}
	}
	how.Filter = kind.filter
	if p.Resample != nil {
		if *p.Resample < 0 || *p.Resample >= len(pictures.Filters) {
			return 0, fmt.Errorf("has resample %d, expected 0 to %d, as Pillow numbers its filters", *p.Resample, len(pictures.Filters)-1)
		}
		how.Filter = pictures.Filters[*p.Resample]
	} else if !known && how.Assumed == "" {
		how.Assumed = fmt.Sprintf("%s names no image processor that is known and no resample: images are scaled bilinearly", processorFile)
	}
	if p.Resize != nil && !*p.Resize {
		how.Keep = true
	} else if how.Side, how.ShortestEdge, err = sizeOf(p.Size, kind.edge); err != nil {
		return 0, err
	}
	crop := p.DoCrop != nil && *p.DoCrop || p.DoCrop == nil && kind.crop && p.Crop != nil
	if crop {
		var edge int
		if how.Crop, edge, err = sizeOf(p.Crop, false); err != nil {
			return 0, err
		}
		how.Crop += edge
	}
	if how.Crop > 0 {
		return how.Crop, nil
	}
	return how.Side, nil
}

// sizeOf reads a size: a number, {"height", "width"} or {"shortest_edge"}; nil is none.
func sizeOf(size any, numberIsEdge bool) (side, edge int, err error) {
	whole := func(v any) (int, error) {
		number, ok := v.(float64)
		if !ok || number < 1 || number > maxSize || number != math.Trunc(number) {
			return 0, fmt.Errorf("makes images of side %v, expected a whole number of pixels up to %d", v, maxSize)
		}
		return int(number), nil
	}
	switch size := size.(type) {
	case nil:
		return 0, 0, nil
	case []any:
		if len(size) != 2 || size[0] != size[1] {
			return 0, 0, fmt.Errorf("makes images of %v, expected squares", size)
		}
		side, err = whole(size[0])
		return side, 0, err
	case map[string]any:
		if v, ok := size["shortest_edge"]; ok && v != nil {
			edge, err = whole(v)
			return 0, edge, err
		}
		if size["height"] != size["width"] {
			return 0, 0, fmt.Errorf("makes images of %v by %v, expected squares", size["height"], size["width"])
		}
		side, err = whole(size["height"])
		return side, 0, err
	}
	if side, err = whole(size); numberIsEdge {
		return 0, side, err
	}
	return side, 0, err
}

// processor is the preprocessor_config.json of the model: what its own file said, or scaling to the model's size.
func (a About) processor() hfProcessor {
	c, how := a.Config, a.Preparation
	p := hfProcessor{
		Type: "ViTImageProcessor", Normalize: new(true), Rescale: new(true), Factor: new(1. / 255), Resize: new(!how.Keep),
		Size: map[string]int{"height": c.Image, "width": c.Image}, Mean: c.Mean[:], Std: c.Std[:],
	}
	if how.Filter != "" && (how.Filter != pictures.Bilinear || how.ShortestEdge > 0 || how.Crop > 0) {
		p.Resample = new(slices.Index(pictures.Filters, how.Filter))
	}
	switch {
	case how.ShortestEdge > 0:
		p.Type, p.Size = "CLIPImageProcessor", map[string]int{"shortest_edge": how.ShortestEdge}
	case how.Side > 0:
		p.Size = map[string]int{"height": how.Side, "width": how.Side}
	}
	if how.Crop > 0 {
		if p.Type == "ViTImageProcessor" {
			p.Type = "DeiTImageProcessor" // which scales both sides, and crops
		}
		p.DoCrop, p.Crop = new(true), map[string]int{"height": how.Crop, "width": how.Crop}
	}
	return p
}
