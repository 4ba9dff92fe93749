package study

import (
	"context"
	"math"
	"os"
	"path/filepath"
	"testing"

	"samediff/sdlib/artifact"
	"samediff/sdlib/backend"
	"samediff/sdlib/das"
	"samediff/sdlib/pretrain"
	"samediff/sdlib/stimuli"
)

// total is the floating-point operations of jobs as they are estimated together.
func total(t *testing.T, l *Lab, jobs []Job) (flops float64) {
	t.Helper()
	statuses, err := l.SurveyAt(t.Context(), jobs, Rate{FLOPS: 1})
	if err != nil {
		t.Fatal(err)
	}
	for _, s := range statuses {
		flops += s.Estimate
	}
	return flops
}

func near(a, b float64) bool { return math.Abs(a-b) <= 1e-9*math.Abs(b) }

// The operations of a forward pass against those counted by hand for ViT-B/16 at 224 pixels: 17.6 GMACs
// (Dosovitskiy et al. 2021 and DeiT's Table 1 have 17.6 and 17.5), two operations each.
func TestForwardFlops(t *testing.T) {
	c := Presets["clip-b16"].Model
	if got := forwardFlops(c) / 2e9; math.Abs(got-17.6) > .2 {
		t.Errorf("a forward pass of ViT-B/16 takes %.2f GMACs, want 17.6", got)
	}
}

// A pretraining that several fine-tunings start from is counted once, and not at all if it is there; so
// is a training that another one comes after.
func TestSharedCosts(t *testing.T) {
	l := lab(t, t.TempDir(), backend.Go)
	one := AnalogueTraining(pretrain.Contrastive, stimuli.Discrimination, stimuli.All256)
	two := AnalogueTraining(pretrain.Contrastive, stimuli.RMTS, stimuli.All256)
	jobs := []Job{TrainJob(Trained("one", one)), TrainJob(Trained("two", two))}
	if got, want := total(t, l, jobs), one.flops()+two.flops()+one.Pretraining.flops(); !near(got, want) {
		t.Errorf("two trainings after a pretraining take %g operations, want %g", got, want)
	}
	p, _, err := one.Pretraining.resolve()
	if err != nil {
		t.Fatal(err)
	}
	if _, err := l.Store.Get(t.Context(), p.key(), func(_ context.Context, dir string) error {
		return os.WriteFile(filepath.Join(dir, "model"), []byte("there"), 0o666)
	}); err != nil {
		t.Fatal(err)
	}
	if got, want := total(t, l, jobs), one.flops()+two.flops(); !near(got, want) {
		t.Errorf("with the pretraining in the store they take %g operations, want %g", got, want)
	}
	after := ClipMinutesRMTS
	if got, want := total(t, l, []Job{TrainJob(Trained("clip-b16-112-rmts", after))}), after.flops()+ClipMinutes.flops(); !near(got, want) {
		t.Errorf("a training after another takes %g operations, want %g for both", got, want)
	}
	if got, want := total(t, l, []Job{TrainJob(Trained("clip-b16-112", ClipMinutes)), TrainJob(Trained("clip-b16-112-rmts", after))}), after.flops()+ClipMinutes.flops(); !near(got, want) {
		t.Errorf("beside the one before it takes %g operations, want %g", got, want)
	}
}

// A search is counted once for the results that are made from it: where it swaps, its control, and novel representations.
// Higher blocks cost less, and the last one nothing.
func TestSearchCosts(t *testing.T) {
	ctx, l := t.Context(), lab(t, t.TempDir(), backend.Go)
	s := Trained("quick", Quick)
	sweep := DASSweep{Blocks: []int{0}, Properties: []stimuli.Property{stimuli.ShapeProperty}}
	searches, err := l.DASQueries(ctx, s, sweep)
	if err != nil {
		t.Fatal(err)
	}
	novel, err := l.NovelQueries(ctx, s, NovelSweep{DASSweep: sweep, Novelties: das.Novelties[:2]})
	if err != nil {
		t.Fatal(err)
	}
	jobs := DASJobs(s, searches)
	for _, q := range novel {
		jobs = append(jobs, Novel.Job(s, "", nil, q))
	}
	c, r := Quick.Model, searches[0].Recipe
	blocks := float64(c.Blocks-1) / float64(c.Blocks)
	want := (2*blocks*float64(r.Steps*r.Batch) + float64(3*DASTests)) * forwardFlops(c)
	if len(jobs) != 3 || !near(total(t, l, jobs), want) {
		t.Errorf("%d results of one search take %g operations, want 3 and %g", len(jobs), total(t, l, jobs), want)
	}
	q := searches[0].DASSearch
	q.Block = c.Blocks - 1
	if got := q.cost(artifact.ID("m"), c); len(got) != 0 {
		t.Errorf("after the last block a search costs %v, want nothing", got)
	}
}

// A plan for a GPU is estimated at a GPU's speed, where no training in the store was on one.
func TestRate(t *testing.T) {
	l := lab(t, t.TempDir(), backend.Go)
	for scale, want := range map[Scale]float64{CourseScale: assumedCPU, TinyScale: assumedCPU, PaperScale: assumedGPU} {
		if r, err := l.Rate(t.Context(), scale); err != nil || r.FLOPS != want || r.Source == "" {
			t.Errorf("at %s scale the rate is %+v, %v; want %g", scale, r, err, want)
		}
	}
}

// The largest of a plan's trainings decides whether a GPU is large enough. A fine-tuning of ViT-B/16 in batches of 128
// takes less than the 24 GB that the paper's GPU has, and more than 8.
func TestMemory(t *testing.T) {
	clip := Trained("clip-b16", Presets["clip-b16"])
	j, bytes := Largest([]Job{TrainJob(Trained("quick", Quick)), TrainJob(clip), {Step: "heads", Subject: Subject{Name: "a folder"}}})
	if j.Subject.Name != "clip-b16" || bytes < 8e9 || bytes > 24e9 {
		t.Errorf("the largest is %v with %.1f GB", j, float64(bytes)/1e9)
	}
	parts := *clip.Training
	parts.Recipe.Accumulate = 8
	if less := parts.Memory(); less > bytes/3 {
		t.Errorf("in 8 parts it takes %.1f GB, in one %.1f", float64(less)/1e9, float64(bytes)/1e9)
	}
	if _, bytes := Largest(nil); bytes != 0 {
		t.Errorf("no job needs %d bytes", bytes)
	}
}
