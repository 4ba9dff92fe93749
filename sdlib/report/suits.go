package report

import (
	"errors"
	"fmt"

	"samediff/sdlib/stimuli"
)

// answers reports why a model cannot be asked whether objects are the same.
func answers(s Subject) error {
	if s.Headless != nil {
		return fmt.Errorf("the model has no answer of its own (%w): fine-tune it first, `sd train`", s.Headless)
	}
	return s.Model.Answers()
}

// positions reports why there are no images of the paper for a model, with objects whose places are known.
func positions(s Subject) error {
	_, err := s.Model.Sets()
	return err
}

// asked is what most chapters need: answers about images of the paper.
func asked(s Subject) error {
	if err := positions(s); err != nil {
		return err
	}
	return answers(s)
}

// task is what the model is asked, "" where no images of the paper fit it.
func (s Subject) task() stimuli.Task {
	sets, err := s.Model.Sets()
	if err != nil {
		return ""
	}
	return sets[0].Stimuli.Task
}

// errNoPairs is why heads cannot be scored on images of one's own.
var errNoPairs = errors.New("images of the set have no pair of objects: metadata.jsonl names them (docs/formats.md)")

// paired reports whether all images of a set have a pair of objects.
func paired(set *stimuli.Set) error {
	for i := range set.Len() {
		if len(set.Stimulus(i).Pairs) == 0 {
			return errNoPairs
		}
	}
	return nil
}

// unsuited is the error of a chapter that turns out not to suit the model, which is no failure.
type unsuited struct{ error }
