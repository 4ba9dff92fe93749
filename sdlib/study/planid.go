package study

import (
	"crypto/sha256"
	"fmt"
	"strings"

	"samediff/sdlib/artifact"
)

// PlanID names a list of jobs by all that their results depend on: the trainings' keys, and those
// of the analyses but for the models, which need not be there yet. Two programs that give the
// same name mean the same results, so that a plan written by one may be worked on by the other.
func PlanID(jobs []Job) (artifact.ID, error) {
	h := sha256.New()
	for _, j := range WithTrainings(jobs) {
		var key artifact.Key
		if j.key != nil {
			key = j.key(artifact.ID(strings.Repeat("0", 64)))
		} else {
			r, err := j.Subject.Training.resolve()
			if err != nil {
				return "", fmt.Errorf("%v: %w", j, err)
			}
			key = r.key()
		}
		id, err := key.ID()
		if err != nil {
			return "", fmt.Errorf("%v: %w", j, err)
		}
		fmt.Fprintln(h, j.String(), id)
	}
	return artifact.ID(fmt.Sprintf("%x", h.Sum(nil))), nil
}
