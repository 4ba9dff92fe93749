package main

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"samediff/sdlib/attention"
)

// testAttentionTrained scores the heads of a model of the store, and draws them.
func testAttentionTrained(t *testing.T, store string, m trained) {
	to := filepath.Join(t.TempDir(), "heads.svg")
	r := sd("attention", m.ID.Short(), "--heads", "2", "--backend", "go", "-o", to, "--store", store).want(t, exitOK)
	if strings.Count(r.out, "\nlocal ") != 2 || strings.Count(r.out, "\nglobal ") != 2 || !strings.HasSuffix(r.out, to+"\n") {
		t.Errorf("want two local heads, two global ones, and the figure's name; got\n%s", r.out)
	}
	for _, line := range []string{"within object", "within pair", "background"} {
		if strings.Count(r.out, "\n"+line+" ") != 1 {
			t.Errorf("the table of peaks lacks %q:\n%s", line, r.out)
		}
	}
	drawn, err := os.ReadFile(to)
	if err != nil {
		t.Fatal(err)
	}

	scores := decode[attention.Scores](t, sd("attention", m.ID.Short(), "--json", "--store", store).want(t, exitOK))
	if len(scores.Local) != 4 || len(scores.Local[0]) != 3 || scores.Images != 500 {
		t.Errorf("--json has scores of %d blocks over %d images, want 4 blocks of 3 heads, 500 images", len(scores.Local), scores.Images)
	}
	if _, err := os.Stat("heads.png"); err == nil {
		t.Error("--json wrote a figure that nobody asked for")
	}

	table := filepath.Join(t.TempDir(), "heads.csv")
	sd("attention", m.ID.Short(), "--json", "--csv", table, "--store", store).want(t, exitOK)
	text, err := os.ReadFile(table)
	if lines := strings.Split(string(text), "\n"); err != nil || lines[0] != "task,part,measure,block,head,n,value,low,high" ||
		len(lines) != 2+3*(4*4*3+3*4) || !strings.HasPrefix(lines[1], "discrimination,all,local,0,0,500,") {
		t.Errorf("the scores in CSV (%v) are %d lines, beginning with %q", err, len(lines), lines[:min(2, len(lines))])
	}
	sd("attention", m.ID.Short(), "--parts", "-o", table+".svg", "--store", store).want(t, exitOK)
	if text, err := os.ReadFile(table + ".svg"); err != nil || bytes.Equal(text, drawn) {
		t.Errorf("the figure of all parts (%v) is that of the whole", err)
	}

	again := filepath.Join(t.TempDir(), "figure2.svg")
	r = sd("figure", "2", "--model", m.ID.Short(), "-o", again, "--store", store).want(t, exitOK)
	if text, err := os.ReadFile(again); err != nil || !bytes.Equal(text, drawn) || r.errors != "" {
		t.Errorf("figure 2 (%v) differs from the one of sd attention, or was computed anew:\n%s", err, r.errors)
	}
}

// testAttentionPage writes a page of a model of the store, and of images of one's own.
func testAttentionPage(t *testing.T, store string, m trained) {
	t.Chdir(t.TempDir())
	r := sd("attention", m.ID.Short(), "--html", "page.html", "--images", "3", "--backend", "go", "--store", store).want(t, exitOK)
	if !strings.HasPrefix(r.out, "page.html\n") || strings.Count(r.out, "\nlocal ") != 3 {
		t.Errorf("want the page's name and the table, got\n%s", r.out)
	}
	text, err := os.ReadFile("page.html")
	if err != nil || bytes.Count(text, []byte(`"packed":`)) != 3 || !bytes.Contains(text, []byte("<title>Attention of "+m.ID.Short()+"</title>")) {
		t.Errorf("the page (%v) has %d images, want 3 and a title", err, bytes.Count(text, []byte(`"packed":`)))
	}
	if _, err := os.Stat("heads.png"); err == nil {
		t.Error("--html wrote a figure that nobody asked for")
	}
	decode[attention.Scores](t, sd("attention", m.ID.Short(), "--json", "--html", "page.html", "--index", "7,2", "-o", "heads.svg", "--backend", "go", "--store", store).want(t, exitOK))
	if text, err = os.ReadFile("page.html"); err != nil || !bytes.Contains(text, []byte(`"index":7,`)) || !bytes.Contains(text, []byte(`"index":2,`)) {
		t.Errorf("the page (%v) has other images than 7 and 2", err)
	}
	if _, err := os.Stat("heads.svg"); err != nil {
		t.Error(err)
	}
	sd("attention", m.ID.Short(), "--html", "page.html", "--index", "6400", "--store", store).want(t, exitFailure).says(t, "no image 6400")
	sd("attention", m.ID.Short(), "--html", "missing/page.html", "--index", "7,2", "--store", store).want(t, exitFailure).says(t, "missing")
}

