package paper

import (
	"errors"

	"samediff/sdlib/attention"
)

// Found returns what comes with the repository of a model of the course; what does not is nil.
func (r *Results) Found(model string) (Found, error) {
	f := Found{Name: r.label(model)}
	m, err := r.metrics(model)
	if err != nil {
		return f, err
	}
	f.Config, f.Task, f.Objects, f.Sets = m.Training.Model, m.Training.Stimuli.Task, m.Training.Stimuli.Objects, m.Sets
	var errs [4]error
	var heads *attention.Scores
	if heads, errs[0] = r.heads(model); errs[0] == nil {
		f.Heads = heads
	}
	f.Searches, errs[1] = r.searches(model)
	f.Novel, errs[2] = r.novel(model)
	var l linearResults
	l, errs[3] = r.linear(model)
	f.Probed, f.Effects = l.probed, l.effects
	for i, err := range errs {
		errs[i] = notThere(err)
	}
	return f, errors.Join(errs[:]...)
}
