package paper_test

import (
	"slices"
	"strings"
	"testing"

	"samediff/sdlib/attention"
	"samediff/sdlib/figure"
	"samediff/sdlib/paper"
	"samediff/sdlib/stimuli"
	"samediff/sdlib/vit"
)

// at is a stage in a block, in so many of 100 resamples, and in the next block in the others.
func at(block, of100 int) attention.Stage {
	s := attention.Stage{Block: block}
	for i := range 100 {
		if i < of100 {
			s.Resamples = append(s.Resamples, block)
		} else {
			s.Resamples = append(s.Resamples, block+1)
		}
	}
	return s
}

// CLIP as the paper describes it agrees in everything; with a peak elsewhere it does not.
func TestStageTables(t *testing.T) {
	clip := vit.Config{Family: vit.CLIP, Blocks: 12}
	asPrinted := &attention.Stages{Images: 500, Within: at(3, 100), Pair: at(6, 60), Background: at(10, 100), Rise: at(4, 100), Onset: at(7, 100), Distance: at(3, 60)}
	other := *asPrinted
	other.Background, other.Pair, other.Distance, other.Onset = at(8, 99), at(3, 100), at(0, 100), attention.Stage{Block: attention.Never, Resamples: []int{attention.Never}}
	rmts := *asPrinted
	rmts.Pair, rmts.Between, rmts.BetweenDistance = at(5, 100), at(7, 100), at(2, 100)
	models := []paper.StagedModel{
		{Name: "clip", Config: clip, Task: stimuli.Discrimination, Stages: asPrinted},
		{Name: "other", Config: clip, Task: stimuli.Discrimination, Stages: &other},
		{Name: "rmts", Config: clip, Task: stimuli.RMTS, Stages: &rmts},
		{Name: "small", Config: vit.Course, Task: stimuli.Discrimination, Stages: asPrinted}, // the paper says nothing of it
	}
	table := paper.StageTable(models...)
	if got, want := table.Rows[0], []string{"clip", "12", "500", "3 (100 %)", "6 (60 %, 6 to 7)", "3 (60 %, 3 to 4)", "–", "–", "4 (100 %)", "7 (100 %)", "10 (100 %)"}; !slices.Equal(got, want) {
		t.Errorf("the row is %q, expected %q", got, want)
	}
	backwards := *asPrinted
	backwards.Distance = attention.Stage{Block: -1, Resamples: []int{-1}}
	if got := paper.StageTable(paper.StagedModel{Stages: &backwards}).Rows[0][5]; got != "-1 (100 %)" {
		t.Errorf("the pair's peak a block before the object's is %q", got)
	}
	if got := table.Rows[1]; got[9] != "never (100 %)" || len(table.Rows) != 4 {
		t.Errorf("the second of %d rows is %q", len(table.Rows), got)
	}
	answers := map[string]string{}
	said := paper.StatementTable(models...)
	for _, row := range said.Rows {
		answers[row[0]] += row[4] + " "
	}
	for name, want := range map[string]string{"clip": "yes yes yes yes yes yes ", "other": "yes no no yes no no ", "rmts": "yes yes yes yes yes ", "small": ""} {
		if answers[name] != want {
			t.Errorf("%s agrees: %q, expected %q", name, answers[name], want)
		}
	}
	if got := said.Rows[1]; got[5] != "60 %" {
		t.Errorf("the peak that 60 of 100 resamples have is %q", got)
	}
}

// A figure of steps fits its maps, its image and its objects.
func TestStepFigures(t *testing.T) {
	for _, task := range []stimuli.Task{stimuli.Discrimination, stimuli.RMTS} {
		set := quickSet(t, task)
		steps := []attention.Step{{Name: "within object, early", Head: attention.Head{Block: 0, Head: 1}}, {Name: "within pair", Head: attention.Head{Block: 1}}}
		maps := []attention.Map{mapOf(3, steps[0].Head), mapOf(3, steps[1].Head)}
		for name, draw := range map[string]func(*stimuli.Set, []attention.Step, []attention.Map) (*figure.Figure, error){"21": paper.Figure21, "22": paper.Figure22} {
			f, err := draw(set, steps, maps)
			if err != nil {
				t.Fatal(err)
			}
			for _, want := range []string{"within object, early\nblock 0, head 1", "within pair\nblock 1, head 0"} {
				if !strings.Contains(f.Alt(), want) {
					t.Errorf("Figure %s says %q, expected %q in it", name, f.Alt(), want)
				}
			}
			wrong := mapOf(3, steps[0].Head)
			wrong.Tokens, wrong.Weights = 5, make([]float32, 25)
			for want, maps := range map[string][]attention.Map{
				"0 maps for 2 heads":       nil,
				"expected block 1, head 0": {maps[0], maps[0]},
				"on image 4, expected":     {maps[0], mapOf(4, steps[1].Head)},
				"no stimulus 24":           {mapOf(24, steps[0].Head), mapOf(24, steps[1].Head)},
				"a map of 4 patches":       {wrong, maps[1]},
			} {
				if _, err := draw(set, steps, maps); err == nil || !strings.Contains(err.Error(), want) {
					t.Errorf("Figure %s: the error is %v, expected it to speak of %q", name, err, want)
				}
			}
		}
	}
}
