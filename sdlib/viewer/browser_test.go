package viewer

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/chromedp"
)

// browser starts a headless Chromium, or skips the test where there is none.
func browser(t *testing.T) context.Context {
	t.Helper()
	var path string
	names := []string{"chromium", "chromium-browser", "google-chrome", "chrome"}
	for _, name := range names {
		if found, err := exec.LookPath(name); err == nil && path == "" {
			path = found
		}
	}
	if path == "" {
		t.Skipf("the page was not tried: none of %s is in PATH", strings.Join(names, ", "))
	}
	options := []chromedp.ExecAllocatorOption{chromedp.ExecPath(path), chromedp.UserDataDir(t.TempDir())}
	for _, flag := range []string{"headless", "no-sandbox", "disable-gpu", "disable-quic", "no-first-run",
		"disable-background-networking", "disable-component-update", "disable-sync"} {
		options = append(options, chromedp.Flag(flag, true))
	}
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Minute)
	t.Cleanup(cancel)
	ctx, cancel = chromedp.NewExecAllocator(ctx, options...)
	t.Cleanup(cancel)
	ctx, cancel = chromedp.NewContext(ctx)
	t.Cleanup(cancel)
	if err := chromedp.Do(ctx); err != nil {
		t.Fatal(err)
	}
	return ctx
}

// A tab is a page in the browser. What it writes to the console fails the test.
type tab struct {
	t    *testing.T
	ctx  context.Context
	host int // the viewer that is looked at, of those on the page
}

// tabOptions are what a browser lacks.
type tabOptions struct{ noScripts, noDecompression bool }

// load shows pages below each other.
func load(t *testing.T, browser context.Context, width int64, o tabOptions, pages ...Page) *tab {
	t.Helper()
	var html strings.Builder
	html.WriteString("<!DOCTYPE html><meta charset=utf-8><body>")
	for _, p := range pages {
		text, err := p.HTML()
		if err != nil {
			t.Fatal(err)
		}
		html.WriteString(text)
	}
	path := filepath.Join(t.TempDir(), "page.html")
	text := html.String()
	if o.noDecompression {
		text = strings.Replace(text, "<body>", "<body><script>delete window.DecompressionStream</script>", 1)
	}
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := chromedp.NewContext(browser)
	tb := &tab{t: t, ctx: ctx}
	tb.do(chromedp.EmulateViewport(width, 1000))
	if o.noScripts {
		if _, err := chromedp.Call(ctx, emulation.SetScriptExecutionDisabled, emulation.SetScriptExecutionDisabledParams{Value: true}); err != nil {
			t.Fatal(err)
		}
	}
	var said sync.WaitGroup
	console := chromedp.Console(ctx)
	said.Go(func() {
		for m, err := range console {
			if err != nil {
				return
			}
			t.Errorf("the page says: %v", m)
		}
	})
	t.Cleanup(said.Wait)
	t.Cleanup(cancel)
	tb.do(chromedp.Navigate("file://" + path))
	return tb
}

func (tb *tab) do(actions ...chromedp.Action[chromedp.Void]) {
	tb.t.Helper()
	if err := chromedp.Do(tb.ctx, actions...); err != nil {
		tb.t.Fatal(err)
	}
}

// eval returns the value of an expression in which root is the viewer's root, after what
// was done has been drawn.
func eval[T any](tb *tab, expression string) T {
	tb.t.Helper()
	const script = `(async () => {
		const root = document.querySelectorAll("[data-attention-viewer]")[%d].shadowRoot;
		for (let i = 0; i < 2; i++) await new Promise(requestAnimationFrame);
		return %s;
	})()`
	v, err := chromedp.Run(tb.ctx, chromedp.Evaluate[T](fmt.Sprintf(script, tb.host, expression), chromedp.EvalAwaitPromise))
	if err != nil {
		tb.t.Fatalf("%s: %v", expression, err)
	}
	return v
}

// wait waits until a text of the viewer contains another.
func (tb *tab) wait(selector, text string) {
	tb.t.Helper()
	for until := time.Now().Add(2 * time.Minute); !strings.Contains(tb.text(selector), text); {
		if time.Now().After(until) {
			tb.t.Fatalf("%s is %q, expected it to contain %q", selector, tb.text(selector), text)
		}
	}
}

func (tb *tab) text(selector string) string {
	tb.t.Helper()
	return eval[string](tb, fmt.Sprintf("[...root.querySelectorAll(%q)].filter((e) => !e.hidden).map((e) => e.textContent).join('|')", selector))
}

// center returns the middle of an element in the window.
func (tb *tab) center(selector string, n int) (x, y float64) {
	tb.t.Helper()
	at := eval[[]float64](tb, fmt.Sprintf(`(() => {
		const e = root.querySelectorAll(%q)[%d];
		e.scrollIntoView({ block: "nearest" });
		const b = e.getBoundingClientRect();
		return [b.left + b.width / 2, b.top + b.height / 2];
	})()`, selector, n))
	return at[0], at[1]
}

// patch returns the middle of a patch of the image.
func (tb *tab) patch(p, grid int) (x, y float64) {
	tb.t.Helper()
	tb.center(".stage", 0)
	b := eval[[]float64](tb, `(({ left, top, width }) => [left, top, width])(root.querySelector(".stage").getBoundingClientRect())`)
	side := b[2] / float64(grid)
	return b[0] + (float64(p%grid)+.5)*side, b[1] + (float64(p/grid)+.5)*side
}

func (tb *tab) move(x, y float64) {
	tb.t.Helper()
	tb.do(chromedp.MouseEvent(chromedp.MouseMoved, x, y))
}

func (tb *tab) click(x, y float64) {
	tb.t.Helper()
	tb.move(x, y)
	tb.do(chromedp.MouseClickXY(x, y))
}

func (tb *tab) key(keys string, modifiers ...chromedp.Modifier) {
	tb.t.Helper()
	tb.do(chromedp.KeyEvent(keys, chromedp.KeyModifiers(modifiers...)))
}
