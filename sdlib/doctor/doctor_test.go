package doctor

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"samediff/sdlib/artifact"
	"samediff/sdlib/backend"
)

// want fails the test unless a finding has a state, says all of the parts, and how to mend it where something is to mend.
func want(t *testing.T, f Finding, state State, parts ...string) {
	t.Helper()
	if f.State != state {
		t.Errorf("%s is %q, want %q: %s", f.Name, f.State, state, f.Detail)
	}
	for _, part := range parts {
		if !strings.Contains(f.Detail, part) {
			t.Errorf("%s does not say %q: %s", f.Name, part, f.Detail)
		}
	}
	if (f.Mend == "") != (f.State == OK) {
		t.Errorf("%s is %q, and to mend it: %q", f.Name, f.State, f.Mend)
	}
}

func TestHealthy(t *testing.T) {
	if !Healthy([]Finding{ok("a", ""), absent("b", "", "")}) {
		t.Error("what is absent and not needed makes the machine ill")
	}
	if Healthy([]Finding{ok("a", ""), failed("b", "", "")}) {
		t.Error("a failure is overlooked")
	}
}

func TestRecent(t *testing.T) {
	for version, want := range map[string]bool{
		"go1.26": true, "go1.26.5": true, "go1.27rc1": true, "go1.100.1": true, "devel go1.27-abc": true,
		"go1.25.9": false, "go1.9": false, "go1.": false, "": false,
	} {
		if got := recent(version); got != want {
			t.Errorf("recent(%q) is %v, want %v", version, got, want)
		}
	}
}

// The Go that runs this test is recent enough, by go.mod.
func TestToolchain(t *testing.T) {
	t.Setenv("CGO_ENABLED", "0")
	found := toolchain(context.Background(), "")
	if len(found) != 2 {
		t.Fatalf("%d findings, want 2: %v", len(found), found)
	}
	want(t, found[0], OK, "1.", "go")
	want(t, found[1], Absent, "CGO_ENABLED=0")

	t.Setenv("PATH", t.TempDir())
	found = toolchain(context.Background(), "")
	want(t, found[0], Failed, `no "go" in PATH`)
}

func TestCompiler(t *testing.T) {
	want(t, compiler(context.Background(), "1", "no-such-compiler -O2"), Failed, "no-such-compiler -O2 does not compile")
	dir := t.TempDir()
	script := filepath.Join(dir, "cc")
	text := "#!/bin/sh\ncase $1 in --version) echo 'mini C 3'; echo more;; *) echo 'no header' >&2; exit 1;; esac\n"
	if err := os.WriteFile(script, []byte(text), 0o755); err != nil {
		t.Fatal(err)
	}
	want(t, compiler(context.Background(), "1", script), Failed, "no header")
	if err := os.WriteFile(script, []byte(strings.Replace(text, "exit 1", "exit 0", 1)), 0o755); err != nil {
		t.Fatal(err)
	}
	if f := compiler(context.Background(), "1", script); f.State != OK || f.Detail != "mini C 3" {
		t.Errorf("got %+v, want ok and the first line of the version", f)
	}
}

