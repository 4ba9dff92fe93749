//go:build unix

package nb_test

import (
	"bytes"
	"encoding/gob"
	"errors"
	"image"
	_ "image/jpeg"
	_ "image/png"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"reflect"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/janpfeifer/gonb/gonbui/protocol"
)

const cellVariable = "NB_TEST_CELL"

func TestMain(m *testing.M) {
	if name := os.Getenv(cellVariable); name != "" {
		cells[name]()
		return
	}
	os.Exit(m.Run())
}

// result is what a cell's program left.
type result struct {
	outputs        []*protocol.DisplayData // as a notebook keeps them, updates applied
	messages       int                     // display messages in all
	unsynced       int                     // messages that the program did not wait for: GoNB loses them
	stdout, stderr string
	exit           int
}

// run runs a cell's program. env adds to its environment.
func run(t *testing.T, name string, env ...string) *result {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), os.Args[0])
	var stdout, stderr bytes.Buffer
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	cmd.Env = append(os.Environ(), append(env, cellVariable+"="+name)...)
	cmd.WaitDelay = time.Minute // of a busy machine; else for ever where something holds the output open
	err := cmd.Run()
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) {
		t.Fatal(err)
	}
	return &result{stdout: stdout.String(), stderr: stderr.String(), exit: cmd.ProcessState.ExitCode()}
}

