package pretrain

// Course are recipes for vit.Course on scenes of 64 pixels, by objective: `sd pretrain OBJECTIVE`. Each should take 10 to 15 minutes
// on two idle CPU cores: the first 28,800 scenes of a Supervised run of 16 epochs took 86 seconds of processor time, drawing among
// them, on a machine that was busy with other work, and the others are estimated from it by their floating-point operations. Of that
// run the third epoch, not whole, had a loss of 3.95 where guessing costs 4.16, and the right name in .080 of the scenes. None of the
// recipes was run to its end.
var Course = map[Objective]Recipe{
	Supervised:  {Objective: Supervised, Epochs: 28, Images: 12800, Batch: 64, LR: 1e-3, WeightDecay: .05, Warmup: 200, Seed: 1},
	Contrastive: {Objective: Contrastive, Epochs: 28, Images: 12800, Batch: 128, LR: 1e-3, WeightDecay: .05, Warmup: 100, Seed: 1},
	Masked:      {Objective: Masked, Epochs: 48, Images: 12800, Batch: 128, LR: 1e-3, WeightDecay: .05, Warmup: 200, Seed: 1},
	Distilled:   {Objective: Distilled, Epochs: 28, Images: 3200, Batch: 64, LR: 5e-4, WeightDecay: .04, Warmup: 100, Clip: 3, Seed: 1},
}
