package stimuli

// A region is a set of points of the plane, in thousandths of half the object's box: the box is [-1000, 1000] x
// [-1000, 1000], x to the right and y down, as in images. Regions are integer predicates on purpose: floating point
// may round differently from one processor to the next (fused multiply-add), and a silhouette must not.
type region func(x, y int) bool

// disk holds the points within r of (cx, cy).
func disk(cx, cy, r int) region {
	return func(x, y int) bool { return square(x-cx)+square(y-cy) <= r*r }
}

// ellipse holds the points with ((x-cx)/rx)² + ((y-cy)/ry)² ≤ 1.
func ellipse(cx, cy, rx, ry int) region {
	return func(x, y int) bool {
		dx, dy, r := int64(x-cx)*int64(ry), int64(y-cy)*int64(rx), int64(rx)*int64(ry)
		return dx*dx+dy*dy <= r*r
	}
}

// box holds the points with x0 ≤ x ≤ x1 and y0 ≤ y ≤ y1.
func box(x0, y0, x1, y1 int) region {
	return func(x, y int) bool { return x >= x0 && x <= x1 && y >= y0 && y <= y1 }
}

// polygon is the inside of a closed polygon given as x0, y0, x1, y1, ... (even-odd rule).
func polygon(coordinates ...int) region {
	n := len(coordinates) / 2
	return func(x, y int) bool {
		inside := false
		for i, j := 0, n-1; i < n; j, i = i, i+1 {
			xi, yi := coordinates[2*i], coordinates[2*i+1]
			xj, yj := coordinates[2*j], coordinates[2*j+1]
			if (yi > y) == (yj > y) {
				continue
			}
			// Left of the edge: x < xi + (y-yi)(xj-xi)/(yj-yi), with the division cleared.
			left := (x-xi)*(yj-yi) - (y-yi)*(xj-xi)
			if (yj > yi) == (left < 0) && left != 0 {
				inside = !inside
			}
		}
		return inside
	}
}

// union holds the points of any of the regions.
func union(regions ...region) region {
	return func(x, y int) bool {
		for _, r := range regions {
			if r(x, y) {
				return true
			}
		}
		return false
	}
}

// minus holds the points of a that are not in b.
func minus(a, b region) region {
	return func(x, y int) bool { return a(x, y) && !b(x, y) }
}

// both holds the points that are in a and in b.
func both(a, b region) region {
	return func(x, y int) bool { return a(x, y) && b(x, y) }
}

func square(v int) int { return v * v }
