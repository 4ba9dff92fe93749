package kernels_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
)

// sandbox is a repository with nothing but what setup.sh and start.sh read, and a PATH of its own in which
// "go" and "python3" are stand-ins that write what they are asked to do to a log.
type sandbox struct{ dir, bin, log string }

const (
	fakeGo = `#!/bin/sh
case "$*" in
"env GOVERSION") cat "$SANDBOX/goversion" ;;
"env CC") echo cc ;;
"-C tools"*" install "*)
	shift 3
	mkdir -p "$GOBIN"
	for tool; do
		name=${tool##*/}
		echo "$name" >>"$LOG"
		printf '#!/bin/sh\necho here\n' >"$GOBIN/$name"
		chmod +x "$GOBIN/$name"
	done ;;
*) echo "unexpected: go $*" >&2; exit 9 ;;
esac
`
	// The Python of the virtual environment only ever runs pip.
	fakePython = `#!/bin/sh
case "$*" in
"-m venv --clear .venv")
	rm -rf .venv; mkdir -p .venv/bin
	cp "$SANDBOX/venvpython" .venv/bin/python ;;
*) exec "$REAL_PYTHON" "$@" ;;
esac
`
	fakeVenvPython = `#!/bin/sh
case "$*" in
*check_packages.py*)
	if [ -f "$SANDBOX/damaged" ]; then cat "$SANDBOX/damaged" >&2; exit 1; fi
	exit 0 ;;
esac
rm -f "$SANDBOX/damaged"
echo "pip" >>"$LOG"
sleep 0.5
if [ -f "$SANDBOX/offline" ]; then echo "no network" >&2; exit 1; fi
`
)

func newSandbox(t *testing.T) sandbox {
	t.Helper()
	dir, err := filepath.EvalSymlinks(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	s := sandbox{dir: dir, bin: filepath.Join(dir, "path"), log: filepath.Join(dir, "log")}
	for _, name := range []string{"kernels/setup.sh", "kernels/shim/help/gopls", "kernels/sd/start.sh", "kernels/sd/kernel.json", "kernels/requirements.txt", "go.mod", "tools/go.mod", "tools/go.sum", "tools/gopls/go.mod", "tools/gopls/go.sum"} {
		s.put(t, name, string(readBytes(t, filepath.Join(root, name))))
	}
	s.put(t, "path/go", fakeGo)
	s.put(t, "path/python3", fakePython)
	s.put(t, "venvpython", fakeVenvPython)
	s.put(t, "goversion", "go1.26.5\n")
	for _, name := range []string{"bash", "sh", "cat", "cc", "as", "ld", "cp", "chmod", "dirname", "find", "ln", "mkdir", "mktemp", "mv", "readlink", "rm", "sed", "sleep", "uname"} {
		if path, err := exec.LookPath(name); err == nil { // cc may not need as and ld
			if err := os.Symlink(path, filepath.Join(s.bin, name)); err != nil {
				t.Fatal(err)
			}
		}
	}
	return s
}

// link makes .venv of the sandbox a link to a folder elsewhere, as of another checkout.
func link(t *testing.T, s sandbox) {
	t.Helper()
	if err := os.Symlink(t.TempDir(), filepath.Join(s.dir, ".venv")); err != nil {
		t.Fatal(err)
	}
}

// put writes a file of the sandbox, an executable one.
func (s sandbox) put(t *testing.T, name, text string) {
	t.Helper()
	path := filepath.Join(s.dir, name)
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(text), 0o755); err != nil {
		t.Fatal(err)
	}
}

func (s sandbox) command(t *testing.T, name string, args ...string) *exec.Cmd {
	t.Helper()
	python, err := exec.Command("python3", "-c", "import sys; print(sys.executable)").Output()
	if err != nil {
		t.Fatalf("these tests need a python3 in PATH: %v", err)
	}
	cmd := exec.Command(filepath.Join(s.dir, name), args...)
	cmd.Dir = os.TempDir() // anywhere: the scripts find the repository by their own place
	cmd.Env = []string{"PATH=" + s.bin, "SANDBOX=" + s.dir, "LOG=" + s.log, "REAL_PYTHON=" + strings.TrimSpace(string(python))}
	return cmd
}

// setup runs setup.sh and returns what it printed, and its exit status.
func (s sandbox) setup(t *testing.T, args ...string) (printed string, status int) {
	t.Helper()
	return finish(t, s.command(t, "kernels/setup.sh", args...))
}

