package viewer

import (
	"fmt"
	"math"
	"slices"
	"strings"
	"testing"

	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"

	"samediff/sdlib/figure"
	"samediff/sdlib/stimuli"
	"samediff/sdlib/vit"
)

var course = stimuli.Config{Geometry: stimuli.Course, Task: stimuli.RMTS, Size: 4}

// seen returns what the page should show of a source: a weight for each token.
func seen(t *testing.T, p Page, image int, h vit.Head, tokens []int, looking bool) []float64 {
	t.Helper()
	w, err := p.Data.Weights(image)
	if err != nil {
		t.Fatal(err)
	}
	all := make([]float64, p.Data.tokens())
	for q := range all {
		row, err := w.Row(h, q)
		if err != nil {
			t.Fatal(err)
		}
		for k, weight := range row {
			switch {
			case looking && slices.Contains(tokens, q):
				all[k] += weight / float64(len(tokens))
			case !looking && slices.Contains(tokens, k):
				all[q] += weight
			}
		}
	}
	return all
}

// shows checks the map on the image, its scale and the shares against the weights.
func (tb *tab) shows(p Page, image int, h vit.Head, tokens []int, looking bool) {
	tb.t.Helper()
	d := p.Data
	want := seen(tb.t, p, image, h, tokens, looking)
	largest := slices.Max(want[len(d.Front):])
	whole := d.whole(d.Images[image])
	if looking && slices.ContainsFunc(tokens, func(q int) bool { return !whole[q] }) || !looking && tokens[0] >= len(d.Front) {
		largest = max(largest, d.Smallest)
	}
	if got := tb.text("h3"); got != fmt.Sprintf("Block %d, head %d", h.Block, h.Head) {
		tb.t.Errorf("the head is %q, expected %s", got, h)
	}
	if got := tb.text(".legend span:last-child"); got != digits(largest) {
		tb.t.Errorf("the largest weight is %s, expected %s", got, digits(largest))
	}
	pixels := eval[[]int](tb, `(() => { // a copy, because a canvas that is read becomes slow and says so
		const copy = new OffscreenCanvas(99, 99).getContext("2d", { willReadFrequently: true });
		copy.drawImage(root.querySelector(".stage canvas"), 0, 0);
		return [...copy.getImageData(0, 0, 99, 99).data];
	})()`)
	colors := figure.Sequential()
	for patch := range d.Grid * d.Grid {
		c, err := colors.At(min(1, want[len(d.Front)+patch]/largest))
		if err != nil {
			tb.t.Fatal(err)
		}
		r, g, b, _ := c.RGBA()
		at := 4 * (patch/d.Grid*99 + patch%d.Grid)
		for i, v := range []uint32{r, g, b} {
			if math.Abs(float64(v>>8)-float64(pixels[at+i])) > 3 { // a palette of 256 colors
				tb.t.Fatalf("patch %d is colored %v, expected %d %d %d for a weight of %g of %g", patch, pixels[at:at+3], r>>8, g>>8, b>>8, want[len(d.Front)+patch], largest)
			}
		}
	}
	own := 0.
	for _, k := range tokens {
		own += want[k]
	}
	if !looking {
		own /= float64(len(tokens))
	}
	if got := tb.text(".shares dd.number:nth-of-type(2)"); got != strings.TrimPrefix(fmt.Sprintf("%.2f", own), "0") {
		tb.t.Errorf("the share of the source itself is %s, expected %.2f", got, own)
	}
}

// digits is what the page makes of a weight.
func digits(x float64) string {
	n := 2
	if x < .1 {
		n = 3
	}
	return strings.TrimPrefix(fmt.Sprintf("%.*f", n, x), "0")
}

// source checks what the maps are drawn for.
func (tb *tab) source(name string, held bool) {
	tb.t.Helper()
	if got := tb.text(".chip[aria-pressed=true]"); got != name {
		tb.t.Errorf("the source is %q, expected %q", got, name)
	}
	if got := tb.text(".chip.held") != ""; got != held {
		tb.t.Errorf("%s is held: %t, expected %t", name, got, held)
	}
}

