package paper_test

import (
	"log"
	"math"
	"strings"
	"testing"

	"samediff/sdlib/finetune"
	"samediff/sdlib/paper"
	"samediff/sdlib/patch"
	"samediff/sdlib/stimuli"
	"samediff/sdlib/study"
	"samediff/sdlib/vit"
)

// lose makes up an intervention that costs so many of 190 right answers to 200 images.
func lose(lost int, i study.Intervention) study.Intervention {
	i.How = "mean"
	i.Effects = []patch.Effect{{Kind: patch.All, Base: finetune.Score{N: 200, Correct: 190}, With: finetune.Score{N: 200, Correct: 190 - lost}, Lost: max(0, lost), Won: max(0, -lost)}}
	return i
}

// A made-up ViT-B in which a few heads in the middle matter.
func ExampleKnockOutFigure() {
	p := paper.KnockOutPanel{Title: "Discrimination"}
	for l := range 12 {
		for h := range 12 {
			head := vit.Head{Block: l, Head: h}
			p.Sweep = append(p.Sweep, lose(max(0, 30-6*(l-5)*(l-5)-5*(h%5))-h%3, study.Intervention{Head: head}))
		}
	}
	for c, choice := range patch.Choices(stimuli.RMTS) {
		p.Groups = append(p.Groups, lose(60+20*c, study.Intervention{What: string(choice)}))
		for draw := range 10 {
			p.Groups = append(p.Groups, lose(draw*7%10+5*c, study.Intervention{What: string(choice), Control: draw + 1}))
		}
	}
	f, err := paper.KnockOutFigure(p)
	save(f, err, "knockouts.png")
}

// A made-up ViT-B whose answer goes from object to object, on to the background, and to CLS.
func ExampleEdgeFigure() {
	p := paper.EdgePanel{Title: "RMTS"}
	ranges, err := patch.Sliding(vit.B16, 3)
	if err != nil {
		log.Fatal(err)
	}
	for e, edge := range patch.Edges(stimuli.RMTS) {
		for l, b := range append(ranges, patch.Blocks{First: 0, Last: 11}) {
			p.Cuts = append(p.Cuts, lose(max(-2, 90-20*(l-e)*(l-e)), study.Intervention{Edge: edge, Blocks: b}))
		}
	}
	f, err := paper.EdgeFigure(p)
	save(f, err, "edges.png")
}

// recovering makes up interchanges of a site in a course model.
func recovering(site patch.Site, groups ...patch.Group) study.Recovering {
	r := study.Recovering{Site: site, Groups: groups}
	for g := range groups {
		var cells []patch.Recovery
		var changes, estimates []float64
		for k := range site.Points(vit.Course) {
			v := 1 / (1 + math.Exp(float64((1-2*g)*(k-4))))
			cells = append(cells, patch.Recovery{Flipped: finetune.Score{N: 40, Correct: int(40 * v)}, Margin: v})
			changes, estimates = append(changes, 8*v), append(estimates, 6*v*v)
		}
		r.Cells, r.Changes, r.Estimates = append(r.Cells, cells), append(r.Changes, changes), append(r.Estimates, estimates)
	}
	return r
}

// A made-up model whose answer moves from the objects to CLS.
func ExampleRecoveryFigure() {
	f, err := paper.RecoveryFigure(vit.Course,
		paper.RecoveryPanel{Title: "Discrimination", Recovering: recovering(patch.Stream, patch.Objects, patch.CLS)},
		paper.RecoveryPanel{Title: "Discrimination", Recovering: recovering(patch.HeadSite, patch.AllTokens)})
	save(f, err, "interchange.png")
}

func TestInterventionErrors(t *testing.T) {
	for says, draw := range map[string]func() error{
		"no panels":              func() error { _, err := paper.KnockOutFigure(); return err },
		"no knock-outs":          func() error { _, err := paper.KnockOutFigure(paper.KnockOutPanel{}); return err },
		"of edges":               func() error { _, err := paper.EdgeFigure(); return err },
		"interchanges was given": func() error { _, err := paper.RecoveryFigure(vit.Course); return err },
		"no interchanges":        func() error { _, err := paper.RecoveryFigure(vit.Course, paper.RecoveryPanel{}); return err },
		"no edges":               func() error { _, err := paper.EdgeFigure(paper.EdgePanel{}); return err },
	} {
		if err := draw(); err == nil || !strings.Contains(err.Error(), says) {
			t.Errorf("%v, expected an error with %q", err, says)
		}
	}
}
