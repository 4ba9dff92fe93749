package paper

import (
	"strings"

	"samediff/sdlib/das"
	"samediff/sdlib/stimuli"
)

// published are accuracies of alignment searches after each of 12 blocks that the authors' logs
// give, on test-iid pairs of the set of 256 combinations. Those of DINO and MAE are of images that
// were normalized wrongly (docs/paper.md D6).
var published = []publishedCurve{
	{"clip-b16", stimuli.Discrimination, stimuli.ShapeProperty, das.NoControl, byBlock{.623, .83, .936, .918, .641, .244, .128, .076, .019, .011, .007, .007}},
	{"clip-b16", stimuli.Discrimination, stimuli.ColorProperty, das.NoControl, byBlock{.706, .895, .918, .853, .437, .289, .136, .099, .021, .007, .006, .006}},
	{"clip-b16", stimuli.RMTS, stimuli.ShapeProperty, das.NoControl, byBlock{.501, .688, .89, .895, .795, .509, .452, .424, .433, .084, .03, .024}},
	{"clip-b16", stimuli.RMTS, stimuli.ColorProperty, das.NoControl, byBlock{.516, .834, .928, .936, .805, .493, .425, .434, .398, .106, .028, .022}},
	{"clip-b32", stimuli.Discrimination, stimuli.ShapeProperty, das.NoControl, byBlock{.512, .839, .954, .951, .919, .522, .119, .041, .01, .003, .002, .002}},
	{"clip-b32", stimuli.Discrimination, stimuli.ColorProperty, das.NoControl, byBlock{.626, .862, .936, .844, .714, .418, .132, .048, .007, .004, .003, .003}},
	{"clip-b32", stimuli.RMTS, stimuli.ShapeProperty, das.NoControl, byBlock{.506, .818, .921, .905, .867, .583, .484, .462, .516, .405, .049, .018}},
	{"clip-b32", stimuli.RMTS, stimuli.ColorProperty, das.NoControl, byBlock{.545, .879, .929, .878, .827, .586, .459, .467, .488, .417, .051, .019}},
	{"dinov2", stimuli.Discrimination, stimuli.ShapeProperty, das.NoControl, byBlock{.509, .536, .736, .908, .902, .886, .357, .158, .146, .208, .143, .009}},
	{"dinov2", stimuli.Discrimination, stimuli.ColorProperty, das.NoControl, byBlock{.608, .583, .735, .851, .759, .742, .211, .087, .102, .193, .146, .003}},
	{"dinov2", stimuli.RMTS, stimuli.ShapeProperty, das.NoControl, byBlock{.495, .517, .522, .862, .878, .854, .546, .612, .695, .722, .701, .021}},
	{"dinov2", stimuli.RMTS, stimuli.ColorProperty, das.NoControl, byBlock{.496, .579, .653, .914, .897, .884, .626, .614, .71, .743, .709, .013}},
	{"imagenet", stimuli.Discrimination, stimuli.ShapeProperty, das.NoControl, byBlock{.766, .869, .761, .436, .284, .206, .07, .049, .05, .053, .042, .042}},
	{"imagenet", stimuli.Discrimination, stimuli.ColorProperty, das.NoControl, byBlock{.928, .915, .752, .387, .282, .135, .043, .021, .024, .026, .012, .012}},
	{"imagenet", stimuli.RMTS, stimuli.ShapeProperty, das.NoControl, byBlock{.497, .755, .651, .548, .553, .53, .435, .344, .358, .242, .139, .139}},
	{"imagenet", stimuli.RMTS, stimuli.ColorProperty, das.NoControl, byBlock{.632, .837, .794, .562, .536, .502, .438, .321, .316, .263, .162, .105}},
	{"dino", stimuli.Discrimination, stimuli.ShapeProperty, das.NoControl, byBlock{.771, .853, .865, .78, .27, .179, .154, .141, .122, .122, .119, .089}},
	{"dino", stimuli.Discrimination, stimuli.ColorProperty, das.NoControl, byBlock{.924, .919, .751, .453, .119, .093, .085, .062, .054, .052, .045, .035}},
	{"dino", stimuli.RMTS, stimuli.ShapeProperty, das.NoControl, byBlock{.51, .553, .564, .505, .448, .412, .4, .4, .401, .34, .291, .248}},
	{"dino", stimuli.RMTS, stimuli.ColorProperty, das.NoControl, byBlock{.522, .714, .685, .539, .461, .429, .394, .378, .379, .305, .265, .221}},
	{"mae", stimuli.Discrimination, stimuli.ShapeProperty, das.NoControl, byBlock{.54, .512, .575, .619, .629, .564, .562, .504, .467, .443, .443, .438}},
	{"mae", stimuli.Discrimination, stimuli.ColorProperty, das.NoControl, byBlock{.708, .764, .763, .775, .756, .609, .582, .527, .438, .42, .418, .418}},
	{"mae", stimuli.RMTS, stimuli.ShapeProperty, das.NoControl, byBlock{.488, .496, .504, .52, .51, .5, .487, .512, .532, .523, .482, .431}},
	{"mae", stimuli.RMTS, stimuli.ColorProperty, das.NoControl, byBlock{.49, .519, .553, .558, .548, .532, .526, .56, .596, .58, .47, .381}},
	{"scratch", stimuli.Discrimination, stimuli.ShapeProperty, das.NoControl, byBlock{.413, .393, .395, .388, .392, .39, .391, .395, .399, .4, .395, .389}},
	{"scratch", stimuli.Discrimination, stimuli.ColorProperty, das.NoControl, byBlock{.135, .095, .105, .106, .108, .108, .104, .108, .108, .105, .108, .108}},

	{"clip-b16", stimuli.Discrimination, stimuli.ShapeProperty, das.WrongObject, byBlock{.486, .502, .485, .52, .434, .241, .15, .085, .022, .011, .006, .007}},
	{"clip-b16", stimuli.Discrimination, stimuli.ColorProperty, das.WrongObject, byBlock{.496, .498, .49, .484, .455, .267, .14, .03, .021, .008, .006, .006}},
	{"clip-b16", stimuli.RMTS, stimuli.ShapeProperty, das.WrongObject, byBlock{.501, .499, .499, .503, .498, .479, .452, .392, .418, .081, .032, .024}},
	{"clip-b16", stimuli.RMTS, stimuli.ColorProperty, das.WrongObject, byBlock{.495, .507, .501, .524, .531, .506, .417, .404, .414, .102, .031, .022}},
	{"dinov2", stimuli.RMTS, stimuli.ShapeProperty, das.WrongObject, byBlock{.519, .513, .509, .522, .524, .516, .494, .553, .698, .739, .71, .021}},
	{"dinov2", stimuli.RMTS, stimuli.ColorProperty, das.WrongObject, byBlock{.471, .523, .568, .578, .599, .568, .53, .582, .71, .766, .725, .013}},
}

type byBlock = [12]float64

type publishedCurve struct {
	model    string // in the name of a checkpoint or a model
	task     stimuli.Task
	property stimuli.Property
	control  das.Control
	accuracy byBlock
}

// Published returns the accuracies after each of 12 blocks that the authors' logs give for a search
// in a model whose name begins with, or after a hyphen has, that of a checkpoint: "clip-b16",
// "discrimination-256-clip-b16-112"; nil where they give none.
func Published(model string, task stimuli.Task, objects stimuli.Objects, p stimuli.Property, control das.Control) []float64 {
	if objects != stimuli.All256 {
		return nil
	}
	model, _, _ = strings.Cut(model, " ") // without "(8-bit weights)"
	for _, c := range published {
		if strings.Contains("-"+model+"-", "-"+c.model+"-") && c.task == task && c.property == p && c.control == control {
			return c.accuracy[:]
		}
	}
	return nil
}
