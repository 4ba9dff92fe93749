package patch

import "testing"

// An edge is written as it is read.
func FuzzParseEdge(f *testing.F) {
	for _, text := range []string{"objects>CLS", " a → b ", ">", "→→", "a>b>c", ""} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		e, err := ParseEdge(text)
		if err != nil {
			return
		}
		if again, err := ParseEdge(string(e.From) + ">" + string(e.To)); err != nil || again != e {
			t.Errorf("%q is %+v, written and read again %+v, %v", text, e, again, err)
		}
	})
}
