package kernels_test

import (
	"bytes"
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"
)

// ends waits until the processes that the script names, those of gopls, are gone with their kernel, which it killed.
func ends(t *testing.T, printed string) {
	t.Helper()
	_, list, found := strings.Cut(printed, "gopls ")
	list, _, _ = strings.Cut(list, "\n")
	pids := strings.Fields(list)
	if !found || len(pids) == 0 {
		t.Errorf("the kernel ran no gopls:\n%s", printed)
	}
	for _, pid := range pids {
		for begin := time.Now(); alive(pid); time.Sleep(100 * time.Millisecond) { // the shim looks every two seconds, on a busy machine later
			if time.Since(begin) > time.Minute {
				t.Errorf("gopls (process %s) is alive a minute after its kernel was killed", pid)
				break
			}
		}
	}
}

// alive reports whether a process runs. One that has ended is listed until its parent asks for its status, which is for ever where the
// first process of a container does not care.
func alive(pid string) bool {
	stat, err := os.ReadFile(filepath.Join("/proc", pid, "stat"))
	return err == nil && !bytes.Contains(stat, []byte(") Z "))
}

// Tab lists the names of a package, in a cell that does not compile yet too, and Shift-Tab shows what they mean. How long the
// first request takes is logged.
func TestHelp(t *testing.T) {
	t.Parallel()
	if _, err := os.Stat(filepath.Join(root, ".tools", "bin", "gopls")); err != nil {
		t.Fatal(`gopls is missing: this test needs the whole set-up, run "make setup" first`)
	}
	for _, used := range []string{"testdata/ask.py", "sd/start.sh", "sd/kernel.json", "requirements.txt", "shim/help/gopls", "../tools/gopls/go.mod", "../go.mod"} {
		readBytes(t, used) // go test's cache learns that the result depends on them
	}
	type request struct {
		Kind string `json:"kind"`
		Code string `json:"code"`
		At   int    `json:"at"`
	}
	const (
		half  = "import \"samediff/sdlib/vit\"\n\n%%\nvar c vit.Co"
		whole = "import \"samediff/sdlib/vit\"\n\n%%\nvar c vit.Config\n_ = c.Nodes()\n"
	)
	asked, err := json.Marshal([]request{
		{"complete", half, len(half)},
		{"complete", half, len(half)},
		{"inspect", whole, strings.Index(whole, "Nodes") + 2},
	})
	if err != nil {
		t.Fatal(err)
	}
	kernels := t.TempDir()
	if err := os.Symlink(filepath.Join(root, "kernels", "sd"), filepath.Join(kernels, "sd")); err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(filepath.Join(root, ".venv", "bin", "python"), "-I", "testdata/ask.py", kernels)
	cmd.Stdin = bytes.NewReader(asked)
	cmd.Env = append(os.Environ(), "GOPROXY=off")
	printed, status := finish(t, cmd)
	if status != 0 {
		t.Fatalf("exit status %d:\n%s", status, printed)
	}
	if runtime.GOOS == "linux" { // which lists processes in /proc
		ends(t, printed)
	}
	type reply struct {
		Content struct {
			Status  string            `json:"status"`
			Matches []string          `json:"matches"`
			Data    map[string]string `json:"data"`
		} `json:"content"`
		Attempts int     `json:"attempts"`
		Seconds  float64 `json:"seconds"`
	}
	var replies []reply
	for line := range strings.Lines(printed) {
		var r reply
		if err := json.Unmarshal([]byte(line), &r); err != nil {
			continue // what the kernel itself logs
		}
		replies = append(replies, r)
	}
	if len(replies) != 3 {
		t.Fatalf("%d replies, want 3:\n%s", len(replies), printed)
	}
	for i, r := range replies[:2] {
		t.Logf("completion %d took %.2f s at attempt %d", i+1, r.Seconds, r.Attempts)
		if !slices.Contains(r.Content.Matches, "Config") {
			t.Errorf("completion %d of vit.Co gave %q (%s), want Config among them", i+1, r.Content.Matches, r.Content.Status)
		}
	}
	doc := replies[2].Content.Data["text/markdown"]
	t.Logf("documentation took %.2f s", replies[2].Seconds)
	wantText(t, "documentation of Nodes", doc, "func (c vit.Config) Nodes() []string", "Nodes returns the names of all values")
	if strings.Contains(doc, "pkg.go.dev") {
		t.Errorf("the documentation links to a site that does not know this module:\n%s", doc)
	}
}
