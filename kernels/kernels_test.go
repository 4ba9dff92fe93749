package kernels_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// root is the repository's root, without symbolic links; tests run in the folder of their package.
var root = func() string {
	dir, err := filepath.Abs("..")
	if err == nil {
		dir, err = filepath.EvalSymlinks(dir)
	}
	if err != nil {
		panic(err)
	}
	return dir
}()

// output is one output of a cell, the fields these tests look at.
type output struct {
	Type  string         `json:"output_type"`
	Name  string         `json:"name,omitempty"`
	Text  []string       `json:"text,omitempty"`
	Data  map[string]any `json:"data,omitempty"` // text as a list of lines, pictures as a string
	Value string         `json:"evalue,omitempty"`
}

type cell struct {
	Type     string         `json:"cell_type"`
	ID       string         `json:"id"`
	Metadata map[string]any `json:"metadata"`
	Source   any            `json:"source"`
	Count    *int           `json:"execution_count"`
	Outputs  []output       `json:"outputs"`
}

type notebook struct {
	Format   int            `json:"nbformat"`
	Minor    int            `json:"nbformat_minor"`
	Metadata map[string]any `json:"metadata"`
	Cells    []cell         `json:"cells"`
}

// text returns what cell i wrote to the stream ("stdout" or "stderr").
func (nb notebook) text(i int, stream string) string {
	var b strings.Builder
	for _, out := range nb.Cells[i].Outputs {
		if out.Name == stream {
			b.WriteString(strings.Join(out.Text, ""))
		}
	}
	return b.String()
}

// newNotebook returns a notebook of the given code cells, none of them executed.
func newNotebook(sources ...string) notebook {
	nb := notebook{Format: 4, Minor: 5, Metadata: map[string]any{
		"kernelspec": map[string]string{"name": "sd", "display_name": "Go (samediff)", "language": "go"},
	}}
	for i, source := range sources {
		nb.Cells = append(nb.Cells, cell{
			Type: "code", ID: string(rune('a' + i)), Source: source,
			Metadata: map[string]any{}, Outputs: []output{},
		})
	}
	return nb
}

// write stores nb in a temporary folder and returns its path.
func (nb notebook) write(t *testing.T) string {
	t.Helper()
	data, err := json.Marshal(nb)
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), "nb.ipynb")
	if err := os.WriteFile(path, data, 0o644); err != nil {
		t.Fatal(err)
	}
	return path
}

func read(t *testing.T, path string) (nb notebook) {
	t.Helper()
	if err := json.Unmarshal(readBytes(t, path), &nb); err != nil {
		t.Fatalf("%s: %v", path, err)
	}
	return nb
}

func readBytes(t *testing.T, path string) []byte {
	t.Helper()
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return data
}

// run executes the notebook runner and returns what it printed, on both streams, and its exit status.
// The module proxy is off: a cell must do with what go.mod pins.
func run(t *testing.T, args ...string) (printed string, status int) {
	t.Helper()
	python := filepath.Join(root, ".venv", "bin", "python")
	for _, needed := range []string{python, filepath.Join(root, ".tools", "bin", "gonb")} {
		if _, err := os.Stat(needed); err != nil {
			t.Fatalf(`%s is missing: the notebook tests need the set-up, run "make setup" (or "make test") first`, needed)
		}
	}
	// Reading them tells go test's cache that results depend on these files.
	for _, used := range []string{"run_notebooks.py", "sd/start.sh", "sd/kernel.json", "shim/go", "requirements.txt", "../tools/go.mod", "../go.mod"} {
		readBytes(t, used)
	}
	cmd := exec.Command(python, append([]string{"-I", "run_notebooks.py"}, args...)...)
	cmd.Env = append(os.Environ(), "GOPROXY=off")
	return finish(t, cmd)
}

// finish runs cmd to its end, with its output and exit status.
func finish(t *testing.T, cmd *exec.Cmd) (printed string, status int) {
	t.Helper()
	out, err := cmd.CombinedOutput()
	if exit := (*exec.ExitError)(nil); err != nil && !errors.As(err, &exit) {
		t.Fatalf("%s: %v", cmd, err)
	}
	return string(out), cmd.ProcessState.ExitCode()
}

func wantText(t *testing.T, what, text string, wanted ...string) {
	t.Helper()
	for _, want := range wanted {
		if !strings.Contains(text, want) {
			t.Errorf("%s: expected %q in\n%s", what, want, text)
		}
	}
}