// did returns what the stand-ins logged since the last call.
func (s sandbox) did(t *testing.T) string {
	t.Helper()
	data, err := os.ReadFile(s.log)
	if err != nil && !os.IsNotExist(err) {
		t.Fatal(err)
	}
	if err := os.RemoveAll(s.log); err != nil {
		t.Fatal(err)
	}
	return strings.ReplaceAll(string(data), "\n", ";")
}

// A second set-up does nothing and says nothing; what changed, and only that, is done again.
func TestSetupAgain(t *testing.T) {
	t.Parallel()
	s := newSandbox(t)
	steps := []struct {
		name   string
		change func()
		did    string
	}{
		{"first", func() {}, "pip;gonb;goimports;"},
		{"second", func() {}, ""},
		{"requirements", func() { s.put(t, "kernels/requirements.txt", "nbclient==0.11.1\n") }, "pip;"},
		{"Go", func() { s.put(t, "goversion", "go1.26.6\n") }, "gonb;goimports;"},
		{"tool removed", func() { os.Remove(filepath.Join(s.dir, ".tools/bin/gonb")) }, "gonb;goimports;"},
		{"Python gone", func() { s.put(t, ".venv/bin/python", "#!/bin/sh\nexit 1\n") }, "pip;"},
		{"tool empty", func() { s.put(t, ".tools/bin/goimports", "") }, "gonb;goimports;"},
		{"package damaged", func() { s.put(t, "damaged", "nbclient/__init__.py is missing\n") }, "pip;"},
		{"killed halfway", func() { os.Remove(filepath.Join(s.dir, ".venv/stamp-python")) }, "pip;"},
		{"nothing", func() {}, ""},
	}
	for _, step := range steps {
		step.change()
		printed, status := s.setup(t)
		if status != 0 {
			t.Fatalf("%s: exit status %d:\n%s", step.name, status, printed)
		}
		if did := s.did(t); did != step.did {
			t.Errorf("%s: did %q, want %q", step.name, did, step.did)
		}
		if step.did == "" && printed != "" {
			t.Errorf("%s: nothing to do, printed %q", step.name, printed)
		}
		link := filepath.Join(s.dir, ".venv/share/jupyter/kernels/sd")
		if to, err := filepath.EvalSymlinks(link); err != nil || to != filepath.Join(s.dir, "kernels/sd") {
			t.Errorf("%s: the kernel link %s leads to %q (%v)", step.name, link, to, err)
		}
	}
}

// Help in cells is a part of its own, which commands and notebooks do without.
func TestSetupHelp(t *testing.T) {
	t.Parallel()
	s := newSandbox(t)
	if printed, status := s.setup(t, "help"); status != 0 {
		t.Fatalf("exit status %d:\n%s", status, printed)
	}
	if did, want := s.did(t), "gopls;"; did != want {
		t.Errorf("did %q, want %q", did, want)
	}
	if printed, status := s.setup(t, "help"); status != 0 || printed != "" || s.did(t) != "" {
		t.Errorf("a second time: exit status %d, printed %q", status, printed)
	}
}

// Of several set-ups at once one works, the others wait and find it done.
func TestSetupAtOnce(t *testing.T) {
	t.Parallel()
	s := newSandbox(t)
	var waiting sync.WaitGroup
	for range 4 {
		waiting.Go(func() {
			if printed, err := s.command(t, "kernels/setup.sh").CombinedOutput(); err != nil {
				t.Errorf("%v:\n%s", err, printed)
			}
		})
	}
	waiting.Wait()
	if did, want := s.did(t), "pip;gonb;goimports;"; did != want {
		t.Errorf("four set-ups at once did %q, want %q", did, want)
	}
}

// A part that failed is not taken for done.
func TestSetupFails(t *testing.T) {
	t.Parallel()
	s := newSandbox(t)
	s.put(t, "offline", "")
	printed, status := s.setup(t)
	if status != 1 {
		t.Errorf("exit status %d, want 1", status)
	}
	wantText(t, "printed", printed, "no network", "pip could not install kernels/requirements.txt")
	if err := os.Remove(filepath.Join(s.dir, "offline")); err != nil {
		t.Fatal(err)
	}
	s.did(t)
	if printed, status := s.setup(t); status != 0 {
		t.Errorf("exit status %d:\n%s", status, printed)
	}
	if did, want := s.did(t), "pip;gonb;goimports;"; did != want {
		t.Errorf("after a failure did %q, want %q", did, want)
	}
}

