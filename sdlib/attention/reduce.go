package attention

import (
	"github.com/gomlx/compute/dtypes"
	. "github.com/gomlx/gomlx/core/graph"
)

// The scores of an image, in the order of summarize: the five of [Measures] over all objects, over those of the first pair
// (in RMTS the sample), over those of the second (the display), and then the shares.
const (
	local = iota
	within
	pair
	ground
	between
	perGroup // their number

	firstPair  = perGroup     // where the first pair's begin
	secondPair = 2 * perGroup // and the second's
	shares     = 3 * perGroup // and the shares, one for each place
	measures   = shares + places
)

// reducer turns attention weights into scores, inside a graph.
// B batch, T tokens, L blocks, H heads, O objects, X places.
type reducer struct {
	seen    *Node // [B, O, T, X] 1 where a token has a place as seen from an object, else 0
	rows    *Node // [B, O, T] 1/|O| at the object's own tokens
	exists  *Node // [B, O] 1 for the objects an image has
	members *Node // [B, pairs, O] 1 for the objects of a pair
}

// newReducer takes the places, int32 [B, O, T], and members, float32 [B, pairs, O], that regions wrote.
func newReducer(regions, members *Node) reducer {
	seen := OneHot(regions, places, dtypes.Float32)
	mine := at(seen, own)                       // [B, O, T]
	count := ReduceAndKeep(mine, ReduceSum, -1) // [B, O, 1]
	return reducer{
		seen:    seen,
		rows:    Div(mine, MaxScalar(count, 1)),
		exists:  MinScalar(Squeeze(count, -1), 1),
		members: members,
	}
}

// at picks one element of the last axis.
func at(x *Node, i int) *Node { return Squeeze(SliceAxis(x, -1, AxisElem(i)), -1) }

// summarize takes the masses of all blocks, [L, B, H, O, X], and returns the measures of
// each image: float64 [B, measures, L, H].
func (r reducer) summarize(mass *Node) *Node {
	to := func(place int) *Node { return at(mass, place) } // [L, B, H, O]
	elsewhere := Add(Add(to(partner), to(others)), to(background))
	perPair := r.pairMeans(to(others)) // [L, B, H, pairs]

	values := make([]*Node, measures)                   // [L, B, H] each
	group := func(first int, members, fromPair *Node) { // members [B, O] are 1 for the objects of a group
		in := ExpandAxes(members, 0, 2)                                                // [1, B, 1, O]
		most := func(x *Node) *Node { return ReduceMax(Mul(x, in), -1) }               // those outside have mass 0
		values[first+local], values[first+pair] = most(elsewhere), most(to(partner))   // [L, B, H]
		values[first+ground], values[first+between] = most(to(background)), fromPair   //
		values[first+within] = MinScalar(ReduceMin(Add(to(own), OneMinus(in)), -1), 1) // those outside have at least 1
	}
	group(0, r.exists, ReduceMax(perPair, -1))
	for p := range pairs {
		group((1+p)*perGroup, Squeeze(Slice(r.members, AxisRange(), AxisElem(p)), 1), at(perPair, p))
	}
	for x := range places {
		values[shares+x] = Div(ReduceSum(to(x), -1), ExpandAxes(ReduceSum(r.exists, -1), 0, 2))
	}
	images := TransposeAllAxes(Stack(values, 0), 2, 0, 1, 3) // [B, measures, L, H]
	return ConvertDType(images, dtypes.Float64)
}

// pairMeans averages x [L, B, H, O] over the objects of each pair: [L, B, H, pairs].
func (r reducer) pairMeans(x *Node) *Node {
	size := MaxScalar(ReduceSum(r.members, -1), 1) // [B, pairs]; 0 for a pair that an image lacks
	return Div(Einsum("lbho,bpo->lbhp", x, r.members), ExpandAxes(size, 0, 2))
}
