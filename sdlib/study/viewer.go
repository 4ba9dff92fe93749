package study

import (
	"context"

	"samediff/sdlib/stimuli"
	"samediff/sdlib/viewer"
)

// ViewerData is the attention of every head on chosen images of a set, as a viewer shows it.
var ViewerData = Analysis[viewer.Choice, *viewer.Data]{
	Name: "viewer", Version: 1,
	Compute: func(ctx context.Context, on On, c viewer.Choice) (*viewer.Data, error) {
		return viewer.Collect(ctx, on.Backend, on.Model.Model, on.Set, c, on.Report)
	},
	Images: func(_ *stimuli.Set, c viewer.Choice) int { return len(c.Images) },
}

// viewed is the number of images that a viewer shows unless told otherwise.
const viewed = 8

// Viewer returns a page to explore the attention of a model's heads on images of a set,
// given by their indices; nil stands for the first 8. Beside the heads stand their scores
// over all images of the set, unless one of them has no pair of objects. A nil set stands for the
// images and the scores of [Lab.Heads].
func (l *Lab) Viewer(ctx context.Context, m *Model, set *stimuli.Set, images []int) (viewer.Page, error) {
	page := viewer.Page{Title: "Attention of model " + m.Label(m.ID.Short())}
	scores := func() (err error) {
		page.Scores, err = HeadScores.Of(ctx, l, m, set, HeadSample{})
		return err
	}
	if set == nil {
		c, err := m.stimuli()
		if err != nil {
			return page, err
		}
		if set, err = headSet(c); err != nil {
			return page, err
		}
		scores = func() (err error) {
			page.Scores, err = l.Heads(ctx, m)
			return err
		}
	}
	if images == nil {
		for i := range min(viewed, set.Len()) {
			images = append(images, i)
		}
	}
	var err error
	if page.Data, err = ViewerData.Of(ctx, l, m, set, viewer.Choice{Images: images}); err != nil {
		return page, err
	}
	for i := range set.Len() {
		if len(set.Stimulus(i).Pairs) == 0 {
			return page, nil
		}
	}
	return page, scores()
}