// What the machine lacks is named, with what to do.
func TestSetupNeeds(t *testing.T) {
	t.Parallel()
	const oldPython = "#!/bin/sh\ncase \"$2\" in *print*) echo 3.9.2 ;; *) exit 1 ;; esac\n"
	const noVenv = "#!/bin/sh\ncase \"$2\" in *print*) echo 3.11.2 ;; *venv*) exit 1 ;; esac\n"
	tests := []struct {
		name    string
		change  func(s sandbox)
		printed []string
	}{
		{"no Go", func(s sandbox) { os.Remove(filepath.Join(s.bin, "go")) }, []string{`"go" is not in PATH`, "https://go.dev/dl/"}},
		{"old Go", func(s sandbox) { s.put(t, "goversion", "go1.25.9") }, []string{"Go 1.26 or newer is needed", "is go1.25.9"}},
		{"no C", func(s sandbox) { os.Remove(filepath.Join(s.bin, "cc")) }, []string{"a C compiler", "apt-get install gcc libc6-dev"}},
		{"no Python", func(s sandbox) { os.Remove(filepath.Join(s.bin, "python3")) }, []string{"Python 3.10 or newer", "nothing of that name"}},
		{"old Python", func(s sandbox) { s.put(t, "path/python3", oldPython) }, []string{"python3 is 3.9.2, older than 3.10"}},
		{"no venv", func(s sandbox) { s.put(t, "path/python3", noVenv) }, []string{"python3 (3.11.2) lacks", "apt-get install python3-venv"}},
		{".venv of another checkout", func(s sandbox) { link(t, s) }, []string{".venv is a link to", "remove the link"}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			s := newSandbox(t)
			test.change(s)
			printed, status := s.setup(t)
			if status != 1 {
				t.Errorf("exit status %d, want 1", status)
			}
			wantText(t, "printed", printed, test.printed...)
			if did := s.did(t); did != "" {
				t.Errorf("did %q before it was known what is missing", did)
			}
		})
	}
}

// Before 3 GB are fetched for a GPU its driver is looked at: an old one is an error, none at all is said.
func TestSetupDriver(t *testing.T) {
	t.Parallel()
	smi := func(prints, status string) string {
		return "#!/bin/sh\n[ \"$1\" = --query-gpu=driver_version ] || exit 9\necho '" + prints + "'\nexit " + status + "\n"
	}
	tests := []struct {
		name, smi, printed string
		status             int
	}{
		{"recent", smi("580.65.06", "0"), "(about 3 GB)", 0},
		{"two GPUs", smi("525.60.13\n525.60.13", "0"), "(about 3 GB)", 0},
		{"old", smi("470.256.02", "0"), "NVIDIA's driver is 470.256.02, and CUDA 12 needs 525 or newer", 1},
		{"broken", smi("Failed to initialize NVML: Driver/library version mismatch", "18"), "NVIDIA's driver does not answer (nvidia-smi: Failed to initialize NVML", 0},
		{"none", "", "no NVIDIA driver here", 0},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			s := newSandbox(t)
			s.put(t, "kernels/requirements-cuda.txt", "jax-cuda12-pjrt==0.10.2\n")
			if err := os.Remove(filepath.Join(s.bin, "uname")); err != nil { // a link to the system's own
				t.Fatal(err)
			}
			s.put(t, "path/uname", "#!/bin/sh\necho Linux x86_64\n")
			if test.smi != "" {
				s.put(t, "path/nvidia-smi", test.smi)
			}
			printed, status := s.setup(t, "python", "cuda")
			if status != test.status {
				t.Errorf("exit status %d, want %d", status, test.status)
			}
			wantText(t, "printed", printed, test.printed)
			if did, want := s.did(t), map[int]string{0: "pip;pip;", 1: "pip;"}[test.status]; did != want {
				t.Errorf("did %q, want %q", did, want)
			}
		})
	}
}

// The kernel's start script says what is missing instead of letting Jupyter wait for a kernel that never comes.
func TestKernelNeeds(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name    string
		change  func(s sandbox)
		printed string
	}{
		{"no set-up", func(sandbox) {}, `.tools/bin/gonb is missing: run "make setup" in `},
		{"copied away", func(s sandbox) { os.Remove(filepath.Join(s.dir, "go.mod")) }, "this folder was copied out of its repository"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			s := newSandbox(t)
			test.change(s)
			printed, status := finish(t, s.command(t, "kernels/sd/start.sh", "connection.json"))
			if status != 1 {
				t.Errorf("exit status %d, want 1", status)
			}
			wantText(t, "printed", printed, test.printed)
		})
	}
}
