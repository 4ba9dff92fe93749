package paper_test

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"samediff/sdlib/artifact"
	"samediff/sdlib/finetune"
	"samediff/sdlib/paper"
	"samediff/sdlib/stimuli"
	"samediff/sdlib/study"
)

// Figure 6 and the rows of the paper's other pretrained models are judged by the files that come with the repository. The numbers
// are made up.
func TestGeneralizationClaims(t *testing.T) {
	root := t.TempDir()
	t.Setenv("SD_ROOT", root)
	if err := os.MkdirAll(filepath.Join(root, "models"), 0o755); err != nil {
		t.Fatal(err)
	}
	about := func(item, says string) paper.Finding {
		t.Helper()
		r, err := paper.OpenResults()
		if err != nil {
			t.Fatal(err)
		}
		claims := slices.DeleteFunc(paper.Claims(), func(c paper.Claim) bool { return c.Item != item || !strings.Contains(c.Says, says) })
		checked, err := paper.Check(r, claims)
		if err != nil || len(checked) != 1 {
			t.Fatalf("%d claims of %s say %q (%v)", len(checked), item, says, err)
		}
		return checked[0].Finding
	}
	file := filepath.Join(root, "models", "generalization.csv")
	models := func(places ...[3]int) (all []study.Generalization) { // disentanglement, fresh and combined, per thousand
		for i, at := range places {
			of := func(correct int) finetune.Score { return finetune.Score{N: 1000, Correct: correct} }
			all = append(all, study.Generalization{Name: study.CompositionalPresets()[i], Weights: artifact.ID("0123456789abcdef"[i : i+12]), Pretraining: "made up", Task: stimuli.Discrimination, Seed: 1, Recipe: "course",
				Shape: study.Peak{Score: of(at[0])}, Color: study.Peak{Score: of(at[0])}, Fresh: of(at[1]), Combined: of(at[2]), Novel: of(500)})
		}
		return all
	}
	if f := about("figure 6", "Discrimination"); f.Verdict != paper.Untested || f.Missing == "" || !strings.HasPrefix(f.Command, "sd generalize --csv ") {
		t.Errorf("without results: %+v", f)
	}
	for _, c := range []struct {
		all  []study.Generalization
		want paper.Verdict
		says string
	}{
		{models([3]int{500, 500, 500}, [3]int{600, 700, 600}, [3]int{700, 800, 700}, [3]int{800, 900, 810}), paper.Untested, ""}, // one is at chance
		{models([3]int{500, 650, 500}, [3]int{600, 700, 600}, [3]int{700, 800, 700}, [3]int{800, 900, 810}), paper.Agrees, "over 4 models"},
		{models([3]int{500, 650, 500}, [3]int{600, 700, 750}, [3]int{700, 800, 500}, [3]int{800, 900, 810}), paper.Partly, "over 4 models"},
		{models([3]int{500, 650, 900}, [3]int{600, 700, 750}, [3]int{700, 800, 600}, [3]int{800, 900, 610}), paper.Disagrees, "r = -0.93 (-1.00 to 0.27) over 4 models"},
	} {
		if err := study.SaveGeneralizations(file, c.all); err != nil {
			t.Fatal(err)
		}
		f := about("figure 6", "Discrimination")
		if f.Verdict != c.want || !strings.Contains(f.Value, c.says) || c.want != paper.Untested && !f.Small {
			t.Errorf("%s, %q, small %v; expected %s with %q, of small models", f.Verdict, f.Value, f.Small, c.want, c.says)
		}
	}

	if f := about("table 2", "ImageNet, DINO and MAE at least"); f.Verdict != paper.Untested || f.Missing == "" {
		t.Errorf("without results: %+v", f)
	}
	var seeds []study.SeedResult
	for i, preset := range []string{"course-supervised", "course-masked", "course-distilled"} {
		for seed := range uint64(2) {
			seeds = append(seeds, study.SeedResult{Preset: preset, Seed: seed + 1, Set: "test (IID)", Score: finetune.Score{N: 1000, Correct: 900 + 20*i + 2*int(seed)}, Model: artifact.ID("0123456789abcdef01"[2*i+int(seed) : 12+2*i+int(seed)])})
		}
	}
	if err := study.SaveSeeds(filepath.Join(root, "models", "seeds-analogues.csv"), seeds); err != nil {
		t.Fatal(err)
	}
	if f := about("table 2", "ImageNet, DINO and MAE at least"); f.Verdict != paper.Partly || f.Value != ".901, that of course-supervised" || !f.Small {
		t.Errorf("with analogues: %+v", f)
	}
	tables, err := paper.AccuracyTables()
	if err != nil || len(tables) != 5 {
		t.Fatalf("%d tables, %v", len(tables), err)
	}
	text, err := tables[0].Text()
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"course-distilled", ".941 ± .001 (2 seeds)", "the authors' DINO ViT-B/16, run xkil74gw", "14.2"} {
		if !strings.Contains(text, want) {
			t.Errorf("Table 2 lacks %q:\n%s", want, text)
		}
	}
	if strings.Contains(text, "course-contrastive") || strings.Contains(text, "discrimination-256-clip") {
		t.Errorf("Table 2 has models without results:\n%s", text)
	}
}
