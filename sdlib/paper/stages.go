package paper

import (
	"cmp"
	"context"
	"fmt"

	"samediff/sdlib/attention"
	"samediff/sdlib/figure"
	"samediff/sdlib/stimuli"
	"samediff/sdlib/study"
	"samediff/sdlib/vit"
)

// A StagedModel is one model in [StageTable] and [StatementTable].
type StagedModel struct {
	Name   string
	Config vit.Config
	Task   stimuli.Task
	Stages *attention.Stages
}

// StageTable says in which block each kind of attention is strongest, a row for each model.
// Behind a block stands the share of bootstrap resamples that agree; where that is below
// 95 %, the blocks between which 95 % of the resamples lie follow.
func StageTable(models ...StagedModel) figure.Table {
	t := figure.Table{Title: "Where each stage peaks", Columns: []string{"model", "blocks", "n", "within object", "within pair", "pair after object",
		"between pairs", "between after within", "background rises from", "highest from", "peaks in"}}
	for _, m := range models {
		s := m.Stages
		t.Add(m.Name, m.Config.Blocks, s.Images, stage(s.Within), stage(s.Pair), blocks(s.Distance), stage(s.Between), blocks(s.BetweenDistance),
			stage(s.Rise), stage(s.Onset), stage(s.Background))
	}
	return t
}

// stage is a block as it stands in the table: "6 (98 %)", "6 (71 %, 5–6)".
func stage(s attention.Stage) string {
	return stageCell(s, func(block int) string {
		if block == attention.Never {
			return "never"
		}
		return fmt.Sprint(block)
	})
}

// blocks is a distance as it stands there.
func blocks(s attention.Stage) string {
	return stageCell(s, func(distance int) string { return fmt.Sprint(distance) })
}

func stageCell(s attention.Stage, name func(int) string) string {
	if s.Resamples == nil {
		return "–"
	}
	agree := s.Agree()
	if first, last := s.Range(); agree < .95 {
		return fmt.Sprintf("%s (%.0f %%, %s to %s)", name(s.Block), 100*agree, name(first), name(last))
	}
	return fmt.Sprintf("%s (%.0f %%)", name(s.Block), 100*agree)
}

// A statement is what the paper says of a model's stages (sections 3 and D), as a block or
// an order, and whether stages agree.
type statement struct {
	what, paper string
	of          func(*attention.Stages) attention.Stage
	agrees      func(block int) bool
}

// A peak is said to be in a block; a block that is called "about" may be off by one.
func in(block int) func(int) bool                  { return func(b int) bool { return b == block } }
func about(block int) func(int) bool               { return func(b int) bool { return b >= block-1 && b <= block+1 } }
func positive(distance int) bool                   { return distance > 0 }
func within(s *attention.Stages) attention.Stage   { return s.Within }
func pair(s *attention.Stages) attention.Stage     { return s.Pair }
func distance(s *attention.Stages) attention.Stage { return s.Distance }

// last is how many blocks the background's peak comes after the last peak of the others.
func last(s *attention.Stages) attention.Stage {
	before := func(a attention.Stage, b attention.Stage) attention.Stage {
		if b.Resamples == nil {
			return a
		}
		return combine(a, b, func(x, y int) int { return max(x, y) })
	}
	return combine(s.Background, before(before(s.Within, s.Pair), s.Between), func(x, y int) int { return x - y })
}

// combine computes a block from two others, and that of each resample from theirs.
func combine(a, b attention.Stage, of func(a, b int) int) attention.Stage {
	s := attention.Stage{Block: of(a.Block, b.Block)}
	for i := range min(len(a.Resamples), len(b.Resamples)) {
		s.Resamples = append(s.Resamples, of(a.Resamples[i], b.Resamples[i]))
	}
	return s
}

