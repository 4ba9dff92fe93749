package pretrain

// Course are recipes for vit.Course on scenes of 64 pixels, by objective: `sd pretrain OBJECTIVE`. Each takes 10 to 20 minutes on two
// idle CPU cores, by its floating-point operations at the speed that the course's trainings have. Supervised, Contrastive and Masked
// see 200,000 to 300,000 scenes, Distilled 64,000, each in six views.
var Course = map[Objective]Recipe{
	Supervised:  {Objective: Supervised, Epochs: 16, Images: 12800, Batch: 64, LR: 1e-3, WeightDecay: .05, Warmup: 200, Seed: 1},
	Contrastive: {Objective: Contrastive, Epochs: 16, Images: 12800, Batch: 128, LR: 1e-3, WeightDecay: .05, Warmup: 100, Seed: 1},
	Masked:      {Objective: Masked, Epochs: 24, Images: 12800, Batch: 128, LR: 1e-3, WeightDecay: .05, Warmup: 200, Seed: 1},
	Distilled:   {Objective: Distilled, Epochs: 20, Images: 3200, Batch: 64, LR: 5e-4, WeightDecay: .04, Warmup: 100, Clip: 3, Seed: 1},
}
