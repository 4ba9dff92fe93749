package study

import (
	"context"
	"fmt"
	"strings"

	"samediff/sdlib/stimuli"
)

// What a model learned decides which images it is asked about. A model that was trained here says it; the weights of
// others do not. This file is the one place that then supposes something.

// Stimuli returns the configuration of the stimuli that a subject's model is asked about: those that it was trained on,
// or for a model that does not say, those of the geometry that fits it, of the task that [Options].Task names. Without
// that it is discrimination, and [Options].Notify hears of it.
func (l *Lab) Stimuli(ctx context.Context, s Subject) (stimuli.Config, error) {
	if s.Training == nil {
		m, err := l.find(ctx, s)
		if err != nil {
			return stimuli.Config{}, err
		}
		return m.stimuli()
	}
	c, _, err := l.Learned(ctx, s)
	return c, err
}

// Learned is [Lab.Stimuli] for those who know better what to ask a model that does not say what it learned: known is
// false, and nobody is told.
func (l *Lab) Learned(ctx context.Context, s Subject) (c stimuli.Config, known bool, err error) {
	if s.Training != nil {
		if c, err = s.Training.Stimuli.Resolved(); err == nil {
			err = l.agrees(s.Name, c.Task)
		}
		return c, true, err
	}
	m, err := l.find(ctx, s)
	if err != nil {
		return c, false, err
	}
	return m.learned()
}

// stimuli is [Lab.Stimuli] for a model.
func (m *Model) stimuli() (stimuli.Config, error) {
	c, known, err := m.learned()
	if err == nil && !known && m.lab != nil {
		m.lab.supposes(m, c.Task)
	}
	return c, err
}

// learned is [Lab.Learned] for a model.
func (m *Model) learned() (c stimuli.Config, known bool, err error) {
	c = m.Training.Stimuli
	if c.Geometry != (stimuli.Geometry{}) {
		if c, err = c.Resolved(); err == nil && m.lab != nil {
			err = m.lab.agrees("model "+m.ID.Short(), c.Task)
		}
		return c, true, err
	}
	if c.Geometry = geometryOf(m.Config); c.Geometry == (stimuli.Geometry{}) {
		var sizes []string
		for _, g := range stimuli.Geometries() {
			sizes = append(sizes, fmt.Sprintf("%s (%d and %d)", g.Name, g.Image, g.Patch))
		}
		return c, false, fmt.Errorf("model %s: images of %d pixels and patches of %d fit no geometry of the paper's stimuli, expected %s: give a set of images that fits the model",
			m.ID.Short(), m.Config.Image, m.Config.Patch, strings.Join(sizes, ", "))
	}
	c.Seed = Quick.Stimuli.Seed
	if m.lab != nil {
		c.Task = m.lab.options.Task
	}
	known = c.Task != ""
	c, err = c.Resolved()
	return c, known, err
}

// agrees returns an error where a model says that it learned another task than [Options].Task.
func (l *Lab) agrees(name string, learned stimuli.Task) error {
	if t := l.options.Task; t != "" && t != learned {
		return fmt.Errorf("%s learned %s, not %s: --task (study.Options.Task) is for models that do not say what they learned", name, learned, t)
	}
	return nil
}

// supposes reports, once for each model, what it is asked about.
func (l *Lab) supposes(m *Model, task stimuli.Task) {
	if _, told := l.supposed.LoadOrStore(m.ID, true); !told && l.options.Notify != nil {
		l.options.Notify(fmt.Sprintf("model %s does not say which task it learned: it is asked about %s; --task (study.Options.Task) names another", m.ID.Short(), task))
	}
}

// Assume says which task a model learned that does not say it itself: all 256 objects of the
// geometry that fits it. It is an error where the model says that it learned another one.
func (m *Model) Assume(task stimuli.Task) error {
	c, known, err := m.learned()
	switch {
	case err != nil:
		return err
	case known && c.Task != task:
		return fmt.Errorf("model %s learned %s, not %s", m.ID.Short(), c.Task, task)
	case m.Training.Stimuli.Geometry != (stimuli.Geometry{}):
		return nil
	}
	c.Task = task
	m.Training.Stimuli, err = c.Resolved()
	return err
}
