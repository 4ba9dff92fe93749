package attention

import (
	"bytes"
	"strings"
	"testing"
)

// A table of scores may come from anywhere: it is read, or refused.
func FuzzReadCSV(f *testing.F) {
	head := strings.Join(csvColumns, ",") + "\n"
	f.Add([]byte(head + "discrimination,all,local,0,0,10,0.500000,0.400000,0.600000\ndiscrimination,all,local,0,max,10,0.500000,0.400000,0.600000\n"))
	f.Add([]byte(head + "rmts,same,background,-1,max,x,NaN,inf,1e999\n"))
	f.Add([]byte(head + "a,b,local,9223372036854775807,0,1,1,1,1\n"))
	f.Add([]byte(head + ",display pair,background,0,,0,0,0,0")) // its line has no interval
	for _, m := range measureNames {
		f.Add([]byte(head + "rmts,display pair," + m + ",0,max,1,1,1,1\n"))
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		s, err := ReadCSV(bytes.NewReader(text))
		if err != nil {
			return
		}
		var out bytes.Buffer
		if err := s.CSV(&out); err == nil && out.Len() == 0 {
			t.Errorf("%q is read and written as nothing", text)
		}
	})
}
