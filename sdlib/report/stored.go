package report

import (
	"errors"
	"fmt"
	"io/fs"

	"samediff/sdlib/artifact"
	"samediff/sdlib/paper"
	"samediff/sdlib/study"
)

// reads reports whether nothing is computed for the report.
func (s Subject) reads() bool { return s.Lab != nil && s.Lab.Store.ReadOnly }

// comes returns what comes with the repository of the model, if it is one of the course and nothing is computed.
func (s Subject) comes() (paper.Found, error) {
	if dir, err := study.CourseModelDir(s.Name); !s.reads() || err != nil || s.Model.Dir != dir {
		return paper.Found{}, nil
	}
	results, err := paper.OpenResults()
	if err != nil {
		return paper.Found{}, err
	}
	return results.Found(s.Name)
}

// chapter writes the chapter: from the store, or else from what comes along.
func (w *work) chapter() error {
	err := w.section.write(w)
	if !w.reads() || !errors.Is(err, artifact.ErrNotFound) || len(w.section.Parts) > 0 || w.section.shipped == nil {
		return err
	}
	if other := w.section.shipped(w); !errors.Is(other, fs.ErrNotExist) {
		return other
	}
	return err
}

// from says where a chapter's numbers are from, by the names of files in models/.
func (w *work) from(file string) {
	w.text("Read from models/%s, which comes with the repository and may rest on other numbers of images than those of a report.", fmt.Sprintf(file, w.Name))
}

// lacks says what the store lacks of a chapter.
func (s Section) lacks() string {
	what := "results of this chapter"
	if len(s.Parts) > 0 {
		what = "the rest of this chapter"
	}
	return fmt.Sprintf("the store lacks %s. This computes it:", what)
}
