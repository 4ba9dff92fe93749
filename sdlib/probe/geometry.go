package probe

import "fmt"

// A Geometry says how probes' directions lie: how long they are against the stream that they
// are added to, and how they turn from place to place. The length is what α multiplies (D21).
type Geometry struct {
	Places []PlaceGeometry `json:"places"`
	// Cosine has the cosine between same-minus-different of any two places, [S][S].
	Cosine [][]float64 `json:"cosine"`
}

// A PlaceGeometry describes one place. Lengths are Euclidean, over all tokens of a pair.
type PlaceGeometry struct {
	Place     string  `json:"place"`
	Different float64 `json:"different"` // length of the row of different, which is added to pairs that are the same
	Same      float64 `json:"same"`
	RowCosine float64 `json:"row_cosine"` // between the two rows; -1 where they are opposite
	Stream    float64 `json:"stream"`     // mean length of the features
	Means     float64 `json:"means"`      // length of the difference of the class means
	// MeansCosine is that between same-minus-different of the probe and of the class means.
	MeansCosine float64 `json:"means_cosine"`
	// Separation is how far the class means lie apart along the probe's direction, as an α: that
	// with which Opposite carries one mean to the place of the other, where the rows are opposite.
	Separation float64 `json:"separation"`
}

// Measure returns the geometry of probes of two classes, given the items that they were trained on.
func Measure(probes []Probe, places []Place, s Items) (Geometry, error) {
	var g Geometry
	if len(probes) != len(places) {
		return g, fmt.Errorf("probe: %d probes of %d places", len(probes), len(places))
	}
	var directions [][]float32
	for i, p := range probes {
		if len(p.Bias) != 2 {
			return g, fmt.Errorf("probe: the probe of %s has %d classes, expected 2: directions lead from one to the other", p.Place, len(p.Bias))
		}
		means, err := classMeans(places[i], s)
		if err != nil {
			return g, err
		}
		d, between := minus(p.Row(1), p.Row(0)), minus(means[1], means[0])
		directions = append(directions, d)
		at := PlaceGeometry{Place: p.Place, Different: norm(p.Row(0)), Same: norm(p.Row(1)), RowCosine: cosine(p.Row(0), p.Row(1)),
			Means: norm(between), MeansCosine: cosine(d, between)}
		if n := dot(d, d); n > 0 {
			at.Separation = 2 * dot(d, between) / n // a row is about half of their difference
		}
		row := make([]float32, p.Width())
		for k := range s.All {
			places[i].Row(row, k)
			at.Stream += norm(row) / float64(len(s.All))
		}
		g.Places = append(g.Places, at)
	}
	for _, x := range directions {
		var row []float64
		for _, y := range directions {
			row = append(row, cosine(x, y))
		}
		g.Cosine = append(g.Cosine, row)
	}
	return g, nil
}
