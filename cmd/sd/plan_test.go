package main

import (
	"fmt"
	"math"
	"strconv"
	"strings"
	"testing"

	"samediff/sdlib/paper"
	"samediff/sdlib/study"
)

// What figure 2 needs of a model of one's own: planned, computed, then done.
func TestPlan(t *testing.T) {
	store, model := t.TempDir(), folder(t)
	args := func(more ...string) []string {
		return append(more, "--model", model, "--store", store, "--backend", "go", "--quiet")
	}
	before := sd(args("plan", "figure", "2")...).want(t, exitOK)
	if !strings.Contains(before.out, "heads "+model) || !strings.Contains(before.out, "ready") || !strings.Contains(before.out, "0 of 1 jobs done, about ") {
		t.Errorf("the plan is\n%s", before.out)
	}
	if r := sd(args("run", "figure", "2")...).want(t, exitOK); r.out != "1 jobs done\n" {
		t.Errorf("run prints %q", r.out)
	}
	after := decode[[]plannedJob](t, sd(append(args("plan", "figure", "2"), "--json")...).want(t, exitOK))
	if len(after) != 1 || after[0].State != study.JobDone || after[0].Took == 0 || after[0].Estimate != 0 {
		t.Errorf("afterwards the plan is %+v", after)
	}
	table := sd("plan", "table", "1", "--store", store).want(t, exitOK)
	for _, part := range []string{"train discrimination, losses none, seed 1", "waiting", "0 of 150 jobs done"} {
		if !strings.Contains(table.out, part) {
			t.Errorf("the plan of table 1 lacks %q:\n%s", part, table.out)
		}
	}
}

// plan all has a row for each item: what it takes by itself, and what it adds to those above, whose sum is all there is to do.
func TestPlanAll(t *testing.T) {
	out := sd("plan", "all", "--scale", "tiny", "--store", t.TempDir(), "--tflops", "0.001").want(t, exitOK).out
	alone, added := 0., 0.
	for _, line := range strings.Split(out, "\n") {
		fields := strings.Fields(line)
		if len(fields) < 6 || fields[0] != "table" {
			continue
		}
		for i, to := range []*float64{&alone, &added} {
			x, err := strconv.ParseFloat(fields[len(fields)-2+i], 64)
			if err != nil {
				t.Fatalf("%v in the line %q", err, line)
			}
			*to += x
		}
	}
	var done, jobs int
	var hours, training float64
	lines := strings.Split(strings.TrimSpace(out), "\n")
	if _, err := fmt.Sscanf(lines[len(lines)-1], "%d of %d jobs done, %f hours of work left, %f of them in trainings, at 0.001 TFLOP/s (as --tflops says)", &done, &jobs, &hours, &training); err != nil {
		t.Fatalf("%v in:\n%s", err, out)
	}
	if math.Abs(added-hours) > .2 || alone <= added || training >= hours || training < .5*hours || jobs != 125-40 || done != 0 { // tables 7 and 8 share four rows each with table 1, of five jobs
		t.Errorf("tables 1, 7 and 8 take %.1f hours alone, %.1f in turn, together %.1f, of which %.1f in trainings of %d jobs, %d done:\n%s", alone, added, hours, training, jobs, done, out)
	}
	sd("plan", "all", "--tflops=-1").want(t, exitUsage).says(t, "expected a positive number")
}

// The table of contents names every figure and table of the paper; what it says can be drawn
// names models that there are.
func TestContents(t *testing.T) {
	out := sd("plan").want(t, exitOK).out
	for _, part := range []string{"figure 39", "table 8", "clip-b16-rmts"} {
		if !strings.Contains(out, part) {
			t.Errorf("the contents lack %q:\n%s", part, out)
		}
	}
	figures, tables, extras := 0, 0, 0
	for _, item := range paper.Contents {
		switch _, err := strconv.Atoi(item.Number); {
		case err != nil:
			extras++
		case item.Kind == paper.AFigure:
			figures++
		default:
			tables++
		}
		for _, name := range item.Models[study.PaperScale] {
			if _, err := study.Preset(name); err != nil {
				t.Errorf("%v: %v", item, err)
			}
		}
		if item.Jobs != nil && item.Models[study.CourseScale] != nil {
			sd("plan", string(item.Kind), item.Number, "--store", t.TempDir()).want(t, exitOK)
		}
	}
	if figures != 39 || tables != 8 || extras == 0 {
		t.Errorf("%d figures, %d tables and %d others, want 39, 8 and some", figures, tables, extras)
	}
	for _, args := range []string{"plan figure 40", "plan table 9", "plan picture 1", "run", "plan all 2"} {
		sd(strings.Fields(args)...).want(t, exitUsage)
	}
}

// A folder of images is evaluated and scored as a drawn set is.
func TestOwnImages(t *testing.T) {
	store, model, images := t.TempDir(), folder(t), t.TempDir()+"/images"
	sd("stimuli", "export", images, "--geometry", "course-quick", "--split", "test", "--images", "32", "--quiet").want(t, exitOK)
	r := decode[evaluated](t, sd("eval", model, "--set", images, "--json", "--quiet", "--backend", "go", "--store", store).want(t, exitOK))
	if len(r.Sets) != 1 || r.Sets[0].All.N != 32 || !strings.HasPrefix(r.Sets[0].Stimuli.Source, "sha256:") {
		t.Errorf("the evaluation is %+v", r.Sets)
	}
	scores := sd("attention", model, "--set", images, "-o", images+".png", "--quiet", "--backend", "go", "--store", store).want(t, exitOK)
	if !strings.Contains(scores.out, "global") {
		t.Errorf("attention prints\n%s", scores.out)
	}
	sd("eval", model, "--set", images, "--images", "8", "--store", store).want(t, exitUsage)
	sd("eval", model, "--set", images+"/nowhere", "--store", store).want(t, exitFailure).says(t, "nowhere")
	other := t.TempDir() + "/other"
	sd("stimuli", "export", other, "--geometry", "course", "--images", "8", "--quiet").want(t, exitOK)
	sd("eval", model, "--set", other, "--backend", "go", "--store", store).want(t, exitFailure).says(t, "give both the same geometry")
}

// A table is about one task: a model that learned another one is refused, and one that does
// not say what it learned is asked about the table's.
func TestTableOfOneTask(t *testing.T) {
	store, model := t.TempDir(), folder(t)
	sd("plan", "table", "4", "--model", "discrimination-256-quick", "--store", store).want(t, exitFailure).says(t, "table 4 is about rmts with 256", "discrimination-256-quick learned discrimination with 256")
	out := sd("plan", "table", "3", "--model", model, "--store", store).want(t, exitOK).out
	for _, set := range []string{"on train", "on test (IID)", "on compositional", "0 of 3 jobs"} {
		if !strings.Contains(out, set) {
			t.Errorf("the plan lacks %q:\n%s", set, out)
		}
	}
	sd("figure", "15", "--store", store).want(t, exitFailure).says(t, "figure 15 has no models at course scale: name some")
	sd("train", "course", "--start", model, "--geometry", "course-quick", "--blocks", "4", "--store", store).want(t, exitUsage).says(t, "--blocks")
}
