package paper

import (
	"math"
	"testing"

	. "github.com/gomlx/gomlx/core/graph"

	"samediff/sdlib/backend"
	"samediff/sdlib/vit"
)

// The last reading of the stream is the model's answer, the first that of a model without blocks.
func TestStream(t *testing.T) {
	be, err := backend.Open(backend.Go)
	if err != nil {
		t.Fatal(err)
	}
	c := vit.CourseQuick
	c.Width, c.MLP, c.Heads, c.Blocks = 16, 16, 2, 3
	m, err := vit.New(c, 1)
	if err != nil {
		t.Fatal(err)
	}
	pixels := make([]uint8, c.Image*c.Image*3)
	for i := range pixels {
		pixels[i] = uint8(i * 37)
	}
	rows, err := stream(be, m, pixels)
	if err != nil {
		t.Fatal(err)
	}
	if len(rows) != 4 || len(rows[0]) != c.Tokens()+1 {
		t.Fatalf("%d rows of %d numbers, expected 4 of %d", len(rows), len(rows[0]), c.Tokens()+1)
	}
	answer := func(c vit.Config) float64 {
		p, err := vit.Compile(be, m.Config, func(w *vit.Weights[*Node], in []*Node) []*Node {
			shallow := *w
			shallow.Blocks = w.Blocks[:c.Blocks]
			logits, _ := vit.Forward(c, &shallow, in[0])
			return []*Node{logits}
		})
		if err != nil {
			t.Fatal(err)
		}
		defer p.Close()
		logits, err := rowsOf(p, m, pixels)
		if err != nil {
			t.Fatal(err)
		}
		return float64(logits[0][1] - logits[0][0])
	}
	for blocks, row := range rows {
		shallow := c
		shallow.Blocks = blocks
		if got, want := float64(row[c.Tokens()]), answer(shallow); math.Abs(got-want) > 1e-6 {
			t.Errorf("after %d blocks the stream reads %.7f, a model that ends there answers %.7f", blocks, got, want)
		}
		for token, norm := range row[:c.Tokens()] {
			if !(norm > 0) {
				t.Errorf("after %d blocks token %d has a vector of length %g", blocks, token, norm)
			}
		}
	}
}
