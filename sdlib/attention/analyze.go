package attention

import (
	"context"

	"samediff/sdlib/backend"
	"samediff/sdlib/progress"
	"samediff/sdlib/stimuli"
	"samediff/sdlib/vit"
)

// Analyze scores every head of a model on images of a set, given by their indices; nil
// stands for all. [Select] draws them as the paper did. The intervals are those of
// [Resamples] resamples with the seed 1.
//
// It fails for an index outside the set, for a set of another geometry than the
// model's, and for an image without a pair of objects.
func Analyze(ctx context.Context, be *backend.Backend, m *vit.Model, set *stimuli.Set, images []int, report progress.Func) (*Scores, error) {
	p, err := Measure(ctx, be, m, set, images, report)
	if err != nil {
		return nil, err
	}
	return p.Scores(Resamples, 1)
}

// Scores averages over the images, all together and same and different ones apart, and
// draws the images anew as often as resamples says, from the seed, for the intervals.
func (p *PerImage) Scores(resamples int, seed uint64) (*Scores, error) {
	n := len(p.Images)
	draws, err := p.resample(resamples, seed)
	if err != nil {
		return nil, err
	}
	mean := p.mean(nil)
	s := &Scores{Task: p.Task, Images: n,
		Shares: Shares{CLS: p.matrix(mean, shares+cls), Own: p.matrix(mean, shares+own), Partner: p.matrix(mean, shares+partner),
			Others: p.matrix(mean, shares+others), Background: p.matrix(mean, shares+background)},
	}
	all := p.part(mean, 0, n, draws.all)
	s.Measures, s.Interval = all.Measures, all.Interval
	s.Bootstrap = Bootstrap{Resamples: resamples, Seed: seed, Maxima: draws.maxima()}
	for label, to := range []**Part{&s.Different, &s.Same} {
		if means := draws.of[label]; means != nil {
			*to = p.part(p.mean(func(i int) bool { return p.Labels[i] == label }), 0, draws.n[label], means)
		}
	}

	first := p.part(mean, firstPair, n, draws.all)
	s.Original = Measures{Pair: first.Pair, Background: first.Background, Local: p.matrix(mean, firstPair), Within: p.matrix(mean, firstPair)}
	for l, heads := range first.Pair {
		for h := range heads {
			global := first.Pair[l][h] + first.Background[l][h] // a sum of maxima (D14)
			s.Original.Local[l][h], s.Original.Within[l][h] = global, 1-global
		}
	}
	if p.Task == stimuli.RMTS {
		s.Original.Between = s.Between
		s.Sample, s.Display = first, p.part(mean, secondPair, n, draws.all)
	}
	return s, nil
}

// mean averages the rows of some images, nil for all: [measures, L, H].
func (p *PerImage) mean(in func(i int) bool) []float64 {
	mean, n := make([]float64, p.width()), 0.
	for i := range p.Images {
		if in != nil && !in(i) {
			continue
		}
		n++
		for k, v := range p.values[i*p.width() : (i+1)*p.width()] {
			mean[k] += v
		}
	}
	for k := range mean {
		mean[k] /= n
	}
	return mean
}

// part returns the scores of a group of objects over n images, of which mean are the means
// and draws those of the resamples.
func (p *PerImage) part(mean []float64, group, n int, draws *draws) *Part {
	return &Part{Images: n, Measures: p.measures(mean, group), Interval: draws.interval(p, group)}
}
