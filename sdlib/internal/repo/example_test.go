package repo

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// A program in another module builds, from docs/example as it is committed. Outside the repository it falls back on pure Go
// and says so once; with SD_ROOT it finds XLA's plugin and says nothing.
func TestExampleModule(t *testing.T) {
	if testing.Short() {
		t.Skip("builds a program")
	}
	repository, err := filepath.Abs(root)
	if err != nil {
		t.Fatal(err)
	}
	program := filepath.Join(t.TempDir(), "example")
	for _, args := range [][]string{{"vet", "."}, {"build", "-buildvcs=false", "-o", program, "."}} {
		cmd := exec.Command("go", args...)
		cmd.Dir = filepath.Join(repository, "docs", "example")
		cmd.Env = append(os.Environ(), "GOWORK=off", "GOFLAGS=")
		if out, err := cmd.CombinedOutput(); err != nil {
			t.Fatalf("go %s in docs/example: %v (after a change of go.mod run `go mod tidy` there)\n%s", args[0], err, out)
		}
	}
	run := func(env ...string) (answer, said string) {
		cmd := exec.Command(program)
		cmd.Dir = t.TempDir()
		cmd.Env = append(withoutBackend(), env...)
		var problem strings.Builder
		cmd.Stderr = &problem
		out, err := cmd.Output()
		if err != nil {
			t.Fatalf("the example with %v: %v\n%s", env, err, problem.String())
		}
		return string(out), problem.String()
	}

	empty := t.TempDir()
	answer, said := run("HOME="+empty, "PJRT_PLUGIN_LIBRARY_PATH="+empty)
	if !strings.HasPrefix(answer, "go: different, same: [") {
		t.Errorf("without a plugin it prints %q, expected an answer by pure Go", answer)
	}
	if strings.Count(said, "\n") != 1 || !strings.Contains(said, "computing in pure Go, 10 to 20 times slower than with XLA: ") || !strings.Contains(said, "no XLA plugin for cpu found") {
		t.Errorf("without a plugin it says %q, expected one line on standard error", said)
	}
	if answer, said := run("HOME="+empty, "SD_BACKEND=go"); !strings.HasPrefix(answer, "go: ") || said != "" {
		t.Errorf("where pure Go was chosen it prints %q and says %q, expected nothing on standard error", answer, said)
	}
	if found, _ := filepath.Glob(filepath.Join(repository, ".venv/lib/python3*/site-packages/xla_plugins/*/*.so")); len(found) == 0 {
		t.Skip("the example was not tried with XLA: no plugin in .venv (make setup)")
	}
	if answer, said := run("HOME="+empty, "SD_ROOT="+repository); !strings.HasPrefix(answer, "xla:") || said != "" {
		t.Errorf("with SD_ROOT it prints %q and says %q, expected XLA and nothing on standard error", answer, said)
	}
}

// withoutBackend is the environment less what chooses a backend or says where one is.
func withoutBackend() (env []string) {
	for _, v := range os.Environ() {
		switch name, _, _ := strings.Cut(v, "="); name {
		case "SD_ROOT", "SD_BACKEND", "GOMLX_BACKEND", "PJRT_PLUGIN_LIBRARY_PATH", "VIRTUAL_ENV", "HOME":
		default:
			env = append(env, v)
		}
	}
	return env
}
