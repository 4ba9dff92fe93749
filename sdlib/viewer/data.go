package viewer

import (
	"fmt"

	"samediff/sdlib/stimuli"
	"samediff/sdlib/vit"
)

// Data is the attention of every head of a model on some images, in the form that the page
// reads. [Collect] makes it. It goes through JSON without loss, so a store can hold it.
type Data struct {
	Blocks int      `json:"blocks"` // L
	Heads  int      `json:"heads"`  // H, of each block
	Grid   int      `json:"grid"`   // g, patches per side
	Front  []string `json:"front"`  // names of the tokens in front of the patches, CLS first; T = len(Front) + g²
	// Smallest is the smallest weight that is kept in the rows of the background, the patches
	// of no object. 0 means that all weights are kept.
	Smallest float64 `json:"smallest"`
	Images   []Image `json:"images"`
}

// An Image is one image with its attention.
type Image struct {
	Index   int       `json:"index"`  // in its set
	Label   int       `json:"label"`  // 1 same, 0 different
	Logits  []float32 `json:"logits"` // the model's answer, [C]
	PNG     []byte    `json:"png"`
	Objects []Object  `json:"objects"`
	Packed  []byte    `json:"packed"` // the weights, see [Data.Weights]
}

// An Object is a set of patches with a name.
type Object struct {
	Role    string `json:"role"`    // "object 1", or "display 2" in RMTS
	Patches []int  `json:"patches"` // raster indices, which count without the tokens in front
	Pair    int    `json:"pair"`    // the first pair that it belongs to, -1 for none
}

// tokens returns T.
func (d *Data) tokens() int { return len(d.Front) + d.Grid*d.Grid }

// whole marks the tokens whose rows are kept whole: [T].
func (d *Data) whole(im Image) []bool {
	whole := make([]bool, d.tokens())
	for t := range whole {
		whole[t] = d.Smallest == 0 || t < len(d.Front)
	}
	for _, o := range im.Objects {
		for _, p := range o.Patches {
			whole[len(d.Front)+p] = true
		}
	}
	return whole
}

// frontNames names the tokens that a configuration has in front of the patches.
func frontNames(c vit.Config) []string {
	names, traits := []string{}, c.Family.Traits()
	if traits.CLS {
		names = append(names, "CLS")
	}
	if traits.Distill {
		names = append(names, "distillation")
	}
	for r := range c.Registers {
		names = append(names, fmt.Sprintf("register %d", r+1))
	}
	return names
}

// objectsOf returns a stimulus's objects. One's own images may have none or many, of any
// form, and they may share patches.
func objectsOf(s stimuli.Stimulus) []Object {
	objects := []Object{}
	for i, o := range s.Objects {
		if len(o.Tokens) == 0 {
			continue
		}
		object := Object{Role: string(o.Role), Patches: o.Tokens, Pair: -1}
		for k, p := range s.Pairs {
			if object.Pair < 0 && (p.First == i || p.Second == i) {
				object.Pair = k
			}
		}
		objects = append(objects, object)
	}
	return objects
}
