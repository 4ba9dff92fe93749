package viewer

import (
	"bytes"
	"image/png"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"samediff/sdlib/attention"
	"samediff/sdlib/internal/fixture"
	"samediff/sdlib/stimuli"
	"samediff/sdlib/vit"
)

// collected is a page of a tiny model.
func collected(t *testing.T, f vit.Family, c stimuli.Config, choice Choice) Page {
	t.Helper()
	be, set, m := fixture.Go(t), fixture.Set(t, c), tiny(t, f, c.Geometry)
	d, err := Collect(t.Context(), be, m, set, choice, nil)
	if err != nil {
		t.Fatal(err)
	}
	s, err := attention.Analyze(t.Context(), be, m, set, nil, nil)
	if err != nil {
		t.Fatal(err)
	}
	return Page{Title: "Tiny", Data: d, Scores: s}
}

var quick = stimuli.Config{Geometry: stimuli.CourseQuick, Size: 4}

func TestHTML(t *testing.T) {
	page := collected(t, vit.ViT, quick, Choice{Images: []int{0, 1, 2}})
	page.Title = `</script><script>alert("1")</script>`
	page.Data.Images[0].Objects[0].Role = `<img src=x onerror=alert(2)>`
	html, err := page.HTML()
	if err != nil {
		t.Fatal(err)
	}
	if n := strings.Count(html, "</script"); n != 1 {
		t.Errorf("%d ends of scripts, expected one", n)
	}
	if strings.Contains(html, "<script>alert") || strings.Contains(html, "<img src=x") {
		t.Error("a title or a role is taken for HTML")
	}
	for _, url := range regexp.MustCompile(`https?://[^"' ]*`).FindAllString(html, -1) {
		if url != "http://www.w3.org/2000/svg" { // a name, not an address
			t.Errorf("the page mentions %s", url)
		}
	}
	if again, err := page.HTML(); err != nil || again != html {
		t.Errorf("the same page gives other bytes (%v)", err)
	}

	// Of small pages nearly all is the program and the still picture.
	if over := len(html) - pageBytes(page.Data); over > 150_000 {
		t.Errorf("%d bytes beside the data, expected at most 150,000", over)
	}
	if lines := strings.Count(html, "\n"); lines < 100 {
		t.Errorf("the program has %d lines: it is there to be read", lines)
	}

	path := filepath.Join(t.TempDir(), "page.html")
	if err := page.Save(path); err != nil {
		t.Fatal(err)
	}
	document, err := os.ReadFile(path)
	if err != nil || !bytes.HasPrefix(document, []byte("<!DOCTYPE html>")) || !bytes.Contains(document, []byte(html)) {
		t.Errorf("the file (%v) is no document with the page in it", err)
	}
	if err := page.Save(path); err != nil { // again
		t.Error(err)
	}
	if err := os.WriteFile(path, []byte("<title>Thesis</title>"), 0o644); err != nil {
		t.Fatal(err)
	}
	if err := page.Save(path); err == nil || !strings.Contains(err.Error(), "choose another name") {
		t.Errorf("over a page of somebody else: %v", err)
	}
}

// A page needs neither scores, nor objects, nor a token in front, and says what it lacks.
func TestPages(t *testing.T) {
	full := collected(t, vit.ViT, quick, Choice{Images: []int{0}})
	bare := collected(t, vit.SigLIP, quick, Choice{Images: []int{0}})
	bare.Scores = nil
	bare.Data.Images[0].Objects = nil
	for name, p := range map[string]Page{"full": full, "bare": bare} {
		if _, err := p.HTML(); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		still, err := p.picture()
		if err != nil {
			t.Fatal(err)
		}
		if _, err := still.PNG(0); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		if alt := p.Alt(); !strings.Contains(alt, "2 blocks of 2 heads; images: 1.") || still.Alt() != alt {
			t.Errorf("%s: the text is %q", name, alt)
		}
	}
	other := full
	other.Scores = &attention.Scores{Measures: attention.Measures{Local: [][]float64{{1}}}}
	damaged := full
	damaged.Data = &Data{Blocks: 2, Heads: 2, Grid: 4, Front: full.Data.Front, Images: []Image{{PNG: full.Data.Images[0].PNG, Packed: []byte("no")}}}
	for want, p := range map[string]Page{"expected the data of Collect": {}, "those of the same model": other, "are damaged": damaged} {
		if _, err := p.HTML(); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("the error is %v, expected it to speak of %q", err, want)
		}
		if err := p.Save(filepath.Join(t.TempDir(), "page.html")); err == nil {
			t.Errorf("a page was saved despite %q", want)
		}
	}
}

// The images of a page are those of the set.
func TestImages(t *testing.T) {
	page, set := collected(t, vit.ViT, quick, Choice{Images: []int{3}}), fixture.Set(t, quick)
	img, err := png.Decode(bytes.NewReader(page.Data.Images[0].PNG))
	if err != nil {
		t.Fatal(err)
	}
	want := set.Image(3)
	for y := range want.Bounds().Dy() {
		for x := range want.Bounds().Dx() {
			r, g, b, _ := img.At(x, y).RGBA()
			if wr, wg, wb, _ := want.At(x, y).RGBA(); r != wr || g != wg || b != wb {
				t.Fatalf("pixel %d, %d differs", x, y)
			}
		}
	}
}