// Two viewers on one page, tried with pointer and keys: what one shows at each step is what
// the weights say, and the other stays as it was.
func TestViewer(t *testing.T) {
	chromium := browser(t)
	page := collected(t, vit.DINOv2Registers, course, Choice{Images: []int{0, 1, 2}})
	d, h := page.Data, page.start()
	tb := load(t, chromium, 900, tabOptions{}, page, collected(t, vit.ViT, quick, Choice{Images: []int{0, 1}}))
	tb.host = 1
	tb.wait(".chip", "object 1")
	other := tb.text(".viewer")
	tb.host = 0
	tb.wait(".chip", "sample 1")

	object := func(image, i int) (tokens []int) {
		for _, p := range d.Images[image].Objects[i].Patches {
			tokens = append(tokens, len(d.Front)+p)
		}
		return tokens
	}
	patch := func(p int) []int { return []int{len(d.Front) + p} }

	tb.source("sample 1", false)
	tb.shows(page, 0, h, object(0, 0), true)

	// The pointer.
	tb.move(tb.patch(42, d.Grid))
	tb.source("row 5, column 2", false)
	tb.shows(page, 0, h, patch(42), true)
	tb.move(2, 2)
	tb.source("sample 1", false)
	tb.click(tb.patch(42, d.Grid))
	tb.source("row 5, column 2", true)
	tb.move(tb.patch(0, d.Grid))
	tb.shows(page, 0, h, patch(42), true)
	weight := digits(seen(t, page, 0, h, patch(42), true)[len(d.Front)])
	if got, want := tb.text(".readout"), fmt.Sprintf("row 5, column 2 reads %s from row 0, column 0.", weight); got != want {
		t.Errorf("the page says %q, expected %q", got, want)
	}
	tb.click(tb.center(".segments button", 1))
	tb.shows(page, 0, h, patch(42), false)
	tb.click(tb.center(".chip", 1))
	tb.source("sample 2", true)
	tb.shows(page, 0, h, object(0, 1), false)
	tb.click(tb.center(".chip", 4)) // the first behind the four objects
	tb.source("CLS", true)
	tb.shows(page, 0, h, []int{0}, false)
	tb.click(tb.center(".chip", 4))
	tb.source("CLS", false) // released, and the pointer is still on it
	tb.click(tb.center(".tag", 3))
	tb.source("display 2", true)
	tb.click(tb.center(".head", 3))
	h = vit.Head{Block: 1, Head: 1}
	tb.shows(page, 0, h, object(0, 3), false)

	// Keys.
	eval[any](tb, `(window.heard = [], document.addEventListener("keydown", (e) => window.heard.push(e.key)), null)`)
	tb.key("x")
	tb.shows(page, 0, h, object(0, 3), true)
	tb.key(kb.ArrowUp)
	tb.key(kb.ArrowUp)
	h.Block = 0
	tb.shows(page, 0, h, object(0, 3), true)
	tb.key(kb.ArrowLeft)
	h.Head = 0
	tb.shows(page, 0, h, object(0, 3), true)
	if got := eval[string](tb, "root.activeElement.getAttribute('aria-label')"); !strings.HasPrefix(got, "block 0, head 0, local–global: ") {
		t.Errorf("the focus is on %q", got)
	}
	tb.key("]")
	tb.wait("header", "image 1: ")
	tb.source("display 2", true)
	tb.shows(page, 1, h, object(1, 3), true)
	tb.key("[")
	tb.key("[")
	tb.wait("header", "image 2: ")
	tb.shows(page, 2, h, object(2, 3), true)
	first := d.Images[2].Objects[3].Patches[0]
	tb.key(kb.ArrowDown, chromedp.ModifierShift)
	tb.source(fmt.Sprintf("row %d, column %d", first/8, first%8), true)
	tb.key(kb.ArrowRight, chromedp.ModifierShift)
	tb.key(kb.ArrowDown, chromedp.ModifierShift)
	tb.source(fmt.Sprintf("row %d, column %d", first/8+1, first%8+1), true)
	tb.shows(page, 2, h, patch(first+9), true)
	tb.key(kb.Escape)
	tb.move(2, 2)
	tb.source("sample 1", false)
	if got := tb.text("[aria-live]"); !strings.HasPrefix(got, "Block 0, head 0, image 2: sample 1 reads from itself .") {
		t.Errorf("a screen reader hears %q", got)
	}
	tb.key("a")
	if got := eval[[]string](tb, "window.heard"); !slices.Equal(got, []string{"a"}) && !slices.Equal(got, []string{"Shift", "Shift", "Shift", "a"}) {
		t.Errorf("the notebook around hears the keys %q, expected those alone that the viewer does not know", got)
	}

	// Scores and scales.
	for i, s := range scoresOf(page.Scores) {
		eval[any](tb, fmt.Sprintf(`(root.querySelector("select").value = %d, root.querySelector("select").dispatchEvent(new Event("change")))`, i))
		var want []string
		for _, row := range s.Values {
			for _, v := range row {
				want = append(want, strings.TrimPrefix(fmt.Sprintf("%.2f", v), "0"))
			}
		}
		if got := tb.text(".head .number"); got != strings.Join(want, "|") {
			t.Errorf("%s is %q beside the heads, expected %q", s.Name, got, want)
		}
	}
	eval[any](tb, `(root.querySelector("select").value = -1, root.querySelector("select").dispatchEvent(new Event("change")))`)
	if got := tb.text(".head .number"); got != "" {
		t.Errorf("without a score heads show %q", got)
	}
	tb.click(tb.center(".segments button", 3))
	overall := 0.
	for _, head := range allHeads(vit.Config{Blocks: 2, Heads: 2}) {
		overall = max(overall, slices.Max(seen(t, page, 2, head, object(2, 0), true)[len(d.Front):]))
	}
	if got := tb.text(".legend span:last-child"); got != digits(overall) {
		t.Errorf("the common scale ends at %s, expected %s", got, digits(overall))
	}

	if nameless := eval[int](tb, `[...root.querySelectorAll("button, select, .stage, [role=grid], [role=group]")].filter((e) =>
		getComputedStyle(e).visibility !== "hidden" && !(e.getAttribute("aria-label") || e.textContent).trim()).length`); nameless != 0 {
		t.Errorf("%d elements have no name", nameless)
	}
	tb.host = 1
	if got := tb.text(".viewer"); got != other {
		t.Errorf("the other viewer has become %q", got)
	}
}

