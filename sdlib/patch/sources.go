package patch

import (
	"errors"
	"fmt"
	"slices"

	"samediff/sdlib/stimuli"
	"samediff/sdlib/vit"
)

// Sources are the images that values are taken from: for each image of an experiment
// another one, of the same set or of another.
type Sources struct {
	Set    *stimuli.Set
	Images []int // indices into Set, one for each image of the experiment
	// Objects says which object of the source stands for each object of the image, where
	// they don't lie at the same places: Objects[i][o] for object o of the experiment's image
	// i, both in the order of Stimulus.Objects. nil takes values from the same tokens.
	Objects [][]int
}

// Twins returns a set's images that have a twin, an image with its objects at the same
// places and the other answer, and the twins. In discrimination every different image is drawn
// with a same one, in which one of its objects stands at both places. It fails where none
// has a twin, as in RMTS.
func Twins(set *stimuli.Set) (images []int, twins *Sources, err error) {
	twins = &Sources{Set: set}
	byPlaces := map[string][2]int{} // 1 + the index of the last image with these places, for each answer
	for i := range set.Len() {
		s := set.Stimulus(i)
		key := places(s)
		seen := byPlaces[key]
		if other := seen[1-s.Label]; other != 0 {
			images, twins.Images = append(images, other-1, i), append(twins.Images, i, other-1)
			delete(byPlaces, key)
			continue
		}
		seen[s.Label] = i + 1
		byPlaces[key] = seen
	}
	if len(images) == 0 {
		return nil, nil, errors.New("patch: no image of the set has a twin, with its objects at the same places and the other answer: take counterfactual pairs")
	}
	return images, twins, nil
}

// places describes where a stimulus's objects are.
func places(s stimuli.Stimulus) string {
	text := ""
	for _, o := range s.Objects {
		text += fmt.Sprint(o.Role, o.Tokens)
	}
	return text
}

// Counterfactuals returns the base images of counterfactual pairs, as indices into
// c.Base(), and their counterfactual images. The source object stands for the edited one
// where the pairs' objects lie at different places (discrimination); in RMTS the places are
// the same. answered leaves only pairs whose counterfactual image has the target's answer, so
// that all of it together would bring the answer about: in RMTS about half.
func Counterfactuals(c *stimuli.Counterfactuals, answered bool) (images []int, sources *Sources, err error) {
	sources = &Sources{Set: c.CF()}
	for i := range c.Len() {
		r := c.Record(i)
		if answered && r.CF.Label != r.Target {
			continue
		}
		images, sources.Images = append(images, i), append(sources.Images, i)
		if len(r.Base.Objects) == 2 {
			objects := make([]int, 2)
			objects[r.Edited], objects[r.NonEdited] = r.Source, r.Other
			sources.Objects = append(sources.Objects, objects)
		}
	}
	if len(images) == 0 {
		return nil, nil, errors.New("patch: no counterfactual image has the answer that its pair should bring about: in discrimination only a property is carried over, and never the answer")
	}
	return images, sources, nil
}

// First returns the first n images and their sources; all where there are fewer.
func (s *Sources) First(images []int, n int) ([]int, *Sources) {
	n = min(n, len(images))
	first := &Sources{Set: s.Set, Images: s.Images[:n]}
	if s.Objects != nil {
		first.Objects = s.Objects[:n]
	}
	return images[:n], first
}

// check returns an error unless the sources are those of an experiment.
func (s *Sources) check(e *Experiment) error {
	switch {
	case s == nil || s.Set == nil:
		return errors.New("patch: no sources: expected those of Twins or Counterfactuals")
	case len(s.Images) != len(e.images):
		return fmt.Errorf("patch: %d sources for %d images, expected one for each", len(s.Images), len(e.images))
	case s.Objects != nil && len(s.Objects) != len(e.images):
		return fmt.Errorf("patch: the objects of %d sources for %d images, expected those of each", len(s.Objects), len(e.images))
	}
	return nil
}

// from returns for each token of the experiment's image i the token of the source that a
// group takes its value from, -1 for tokens that keep theirs: [T]. All tokens take those of the same
// place; the background those that are background in both images.
func (s *Sources) from(c vit.Config, base stimuli.Stimulus, i int, g Group) ([]int32, error) {
	from := make([]int32, c.Tokens())
	for t := range from {
		from[t] = -1
	}
	tokens, err := g.tokens(c, base)
	if err != nil {
		return nil, err
	}
	source := s.Set.Stimulus(s.Images[i])
	switch {
	case s.Objects == nil || g == CLS || g == AllTokens:
		for _, t := range tokens {
			from[t] = int32(t)
		}
		return from, nil
	case g == Background:
		behind, err := Background.tokens(c, source)
		if err != nil {
			return nil, err
		}
		for _, t := range tokens {
			if slices.Contains(behind, t) {
				from[t] = int32(t)
			}
		}
		return from, nil
	}
	if len(s.Objects[i]) != len(base.Objects) {
		return nil, fmt.Errorf("patch: the source of image %d has objects for %d of its objects, expected %d", base.Index, len(s.Objects[i]), len(base.Objects))
	}
	for o, object := range base.Objects {
		at := s.Objects[i][o]
		if at < 0 || at >= len(source.Objects) {
			return nil, fmt.Errorf("patch: the source of image %d has no object %d: expected 0 to %d", base.Index, at, len(source.Objects)-1)
		}
		there := source.Objects[at].Tokens
		if len(there) != len(object.Tokens) {
			return nil, fmt.Errorf("patch: object %d of image %d covers %d patches, and that of its source %d: expected as many", o, base.Index, len(object.Tokens), len(there))
		}
		for k, patch := range object.Tokens {
			if t := c.Prefix() + patch; slices.Contains(tokens, t) {
				from[t] = int32(c.Prefix() + there[k])
			}
		}
	}
	return from, nil
}
