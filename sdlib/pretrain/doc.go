// Package pretrain trains small models on pictures before they learn a task, each by an objective of the literature: *analogues*
// of the paper's pretrained models (section 2, appendix C), which take weeks of a cluster to make, at a size that two CPU cores
// train in a quarter of an hour.
//
//	set, err := scenes.Open(scenes.Config{Image: 64, Seed: 1})
//	c := pretrain.Course[pretrain.Contrastive].Config(vit.Course, set)
//	m, err := vit.New(c, 1)
//	res, err := pretrain.Train(ctx, be, m, set, pretrain.Course[pretrain.Contrastive], pretrain.Options{Dir: "run"})
//	res.Model.Save("analogue")     // sd train course --start analogue
//
// # Objectives
//
// The paper compares models that differ in what they were trained to do. There are four kinds among them, and here is one of each:
//
//   - [Supervised] (ImageNet's ViT): a picture has labels, and the model names them. The loss is the cross-entropy of the names,
//     L = -1/|S| Σ_{c∈S} log softmax(z)_c, for the set S of what is there. The features have to tell kinds apart, and
//     may forget what kinds do not differ in: place, color, texture.
//   - [Contrastive] (CLIP): of B pictures and B captions, which belong together? With unit vectors u of pictures and v of
//     captions, L = ½ (Σᵢ -log softmax_j(uᵢ·vⱼ/τ)_i + Σⱼ -log softmax_i(uᵢ·vⱼ/τ)_j)/B. The features have to hold whatever words tell apart.
//   - [Masked] (MAE): a quarter of the patches is seen, and the pixels of the others are to be drawn: L = ‖ŷ - y‖²/n over those left
//     out. No names at all: the features have to hold what predicts the rest of a picture.
//   - [Distilled] (DINO): the model agrees with a slowly moving average of itself, its teacher, which saw another part of the same
//     scene: L = -Σ_k P_t(g)_k log P_s(v)_k. No names either: the features have to hold what two parts of a scene share.
//
// Each file has the equations in full, with the papers' symbols. Each loss is tested against PyTorch over 20 steps, MAE's with the
// one in transformers.
//
// # Is it learning?
//
// A loss alone does not say. Each objective has a value that guessing costs, and below it the model knows something:
//
//	Supervised    log C                        C kinds
//	Contrastive   log B                        B pictures in a batch
//	Masked        about 1                      a patch of one color
//	Distilled     the measure "spread"         a student that says the same of every view
//
// # What is the same, and what is smaller
//
// The losses, the optimizer (AdamW, cosine decay, a warm-up) and the parts of the models that are kept are the papers'. Smaller are
// the models, the pictures (package scenes), the text side of Contrastive, a bag of words, and the head of Distilled. No
// drop path, no freezing of the last layer, no schedule of the teacher's temperature.
//
// # Watch for
//
//   - What a model learns depends on the pictures as much as on the objective. Two analogues differ in the objective alone
//     if they saw the same scenes: give them the same [scenes.Config].
//   - Objectives differ in what an image costs. Compare models that saw equally many, or say so.
//   - The models of Masked and Distilled have a head of one class that was never trained. Fine-tuning puts a new one on.
//   - The teacher of Distilled can collapse. Then "spread" falls to 0 (it says the same of all), or the loss stays at log K.
package pretrain