// A cell imports a module of go.mod in exactly the version pinned there, without asking the network; it
// runs in the notebook's folder, knows the repository, and prints in order. A second run gives the same bytes.
func TestExecutes(t *testing.T) {
	t.Parallel()
	pinned := regexp.MustCompile(`gonum\.org/v1/gonum (v\S+)`).FindSubmatch(readBytes(t, "../go.mod"))
	if pinned == nil {
		t.Fatal("go.mod does not require gonum.org/v1/gonum, which this test imports in a cell")
	}
	path := newNotebook(
		`import "gonum.org/v1/gonum/stat"`,
		`%%
fmt.Println("mean", stat.Mean([]float64{1, 2, 6}, nil))
fmt.Fprintln(os.Stderr, "to stderr")
info, _ := debug.ReadBuildInfo()
for _, m := range info.Deps {
	fmt.Println(m.Path, m.Version)
}`,
		`%%bash
echo "$SD_ROOT"
pwd -P`,
		`%%
for i := range 3 {
	gonbui.UpdateHtml("bar", fmt.Sprintf("<progress value=%d max=3>", i))
}
gonbui.UpdateHtml("bar", "")
gonbui.DisplayHtml("<b>shown</b>")
gonbui.Sync()`,
		`%%
gonbui.SendData(&protocol.DisplayData{
	Data:     map[protocol.MIMEType]any{protocol.MIMEImagePNG: []byte("pixels")},
	Metadata: map[string]any{"alt": "loss < 1 & falling"},
})
gonbui.Sync()`,
	).write(t)
	source := readBytes(t, path)
	out := t.TempDir()

	printed, status := run(t, "--out", out, "--html", "--timings", path)
	if status != 0 {
		t.Fatalf("exit status %d:\n%s", status, printed)
	}
	wantText(t, "printed", printed, "ok  ", "5 cells", "[ 3] ")
	if !bytes.Equal(readBytes(t, path), source) {
		t.Error("--out changed the notebook itself")
	}

	executed := filepath.Join(out, "nb.ipynb")
	nb := read(t, executed)
	wantText(t, "cell 2", nb.text(1, "stdout"), "mean 3\n", "gonum.org/v1/gonum "+string(pinned[1])+"\n")
	if got, want := nb.text(1, "stderr"), "to stderr\n"; got != want {
		t.Errorf("stderr of cell 2 = %q, want %q", got, want)
	}
	folder, err := filepath.EvalSymlinks(filepath.Dir(path))
	if err != nil {
		t.Fatal(err)
	}
	if got, want := nb.text(2, "stdout"), root+"\n"+folder+"\n"; got != want {
		t.Errorf("cell 3 wrote %q, want SD_ROOT and the notebook's folder, %q", got, want)
	}
	// The progress bar, cleared at the end, leaves nothing.
	if outs := nb.Cells[3].Outputs; len(outs) != 1 || fmt.Sprint(outs[0].Data["text/html"]) != "[<b>shown</b>]" {
		t.Errorf("outputs of cell 4 = %+v, want only <b>shown</b>", outs)
	}
	wantText(t, "page", string(readBytes(t, filepath.Join(out, "nb.html"))), "<b>shown</b>", "mean 3",
		`<img alt="loss &lt; 1 &amp; falling"`)

	first := readBytes(t, executed)
	if printed, status := run(t, path); status != 0 { // now in place
		t.Fatalf("exit status %d:\n%s", status, printed)
	}
	if !bytes.Equal(readBytes(t, path), first) {
		t.Error("two runs of one notebook gave different bytes")
	}
}

// Whatever way a cell fails, the runner says which cell and why, exits with 1, keeps what ran until then and
// runs nothing after it.
func TestFailures(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name, source string
		args         []string
		printed      []string
	}{
		{"panic", "%%\nfmt.Println(\"partial\")\npanic(\"boom\")", nil, []string{"panic: boom", "[[ Cell [2] Line 3 ]]", "exit status 2"}},
		{"exit", "%%\nfmt.Println(\"partial\")\nfmt.Fprintln(os.Stderr, \"no model\")\nos.Exit(3)", nil, []string{"no model", "exit status 3"}},
		{"compile", "%%\nfmt.Println(\"partial\")\nunused := 1", nil, []string{"Line 3", "declared and not used: unused"}},
		{"module", "import \"example.com/not/required\"\n%%\nfmt.Println(required.X)", nil, []string{"example.com/not/required"}},
		{"bash", "%%bash\necho partial\nexit 4", nil, []string{"a shell command of this cell failed: exit status 4"}},
		{"line", "!echo partial; false\n%%\nfmt.Println(\"go on\")", nil, []string{"a shell command of this cell failed: exit status 1"}},
		{"timeout", "%%\ntime.Sleep(time.Hour)", nil, nil}, // both below
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			var path, printed string
			var status int
			for try := range 20 {
				if test.name == "timeout" { // on a busy machine the first cell may not be compiled in 5 s: give it longer
					seconds := fmt.Sprint(5 << min(try, 6))
					test.args, test.printed = []string{"--timeout", seconds}, []string{"still running after " + seconds + " s"}
				}
				path = newNotebook("%%\nfmt.Println(\"before\")", test.source, "%%\nfmt.Println(\"after\")").write(t)
				printed, status = run(t, append(test.args, path)...)
				// GoNB looks for the cell's line in each piece of the stack trace that it reads. On a
				// busy machine the line comes in two, and is not found: see that again.
				again := test.name == "panic" && !strings.Contains(printed, "[[ Cell") || test.name == "timeout" && strings.Contains(printed, "cell [1]")
				if !again {
					break
				}
			}
			if status != 1 {
				t.Errorf("exit status %d, want 1", status)
			}
			wantText(t, "printed", printed, append(test.printed, "FAIL", "cell [2]", "1 of 1 notebooks failed")...)

			nb := read(t, path)
			wantText(t, "cell 1", nb.text(0, "stdout"), "before")
			if strings.Contains(test.source, "partial") && test.name != "compile" {
				wantText(t, "cell 2", nb.text(1, "stdout"), "partial")
			}
			if outs := nb.Cells[2].Outputs; len(outs) != 0 || nb.Cells[2].Count != nil {
				t.Errorf("cell 3 ran after the failure: %+v", outs)
			}
		})
	}
}

