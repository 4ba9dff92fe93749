package paper

import (
	"slices"

	"samediff/sdlib/attention"
	"samediff/sdlib/figure"
	"samediff/sdlib/probe"
	"samediff/sdlib/stimuli"
	"samediff/sdlib/study"
	"samediff/sdlib/vit"
)

// A Found is what was computed of one model; what is nil was not.
type Found struct {
	Name     string // as tables have it
	Config   vit.Config
	Task     stimuli.Task
	Objects  stimuli.Objects
	Sets     []study.SetResult
	Heads    *attention.Scores
	Searches []study.DASScore
	Novel    []study.NovelScore
	Probed   study.Probed
	Effects  []probe.Effect
}

// Beside holds against a model what the paper says of its own model that is nearest in kind
// ([Found.Reference]). Claims about which nothing was found are left out.
func Beside(f Found) ([]Checked, error) {
	r := &Results{read: map[string]any{}, only: &f}
	at := func(path string, x any, there bool) {
		if there {
			r.read[path] = x
		}
	}
	at("models/"+f.Name+"/metrics.json", &study.Metrics{Name: f.Name, Sets: f.Sets}, f.Sets != nil)
	at("models/"+f.Name+"/heads.json", f.Heads, f.Heads != nil)
	at(alignment.file(f.Name), f.Searches, f.Searches != nil)
	at(novelties.file(f.Name), f.Novel, f.Novel != nil)
	at(probes.file(f.Name), linearResults{f.Probed, f.Effects}, f.Probed.Rows != nil)
	claims := slices.DeleteFunc(Claims(), func(c Claim) bool { return c.Group == OfStimuli || c.Group == OfLosses }) // those are about no model
	checked, err := Check(r, claims)
	var all []Checked
	for _, c := range checked {
		if c.Model == f.Name && c.Verdict != Untested {
			all = append(all, c)
		}
	}
	return all, err
}

// BesideTable sets out claims beside what was found: what the paper says and where, its value and the one here, of which
// model where there are several, and whether they agree.
func BesideTable(claims []Checked) figure.Table {
	several := slices.ContainsFunc(claims, func(c Checked) bool { return c.Model != claims[0].Model })
	t := figure.Table{Columns: []string{"the paper says", "shown in", "there", "here"}}
	if several {
		t.Columns = append(t.Columns, "of")
	}
	t.Columns = append(t.Columns, "agrees")
	for _, c := range claims {
		where := c.Item
		if where == "text" {
			where = "section " + c.Where
		}
		row := []any{c.Says, where, c.Paper, c.Value}
		if several {
			row = append(row, c.Model)
		}
		t.Add(append(row, string(c.Verdict))...)
	}
	return t
}

// Reference names the paper's model that a model is held against: CLIP ViT-B/16, unless it is of another kind
// that the paper has.
func (f Found) Reference() string { return f.role().name }

func (f Found) role() role {
	kind := [2]role{clipPair, clipRMTS}
	switch {
	case f.Config.Family == vit.CLIP && f.Config.Patch == 32:
		kind = [2]role{wideClip, wideRMTS}
	case f.Config.Family == vit.DINOv2 || f.Config.Family == vit.DINOv2Registers:
		kind = [2]role{dinoV2Pair, dinoV2RMTS}
	}
	if f.Task == stimuli.RMTS {
		return kind[1]
	}
	return kind[0]
}

// standsFor returns the model itself if it is held against the role. Accuracies of a model that learned 32
// combinations belong beside those of the paper's models of that set.
func (f Found) standsFor(w role, accuracies bool) []string {
	mine := f.role()
	if accuracies && f.Objects == stimuli.Compositional32 {
		if mine = clip32Set; f.Task == stimuli.RMTS {
			mine = clip32RMTS
		}
	}
	if w.name == mine.name {
		return []string{f.Name}
	}
	return nil
}
