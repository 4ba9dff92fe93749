package paper

import (
	"cmp"
	"context"
	"fmt"
	"image"
	"slices"

	"samediff/sdlib/das"
	"samediff/sdlib/figure"
	"samediff/sdlib/stimuli"
	"samediff/sdlib/study"
)

// A Swap is one intervention on one pair of images, in a [Figure3a].
type Swap struct {
	Pairs        *stimuli.Counterfactuals
	Pair         int
	Intervention *das.Intervention
	Edited       []float32 // state [D] of the edited object's first token, after the block
	Source       []float32 // that of the source object's
	Base, After  int       // the answers without and with the intervention: 1 same, 0 different
}

// Figure3a shows what is swapped between two images (paper, Figure 3a): the images with the object that is edited and
// the source, and below the two states along the directions of the intervention ([SwapFigure]).
func Figure3a(s Swap) (*figure.Figure, error) {
	images, err := CounterfactualPair(s.Pairs, s.Pair)
	if err != nil {
		return nil, err
	}
	vectors, err := SwapFigure(s.Intervention, s.Edited, s.Source)
	if err != nil {
		return nil, err
	}
	return checked(figure.Grid{Title: fmt.Sprintf("The model answers %s, and with the source's %s %s", answer(s.Base), s.Intervention.Property(), answer(s.After)),
		Figures: []*figure.Figure{images, vectors}, Columns: 1, NoLetters: true}.Figure())
}

// Figure4a shows what novel representations are (paper, Figure 4a): two objects, their coordinates in the subspace of
// an intervention, and the vectors that belong to no object; 64 directions at most are shown. objects are the pairs of which the example
// is made, whose sources are the objects.
func Figure4a(objects *stimuli.Counterfactuals, v *das.Intervention, e das.NovelExample) (*figure.Figure, error) {
	var images []image.Image
	var captions []string
	for _, novelty := range das.Novelties {
		if n := len(e.Vectors[novelty]); n != v.Dims() {
			return nil, fmt.Errorf("paper: the example has %d coordinates of a vector that is %s, expected %d: is it one of this intervention?", n, novelty, v.Dims())
		}
	}
	order := make([]int, v.Dims())
	for j := range order {
		order[j] = j
	}
	size := func(j int) float32 { return max(e.Vectors[das.Added][j], -e.Vectors[das.Added][j]) }
	slices.SortStableFunc(order, func(i, j int) int { return cmp.Compare(size(j), size(i)) })
	order = first(order)
	heat := figure.HeatMap{Map: figure.RdBu(), Width: 6.5, Height: 2.3, BarLabel: "coordinate", XLabel: "direction of the subspace, from the largest sum" + of(len(order), v.Dims()),
		Title: fmt.Sprintf("%s after block %d: %d directions", v.Property(), v.Block, v.Dims())}
	row := func(name string, x []float32) {
		var values []float64
		for _, j := range order {
			values = append(values, float64(x[j]))
			heat.Max = max(heat.Max, values[len(values)-1], -values[len(values)-1])
		}
		heat.Values, heat.YTicks = append(heat.Values, values), append(heat.YTicks, name)
	}
	for i, object := range e.Objects {
		if object < 0 || object >= objects.Len() {
			return nil, fmt.Errorf("paper: the example is made of object %d, there are %d: expected the pairs that it was made of", object, objects.Len())
		}
		r := objects.Record(object)
		source := r.CF.Objects[r.Source]
		images = append(images, boxed(objects.CF().Image(object), cell(objects.Config().Set.Geometry, source), figure.SeriesColor(0)))
		captions = append(captions, fmt.Sprintf("object %d: %s", i+1, describe(source)))
		row(fmt.Sprintf("object %d", i+1), e.From[i])
	}
	for _, novelty := range das.Novelties {
		row(string(novelty), e.Vectors[novelty])
	}
	heat.Min = -heat.Max
	return checked(figure.Grid{Figures: []*figure.Figure{figure.ImageGrid{Images: images, Captions: captions, Columns: 2}.Figure(), heat.Figure()},
		Columns: 1, NoLetters: true}.Figure())
}