// One failing notebook does not keep the others from running; a cell that is meant to fail is tagged.
func TestOthersStillRun(t *testing.T) {
	t.Parallel()
	meant := newNotebook("!false", "%%\nfmt.Println(\"reached\")")
	meant.Cells[0].Metadata["tags"] = []string{"raises-exception"}
	bad, good := newNotebook("%%bash\nfalse").write(t), meant.write(t)
	printed, status := run(t, bad, good)
	if status != 1 {
		t.Errorf("exit status %d, want 1", status)
	}
	wantText(t, "printed", printed, "FAIL  "+bad, "ok    "+good, "1 of 2 notebooks failed")
	wantText(t, "cell 2", read(t, good).text(1, "stdout"), "reached")
}

// --check accepts other numbers, as another machine gives them, and finds other words and missing outputs.
// It writes nothing.
func TestCheck(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name   string
		held   []output
		status int
	}{
		{"other number", []output{{Type: "stream", Name: "stdout", Text: []string{"accuracy  .9 after 11 epochs\n"}}}, 0},
		{"other words", []output{{Type: "stream", Name: "stdout", Text: []string{"loss .97 after 9 epochs\n"}}}, 1},
		{"never executed", []output{}, 1},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			nb := newNotebook("%%\nfmt.Println(\"accuracy .975 after 9 epochs\")")
			nb.Cells[0].Outputs = test.held
			path := nb.write(t)
			before := readBytes(t, path)
			printed, status := run(t, "--check", path)
			if status != test.status {
				t.Errorf("exit status %d, want %d:\n%s", status, test.status, printed)
			}
			if test.status == 1 {
				wantText(t, "printed", printed, "+  stdout: accuracy # after # epochs", "make notebooks NB="+path)
			}
			if !bytes.Equal(readBytes(t, path), before) {
				t.Error("--check changed the notebook")
			}
		})
	}
}

// What cannot be run at all is refused with the reason.
func TestBadNotebooks(t *testing.T) {
	t.Parallel()
	noKernel := newNotebook("%%")
	noKernel.Metadata["kernelspec"] = map[string]string{"name": "nosuch", "display_name": "", "language": "go"}
	truncated := newNotebook("%%").write(t)
	if err := os.Truncate(truncated, 50); err != nil {
		t.Fatal(err)
	}
	tests := []struct{ name, path, printed string }{
		{"truncated", truncated, "not a readable notebook"},
		{"kernel", noKernel.write(t), `no kernel "nosuch"; this repository's is "sd"`},
		{"missing", filepath.Join(t.TempDir(), "none.ipynb"), "no notebook "},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			printed, status := run(t, test.path)
			if status == 0 {
				t.Error("exit status 0")
			}
			wantText(t, "printed", printed, test.printed)
			if strings.Contains(printed, "Traceback") {
				t.Errorf("a Python traceback instead of an error:\n%s", printed)
			}
		})
	}
}

// The kernel's go does not do GoNB's "go get", which takes newer versions than go.mod pins, and all else.
func TestShim(t *testing.T) {
	t.Parallel()
	real := filepath.Join(t.TempDir(), "go")
	if err := os.WriteFile(real, []byte("#!/bin/sh\necho \"$#:$*\"\nexit 7\n"), 0o755); err != nil {
		t.Fatal(err)
	}
	tests := []struct {
		args    []string
		printed string
		status  int
	}{
		{[]string{"get"}, "", 0},
		{[]string{"get", "-t"}, "", 0},
		{[]string{"get", "example.com/m"}, "2:get example.com/m\n", 7},
		{[]string{"build", "-o", "a b"}, "3:build -o a b\n", 7},
	}
	for _, test := range tests {
		cmd := exec.Command("shim/go", test.args...)
		cmd.Env = append(os.Environ(), "SD_REAL_GO="+real)
		if printed, status := finish(t, cmd); printed != test.printed || status != test.status {
			t.Errorf("go %q printed %q with exit status %d, want %q and %d", test.args, printed, status, test.printed, test.status)
		}
	}
}
