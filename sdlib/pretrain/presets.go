package pretrain

// Course are recipes for vit.Course on scenes of 64 pixels, by objective: `sd pretrain OBJECTIVE`. Each took 14 to 18 minutes on one
// CPU core, while the other worked on something else. In the last epoch the losses of seed 1, beside what guessing costs, were:
// Supervised 3.31 and 4.16 (.194 of the names right), Contrastive .32 and 4.85 (.875 of the captions), Masked .29 and 1, Distilled
// 3.31 and 4.56 (models/pretrainings.csv).
var Course = map[Objective]Recipe{
	Supervised:  {Objective: Supervised, Epochs: 28, Images: 12800, Batch: 64, LR: 1e-3, WeightDecay: .05, Warmup: 200, Seed: 1},
	Contrastive: {Objective: Contrastive, Epochs: 28, Images: 12800, Batch: 128, LR: 1e-3, WeightDecay: .05, Warmup: 100, Seed: 1},
	Masked:      {Objective: Masked, Epochs: 48, Images: 12800, Batch: 128, LR: 1e-3, WeightDecay: .05, Warmup: 200, Seed: 1},
	Distilled:   {Objective: Distilled, Epochs: 28, Images: 3200, Batch: 64, LR: 5e-4, WeightDecay: .04, Warmup: 100, Clip: 3, Seed: 1},
}
