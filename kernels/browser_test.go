package kernels_test

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"
)

// browserEnv asks for the test in a browser, which takes a minute and more: make browser sets it.
const browserEnv = "SD_BROWSER"

// TestBrowser opens the notebooks in JupyterLab in headless Chromium, and in one of its own runs cells, completes a name and shows
// documentation, by the keys that a reader presses. Nothing may fail, and nothing may be written to the browser's console as an error.
func TestBrowser(t *testing.T) {
	if os.Getenv(browserEnv) == "" {
		t.Skip("make browser runs this")
	}
	browser := chromium(t)
	folder := t.TempDir()
	if err := os.CopyFS(folder, os.DirFS(filepath.Join(root, "notebooks"))); err != nil { // Lab saves what it shows
		t.Fatal(err)
	}
	own := newNotebook(
		"import (\n\t\"fmt\"\n\n\t\"samediff/sdlib/vit\"\n)",
		"%%\nfmt.Println(\"tokens:\", vit.CourseQuick.Tokens())",
		"%%\nvar c vit.Co",
		"%%\nvar c vit.Config\n_ = c.Nodes",
	)
	text, err := json.Marshal(own)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(folder, "own.ipynb"), text, 0o644); err != nil {
		t.Fatal(err)
	}
	lab := startLab(t, folder)

	t.Run("own", func(t *testing.T) {
		p := lab.open(t, browser, "own.ipynb")
		p.run("notebook:run-all-above", 2) // the first two cells
		p.wait("the output of cell 2", `[...document.querySelectorAll(".jp-OutputArea-output")].some((e) => e.textContent.includes("tokens: 17"))`)
		p.edit(2)
		p.ask("a list of completions", `[...document.querySelectorAll(".jp-Completer-item")].some((e) => e.textContent.includes("Config"))`, kb.Tab)
		p.edit(3)
		p.ask("documentation", `document.querySelector(".jp-Tooltip")?.textContent.includes("Nodes returns the names of all values")`, kb.Tab, chromedp.ModifierShift)
	})
	notebooks, err := filepath.Glob(filepath.Join(folder, "*.ipynb"))
	if err != nil {
		t.Fatal(err)
	}
	for _, path := range notebooks {
		if name := filepath.Base(path); name != "own.ipynb" {
			t.Run(name, func(t *testing.T) {
				p := lab.open(t, browser, name)
				cells := len(read(t, path).Cells)
				p.wait(fmt.Sprintf("%d cells", cells), fmt.Sprintf(`window.jupyterapp.shell.currentWidget.content.widgets.length === %d`, cells))
			})
		}
	}
}

// chromium starts a headless Chromium, or skips the test where there is none.
func chromium(t *testing.T) context.Context {
	t.Helper()
	names := []string{"chromium", "chromium-browser", "google-chrome", "chrome"}
	i := slices.IndexFunc(names, func(name string) bool { _, err := exec.LookPath(name); return err == nil })
	if i < 0 {
		t.Skipf("JupyterLab was not tried in a browser: none of %s is in PATH (on Debian: apt-get install chromium)", strings.Join(names, ", "))
	}
	path, err := exec.LookPath(names[i])
	if err != nil {
		t.Fatal(err)
	}
	options := []chromedp.ExecAllocatorOption{chromedp.ExecPath(path), chromedp.UserDataDir(t.TempDir()), chromedp.WindowSize(1400, 1000)}
	for _, flag := range []string{"headless", "no-sandbox", "disable-gpu", "disable-quic", "no-first-run",
		"disable-background-networking", "disable-component-update", "disable-sync"} {
		options = append(options, chromedp.Flag(flag, true))
	}
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Minute)
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

// A labServer is a JupyterLab with the repository's kernel.
type labServer struct{ address string }

// startLab serves a folder. Its settings and signatures lie in a folder of their own, as those of make lab do.
func startLab(t *testing.T, folder string) labServer {
	t.Helper()
	state := t.TempDir()
	// Lab drops completions that come after a second, which on a busy machine is soon over (TestHelp measures them); and it asks whether
	// to fetch news.
	for name, text := range map[string]string{
		"completer-extension/manager": `{"providerTimeout": 30000}`, "apputils-extension/notification": `{"fetchNews": "false", "checkForUpdates": false}`,
	} {
		path := filepath.Join(state, "config", "lab", "user-settings", "@jupyterlab", name+".jupyterlab-settings")
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	python := filepath.Join(root, ".venv", "bin", "python")
	cmd := exec.Command(python, "-I", "-m", "jupyterlab", "--no-browser", "--allow-root", "--ServerApp.ip=127.0.0.1", "--ServerApp.port=0",
		"--ServerApp.port_retries=0", "--IdentityProvider.token=", "--ServerApp.root_dir="+folder, "--LabApp.expose_app_in_browser=True",
		"--LabApp.check_for_updates_class=jupyterlab.NeverCheckForUpdate")
	cmd.Env = append(os.Environ(), "GOPROXY=off", "JUPYTER_CONFIG_DIR="+filepath.Join(state, "config"), "JUPYTER_DATA_DIR="+filepath.Join(state, "data"),
		"JUPYTER_RUNTIME_DIR="+filepath.Join(state, "runtime"), "IPYTHONDIR="+filepath.Join(state, "ipython"))
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true} // its kernels with it
	var said strings.Builder
	cmd.Stdout, cmd.Stderr = &said, &said
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	ended := make(chan struct{})
	go func() { cmd.Wait(); close(ended) }()
	t.Cleanup(func() {
		cmd.Process.Signal(syscall.SIGTERM)
		select {
		case <-ended:
		case <-time.After(30 * time.Second):
			syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL)
		}
	})
	for deadline := time.Now().Add(2 * time.Minute); time.Now().Before(deadline); time.Sleep(200 * time.Millisecond) {
		files, _ := filepath.Glob(filepath.Join(state, "runtime", "jpserver-*.json"))
		for _, file := range files {
			var server struct{ URL string }
			if json.Unmarshal(readBytes(t, file), &server) != nil {
				continue
			}
			if answer, err := http.Get(server.URL + "api"); err == nil {
				answer.Body.Close()
				return labServer{server.URL}
			}
		}
		select {
		case <-ended:
			t.Fatalf("JupyterLab ended:\n%s", said.String())
		default:
		}
	}
	t.Fatal("JupyterLab does not answer after two minutes")
	return labServer{}
}