// diagramItems are the diagrams of interventions, of the color that the course's model and the paper's CLIP keep.
func diagramItems() []Item {
	models := map[study.Scale][]string{study.CourseScale: {"discrimination-256-course"}, study.PaperScale: {"clip-b16"}}
	return []Item{
		diagram("3a", "What is swapped between two images", "4", models, swapped),
		diagram("4a", "What novel representations are", "5", models, novelVectors),
	}
}

// diagram is a figure of one intervention in each of some models.
func diagram(number, title, where string, models map[study.Scale][]string,
	draw func(ctx context.Context, l *study.Lab, m *study.Model, q study.DASQuery) (*figure.Figure, error)) Item {
	i := Item{Kind: AFigure, Number: number, Title: title, Where: where, Models: models}
	// After the second of 6 blocks and the third of 12, where the paper's CLIP has its highest accuracy.
	query := func(ctx context.Context, l *study.Lab, s study.Subject) (study.DASQuery, error) {
		blocks, err := l.DASQueries(ctx, s, study.DASSweep{Properties: []stimuli.Property{stimuli.ColorProperty}})
		if err != nil {
			return study.DASQuery{}, err
		}
		return blocks[len(blocks)/6], nil
	}
	i.Jobs = func(ctx context.Context, l *study.Lab, r Request) ([]study.Job, error) {
		subjects, err := i.subjects(ctx, l, r)
		var jobs []study.Job
		for _, s := range subjects {
			q, err := query(ctx, l, s)
			if err != nil {
				return nil, err
			}
			jobs = append(jobs, study.DASJobs(s, []study.DASQuery{q})...)
		}
		return study.WithTrainings(jobs), err
	}
	i.Draw = func(ctx context.Context, l *study.Lab, r Request) (Drawing, error) {
		panels, err := each(ctx, i, l, r, func(s study.Subject, m *study.Model) (*figure.Figure, error) {
			q, err := query(ctx, l, s)
			if err != nil {
				return nil, err
			}
			return draw(ctx, l, m, q)
		})
		if err != nil {
			return Drawing{}, err
		}
		f, err := checked(figure.Grid{Figures: panels, Columns: 1, NoLetters: len(panels) < 2}.Figure())
		return Drawing{Figure: f}, err
	}
	return i
}

// swapped is a pair that becomes same, the first that is easy to see and that the model answers rightly without
// the intervention and with it.
func swapped(ctx context.Context, l *study.Lab, m *study.Model, q study.DASQuery) (*figure.Figure, error) {
	result, err := study.DAS.Of(ctx, l, m, nil, q)
	if err != nil {
		return nil, err
	}
	v, err := l.Intervention(ctx, m, q.DASSearch)
	if err != nil {
		return nil, err
	}
	pairs, err := q.Pairs()
	if err != nil {
		return nil, err
	}
	i, err := clearPair(pairs, 1, func(i int) bool { return result.Base[i] == 0 && result.Answers.Answers[i] == 1 })
	if err != nil {
		return nil, fmt.Errorf("paper: figure 3a: %w", err)
	}
	s, err := l.Streams(ctx, m, pairs, q.Block)
	if err != nil {
		return nil, err
	}
	defer s.Close()
	base, err := s.Base(q.Block)
	if err != nil {
		return nil, err
	}
	cf, err := s.Sources(q.Block)
	if err != nil {
		return nil, err
	}
	P, D := len(s.Edited())/pairs.Len(), m.Config.Width
	token := int(s.Edited()[i*P])
	return Figure3a(Swap{Pairs: pairs, Pair: i, Intervention: v, Base: result.Base[i], After: result.Answers.Answers[i],
		Edited: base.Row(i)[token*D : (token+1)*D], Source: cf.Row(i)[:D]})
}

// novelVectors are those of the first pair, at its object's first token.
func novelVectors(ctx context.Context, l *study.Lab, m *study.Model, q study.DASQuery) (*figure.Figure, error) {
	v, err := l.Intervention(ctx, m, q.DASSearch)
	if err != nil {
		return nil, err
	}
	objects, err := study.NovelQuery{DASQuery: q, Made: q.Test}.Objects()
	if err != nil {
		return nil, err
	}
	from, err := l.Objects(ctx, m, objects)
	if err != nil {
		return nil, err
	}
	defer from.Close()
	e, err := v.NovelExample(from, q.Seed, 0, 0)
	if err != nil {
		return nil, err
	}
	return Figure4a(objects, v, e)
}
