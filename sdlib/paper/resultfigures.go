package paper

import (
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"slices"
	"strings"

	"samediff/sdlib/attention"
	"samediff/sdlib/das"
	"samediff/sdlib/figure"
	"samediff/sdlib/study"
)

// A Shown is a figure of the paper drawn from results that come with the repository.
type Shown struct {
	Figure *figure.Figure // nil where there are none yet
	// Lacking has a line for each of the paper's models that no model here has results for: what makes them.
	Lacking []string
}

// Figure draws a figure of the paper from the results, with the models that the claims about it are held against: of
// each of the paper's models the nearest that stands for it here and has results. Nothing is computed.
func (r *Results) Figure(number string) (Shown, error) {
	draw, ok := resultFigures[number]
	if !ok {
		return Shown{}, fmt.Errorf("paper: figure %q is not drawn from results, expected one of %s", number, strings.Join(slices.Sorted(maps.Keys(resultFigures)), ", "))
	}
	s, err := draw(r)
	if err != nil {
		return s, fmt.Errorf("paper: figure %s: %w", number, err)
	}
	return s, nil
}

// Beside holds the claims about some figures and tables against the results: [BesideTable].
func (r *Results) Beside(items ...string) (figure.Table, error) {
	claims := slices.DeleteFunc(Claims(), func(c Claim) bool { return !slices.Contains(items, c.Item) })
	if len(claims) == 0 {
		return figure.Table{}, fmt.Errorf("paper: no claim is about %s, expected items such as \"figure 12\" or \"table 6\"", strings.Join(items, ", "))
	}
	checked, err := Check(r, claims)
	return BesideTable(checked), err
}

// resultFigures are the figures of the appendix that repeat one of the text for other models.
var resultFigures = map[string]func(*Results) (Shown, error){
	"11": headsShown(wideClip, wideRMTS),
	"12": searchesShown("clip-b32", das.NoControl, wideClip, wideRMTS),
	"13": novelShown(clipB32, wideClip, wideRMTS),
	"14": linearShown(clipB32, wideRMTS),
	"15": headsShown(dinoV2Pair, dinoV2RMTS),
	"16": searchesShown("dinov2", das.NoControl, dinoV2Pair, dinoV2RMTS),
	"17": novelShown(dinoV2, dinoV2Pair),
	"18": novelShown(dinoV2, dinoV2RMTS),
	"19": linearShown(dinoV2, dinoV2RMTS),
	"20": headsShown(otherKinds[imageNet].pair, otherKinds[imageNet].rmts, otherKinds[dino].pair, otherKinds[dino].rmts, otherKinds[mae].pair, otherKinds[mae].rmts),
	"24": searchesShown("clip-b16", das.WrongObject, clipPair, clipRMTS),
	"25": searchesShown("dino", das.NoControl, otherKinds[dino].pair, otherKinds[dino].rmts),
	"26": searchesShown("imagenet", das.NoControl, otherKinds[imageNet].pair, otherKinds[imageNet].rmts),
	"27": searchesShown("mae", das.NoControl, otherKinds[mae].pair, otherKinds[mae].rmts),
	"28": searchesShown("scratch", das.NoControl, scratchPair),
	"29": novelShown(clipB16, clipRMTS),
	"30": novelShown(dino, otherKinds[dino].pair),
	"31": novelShown(dino, otherKinds[dino].rmts),
	"32": novelShown(imageNet, otherKinds[imageNet].pair),
	"33": novelShown(imageNet, otherKinds[imageNet].rmts),
	"34": novelShown(mae, otherKinds[mae].pair),
	"35": novelShown(mae, otherKinds[mae].rmts),
	"36": novelShown(scratch, scratchPair),
	"37": linearShown(dino, otherKinds[dino].rmts),
	"38": linearShown(imageNet, otherKinds[imageNet].rmts),
	"39": linearShown(mae, otherKinds[mae].rmts),
}

func headsShown(roles ...role) func(*Results) (Shown, error) {
	return shownOf(headScores, nil, func(r *Results, model string, s *attention.Scores) HeadPanel {
		from := 0
		if m, err := r.metrics(model); err == nil {
			from = PeakFrom(m.Training.Model)
		}
		return headPanel(r.label(model), s.All(), from)
	}, HeadFigure, roles)
}

// searchesShown are searches of the paper's lines: the search, and for Figure 24 its control too.
func searchesShown(logged string, control das.Control, roles ...role) func(*Results) (Shown, error) {
	has := func(x []study.DASScore) bool {
		return slices.ContainsFunc(x, func(s study.DASScore) bool { return s.Control == control })
	}
	searches := alignment
	if control == das.WrongObject {
		searches = controls
	}
	return shownOf(searches, has, func(r *Results, model string, x []study.DASScore) SearchPanel {
		return SearchPanel{Title: r.label(model), Scores: x, Logged: logged}
	}, SearchFigure, roles)
}

func novelShown(logged string, roles ...role) func(*Results) (Shown, error) {
	return shownOf(novelties, nil, func(r *Results, model string, x []study.NovelScore) NovelPanel {
		return NovelPanel{Title: r.label(model), Scores: x, Beside: publishedNovel(logged, x[0].Task)}
	}, NovelFigure, roles)
}

func linearShown(logged string, roles ...role) func(*Results) (Shown, error) {
	return shownOf(probes, nil, func(r *Results, model string, x linearResults) LinearPanel {
		return LinearPanel{Title: r.label(model), Probed: x.probed, Effects: x.effects, Beside: findPublished(logged)}
	}, LinearFigure, roles)
}

// shownOf draws a panel for each role, of its first model with results that has what the figure shows; a nil has stands for any.
func shownOf[T, P any](s source[T], has func(T) bool, panel func(r *Results, model string, x T) P, draw func(...P) (*figure.Figure, error), roles []role) func(*Results) (Shown, error) {
	return func(r *Results) (Shown, error) {
		var shown Shown
		var panels []P
		for _, w := range roles {
			found := false
			for _, model := range w.here {
				x, err := s.read(r, model)
				if errors.Is(err, fs.ErrNotExist) || err == nil && has != nil && !has(x) {
					continue
				}
				if err != nil {
					return shown, err
				}
				panels, found = append(panels, panel(r, model, x)), true
				break
			}
			if !found {
				shown.Lacking = append(shown.Lacking, lackingOf(r, w, s))
			}
		}
		if len(panels) == 0 {
			return shown, nil
		}
		var err error
		shown.Figure, err = draw(panels...)
		return shown, err
	}
}

// lackingOf says what would make the results of a role.
func lackingOf[T any](r *Results, w role, s source[T]) string {
	if len(w.here) == 0 {
		return fmt.Sprintf("%s: not here, %s", w.name, w.why)
	}
	model := w.firstReal()
	if r.unlearned(model) {
		return fmt.Sprintf("%s: not here, %s", w.name, notLearned(model))
	}
	return fmt.Sprintf("%s: %s%s are not here yet; %s makes them", w.name, s.what, model, s.makes(r, model))
}
