package vit

import (
	"fmt"
	"slices"
	"strings"
)

// Family is the kind of a vision transformer. All families share one forward pass;
// what sets them apart stands side by side in one table, [Family.Traits].
type Family string

// The families. The zero value is the plain ViT, which is also what DINO and MAE train:
// they differ in how their weights came about and not in what is computed.
const (
	ViT             Family = ""                      // Dosovitskiy et al. 2021; ImageNet-21k, DINO (Caron et al. 2021), MAE's encoder (He et al. 2022), from scratch
	DeiT            Family = "deit"                  // Touvron et al. 2021, with a distillation token
	CLIP            Family = "clip"                  // the vision tower of Radford et al. 2021
	SigLIP          Family = "siglip"                // the vision tower of Zhai et al. 2023
	DINOv2          Family = "dinov2"                // Oquab et al. 2023
	DINOv2Registers Family = "dinov2_with_registers" // Darcet et al. 2023
)

// Traits are what a family does in its own way.
type Traits struct {
	CLS        bool       // a CLS token stands in front
	Distill    bool       // a distillation token stands behind it
	Registers  bool       // Config.Registers tokens without positions stand between CLS and the patches
	PatchBias  bool       // the patch embedding has a bias
	PreNorm    bool       // a LayerNorm works on the embeddings before block 0
	Activation Activation // of the MLP, unless Config.Activation says another
	LayerScale bool       // what attention and MLP add is multiplied by a learned vector
	Readout    Readout    // what the head reads
	HeadBias   bool       // the head has a bias
	Antialias  bool       // positions of another grid are resampled with an antialiasing filter
	NormEps    float64    // ε of LayerNorm, where a file does not say
	Mean, Std  [3]float64 // normalization of images, where a file does not say

	ModelType string // Hugging Face's model_type in config.json
	Class     string // the class of transformers that Save writes for
	layout    layout // what this class calls the weights
}

// Activation is the nonlinearity of the MLP, under Hugging Face's name for it (hidden_act).
type Activation string

// The activations.
const (
	GELU      Activation = "gelu"              // x Φ(x)
	QuickGELU Activation = "quick_gelu"        // x σ(1.702 x)
	TanhGELU  Activation = "gelu_pytorch_tanh" // x ½ (1 + tanh(√(2/π) (x + .044715 x³)))
	ReLU      Activation = "relu"              // max(x, 0)
)

// Activations lists the activations.
var Activations = []Activation{GELU, QuickGELU, TanhGELU, ReLU}

// activationNames are the names that transformers knows beside those of [Activations], for the same functions.
var activationNames = map[Activation]Activation{
	"gelu_python": GELU,
	"gelu_new":    TanhGELU, "gelu_fast": TanhGELU, "gelu_accurate": TanhGELU, "gelu_python_tanh": TanhGELU,
}

// Readout is what the head reads, after the final LayerNorm.
type Readout string

// The readouts.
const (
	ReadCLS     Readout = "CLS"             // [B, D]
	ReadCLSMean Readout = "CLS, mean patch" // [B, 2D], one beside the other
	ReadMean    Readout = "mean of patches" // [B, D]
)

// Normalizations of image channels.
var (
	half         = [3]float64{.5, .5, .5} // Google's ImageNet-21k models, which those trained from scratch share (docs/paper.md D6)
	imageNetMean = [3]float64{.485, .456, .406}
	imageNetStd  = [3]float64{.229, .224, .225}
	clipMean     = [3]float64{.48145466, .4578275, .40821073}
	clipStd      = [3]float64{.26862954, .26130258, .27577711}
)

// Families lists the families in the order in which tables show them.
var Families = []Family{ViT, DeiT, CLIP, SigLIP, DINOv2, DINOv2Registers}

var families = map[Family]Traits{
	ViT: {
		CLS: true, PatchBias: true, Activation: GELU, Readout: ReadCLS, HeadBias: true,
		NormEps: 1e-12, Mean: half, Std: half,
		ModelType: "vit", Class: "ViTForImageClassification", layout: vitLayout("vit."),
	},
	DeiT: {
		CLS: true, Distill: true, PatchBias: true, Activation: GELU, Readout: ReadCLS, HeadBias: true,
		NormEps: 1e-12, Mean: imageNetMean, Std: imageNetStd,
		ModelType: "deit", Class: "DeiTForImageClassification", layout: vitLayout("deit."),
	},
	CLIP: {
		CLS: true, PreNorm: true, Activation: QuickGELU, Readout: ReadCLS,
		NormEps: 1e-5, Mean: clipMean, Std: clipStd,
		ModelType: "clip_vision_model", Class: "CLIPVisionModelWithProjection", layout: clipLayout("visual_projection"),
	},
	SigLIP: {
		PatchBias: true, Activation: TanhGELU, Readout: ReadMean, HeadBias: true,
		NormEps: 1e-6, Mean: half, Std: half,
		ModelType: "siglip", Class: "SiglipForImageClassification", layout: clipLayout("classifier"),
	},
	DINOv2: {
		CLS: true, PatchBias: true, Activation: GELU, LayerScale: true, Readout: ReadCLSMean, HeadBias: true,
		NormEps: 1e-6, Mean: imageNetMean, Std: imageNetStd,
		ModelType: "dinov2", Class: "Dinov2ForImageClassification", layout: dinov2Layout("dinov2."),
	},
	DINOv2Registers: {
		CLS: true, Registers: true, PatchBias: true, Activation: GELU, LayerScale: true, Readout: ReadCLSMean, HeadBias: true,
		Antialias: true, NormEps: 1e-6, Mean: imageNetMean, Std: imageNetStd,
		ModelType: "dinov2_with_registers", Class: "Dinov2WithRegistersForImageClassification", layout: dinov2Layout("dinov2_with_registers."),
	},
}

// Traits returns the family's row of the table. An unknown family has no traits: [Config.Validate] reports it.
func (f Family) Traits() Traits { return families[f] }

// String returns the family's name, "vit" for the zero value.
func (f Family) String() string {
	if f == ViT {
		return "vit"
	}
	return string(f)
}

// ParseFamily returns the family of a name, as String gives it.
func ParseFamily(name string) (Family, error) {
	var known []string
	for _, f := range Families {
		if f.String() == name {
			return f, nil
		}
		known = append(known, f.String())
	}
	return ViT, fmt.Errorf("vit: there is no family %q: expected one of %s", name, strings.Join(known, ", "))
}

func (f Family) validate() error {
	if !slices.Contains(Families, f) {
		_, err := ParseFamily(string(f))
		return err
	}
	return nil
}
