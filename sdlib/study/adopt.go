package study

import (
	"fmt"

	"samediff/sdlib/stimuli"
	"samediff/sdlib/vit"
)

// Adopt lets a name stand for a model that was read elsewhere, such as one from the hub, in this lab
// for as long as it is open. Its results are kept under the hash of its weights, as those of any other.
func (l *Lab) Adopt(name string, m *vit.Model) (*Model, error) {
	adopted, err := identified(m, "")
	if err != nil {
		return nil, err
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	l.found[name] = adopted
	return adopted, nil
}

// Assume says which task a model learned that does not say it itself: all 256 objects of the
// geometry that fits it. It is an error where the model says that it learned another one.
func (m *Model) Assume(task stimuli.Task) error {
	known := m.Training.Stimuli.Geometry != (stimuli.Geometry{})
	c, err := m.stimuli()
	switch {
	case err != nil:
		return err
	case known && c.Task != task:
		return fmt.Errorf("model %s learned %s, not %s", m.ID.Short(), c.Task, task)
	case known:
		return nil
	}
	c.Task = task
	m.Training.Stimuli, err = c.Resolved()
	return err
}