func TestFigureWithoutModel(t *testing.T) {
	t.Chdir(t.TempDir())
	for _, test := range []struct{ args, file, begins string }{
		{"1 --geometry course-quick", "figure1.png", "\x89PNG"},
		{"7 -o shapes.pdf", "shapes.pdf", "%PDF"},
		{"8 --geometry course", "figure8.png", "\x89PNG"},
		{"23 --geometry course -o pairs.svg", "pairs.svg", "<?xml"},
	} {
		r := sd(append([]string{"figure"}, strings.Fields(test.args)...)...).want(t, exitOK)
		text, err := os.ReadFile(test.file)
		if err != nil || !bytes.HasPrefix(text, []byte(test.begins)) || r.out != test.file+"\n" {
			t.Errorf("figure %s: %v, begins with %q, prints %q", test.args, err, text[:min(8, len(text))], r.out)
		}
	}
	sd("figure", "7", "-o", "missing/figure.png").want(t, exitFailure).says(t, "missing")
}

// What cannot be scored says what is wrong, and leaves no result.
func TestAttentionBadInput(t *testing.T) {
	store, model, images := t.TempDir(), folder(t), t.TempDir()+"/images"
	sd("stimuli", "export", images, "--geometry", "course-quick", "--split", "test", "--images", "2", "--quiet").want(t, exitOK)
	bare, none, other := t.TempDir(), t.TempDir(), t.TempDir()+"/other"
	var names []string
	for _, name := range []string{"one.png", "two.png"} {
		img, err := os.ReadFile(anImage(t, images))
		if err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(bare, name), img, 0o644); err != nil {
			t.Fatal(err)
		}
		names = append(names, `{"file_name": "`+name+`", "label": 1}`)
	}
	for dir, text := range map[string]string{bare: strings.Join(names, "\n"), none: ""} {
		if err := os.WriteFile(filepath.Join(dir, "metadata.jsonl"), []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	sd("stimuli", "export", other, "--geometry", "course", "--images", "2", "--quiet").want(t, exitOK)
	attend := func(more ...string) result {
		return sd(append([]string{"attention", model, "--quiet", "--backend", "go", "--store", store}, more...)...)
	}
	attend("--set", bare).want(t, exitFailure).says(t, "no pair of objects")
	attend("--set", none).want(t, exitFailure).says(t, "no records")
	attend("--set", other).want(t, exitFailure).says(t, "give both the same geometry")
	attend("--csv", "missing/heads.csv", "--set", images).want(t, exitFailure).says(t, "missing")
	for want, args := range map[string]string{
		"no block 9, head 0":        "21 --head 9.0",
		"no image 6400 in a set of": "22 --head 0.0 --image 6400",
		"expected BLOCK.HEAD":       "21 --head 5",
		"are for figures 21 and 22": "2 --head 0.0",
	} {
		r := sd(append(append([]string{"figure"}, strings.Fields(args)...), "--model", model, "--quiet", "--backend", "go", "--store", store)...)
		if r.status == exitOK {
			t.Errorf("figure %s is drawn", args)
		}
		r.says(t, want)
	}
	sd("table", "statements", "--model", model, "--quiet", "--backend", "go", "--store", store).want(t, exitFailure).says(t, "the paper says nothing of the stages of these models")
}

// anImage returns the path of one of the images of an exported set.
func anImage(t *testing.T, dir string) string {
	t.Helper()
	var found string
	err := filepath.WalkDir(dir, func(path string, d os.DirEntry, err error) error {
		if strings.HasSuffix(path, ".png") {
			found = path
		}
		return err
	})
	if err != nil || found == "" {
		t.Fatalf("no image in %s (%v)", dir, err)
	}
	return found
}
