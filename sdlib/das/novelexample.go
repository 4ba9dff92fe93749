package das

// A NovelExample is what novel representations are made of and what they are, in one draw: coordinates
// along the directions of a subspace, [dims] each, of the first vector of a pair at one token.
type NovelExample struct {
	Objects [2]int       // which objects were drawn, pairs whose sources they are
	From    [2][]float32 // their representations
	Vectors map[Novelty][]float32
}

// NovelExample returns the vectors that [Intervention.NovelAnswers] writes to the edited object of pair draw
// at a token 0..P-1, for every novelty. Added and interpolated vectors are made of the same two objects.
func (v *Intervention) NovelExample(from *Objects, seed uint64, draw, token int) (NovelExample, error) {
	e := NovelExample{Vectors: map[Novelty][]float32{}}
	D := v.Config.Width
	swapped := v.Swapped()
	at := func(states []float32) (x []float32) {
		for j, along := range v.Coordinates(states[token*D : (token+1)*D])[0] {
			if swapped[j] == 1 {
				x = append(x, along)
			}
		}
		return x
	}
	for _, novelty := range Novelties {
		vectors, err := v.novelVectors(from, Novel{Novelty: novelty, Seed: seed})
		if err != nil {
			return e, err
		}
		state := make([]float32, from.P*D)
		vectors(draw)(state)
		e.Vectors[novelty] = at(state)
	}
	objects, err := from.After(v.Block)
	if err != nil {
		return e, err
	}
	four := distinct(drawing(seed, draw), objects.Shape[0])
	e.Objects = [2]int(four[:2])
	for i, object := range e.Objects {
		e.From[i] = at(objects.Row(object))
	}
	return e, nil
}