// A labPage is a notebook that is open in a tab of the browser.
type labPage struct {
	t   *testing.T
	ctx context.Context
}

// open opens a notebook and waits until its kernel is there. What is written to the console as an error fails the test.
func (l labServer) open(t *testing.T, browser context.Context, name string) labPage {
	t.Helper()
	ctx, cancel := chromedp.NewContext(browser)
	console := chromedp.Console(ctx)
	var listening sync.WaitGroup
	listening.Go(func() {
		for m, err := range console {
			if err != nil {
				return
			}
			if text := fmt.Sprint(m); strings.Contains(strings.ToLower(text), "error") {
				t.Errorf("the console says: %.500s", text)
			}
		}
	})
	t.Cleanup(listening.Wait)
	t.Cleanup(cancel)
	p := labPage{t, ctx}
	if err := chromedp.Do(ctx, chromedp.Navigate(l.address+"lab/workspaces/"+strings.TrimSuffix(name, ".ipynb")+"/tree/"+name+"?reset")); err != nil {
		t.Fatal(err)
	}
	// GoNB says that it is idle after the first cell, and before that nothing.
	p.wait("the notebook with its kernel", `window.jupyterapp?.shell.currentWidget?.sessionContext?.session?.kernel?.connectionStatus === "connected"`)
	return p
}

// ask presses a key until an expression is true: gopls may need some seconds to begin with, in which requests fail.
func (p labPage) ask(what, expression, key string, modifiers ...chromedp.Modifier) {
	p.t.Helper()
	begun := time.Now()
	for presses := 1; ; presses++ {
		p.key(key, modifiers...)
		if p.within(30*time.Second, expression) {
			p.t.Logf("%s: after %.1f s and %d presses", what, time.Since(begun).Seconds(), presses)
			p.key(kb.Escape)
			return
		}
		if presses == 8 {
			p.missing(what)
		}
	}
}

// within reports whether an expression becomes true in a time.
func (p labPage) within(d time.Duration, expression string) bool {
	p.t.Helper()
	for deadline := time.Now().Add(d); time.Now().Before(deadline); time.Sleep(100 * time.Millisecond) {
		if p.eval(`!!(`+expression+`)`) == "true" {
			return true
		}
	}
	return false
}

// wait waits until an expression is true.
func (p labPage) wait(what, expression string) {
	p.t.Helper()
	for range 36 {
		if p.within(5*time.Second, expression) {
			return
		}
		if dialog := p.eval(`document.querySelector(".jp-Dialog")?.textContent ?? ""`); dialog != `""` {
			p.t.Fatalf("waiting for %s: Lab asks %s", what, dialog)
		}
	}
	p.missing(what)
}

// missing fails the test, with a picture of what is shown instead.
func (p labPage) missing(what string) {
	p.t.Helper()
	shown := "nothing that can be seen"
	if picture, err := chromedp.Run(p.ctx, chromedp.CaptureScreenshot()); err == nil {
		shown = filepath.Join(os.TempDir(), "sd-browser.png")
		if err := os.WriteFile(shown, picture, 0o644); err != nil {
			p.t.Error(err)
		}
	}
	p.t.Fatalf("there is not %s after minutes; what is shown: %s", what, shown)
}

// eval returns the value of an expression as JSON.
func (p labPage) eval(expression string) string {
	p.t.Helper()
	v, err := chromedp.Run(p.ctx, chromedp.Evaluate[string]("JSON.stringify("+expression+")"))
	if err != nil {
		p.t.Fatalf("%s: %v", expression, err)
	}
	return v
}

// run makes a cell the active one and carries out a command of Lab.
func (p labPage) run(command string, cell int) {
	p.t.Helper()
	p.eval(fmt.Sprintf(`(window.jupyterapp.shell.currentWidget.content.activeCellIndex = %d, window.jupyterapp.commands.execute(%q), 0)`, cell, command))
}

// edit puts the cursor at the end of a cell.
func (p labPage) edit(cell int) {
	p.t.Helper()
	p.run("notebook:enter-edit-mode", cell)
	p.eval(`(() => {
		const editor = window.jupyterapp.shell.currentWidget.content.activeCell.editor, end = editor.lineCount - 1;
		editor.focus();
		editor.setCursorPosition({ line: end, column: editor.getLine(end).length });
		return 0;
	})()`)
	p.wait("the cursor in the cell", `document.activeElement?.closest(".jp-Cell") === window.jupyterapp.shell.currentWidget.content.activeCell.node`)
}

func (p labPage) key(key string, modifiers ...chromedp.Modifier) {
	p.t.Helper()
	if err := chromedp.Do(p.ctx, chromedp.KeyEvent(key, chromedp.KeyModifiers(modifiers...))); err != nil {
		p.t.Fatal(err)
	}
}
