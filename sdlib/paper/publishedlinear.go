package paper

import "strings"

// A PublishedLinear is what the paper's authors logged of one model's probes and interventions
// on RMTS, 256 combinations (docs/paper.md 7).
type PublishedLinear struct {
	Model  string
	Curves []LinearCurve
}

// A LinearCurve has a value for each of 12 blocks. The probe of block l reads the block's input,
// and interventions change its output (D19); α is 1 where the name has none.
type LinearCurve struct {
	Name   string
	Values []float64
}

// Control reports whether the curve is that of a control.
func (c LinearCurve) Control() bool { return strings.HasPrefix(c.Name, "control") }

// PublishedLinears are the models of Figures 5, 14, 19 and 37 to 39. DINO and MAE were analyzed
// on images that were not normalized as they learned them (D6): what flips without an
// intervention, the values of the last block, shows it.
var PublishedLinears = []PublishedLinear{
	{"CLIP ViT-B/16", []LinearCurve{
		{"probe", []float64{.508, .527, .708, .817, .923, .987, .994, .993, .991, .992, .991, .992}},
		{"intervention", []float64{.068, .321, .448, .921, .898, .983, .776, .049, .022, .019, .019, .019}},
		{"control", []float64{.106, .250, .151, .032, .042, .040, .102, .017, .018, .019, .019, .019}},
	}},
	{"CLIP ViT-B/32", []LinearCurve{
		{"probe", []float64{.528, .560, .735, .781, .930, .967, .990, .994, .993, .992, .992, .992}},
		{"intervention", []float64{.035, .313, .343, .747, .712, .937, .986, .717, .031, .015, .015, .015}},
		{"control", []float64{.284, .445, .485, .202, .185, .031, .007, .009, .011, .014, .015, .015}},
	}},
	{"DINOv2", []LinearCurve{
		{"probe", []float64{.498, .541, .674, .770, .870, .956, .981, .993, .995, .994, .986, .995}},
		{"intervention", []float64{.240, .553, .642, .624, .721, .924, .964, .775, .019, .015, .014, .014}},
		{"control", []float64{.470, .483, .301, .299, .229, .045, .022, .018, .012, .013, .014, .014}},
	}},
	{"DINO", []LinearCurve{
		{"probe", []float64{.546, .485, .671, .796, .935, .949, .939, .933, .952, .931, .944, .946}},
		{"intervention", []float64{.274, .265, .634, .800, .628, .405, .295, .267, .252, .238, .239, .240}},
		{"control", []float64{.247, .247, .127, .123, .115, .150, .205, .217, .224, .236, .238, .240}},
		{"intervention, α 0.5", []float64{.250, .247, .432, .568, .423, .318, .264, .253, .246, .239, .240, .240}},
		{"intervention, α 2", []float64{.390, .349, .808, .857, .828, .549, .351, .298, .265, .237, .239, .240}},
		{"control, α 2", []float64{.335, .331, .120, .146, .113, .122, .184, .199, .210, .231, .236, .240}},
	}},
	{"ImageNet", []LinearCurve{
		{"probe", []float64{.501, .537, .776, .896, .960, .967, .971, .963, .968, .969, .941, .952}},
		{"intervention", []float64{.104, .115, .180, .347, .240, .157, .122, .111, .107, .105, .105, .105}},
		{"control", []float64{.108, .101, .082, .101, .094, .089, .097, .103, .104, .105, .105, .105}},
		{"intervention, α 0.5", []float64{.105, .111, .134, .192, .156, .126, .115, .107, .107, .105, .105, .105}},
		{"intervention, α 2", []float64{.105, .131, .312, .742, .502, .247, .145, .115, .110, .105, .105, .105}},
		{"control, α 2", []float64{.112, .098, .086, .180, .145, .101, .093, .102, .103, .105, .105, .105}},
	}},
	{"MAE", []LinearCurve{
		{"probe", []float64{.549, .519, .496, .628, .721, .780, .884, .915, .921, .939, .928, .934}},
		{"intervention", []float64{.331, .330, .341, .374, .412, .396, .477, .464, .355, .329, .328, .327}},
		{"control", []float64{.323, .325, .318, .300, .291, .292, .277, .283, .310, .325, .326, .327}},
	}},
}

// findPublished returns a model's curves, nil where there are none.
func findPublished(model string) *PublishedLinear {
	for i, p := range PublishedLinears {
		if p.Model == model {
			return &PublishedLinears[i]
		}
	}
	return nil
}
