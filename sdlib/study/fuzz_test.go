package study

import (
	"bytes"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"

	"samediff/sdlib/das"
	"samediff/sdlib/probe"
	"samediff/sdlib/stimuli"
)

// Tables may come from anywhere: a line is read, or refused by its number. What was read could have been counted.

func FuzzParseSeeds(f *testing.F) {
	head := strings.Join(seedColumns, ",") + "\n"
	f.Add([]byte(head + "course,1,test (IID),1000,927,0.9270,0.9092,0.9416,1e3042bf21c2\n"))
	f.Add([]byte(head + "course,18446744073709551615,\"a\nb\",1,1,1.0000,0.2065,1.0000,1e3042bf21c2\n"))
	f.Add([]byte(head + "course,-1,x,-5,9,NaN,,,\n"))
	f.Add([]byte("\xef\xbb\xbfpreset,seed\n"))
	f.Fuzz(func(t *testing.T, text []byte) { readAgain(t, seedFile, text) })
}

func FuzzParseDAS(f *testing.F) {
	head := strings.Join(dasColumns, ",") + "\n"
	f.Add([]byte(head + "1e3042bf21c2,discrimination,256,shape,0,das,none,course,1,test-iid,1000,839,0.8390,0.8149,0.8605,0.8380,0.8400,0.9270,0.0730,54,false\n"))
	f.Add([]byte(head + ",,,,9999999999999999999,,,,,,1,2,,,,,,NaN,,-1,maybe\n"))
	f.Add([]byte(head + "\"\n"))
	f.Fuzz(func(t *testing.T, text []byte) {
		var all []DASScore
		if parseResults(text, dasColumns, readDASLine(&all)) != nil {
			return
		}
		for _, s := range all {
			if s.N < 1 || s.Correct < 0 || s.Correct > s.N {
				t.Errorf("%q is read as %d of %d", text, s.Correct, s.N)
			}
		}
	})
}

func FuzzParseNovel(f *testing.F) {
	head := strings.Join(novelColumns, ",") + "\n"
	f.Add([]byte(head + "1e3042bf21c2,discrimination,256,shape,0,das,none,course,1,test-iid,1000,797,0.7970,0.7710,0.8208,0.7720,0.8220,0.9270,0.0730,54,false,added,1,1000\n"))
	f.Add([]byte(head + "a\n"))
	f.Fuzz(func(t *testing.T, text []byte) {
		var all []NovelScore
		if parseResults(text, novelColumns, readNovelLine(&all)) != nil {
			return
		}
		for _, s := range all {
			if s.N < 1 || s.Correct < 0 || s.Correct > s.N || !slices.Contains(das.Novelties, s.Novelty) {
				t.Errorf("%q is read as %+v", text, s)
			}
		}
	})
}

func FuzzParseLinear(f *testing.F) {
	head := strings.Join(linearColumns, ",") + "\n"
	f.Add([]byte(head + "m,0a,relation,,paper,,,train,0,,,,all,false,1600,975,0.6094,0.5852,0.6330\nm,0a,relation,,paper,,,test,0,,,,all,false,1600,809,0.5056,0.4811,0.5301\n"))
	f.Add([]byte(head + "m,0a,relation,,paper,,,intervention,3,toward,NaN,means,all,true,0,0,NaN,0.0000,1.0000\n"))
	f.Add([]byte(head + "m,,,,,,,test,0,,,,first,,1,1,,,\n"))
	f.Fuzz(func(t *testing.T, text []byte) {
		var p Probed
		var effects []probe.Effect
		if parseResults(text, linearColumns, readLinearLine(&p, &effects)) != nil {
			return
		}
		for _, r := range p.Rows {
			if r.Train.Correct > r.Train.N || r.Test.All.Correct > r.Test.All.N {
				t.Errorf("%q is read as %+v", text, r)
			}
		}
		for _, e := range effects {
			if c := e.Cells[0]; c.Opposite < 0 || c.Opposite > c.N {
				t.Errorf("%q is read as %+v", text, e)
			}
		}
	})
}

// The names of losses are written as they are read.
func FuzzParseLosses(f *testing.F) {
	for _, text := range []string{"none", "wo+wp", "wo+wp+bg", "d+wo", "", "+", "wo+wo", "WO"} {
		f.Add(text, true)
		f.Add(text, false)
	}
	f.Fuzz(func(t *testing.T, text string, rmts bool) {
		task := stimuli.Discrimination
		if rmts {
			task = stimuli.RMTS
		}
		l, err := ParseLosses(text, task)
		if err != nil {
			return
		}
		if again, err := ParseLosses(l.String(), task); err != nil || !reflect.DeepEqual(l, again) {
			t.Errorf("%q is %v, written and read again %v, %v", text, l, again, err)
		}
	})
}

// metrics.json of a folder by other hands: read, or refused with the file's name. Nothing outside the folder is opened for it.
func FuzzMetrics(f *testing.F) {
	f.Add([]byte(`{"files": {"../../etc/passwd": "0a"}, "check": "0000000000000000000000000000000000000000000000000000000000000000"}`))
	f.Add([]byte(`{"sets": [{"name": "train", "all": {"n": 10, "correct": 11}}]}`))
	f.Add([]byte(`null`))
	f.Add([]byte(`{"check": 5}`))
	if text, err := os.ReadFile("../../models/discrimination-256-course/" + metricsFile); err == nil {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		dir := t.TempDir()
		if err := os.WriteFile(filepath.Join(dir, metricsFile), text, 0o644); err != nil {
			t.Fatal(err)
		}
		if err := CheckSeal(dir); err != nil && !strings.Contains(err.Error(), dir) {
			t.Errorf("the error does not name the file: %v", err)
		}
	})
}

func FuzzParseDynamics(f *testing.F) {
	text, err := os.ReadFile("../../notebooks/results/quick-during.csv")
	if err != nil {
		f.Fatal(err)
	}
	f.Add(text)
	lines := strings.SplitAfter(string(text), "\n")
	for _, n := range []int{1, 3, len(lines) / 2, len(lines) - 2} { // cut at a line's end
		f.Add([]byte(strings.Join(lines[:n], "")))
	}
	f.Add([]byte(strings.Replace(string(text), ",500,0,0,", ",500,1,0,", 1)))
	f.Fuzz(func(t *testing.T, text []byte) {
		d, err := parseDynamics(text)
		if err != nil {
			return
		}
		var out bytes.Buffer
		if err := d.CSV(&out); err != nil {
			t.Fatal(err)
		}
		if _, err := d.Changes("pair"); err != nil && len(d) > 1 {
			t.Errorf("%q is read, and has no changes: %v", text, err)
		}
	})
}
