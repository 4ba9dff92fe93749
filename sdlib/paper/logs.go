package paper

import "samediff/sdlib/stimuli"

// Logged is what the authors' logs say of a model that they fine-tuned at 224 pixels, on 6,400 images in each of 200 epochs (30 for
// DINOv2, D7): the material of Tables 2 to 5.
type Logged struct {
	Checkpoint string // what it began from, as vit.Checkpoints has it
	Task       stimuli.Task
	Objects    stimuli.Objects
	Run        string             // its name in the logs
	Accuracy   map[string]float64 // by the set's name ([study.SetNames])
}

// LoggedImages is the number of images that such a training showed, in all epochs.
const LoggedImages = 200 * 6400

// Logs are those of CLIP ViT-B/16, from logs/Training_Results/results.csv of the released code at commit 7f6b3e31. The
// IID accuracy of the 32 set is often that of its compositional set there (D10).
var Logs = []Logged{
	{"clip-b16", stimuli.Discrimination, stimuli.All256, "2jylw4un", logged(.9933, 0, .9898, .9934, .9802)},
	{"clip-b16", stimuli.Discrimination, stimuli.Compositional32, "qzu5c6cy", logged(.9847, .9847, .9748, .9747, .9516)},
	{"clip-b16", stimuli.RMTS, stimuli.All256, "tavk2a8o", logged(.9831, 0, .9372, .9547, .85)},
	{"clip-b16", stimuli.RMTS, stimuli.Compositional32, "ld8hk72f", logged(.9802, .983, .9428, .9578, .8508)},
}

func logged(iid, compositional, shape, color, both float64) map[string]float64 {
	all := map[string]float64{"test (IID)": iid, "OOD shape": shape, "OOD color": color, "OOD shape-color": both}
	if compositional != 0 {
		all["compositional"] = compositional
	}
	return all
}
