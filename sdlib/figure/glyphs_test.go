package figure

import (
	"strings"
	"sync"
	"testing"
)

// Characters that the font lacks are named, once; letters of the scripts that it has are not.
func TestMissingGlyphs(t *testing.T) {
	before := Warn
	warned = sync.Once{}
	t.Cleanup(func() { Warn = before })
	var said strings.Builder
	Warn = &said
	show := func(title string) {
		t.Helper()
		f := Curves{Title: title, Accuracy: []Series{{Name: "a", Values: []float64{.5, 1}}}}.Figure()
		for _, draw := range []func() ([]byte, error){func() ([]byte, error) { return f.PNG(96) }, f.SVG, f.PDF} {
			if _, err := draw(); err != nil {
				t.Fatal(err)
			}
		}
	}
	show("naïve Größe, σ − λ → ½, Кошка, חתול")
	if said.Len() != 0 {
		t.Errorf("of letters that the font has it says %q", said.String())
	}
	show("頭: 同 or 異, 고양이")
	show("猫")
	if text := said.String(); strings.Count(text, "\n") != 1 || !strings.Contains(text, `no glyph for "同異頭고양이"`) {
		t.Errorf("it says %q, expected one line with the six characters", text)
	}
}
