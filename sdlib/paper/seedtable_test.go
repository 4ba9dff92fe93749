package paper_test

import (
	"testing"

	"samediff/sdlib/finetune"
	"samediff/sdlib/paper"
	"samediff/sdlib/study"
)

// A seed that is missing leaves its cell empty, and the standard deviation is that of a sample.
func TestSeedTable(t *testing.T) {
	result := func(preset string, seed uint64, correct int) study.SeedResult {
		return study.SeedResult{Preset: preset, Seed: seed, Set: "test (IID)", Score: finetune.Score{N: 1000, Correct: correct}}
	}
	text, err := paper.SeedTable([]study.SeedResult{result("after", 1, 940), result("after", 2, 960), result("direct", 2, 500)}).CSV()
	if err != nil {
		t.Fatal(err)
	}
	want := "preset,set,n,seed 1,seed 2,mean\n" +
		"after,test (IID),1000,0.940,0.960,0.950 ± 0.014\n" + // √((.01² + .01²) / 1)
		"direct,test (IID),1000,,0.500,0.500\n"
	if text != want {
		t.Errorf("got\n%s\nwant\n%s", text, want)
	}
}
