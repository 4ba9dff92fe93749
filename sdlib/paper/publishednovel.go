package paper

import (
	"samediff/sdlib/das"
	"samediff/sdlib/stimuli"
)

// A PublishedNovel is what the paper's authors logged of novel representations of one property in a model, on pairs of the
// IID test split, 256 combinations.
type PublishedNovel struct {
	Model    string
	Task     stimuli.Task
	Property stimuli.Property
	Curves   map[das.Novelty][]float64 // by block, from 0 on
}

// PublishedNovels are the logs' early blocks, rounded. Each value rests on 32 draws of vectors, one
// for a batch of 64 pairs, so neighbors differ by more than 2,000 pairs suggest (docs/paper.md D18).
// DINO was analyzed on images that were not normalized as it learned them (D6).
var PublishedNovels = []PublishedNovel{
	{clipB16, stimuli.Discrimination, stimuli.ShapeProperty, curves(
		[]float64{.503, .61, .883, .809, .502, .312}, []float64{.501, .515, .638, .73, .427, .297},
		[]float64{.501, .503, .525, .612, .43, .284}, []float64{.478, .523, .499, .521, .467, .358})},
	{clipB16, stimuli.Discrimination, stimuli.ColorProperty, curves(
		[]float64{.608, .846, .919, .793, .499, .449}, []float64{.631, .741, .801, .802, .411, .381},
		[]float64{.502, .53, .634, .716, .429, .376}, []float64{.514, .475, .566, .523, .503, .317})},
	{clipB16, stimuli.RMTS, stimuli.ShapeProperty, curves(
		[]float64{.518, .603, .632, .505, .506, .494}, []float64{.507, .593, .74, .654, .578, .525},
		[]float64{.523, .578, .565, .649, .646, .526}, []float64{.515, .501, .504, .499, .498, .437})},
	{clipB16, stimuli.RMTS, stimuli.ColorProperty, curves(
		[]float64{.546, .747, .625, .486, .491, .519}, []float64{.501, .823, .803, .633, .605, .522},
		[]float64{.495, .579, .677, .612, .627, .544}, []float64{.548, .51, .515, .488, .498, .458})},
	{clipB32, stimuli.Discrimination, stimuli.ShapeProperty, curves(
		[]float64{.613, .836, .903, .904, .769, .38}, []float64{.552, .741, .745, .739, .651, .344},
		[]float64{.567, .73, .686, .703, .606, .402}, nil)},
	{clipB32, stimuli.Discrimination, stimuli.ColorProperty, curves(
		[]float64{.741, .924, .949, .786, .559, .5}, []float64{.682, .802, .865, .735, .555, .486},
		[]float64{.604, .773, .854, .593, .503, .495}, nil)},
	{dinoV2, stimuli.Discrimination, stimuli.ShapeProperty, curves(
		[]float64{.509, .5, .511, .815, .792, .715}, []float64{.506, .499, .504, .657, .664, .612},
		[]float64{.498, .501, .5, .505, .527, .567}, nil)},
	{dinoV2, stimuli.Discrimination, stimuli.ColorProperty, curves(
		[]float64{.511, .5, .503, .732, .752, .672}, []float64{.503, .505, .514, .666, .615, .689},
		[]float64{.5, .5, .5, .537, .54, .673}, nil)},
	{dinoV2, stimuli.RMTS, stimuli.ShapeProperty, curves(
		[]float64{.507, .56, .586, .714, .674, .495}, []float64{.507, .515, .512, .691, .717, .664},
		[]float64{.511, .494, .503, .536, .622, .699}, nil)},
	{dinoV2, stimuli.RMTS, stimuli.ColorProperty, curves(
		[]float64{.508, .534, .567, .774, .574, .5}, []float64{.509, .522, .55, .851, .842, .681},
		[]float64{.502, .49, .501, .656, .777, .696}, nil)},
	{imageNet, stimuli.Discrimination, stimuli.ShapeProperty, curves(
		[]float64{.70, .822, .62}, []float64{.574, .82, .57}, []float64{.517, .585, .482}, []float64{.525, .53, .469})},
	{imageNet, stimuli.Discrimination, stimuli.ColorProperty, curves(
		[]float64{.905, .848, .556}, []float64{.826, .802, .581}, []float64{.77, .781, .529}, []float64{.528, .543, .498})},
	{dino, stimuli.Discrimination, stimuli.ShapeProperty, curves(
		[]float64{.664, .671, .769, .528}, []float64{.531, .618, .69, .482}, []float64{.503, .5, .518, .471}, []float64{.589, .574, .571, .528})},
	{dino, stimuli.Discrimination, stimuli.ColorProperty, curves(
		[]float64{.775, .828, .672, .479}, []float64{.676, .806, .576, .327}, []float64{.541, .59, .542, .412}, []float64{.597, .631, .525, .442})},
}

// The paper's models, as figures name them.
const (
	clipB16  = "CLIP ViT-B/16"
	clipB32  = "CLIP ViT-B/32"
	dinoV2   = "DINOv2"
	imageNet = "ImageNet"
	dino     = "DINO"
	mae      = "MAE"
	scratch  = "from scratch"
)

// curves are those of the four novelties; a nil one is not known.
func curves(added, interpolated, sampled, random []float64) map[das.Novelty][]float64 {
	all := map[das.Novelty][]float64{}
	for novelty, values := range map[das.Novelty][]float64{das.Added: added, das.Interpolated: interpolated, das.Sampled: sampled, das.Random: random} {
		if values != nil {
			all[novelty] = values
		}
	}
	return all
}

// publishedNovel returns what was logged of a model and a task.
func publishedNovel(model string, task stimuli.Task) (found []PublishedNovel) {
	for _, p := range PublishedNovels {
		if p.Model == model && p.Task == task {
			found = append(found, p)
		}
	}
	return found
}