// runInNotebook runs a cell's program with a stand-in for GoNB at the other end of
// its two pipes. It speaks GoNB's protocol as the kernel's own reader does.
func runInNotebook(t *testing.T, name string) *result {
	t.Helper()
	dir := t.TempDir()
	toKernel, fromKernel := filepath.Join(dir, "out"), filepath.Join(dir, "back")
	for _, path := range []string{toKernel, fromKernel} {
		if err := syscall.Mkfifo(path, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	// Opened for both directions a pipe does not wait for its other end, and holds
	// the end open that the program may never open.
	hold, back := open(t, toKernel, os.O_RDWR), open(t, fromKernel, os.O_RDWR)
	defer back.Close()
	in := open(t, toKernel, os.O_RDONLY)
	defer in.Close()

	served := make(chan *result)
	go func() { served <- serve(t, in, back) }()
	r := run(t, name, protocol.GONB_PIPE_ENV+"="+toKernel, protocol.GONB_PIPE_BACK_ENV+"="+fromKernel)
	hold.Close() // with the program gone this is the end of in
	notebook := <-served
	r.outputs, r.messages = notebook.outputs, notebook.messages
	if notebook.unsynced > 0 {
		t.Errorf("%s: the program ended without waiting for its last %d outputs", name, notebook.unsynced)
	}
	return r
}

func open(t *testing.T, path string, flag int) *os.File {
	t.Helper()
	f, err := os.OpenFile(path, flag, 0)
	if err != nil {
		t.Fatal(err)
	}
	return f
}

// serve reads messages until no writer is left and answers requests to sync.
func serve(t *testing.T, in io.Reader, back io.Writer) *result {
	r := &result{}
	decoder, encoder := gob.NewDecoder(in), gob.NewEncoder(back)
	byID := map[string]int{}
	for {
		data := &protocol.DisplayData{}
		if err := decoder.Decode(data); err != nil {
			if err != io.EOF {
				t.Error(err)
			}
			return r
		}
		if value, ok := data.Data[protocol.MIMECommValue].(protocol.CommValue); ok {
			r.unsynced = 0
			if err := encoder.Encode(&protocol.CommValue{Address: protocol.GonbuiSyncAckAddress, Value: value.Value}); err != nil {
				t.Error(err)
			}
			continue
		}
		r.messages++
		r.unsynced++
		at, known := byID[data.DisplayID]
		if known && data.DisplayID != "" {
			r.outputs[at] = data
			continue
		}
		byID[data.DisplayID] = len(r.outputs)
		r.outputs = append(r.outputs, data)
	}
}

// plain returns the plain text of each output, or its type where it has none.
func (r *result) plain() (texts []string) {
	for _, o := range r.outputs {
		if s, ok := o.Data[protocol.MIMETextPlain].(string); ok {
			texts = append(texts, s)
		} else if s, ok := o.Data[protocol.MIMETextMarkdown].(string); ok {
			texts = append(texts, "markdown "+s)
		}
	}
	return texts
}

func TestOrderInNotebook(t *testing.T) {
	r := runInNotebook(t, "order")
	want := []string{
		"first\nsecond",
		"A chart. Line chart of values over position. Line 1: largest value 2 at 1.",
		"third 3",
		"markdown **fourth**",
		"set     accuracy\n------  --------\n<test>     0.500",
		"last",
	}
	if got := r.plain(); !reflect.DeepEqual(got, want) {
		t.Errorf("outputs are\n%q, expected\n%q", got, want)
	}
	if r.stdout != "" || r.stderr != "" || r.exit != 0 {
		t.Errorf("stdout %q, stderr %q, exit %d, expected nothing and 0", r.stdout, r.stderr, r.exit)
	}
	html, _ := r.outputs[4].Data[protocol.MIMETextHTML].(string)
	if !strings.Contains(html, "<td style=\"text-align: left\">&lt;test&gt;</td>") {
		t.Errorf("the table's HTML is %q", html)
	}

	figure := r.outputs[1]
	picture, _ := figure.Data[protocol.MIMEImagePNG].([]byte)
	img, format, err := image.Decode(bytes.NewReader(picture))
	if err != nil || format != "png" || img.Bounds().Dx() != 2*3*96 {
		t.Errorf("the picture is %s, %v (%v), expected a PNG 576 pixels wide", format, img, err)
	}
	wantMeta := map[string]any{"image/png": map[string]int{"width": 288}, "alt": want[1]}
	if !reflect.DeepEqual(figure.Metadata, wantMeta) {
		t.Errorf("metadata is %v, expected %v", figure.Metadata, wantMeta)
	}
}

// A page of 5 MB arrives whole, and its text beside it.
func TestHTML(t *testing.T) {
	r := runInNotebook(t, "page")
	if len(r.outputs) != 1 {
		t.Fatalf("%d outputs, expected 1 (%s)", len(r.outputs), r.stderr)
	}
	html, _ := r.outputs[0].Data[protocol.MIMETextHTML].(string)
	if !strings.HasPrefix(html, "<b>&</b>a large") || len(html) != 8+13*400_000 || !reflect.DeepEqual(r.plain(), []string{"what it shows"}) {
		t.Errorf("%d bytes of HTML and the text %q", len(html), r.plain())
	}
	if r := run(t, "page"); r.stdout != "" || r.stderr != "" || r.exit != 0 {
		t.Errorf("outside a notebook: stdout %q, stderr %q, exit %d, expected nothing and 0", r.stdout, r.stderr, r.exit)
	}
}

func TestOutsideNotebook(t *testing.T) {
	r := run(t, "order")
	want := "first\nsecond\nthird 3\n**fourth**\nset     accuracy\n------  --------\n<test>     0.500\nlast\n"
	if r.stdout != want || r.stderr != "" || r.exit != 0 {
		t.Errorf("stdout %q, stderr %q, exit %d, expected stdout %q", r.stdout, r.stderr, r.exit, want)
	}
}

// GoNB's variables without its pipes: a program that a cell has started and that
// outlives it. Text goes to standard output.
func TestStaleEnvironment(t *testing.T) {
	gone := filepath.Join(t.TempDir(), "gone")
	r := run(t, "order", protocol.GONB_PIPE_ENV+"="+gone, protocol.GONB_PIPE_BACK_ENV+"="+gone)
	if !strings.HasPrefix(r.stdout, "first\nsecond\n") || r.exit != 0 {
		t.Errorf("stdout %q, stderr %q, exit %d", r.stdout, r.stderr, r.exit)
	}
}

func TestPhotosAreJPEG(t *testing.T) {
	r := runInNotebook(t, "photos")
	if len(r.outputs) != 1 {
		t.Fatalf("%d outputs, expected 1 (%s)", len(r.outputs), r.stderr)
	}
	picture, _ := r.outputs[0].Data["image/jpeg"].([]byte)
	if _, format, err := image.Decode(bytes.NewReader(picture)); err != nil || format != "jpeg" {
		t.Errorf("format %q (%v), expected jpeg", format, err)
	}
	if _, ok := r.outputs[0].Metadata["image/jpeg"].(map[string]int); !ok {
		t.Errorf("metadata is %v", r.outputs[0].Metadata)
	}
}

// A live figure has one place, below what was shown before its first call; the last
// one stays, with its picture and its size on screen.
func TestLiveInNotebook(t *testing.T) {
	r := runInNotebook(t, "live")
	alt := func(title string) string {
		return title + ". Line chart of values over position. Line 1: largest value 2 at 1."
	}
	want := []string{"before", alt("Last"), "during", alt("Another"), "after"}
	if got := r.plain(); !reflect.DeepEqual(got, want) {
		t.Errorf("outputs are\n%q, expected\n%q", got, want)
	}
	if r.messages != 10 {
		t.Errorf("%d messages, expected 10: three texts and seven figures", r.messages)
	}
	last := r.outputs[1]
	if _, ok := last.Data[protocol.MIMEImagePNG].([]byte); !ok {
		t.Errorf("the last figure has no picture: %v", last.Data)
	}
	if meta := map[string]any{"image/png": map[string]int{"width": 288}, "alt": alt("Last")}; !reflect.DeepEqual(last.Metadata, meta) {
		t.Errorf("metadata is %v, expected %v", last.Metadata, meta)
	}
	if r.stdout != "" || r.stderr != "" || r.exit != 0 {
		t.Errorf("stdout %q, stderr %q, exit %d, expected nothing and 0", r.stdout, r.stderr, r.exit)
	}
}

func TestLiveOutsideNotebook(t *testing.T) {
	if r := run(t, "live"); r.stdout != "before\nduring\nafter\n" || r.stderr != "" || r.exit != 0 {
		t.Errorf("stdout %q, stderr %q, exit %d, expected the three texts alone", r.stdout, r.stderr, r.exit)
	}
}

func TestProgressInNotebook(t *testing.T) {
	r := runInNotebook(t, "progress")
	want := []string{
		"before",
		"train: 100 of 100 images  loss .1   val .9",
		"during",
		"count: 3 heads",
		"bench  100%  8/8 steps  4.00 steps/s  in 2s",
	}
	if got := r.plain(); !reflect.DeepEqual(got, want) {
		t.Errorf("outputs are\n%q, expected\n%q", got, want)
	}
	if r.messages != 6 {
		t.Errorf("%d messages, expected 6: one is an update in place", r.messages)
	}
	for _, o := range r.outputs {
		if _, left := o.Data[protocol.MIMETextHTML]; left {
			t.Errorf("a bar is left: %v", o.Data)
		}
	}
	if r.stdout != "" || r.stderr != "" {
		t.Errorf("stdout %q, stderr %q, expected nothing", r.stdout, r.stderr)
	}
}

func TestProgressOutsideNotebook(t *testing.T) {
	r := run(t, "progress")
	if r.stdout != "before\nduring\n" {
		t.Errorf("stdout is %q", r.stdout)
	}
	if !strings.Contains(r.stderr, "train") || !strings.Contains(r.stderr, "loss .1") {
		t.Errorf("stderr is %q, expected the progress", r.stderr)
	}
}

func TestParallel(t *testing.T) {
	if r := runInNotebook(t, "parallel"); len(r.outputs) != 80 || r.exit != 0 {
		t.Errorf("%d outputs, exit %d, expected 80 and 0", len(r.outputs), r.exit)
	}
}

// Both in a notebook and outside: the plain message, status 1, no stack, and what
// was shown before stays.
func TestMust(t *testing.T) {
	for name, want := range map[string]string{
		"must":      "open missing.safetensors: no such file or directory\n",
		"hint":      "load: no plugin found\nhint: run: make setup\n",
		"badpage":   "a page without images\n",
		"badfigure": "figure: heat map: no cells: Values is empty\n",
		"badlive":   "figure: heat map: no cells: Values is empty\n",
		"badtable":  "figure: table \"t\": Columns is empty\n",
	} {
		in, outside := runInNotebook(t, name), run(t, name)
		for place, r := range map[string]*result{"in": in, "outside": outside} {
			if r.stderr != want || r.exit != 1 {
				t.Errorf("%s, %s a notebook: stderr %q, exit %d, expected %q and 1", name, place, r.stderr, r.exit, want)
			}
		}
		if name == "must" {
			if got := in.plain(); !reflect.DeepEqual(got, []string{"shown before"}) {
				t.Errorf("outputs are %q", got)
			}
			if outside.stdout != "shown before\n" {
				t.Errorf("stdout is %q", outside.stdout)
			}
		}
	}
}
