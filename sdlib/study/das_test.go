package study

import (
	"bytes"
	"context"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"samediff/internal/halt"
	"samediff/sdlib/artifact"
	"samediff/sdlib/backend"
	"samediff/sdlib/das"
	"samediff/sdlib/stimuli"
)

// briefly is a search of some steps.
var briefly = das.Recipe{Pairs: 8, Steps: 60, Batch: 4, LR: .01, MaskLR: .1, Sparsity: .001, Temperature: das.Temperature{From: 1, To: .05}}

// deep is a training of a model with two blocks, after the first of which there is something to search.
func deep() Training {
	t := tiny()
	t.Model.Blocks, t.Stimuli.Size = 2, 64
	return t
}

const dasWorkerEnv = "STUDY_TEST_DAS_WORKER" // the store that a killed sweep works on

// dasWorker is a process that works through dasPlan and halts in the middle of the third search that it begins.
func dasWorker(store string) error {
	ctx, searches := halt.In(context.Background(), 0, halted(store)), 0
	l, err := Open(Options{Store: store, Backend: backend.Go, OnJob: func(j Job) {
		if j.key == nil {
			return // the training
		}
		if searches++; searches == 3 {
			ctx.In(briefly.Steps / 2)
		}
	}})
	if err != nil {
		return err
	}
	jobs, err := dasPlan(l)
	if err != nil {
		return err
	}
	return l.Work(ctx, jobs)
}

// dasPlan is what a killed sweep works through: both properties, after both blocks, and three controls.
func dasPlan(l *Lab) ([]Job, error) {
	s := Trained("deep", deep())
	queries, err := l.DASQueries(context.Background(), s, DASSweep{Recipe: briefly, Controls: []das.Control{das.NoControl, das.WrongObject, das.RandomWeights, das.HeldOut}, Test: 16})
	if err != nil {
		return nil, err
	}
	return DASJobs(s, queries), nil
}

// A sweep that is killed twice has the results of one that was not, bit for bit, and what was done is not done again.
func TestDASKilled(t *testing.T) {
	store := t.TempDir()
	l, alone := lab(t, store, backend.Go), lab(t, t.TempDir(), backend.Go)
	for range 2 {
		sweep := exec.Command(os.Args[0])
		sweep.Env = append(os.Environ(), dasWorkerEnv+"="+store)
		halt.Kill(t, sweep, halted(store))
	}
	killed := finished(t, l, "das")
	jobs, err := dasPlan(l)
	if err != nil {
		t.Fatal(err)
	}
	if len(killed) < 4 || len(killed) >= len(jobs) {
		t.Fatalf("%d of %d jobs were done when the sweep was killed: expected some", len(killed), len(jobs))
	}
	for _, l := range []*Lab{l, alone} {
		if err := l.Work(t.Context(), jobs); err != nil {
			t.Fatal(err)
		}
	}
	for _, step := range []string{"das", "das-intervention"} {
		got, want := finished(t, l, step), finished(t, alone, step)
		if len(want) == 0 || !maps.Equal(got, want) {
			t.Errorf("%s: %d results, expected the %d of a sweep that was not killed", step, len(got), len(want))
		}
	}
	t.Logf("%d of %d jobs were done when the sweep was killed", len(killed), len(jobs))
	for id, files := range killed {
		if finished(t, l, "das")[id] != files {
			t.Errorf("%s was there and was computed again", id.Short())
		}
	}
}