func TestNotebooks(t *testing.T) {
	for _, f := range notebooks(context.Background(), "") {
		want(t, f, Absent, "not in the repository")
	}
	root := t.TempDir()
	for _, f := range notebooks(context.Background(), root) {
		want(t, f, Failed)
	}

	// A repository whose Python answers as a real one would.
	bash, err := exec.LookPath("sh")
	if err != nil {
		t.Fatal(err)
	}
	kernels := filepath.Join(root, "kernels", "sd")
	for _, dir := range []string{".venv/bin", ".tools/bin", "kernels/sd", "elsewhere"} {
		if err := os.MkdirAll(filepath.Join(root, dir), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	python := func(finds string) {
		text := fmt.Sprintf("#!%s\ncase $3 in *kernelspec*) echo '%s';; *) echo 'Python 3.12.1, jupyterlab 4.0.0';; esac\n", bash, finds)
		if err := os.WriteFile(filepath.Join(root, ".venv/bin/python"), []byte(text), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	python(kernels)
	found := notebooks(context.Background(), root)
	want(t, found[0], OK, "Python 3.12.1, jupyterlab 4.0.0")
	want(t, found[1], Failed, "gonb")
	tools := func(text string) {
		for _, tool := range []string{"gonb", "goimports"} {
			if err := os.WriteFile(filepath.Join(root, ".tools/bin", tool), []byte(text), 0o755); err != nil {
				t.Fatal(err)
			}
		}
	}
	tools("#!/bin/sh\n")
	want(t, notebooks(context.Background(), root)[1], Failed, "gonb does not answer", "it prints nothing")
	tools("")
	want(t, notebooks(context.Background(), root)[1], Failed, "gonb does not answer")
	tools("#!/bin/sh\necho here\n")
	want(t, notebooks(context.Background(), root)[1], OK, kernels)
	python(filepath.Join(root, "elsewhere"))
	want(t, notebooks(context.Background(), root)[1], Failed, "another kernel", "elsewhere")
}

// A GPU that does not work is no failure where the CPU does, and what to do depends on what is missing.
func TestBackends(t *testing.T) {
	fails := func(name string, be *backend.Backend, message string) Probe {
		return Probe{Status: backend.Status{Name: name, Backend: be, Err: errors.New(message)}, Wrong: message}
	}
	xla := &backend.Backend{Choice: backend.CPU, Platform: "cpu"}
	works := Probe{Status: backend.Status{Name: backend.CPU, Backend: xla, Plugin: "/p.so", Version: "0.81", Devices: 1, Result: "54"}}
	plain := Probe{Status: backend.Status{Name: backend.Go, Backend: &backend.Backend{Choice: backend.Go, Platform: backend.Go}, Result: "54"}}

	found := each([]Probe{fails(backend.CUDA, nil, "no kernel image"), works, plain})
	want(t, found[0], Absent, "no kernel image")
	want(t, found[1], OK, "54, PJRT 0.81, 1 device, /p.so")
	want(t, found[2], OK, "54")
	if !strings.Contains(found[0].Mend, "nvidia-smi") {
		t.Errorf("a GPU that fails for a reason of its own: to mend it, %q", found[0].Mend)
	}

	gpu := &backend.Backend{Choice: backend.CUDA, Platform: "cuda", Missing: []string{"libcudnn.so.9"}}
	found = each([]Probe{fails(backend.CUDA, gpu, "no DNN library"), fails(backend.CPU, nil, "no plugin"), plain})
	want(t, found[0], Absent, "no DNN library")
	want(t, found[1], Failed, "no plugin") // nothing fast is left
	if !strings.Contains(found[0].Mend, "libcudnn.so.9") || !strings.Contains(found[0].Mend, "make cuda") {
		t.Errorf("a GPU without cuDNN: to mend it, %q", found[0].Mend)
	}
	found = each([]Probe{{Status: backend.Status{Name: backend.CUDA, Backend: gpu, Plugin: "/c.so", Version: "0.115", Devices: 1, Result: "54"}}, fails(backend.CPU, nil, "no plugin"), plain})
	want(t, found[0], OK, "without libcudnn.so.9")
	want(t, found[1], Absent, "no plugin")

	for _, f := range backends(t.Context(), nil, backend.Go) { // of this machine
		if (f.Mend == "") != (f.State == OK) {
			t.Errorf("%s is %q, and to mend it: %q", f.Name, f.State, f.Mend)
		}
	}
	want(t, backends(t.Context(), nil, "abacus")[len(backend.Names)], Failed, `backend "abacus" is unknown`)
}

func TestStorage(t *testing.T) {
	dir := t.TempDir()
	found := storage(context.Background(), filepath.Join(dir, "not", "yet", "made"))
	want(t, found[0], OK, "0 results", "writable")
	if left, _ := os.ReadDir(dir); len(left) != 0 {
		t.Errorf("the examination leaves %v behind", left)
	}

	file := filepath.Join(dir, "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	want(t, storage(context.Background(), file)[0], Failed, "is no folder")

	s, err := artifact.Open(filepath.Join(dir, "store"))
	if err != nil {
		t.Fatal(err)
	}
	a, err := s.Get(context.Background(), artifact.Key{Step: "test"}, func(_ context.Context, dir string) error {
		return os.WriteFile(filepath.Join(dir, "data"), []byte("data"), 0o600)
	})
	if err != nil {
		t.Fatal(err)
	}
	want(t, storage(context.Background(), s.Dir())[0], OK, "1 results")
	if err := os.Truncate(a.Path("data"), 1); err != nil {
		t.Fatal(err)
	}
	want(t, storage(context.Background(), s.Dir())[0], Absent, "1 of 1 results are damaged")

	want(t, disk(filepath.Join(dir, "nowhere")), Failed, "nowhere")
}

func ExampleExamine() {
	findings := Examine(context.Background(), Options{Backend: "go", Store: os.TempDir()})
	for _, f := range findings {
		if f.Name == "Backend taken" {
			fmt.Println(f.State, f.Name+":", f.Detail)
		}
	}
	// Output: ok Backend taken: go: asked for by name
}