// What was left out is drawn as the mean of what it sums to, and the page says so.
func TestViewerOfLarge(t *testing.T) {
	chromium := browser(t)
	whole := collected(t, vit.ViT, course, Choice{Images: []int{0, 1}})
	page := collected(t, vit.ViT, course, Choice{Images: []int{0, 1}, Limit: pageBytes(whole.Data) * 7 / 10})
	d, h := page.Data, page.start()
	if d.Smallest == 0 {
		t.Fatal("everything fits")
	}
	background := slices.Index(d.whole(d.Images[0]), false) - len(d.Front)
	tb := load(t, chromium, 900, tabOptions{}, page)
	tb.wait(".chip", "sample 1")
	if got := tb.text(".partial"); got != "" {
		t.Errorf("of an object the page says %q", got)
	}
	tb.move(tb.patch(background, d.Grid))
	tb.shows(page, 0, h, []int{len(d.Front) + background}, true)
	if got := tb.text(".partial"); !strings.Contains(got, digits(d.Smallest)) {
		t.Errorf("of the background the page says %q", got)
	}
	tb.key("x")
	tb.click(tb.patch(background, d.Grid))
	tb.key("x")
	tb.shows(page, 0, h, []int{len(d.Front) + background}, false)
	if got := tb.text("details"); !strings.Contains(got, "weights below "+digits(d.Smallest)+" to other patches are not stored") {
		t.Errorf("the notes say %q", got)
	}
}

// Odd pages: no scores, no objects, nothing in front of the patches; and every width.
func TestViewerOfLittle(t *testing.T) {
	chromium := browser(t)
	page := collected(t, vit.SigLIP, quick, Choice{Images: []int{0, 1}})
	page.Scores = nil
	for i := range page.Data.Images {
		page.Data.Images[i].Objects = nil
		page.Data.Images[i].Logits = []float32{1, 2, 3}
	}
	for _, width := range []int64{320, 500, 900, 1400} {
		tb := load(t, chromium, width, tabOptions{}, page)
		tb.wait("h3", "Block 0, head 0")
		tb.source("row 0, column 0", false)
		tb.shows(page, 0, vit.Head{}, []int{0}, true)
		tb.key("]") // without the focus
		tb.click(tb.center(".film button", 1))
		tb.wait("header", "image 1: ")
		tb.shows(page, 1, vit.Head{}, []int{0}, true)
		if got := tb.text("select") + tb.text(".head .number"); got != "" {
			t.Errorf("without scores the page shows %q", got)
		}
		if over := eval[int](tb, "document.documentElement.scrollWidth - innerWidth"); over > 0 {
			t.Errorf("the page is %d pixels wider than a window of %d", over, width)
		}
	}
}

// Where the program cannot run there is a still picture, and a reason.
func TestStillPicture(t *testing.T) {
	chromium := browser(t)
	page := collected(t, vit.ViT, quick, Choice{Images: []int{0}})
	for says, o := range map[string]tabOptions{"A still picture.": {noScripts: true}, "it has no DecompressionStream": {noDecompression: true}} {
		tb := load(t, chromium, 900, o, page)
		const find = `(() => { const e = document.querySelector("[data-attention-viewer]"), i = e.querySelector("img");
			return [e.innerText, i.alt, i.naturalWidth > 300 && i.getBoundingClientRect().width > 300 ? "visible" : "hidden"]; })()`
		got, err := chromedp.Run(tb.ctx, chromedp.Evaluate[[]string](find))
		if err != nil {
			t.Fatal(err)
		}
		if !strings.Contains(got[0], says) || got[1] != page.Alt() || got[2] != "visible" {
			t.Errorf("in place of the viewer there is %q, expected a picture and %q", got, says)
		}
	}
}