// finished returns the hashes of the files of a step's results, by their IDs.
func finished(t *testing.T, l *Lab, step string) map[artifact.ID]string {
	t.Helper()
	infos, err := l.Store.List(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	all := map[artifact.ID]string{}
	for _, i := range infos {
		if i.State == artifact.Finished && i.Meta.Step == step {
			for _, f := range i.Meta.Files {
				all[i.ID] += f.Name + " " + string(f.SHA256) + "\n"
			}
		}
	}
	return all
}

// A sweep is computed once, and its table has a line for each search.
func TestDASRows(t *testing.T) {
	ctx, l := t.Context(), lab(t, t.TempDir(), backend.Go)
	s := Trained("deep", deep())
	queries, err := l.DASQueries(ctx, s, DASSweep{Recipe: briefly, Properties: []stimuli.Property{stimuli.ColorProperty}, Seeds: []uint64{1, 2}, Methods: das.Methods, Test: 16})
	if err != nil {
		t.Fatal(err)
	}
	m, err := l.Train(ctx, deep())
	if err != nil {
		t.Fatal(err)
	}
	rows, err := l.DASRows(ctx, m, queries)
	if err != nil {
		t.Fatal(err)
	}
	again, err := lab(t, l.Store.Dir(), "none: reading needs no backend").DASRows(ctx, m, queries)
	if err != nil {
		t.Fatal(err)
	}
	var text, reread bytes.Buffer
	if err := WriteDAS(&text, rows); err != nil {
		t.Fatal(err)
	}
	if err := WriteDAS(&reread, again); err != nil || text.String() != reread.String() {
		t.Errorf("read again, %v:\n%s\n%s", err, &text, &reread)
	}
	lines := strings.Split(strings.TrimSpace(text.String()), "\n")
	if len(lines) != 1+2*2*len(das.Methods) || !strings.HasPrefix(lines[1], m.ID.Short()+",discrimination,256,color,0,das,none,own,1,test-iid,16,") {
		t.Errorf("the table is\n%s", &text)
	}
	for _, r := range rows {
		if r.Derived != (r.Block == 1) || r.Score().N != 16 {
			t.Errorf("block %d: derived is %v, of %d pairs", r.Block, r.Derived, r.Score().N)
		}
		if most := m.Config.Width; !r.Derived && (r.Method == das.Whole) != (r.Dims == most) && r.Method.Ranked() {
			t.Errorf("%v swaps %d of %d dimensions", r.Method, r.Dims, most)
		}
		if r.Derived && r.Score().Correct+r.BaseScore().Correct != 16 {
			t.Errorf("the last block has %d right, the base %d: expected 16 together", r.Score().Correct, r.BaseScore().Correct)
		}
	}
}

// A line of the table, by hand: of 4 pairs that should become different 3 do, of 4 that should become same 1 does, and 2
// would without the intervention. Wilson's interval of 4 of 8 was computed in Python.
func TestDASLine(t *testing.T) {
	r := DASRow{Model: artifact.ID(strings.Repeat("ab", 32)), DASResult: DASResult{Dims: 5, Answers: das.Answers{
		Targets: []int{0, 0, 0, 0, 1, 1, 1, 1}, Base: []int{1, 1, 1, 1, 1, 0, 1, 0}, Answers: []int{0, 0, 0, 1, 1, 0, 0, 0}}}}
	r.Stimuli = stimuli.Config{Task: stimuli.RMTS, Objects: stimuli.All256}
	r.Property, r.Block, r.Control, r.Recipe, r.Seed, r.Split = stimuli.ShapeProperty, 3, das.WrongObject, das.CPU, 7, stimuli.Val
	var text bytes.Buffer
	if err := WriteDAS(&text, []DASRow{r}); err != nil {
		t.Fatal(err)
	}
	const want = ",rmts,256,shape,3,das,wrong-object,cpu,7,val,8,4,0.5000,0.2152,0.7848,0.7500,0.2500,0.7500,0.2500,5,false\n"
	if !strings.HasSuffix(text.String(), r.Model.Short()+want) {
		t.Errorf("the line is\n%s, expected it to end with\n%s", &text, want)
	}
}

// The control of random weights searches in a model that the seed draws, all others in the model itself; a method that
// has to be given a rank takes as many directions as the search finds, and no more than its vectors span.
func TestWhatIsSearched(t *testing.T) {
	ctx, l := t.Context(), lab(t, t.TempDir(), backend.Go)
	m, err := l.Train(ctx, deep())
	if err != nil {
		t.Fatal(err)
	}
	learned := deep().Stimuli
	find := func(q das.Search) *das.Intervention {
		q.Recipe = briefly
		v, err := l.Intervention(ctx, m, DASSearch{learned, stimuli.ColorProperty, q})
		if err != nil {
			t.Fatal(err)
		}
		return v
	}
	trained, err := m.Hash()
	if err != nil {
		t.Fatal(err)
	}
	seen := map[string]bool{}
	for _, q := range []das.Search{{Control: das.RandomWeights, Seed: 1}, {Control: das.RandomWeights, Seed: 2}, {Control: das.WrongObject, Seed: 2}} {
		v := find(q)
		if random := q.Control == das.RandomWeights; random == (v.Model == trained) || v.Config != m.Config {
			t.Errorf("%s, seed %d: it was learned in model %.12s, the trained one is %.12s", q.Control, q.Seed, v.Model, trained)
		}
		seen[v.Model] = true
	}
	if len(seen) != 3 {
		t.Errorf("the searches are in %d models, expected 3", len(seen))
	}
	found := max(find(das.Search{Seed: 1}).Dims(), 1)
	for method, most := range map[das.Method]int{das.PCA: m.Config.Width, das.LowRank: m.Config.Width, das.Means: stimuli.BaseShapes - 1, das.Probe: stimuli.BaseShapes - 1} {
		if got := find(das.Search{Method: method, Seed: 1}).Dims(); got != min(found, most) {
			t.Errorf("%s takes %d directions, expected %d beside %d of the search", method, got, min(found, most), found)
		}
	}
}

// What is wrong with a sweep is said before anything is trained.
func TestWrongSweeps(t *testing.T) {
	l := lab(t, t.TempDir(), backend.Go)
	s := Trained("deep", deep())
	none := briefly
	none.Steps = 0
	many := briefly
	many.Pairs = 64
	for want, w := range map[string]DASSweep{
		"no block 2: expected 0 to 1": {Recipe: briefly, Blocks: []int{0, 2}},
		"0 epochs and 0 steps":        {Recipe: none},
		`no control "wrong"`:          {Recipe: briefly, Controls: []das.Control{"wrong"}},
		"15 counterfactual pairs":     {Recipe: briefly, Test: 15},
		"property":                    {Recipe: briefly, Properties: []stimuli.Property{"size"}},
		"64 counterfactual pairs for": {Recipe: many},
	} {
		if _, err := l.DASQueries(t.Context(), s, w); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("the error is %v, expected it to speak of %q", err, want)
		}
	}
	if left, _ := filepath.Glob(filepath.Join(l.Store.Dir(), "*", "*")); len(left) > 0 {
		t.Errorf("the store has %v, expected nothing", left)
	}
	m := untrained(t, l)
	if _, err := l.Intervention(t.Context(), m, DASSearch{tiny().Stimuli, stimuli.ColorProperty, das.Search{Block: m.Config.Blocks - 1, Recipe: briefly}}); err == nil || !strings.Contains(err.Error(), "nothing to learn") {
		t.Errorf("a search after the last block: %v", err)
	}
}
