package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"samediff/sdlib/patch"
	"samediff/sdlib/study"
)

func TestPatch(t *testing.T) {
	store, model := t.TempDir(), folder(t)
	quick, err := filepath.Abs("../../models/discrimination-256-quick")
	if err != nil {
		t.Fatal(err)
	}
	t.Chdir(t.TempDir())
	sd("stimuli", "export", "images", "--geometry", "course-quick", "--split", "test", "--images", "16", "--quiet").want(t, exitOK)
	at := []string{"--set", "images", "--images", "4", "--quiet", "--backend", "go", "--store", store}
	with := func(args ...string) []string { return append(args, at...) }

	r := sd(with("patch", "heads", model, "--top", "1", "--draws", "2", "--by", "mean", "--csv", "heads.csv")...).want(t, exitOK)
	for _, part := range []string{"8 images", "local", "within pair", "random, same blocks", "one head", "\nheads.csv\n", "\nknockouts.png\n"} {
		if !strings.Contains(r.out, part) {
			t.Errorf("patch heads lacks %q:\n%s", part, r.out)
		}
	}
	text, err := os.ReadFile("heads.csv")
	if err != nil || !strings.HasPrefix(string(text), "what,where,how,control,kind,n,") || !strings.Contains(string(text), "\nlocal,") {
		t.Errorf("heads.csv (%v) is\n%s", err, text)
	}

	r = sd(with("patch", "edges", model, "--width", "1", "--edge", "objects>CLS", "-o", "edges.svg")...).want(t, exitOK)
	if !strings.Contains(r.out, "objects → CLS  all") || !strings.HasSuffix(r.out, "edges.svg\n") {
		t.Errorf("patch edges prints\n%s", r.out)
	}
	if _, err := os.Stat("edges.svg"); err != nil {
		t.Error(err)
	}
	all := decode[[]study.Intervention](t, sd(with("patch", "edges", model, "--width", "1", "--edge", "objects>CLS", "--json")...).want(t, exitOK))
	if len(all) != 1 || all[0].What != "objects → CLS" || all[0].All().Kind != patch.All || all[0].All().Base.N != 8 {
		t.Errorf("--json has %+v", all)
	}
	if _, err := os.Stat("edges.png"); err == nil {
		t.Error("--json wrote a figure that nobody asked for")
	}

	sd(with("patch", "edges", model, "--edge", "display>CLS")...).want(t, exitFailure).says(t, `"display"`)
	sd(with("patch", "edges", model, "--width", "100")...).want(t, exitFailure).says(t, "100 blocks")
	sd(with("patch", "heads", model, "--top", "1000")...).want(t, exitFailure).says(t, "1000 strongest")
	sd("patch", "heads", model, "--set", "images", "--images", "9", "--backend", "go", "--quiet", "--store", store).want(t, exitFailure).says(t, "take fewer")
	r = sd("patch", "interchange", quick, "--pairs", "8", "--site", "stream", "--group", "CLS", "--group", "all", "--csv", "interchange.csv", "--quiet", "--backend", "go", "--store", store).want(t, exitOK)
	if strings.Count(r.out, "\nstream") != 3 || !strings.HasSuffix(r.out, "\ninterchange.csv\ninterchange.png\n") {
		t.Errorf("patch interchange prints\n%s", r.out)
	}
	sd("patch", "interchange", quick, "--pairs", "8", "--site", "stram", "--quiet", "--backend", "go", "--store", store).want(t, exitFailure).says(t, `"stram"`)
	sd("patch", "interchange", quick, "--pairs", "8", "--group", "display", "--quiet", "--backend", "go", "--store", store).want(t, exitFailure).says(t, `"display"`)
	if !strings.Contains(r.out, "Attribution patching against the exact changes") {
		t.Errorf("patch interchange lacks the correlation with the estimates:\n%s", r.out)
	}
	path := func(more ...string) result {
		return sd(append([]string{"patch", "path", quick, "--pairs", "4", "--quiet", "--backend", "go", "--store", store}, more...)...)
	}
	r = path("--to", "answer", "--to", "1.0+2.1", "--heads", "2", "--csv", "paths.csv", "-o", "paths.svg").want(t, exitOK)
	if !strings.Contains(r.out, "Paths to the answer") || !strings.Contains(r.out, "Paths to block 1, head 0 and block 2, head 1") || !strings.HasSuffix(r.out, "\npaths.svg\n") {
		t.Errorf("patch path prints\n%s", r.out)
	}
	if text, err := os.ReadFile("paths.csv"); err != nil || strings.Count(string(text), "\n") != 1+12+3 {
		t.Errorf("paths.csv (%v) is\n%s", err, text)
	}
	if all := decode[[]study.PathsFound](t, path("--json").want(t, exitOK)); len(all) != 1 || len(all[0].Cells) != 4 {
		t.Errorf("--json has %+v", all)
	}
	path("--to", "0.1").want(t, exitFailure).says(t, "no head comes before block 0, head 1")
	path("--to", "9.1").want(t, exitFailure).says(t, "no block 9, head 1")
	path("--to", "one").want(t, exitUsage).says(t, "expected BLOCK.HEAD")
	path("--heads", "0").want(t, exitUsage)
	for _, args := range []string{"interchange M --pairs -1", "heads", "heads M --by nothing", "heads M --top 0", "heads M --draws -1", "heads M --images -1", "edges M --edge objects", "edges M --width -1", "head M"} {
		sd(append([]string{"patch"}, strings.Fields(args)...)...).want(t, exitUsage)
	}
}
