package paper

import (
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"

	"samediff/sdlib/figure"
)

// A Claim is something that the paper shows or says, sharp enough to be right or wrong: a row of
// the table of everything, which `sd paper` prints. [Claims] lists them.
type Claim struct {
	Group Group  `json:"group"`   // a line of [ClaimSummary]
	Item  string `json:"item"`    // what shows it: "figure 3", "table 1", or "text" for what only the text says
	Where string `json:"section"` // section of the paper
	Says  string `json:"says"`    // in our words
	Needs string `json:"needs"`   // results of which model of the paper: "alignment searches in CLIP ViT-B/16"
	Paper string `json:"paper"`   // the value there, or in the authors' logs; "" where there is none

	check func(r *Results) (Finding, error)
}

// A Finding is what the results that come with the repository say of a claim.
type Finding struct {
	Model   string  `json:"model"`             // whose results they are; "" where there are none or no model is needed
	Small   bool    `json:"small"`             // it stands for the paper's model and is a small one, trained from scratch
	Value   string  `json:"here"`              // with its interval
	Verdict Verdict `json:"agrees"`            // does it agree?
	Command string  `json:"command"`           // makes the value, or would
	Missing string  `json:"missing,omitempty"` // what there is not, and why; also beside a value of a model that only stands for the paper's

	blocks int // of the model, for judges; 0 where that is not known
}

// A Group is what belongs together in the paper.
type Group string

// The groups of claims.
const (
	OfStimuli        Group = "The stimuli"
	OfBehavior       Group = "Which models learn the tasks"
	OfStages         Group = "The two stages: where heads look"
	OfSearches       Group = "The perceptual stage: subspaces of shape and color"
	OfNovelties      Group = "Abstract comparison: novel representations"
	OfProbes         Group = "Abstract comparison: linear probes and interventions"
	OfGeneralization Group = "Disentanglement and generalization"
	OfLosses         Group = "Failure modes: what auxiliary losses mend"
)

// A Verdict says whether a finding agrees with a claim.
type Verdict string

// The verdicts. A number agrees if it is at most [Near] away; it agrees in part if it is further
// away and what the claim says in words still holds, or if the claim holds for one property of two.
const (
	Agrees    Verdict = "yes"
	Partly    Verdict = "in part"
	Disagrees Verdict = "no"
	Untested  Verdict = "not tested"
	Explains  Verdict = "a drawing" // of a method: it claims nothing
)

// Near is how far an accuracy may be from the paper's and still agree with it. The models here saw
// a two-hundredth of the images that the paper's did, at half the resolution.
const Near = .05

// verdict is how it stands in the table.
func (f Finding) verdict() string {
	if f.Small && f.Verdict != Untested {
		return string(f.Verdict) + " (small model)"
	}
	return string(f.Verdict)
}

// A Checked claim has its finding.
type Checked struct {
	Claim
	Finding
}

// Claims are the paper's figures, tables and statements, in groups.
func Claims() []Claim {
	var all []Claim
	for _, group := range [][]Claim{stimuliClaims(), behaviorClaims(), stageClaims(), searchClaims(), novelClaims(), probeClaims(), generalizationClaims(), lossClaims()} {
		slices.SortStableFunc(group, func(a, b Claim) int { return a.rank() - b.rank() })
		all = append(all, group...)
	}
	return all
}

// rank orders the claims of a group: by the number of the figure or the table, the text's last.
func (c Claim) rank() int {
	_, number, _ := strings.Cut(c.Item, " ")
	if n, err := strconv.Atoi(number); err == nil {
		return n
	}
	return math.MaxInt
}

// Check holds claims against results.
func Check(r *Results, claims []Claim) ([]Checked, error) {
	var all []Checked
	for _, c := range claims {
		f, err := c.check(r)
		if err != nil {
			return nil, fmt.Errorf("%s, %s: %w", c.Item, c.Says, err)
		}
		all = append(all, Checked{c, f})
	}
	return all, nil
}

// ClaimTable is the table of everything: a row for each claim, with the paper's value and ours, whether
// they agree, the command that makes ours, what is missing, and what a value needs.
func ClaimTable(all []Checked) figure.Table {
	t := figure.Table{Title: "The paper, claim by claim", Columns: []string{"item", "agrees", "the paper says", "there", "here", "of", "command", "missing", "needs", "section"}}
	for _, c := range all {
		t.Add(c.Item, c.verdict(), c.Says, c.Paper, c.Value, c.Model, c.Command, c.Missing, c.Needs, c.Where)
	}
	return t
}

// ClaimSummary has a line for each group of claims: which figures and tables are in it, whose results
// they are held against, how many claims agree, and what those lack that were not tested.
func ClaimSummary(all []Checked) figure.Table {
	t := figure.Table{Title: "The paper in short", Columns: []string{"part of the paper", "figures and tables", "models here", "agrees", "in part", "no", "not tested", "missing"}}
	var groups []Group
	for _, c := range all {
		if !slices.Contains(groups, c.Group) {
			groups = append(groups, c.Group)
		}
	}
	for _, group := range groups {
		var items, models, small, missing []string
		counts := map[Verdict]int{}
		for _, c := range all {
			if c.Group != group {
				continue
			}
			counts[c.Verdict]++
			items = once(items, c.Item)
			if c.Small {
				small = once(small, c.Model)
			} else {
				models = once(models, c.Model)
			}
			if c.Verdict == Untested {
				missing = once(missing, c.Missing)
			}
		}
		if len(small) > 0 {
			models = append(models, fmt.Sprintf("small ones: %d", len(small)))
		}
		t.Add(group, numbersOf(items), strings.Join(models, ", "), counts[Agrees], counts[Partly], counts[Disagrees], counts[Untested], lacking(missing))
	}
	return t
}

// lacking joins what is missing: what is of one kind stands together.
func lacking(missing []string) string {
	var parts []string
	for _, kind := range []struct{ begins, ends string }{{weightsOf, onHub}, {headScores.what, ""}, {alignment.what, ""}, {controls.what, ""}, {novelties.what, ""}, {probes.what, ""}, {accuracy.what, ""}} {
		var of []string
		missing = slices.DeleteFunc(slices.Clone(missing), func(m string) bool {
			name, is := strings.CutPrefix(m, kind.begins)
			if is {
				of = append(of, strings.TrimSuffix(name, kind.ends))
			}
			return is
		})
		if len(of) > 0 {
			parts = append(parts, kind.begins+strings.Join(of, ", ")+kind.ends)
		}
	}
	return strings.Join(append(parts, missing...), "; ")
}

// once appends a text that is not there yet.
func once(all []string, text string) []string {
	if text == "" || slices.Contains(all, text) {
		return all
	}
	return append(all, text)
}

// numbersOf writes items as "Figures 2, 10; Table 1".
func numbersOf(items []string) string {
	var parts []string
	for _, kind := range []Kind{AFigure, ATable} {
		var numbers []string
		for _, item := range items {
			if number, ok := strings.CutPrefix(item, string(kind)+" "); ok {
				numbers = append(numbers, number)
			}
		}
		if len(numbers) == 0 {
			continue
		}
		name := strings.ToUpper(string(kind[:1])) + string(kind[1:])
		if len(numbers) > 1 {
			name += "s"
		}
		parts = append(parts, name+" "+strings.Join(numbers, ", "))
	}
	return strings.Join(parts, "; ")
}
