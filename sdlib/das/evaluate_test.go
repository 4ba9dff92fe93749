package das

import (
	"testing"

	"samediff/sdlib/finetune"
)

// Counts of answers, by hand: the pairs whose target is 0 count as those that should become different.
func TestAnswers(t *testing.T) {
	a := Answers{Targets: []int{0, 0, 0, 1, 1}, Base: []int{1, 1, 0, 0, 0}, Answers: []int{0, 0, 1, 1, 0}}
	different, same := a.ByTarget()
	for what, c := range map[string]struct{ got, want finetune.Score }{
		"with it":      {a.Score(), finetune.Score{N: 5, Correct: 3}},
		"without it":   {a.Without(), finetune.Score{N: 5, Correct: 1}},
		"base":         {a.BaseScore(), finetune.Score{N: 5, Correct: 4}},
		"to different": {different, finetune.Score{N: 3, Correct: 2}},
		"to same":      {same, finetune.Score{N: 2, Correct: 1}},
	} {
		if c.got != c.want {
			t.Errorf("%s: %+v, expected %+v", what, c.got, c.want)
		}
	}
}