var statements = map[string][]statement{
	"CLIP, discrimination": {
		{"attention within the object peaks in block", "3", within, in(3)},
		{"attention within the pair peaks in block", "6", pair, in(6)},
		{"within the pair after within the object, blocks", "> 0", distance, positive},
		{"the background rises from block", "about 4", func(s *attention.Stages) attention.Stage { return s.Rise }, about(4)},
		{"it is the highest from block", "7", func(s *attention.Stages) attention.Stage { return s.Onset }, in(7)},
		{"it peaks in block", "10", func(s *attention.Stages) attention.Stage { return s.Background }, in(10)},
	},
	"CLIP, RMTS": {
		{"attention within the object peaks in block", "3", within, in(3)},
		{"attention within the pair peaks in block", "5", pair, in(5)},
		{"within the pair after within the object, blocks", "> 0", distance, positive},
		{"between the pairs after within the pair, blocks", "> 0", func(s *attention.Stages) attention.Stage { return s.BetweenDistance }, positive},
		{"the background peaks last, blocks after the others", "> 0", last, positive},
	},
	"DINOv2, discrimination": {
		{"attention within the object peaks in block", "3", within, in(3)},
		{"within the pair after within the object, blocks", "> 0", distance, positive},
		{"the background peaks last, blocks after the others", "> 0", last, positive},
	},
	"DINOv2, RMTS": {
		{"attention within the object peaks in block", "3", within, in(3)},
		{"attention within the pair peaks in block", "8", pair, in(8)},
		{"attention between the pairs peaks in block", "11", func(s *attention.Stages) attention.Stage { return s.Between }, in(11)},
	},
}

// spoken returns what the paper says of models of 12 blocks of a family, "" for nothing that is a block or an order.
func (m StagedModel) spoken() string {
	family := map[vit.Family]string{vit.CLIP: "CLIP", vit.DINOv2: "DINOv2"}[m.Config.Family]
	if family == "" || m.Config.Blocks != 12 {
		return ""
	}
	if m.Task == stimuli.RMTS {
		return family + ", RMTS"
	}
	return family + ", discrimination"
}

// StatementTable puts what the paper says of the stages of CLIP ViT-B/16 and DINOv2 beside
// what was found here, with the share of bootstrap resamples that agree with the paper.
// Models that it says nothing of are left out.
func StatementTable(models ...StagedModel) figure.Table {
	t := figure.Table{Title: "What the paper says of the stages", Columns: []string{"model", "the paper's statement", "there", "here", "agrees?", "resamples that agree"}}
	for _, m := range models {
		for _, s := range statements[m.spoken()] {
			here := s.of(m.Stages)
			answer := "no"
			if s.agrees(here.Block) {
				answer = "yes"
			}
			t.Add(m.Name, s.what, s.paper, here.Block, answer, fmt.Sprintf("%.0f %%", 100*here.Share(s.agrees)))
		}
	}
	return t
}

// PeakFrom is the first block that may be a peak for a model: DINOv2's block 0 spikes, and
// the paper passes over it (its Figure 15).
func PeakFrom(c vit.Config) int {
	if c.Family == vit.DINOv2 || c.Family == vit.DINOv2Registers {
		return 1
	}
	return 0
}

// stages is a table made of the stages of its models.
func stages(number, title string, models map[study.Scale][]string, table func(...StagedModel) figure.Table) Item {
	i := heads(number, title, "3", 0, models) // the same results
	i.Kind = ATable
	i.Draw = func(ctx context.Context, l *study.Lab, r Request) (Drawing, error) {
		all, err := each(ctx, i, l, r, func(s study.Subject, m *study.Model) (StagedModel, error) {
			scores, err := l.Heads(ctx, m)
			if err != nil {
				return StagedModel{}, err
			}
			staged := StagedModel{Name: m.Label(s.Name), Config: m.Config, Task: cmp.Or(scores.Task, stimuli.Discrimination)}
			staged.Stages, err = scores.Stages(PeakFrom(m.Config))
			return staged, err
		})
		if err != nil {
			return Drawing{}, err
		}
		t := table(all...)
		if len(t.Rows) == 0 {
			return Drawing{}, fmt.Errorf("%v: the paper says nothing of the stages of these models: expected CLIP ViT-B or DINOv2, fine-tuned", i)
		}
		return Drawing{Table: &t}, nil
	}
	return i
}

// stageRows are the tables of stages, which the paper has in words.
func stageRows() []Item {
	fine := []string{"clip-b16", "clip-b16-rmts", "dinov2-b14", "dinov2-b14-rmts"}
	return []Item{
		stages("stages", "Where each stage peaks", map[study.Scale][]string{
			study.CourseScale: {"discrimination-256-course", "discrimination-256-course-plain", "rmts-256-course", "discrimination-256-quick", "rmts-256-quick"},
			study.PaperScale:  fine}, StageTable),
		stages("statements", "What the paper says of the stages", map[study.Scale][]string{study.PaperScale: fine}, StatementTable),
	}
}
