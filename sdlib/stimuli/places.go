package stimuli

// A place is the top left pixel of a cell.
type place struct{ x, y int }

// places draws n disjoint cells. Two are uniform among all pairs of disjoint cells; more are put down one after the
// other. In RMTS they stay off the display pair's cells. [Config.Resolved] has made sure that there is room.
func (c Config) places(n int, random stream) []place {
	g := c.Geometry
	step := g.Patch
	if c.Factors.OffGrid {
		step = 1
	}
	corners := (g.Image-g.Cell)/step + 1
	draw := func() place {
		y := random.below(corners) * step
		return place{random.below(corners) * step, y}
	}
	free := func(taken []place, p place) bool {
		for _, q := range taken {
			if abs(p.x-q.x) < g.Cell && abs(p.y-q.y) < g.Cell {
				return false
			}
		}
		return c.Task != RMTS || p.y >= g.Cell || p.x >= 2*g.Cell
	}

	if n == 2 {
		for {
			at := []place{draw(), draw()}
			if free(nil, at[0]) && free(at[:1], at[1]) {
				return at
			}
		}
	}
	const rounds, tries = 100, 100
	for range rounds {
		at := make([]place, 0, n)
		for try := 0; try < tries && len(at) < n; try++ {
			if p := draw(); free(at, p) {
				at, try = append(at, p), 0
			}
		}
		if len(at) == n {
			return at
		}
	}
	// So crowded that chance does not find room: cells side by side, in random order.
	side := g.Image / g.Cell
	at := make([]place, side*side)
	for i := range at {
		at[i] = place{i % side * g.Cell, i / side * g.Cell}
	}
	shuffle(&random, at)
	return at[:n]
}

func abs(v int) int { return max(v, -v) }
