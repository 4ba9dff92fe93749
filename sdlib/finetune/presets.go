package finetune

// Paper is the paper's recipe for a pretrained model (section 2; docs/paper.md 3.1), with
// the constant learning rate that its code amounts to (D8).
var Paper = Recipe{Epochs: 200, Batch: 128, LR: 1e-6, WeightDecay: .01, Schedule: Constant}

// The schedules of the paper's sweep: decay by Gamma = .95 per epoch, and on a plateau
// of the validation accuracy. In the released code the first never happened; to repeat
// it, set Faithful.DecayByAccuracy (D8).
var (
	PaperExponential = Recipe{Epochs: 200, Batch: 128, LR: 1e-6, WeightDecay: .01, Schedule: Exponential}
	PaperPlateau     = Recipe{Epochs: 200, Batch: 128, LR: 1e-6, WeightDecay: .01, Schedule: Plateau}
)

// PaperDINOv2 has the 30 epochs after which the paper's published DINOv2 checkpoints were saved; its text says 200 (D7).
var PaperDINOv2 = Recipe{Epochs: 30, Batch: 128, LR: 1e-6, WeightDecay: .01, Schedule: Constant}

// Quick trains vit.CourseQuick on discrimination in two to three minutes on two cores:
// `sd train quick`. Expect .97 to .985 on fresh images; docs/benchmarks.md has the runs.
var Quick = Recipe{Epochs: 18, Batch: 64, LR: 1e-3, WeightDecay: .01, Schedule: Cosine, Warmup: 100, Seed: 1,
	Disentangle: Disentangle{Weight: 1, After: 2}}

// Course trains vit.Course on discrimination in about ten minutes on two cores: `sd train
// course`. Expect .97 on fresh images. A token that covers a quarter of an object has to
// learn the shape from its neighbors first, so it takes all three auxiliary losses and
// new images in every epoch: .75, .86, .92 and .97 after 2, 10, 14 and 24 epochs.
var Course = Recipe{Epochs: 24, Batch: 64, LR: 1e-3, WeightDecay: .01, Schedule: Cosine, Warmup: 100, Seed: 1, Fresh: true,
	Disentangle: Disentangle{Weight: 1, After: 2},
	Pipeline:    Pipeline{Weight: 1, WithinObject: []int{1, 2}, WithinPair: []int{3}, Heads: 2, Seed: 1},
	Relation:    Relation{Weight: 1, After: 4}}

// RMTS trains vit.CourseQuick with 6 blocks on relational match-to-sample, on 12,800
// images (Task RMTS, Size 12800), in four to eight minutes on two cores. Expect .98 on
// fresh images. The relation loss makes it learn: the probe after block 3 reads the
// pairs' relations first (.90 of them after 4 epochs, while answers are at chance), then
// the answers follow: .52, .70, .91, .975, .984 on fresh images after 4, 6, 8, 10 and 12
// epochs. A PyTorch trial of the same size stayed at .50 for 10 to 13 epochs without it,
// with the disentanglement loss alone and with the pipeline loss too.
var RMTS = Recipe{Epochs: 12, Batch: 64, LR: 1e-3, WeightDecay: .01, Schedule: Cosine, Warmup: 100, Seed: 1,
	Disentangle: Disentangle{Weight: 1, After: 1}, Relation: Relation{Weight: 1, After: 3}}

// Minutes fine-tunes a pretrained ViT-B on two CPU cores: one pass over 6,400 images in 200
// steps of 32, AdamW with twenty times the paper's learning rate. `sd train clip-b16-112`
// takes about 15 minutes.
var Minutes = Recipe{
	Epochs: 1, Batch: 32, Accumulate: 2, // half a batch at a time takes half the memory
	LR: 2e-5, WeightDecay: .01, Schedule: Cosine, Warmup: 50, Seed: 1,
}
