package vit_test

import (
	"regexp"
	"strings"
	"testing"

	. "github.com/gomlx/gomlx/core/graph"

	"samediff/sdlib/backend"
	"samediff/sdlib/vit"
)

// An error of a graph function names the line of the user's own code.
func TestErrorNamesTheLine(t *testing.T) {
	m, err := vit.Load("testdata/square")
	if err != nil {
		t.Fatal(err)
	}
	be, err := backend.Open("go")
	if err != nil {
		t.Fatal(err)
	}
	images, err := m.Config.Images(make([]uint8, 32*32*3))
	if err != nil {
		t.Fatal(err)
	}
	for name, test := range map[string]struct {
		edit vit.Option
		want string // what stands on the line
	}{
		"panic":   {vit.Edit("embed", func(_ string, x *Node) *Node { panic("here") }), "here"},
		"GoMLX's": {vit.Edit("embed", func(_ string, x *Node) *Node { return Mul(x, ReduceSum(x, 2)) }), "shapes"},
		"in vit":  {vit.Want("nothing"), "nothing"},
		"by vit":  {vit.Edit("embed", func(_ string, x *Node) *Node { return ReduceSum(x, 1) }), "the same shape"},
		"in ops":  {vit.Want("final"), "contracting"}, // with a head that does not fit
	} {
		p, err := vit.Compile(be, m.Config, func(w *vit.Weights[*Node], in []*Node) []*Node {
			if name == "in ops" {
				w.Head.W = Transpose(w.Head.W, 0, 1)
			}
			logits, _ := vit.Forward(m.Config, w, in[0], test.edit)
			return []*Node{logits}
		})
		if err != nil {
			t.Fatal(err)
		}
		if _, err = p.Run(m, images); err == nil {
			t.Fatalf("%s: no error", name)
		}
		at := regexp.MustCompile(`\(at caller_test\.go:\d+\)$`)
		if !strings.Contains(err.Error(), test.want) || !at.MatchString(err.Error()) {
			t.Errorf("%s: error %q, expected %q and a line of this file", name, err, test.want)
		}
		p.Close()
	}
}
