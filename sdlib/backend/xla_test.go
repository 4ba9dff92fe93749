//go:build cgo && !noxla && linux && (amd64 || arm64)

package backend

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

func TestXLA(t *testing.T) {
	b := mustOpen(t, CPU)
	if !b.IsXLA() || !strings.HasPrefix(b.Version, "0.") || !filepath.IsAbs(b.Plugin) {
		t.Errorf("%+v, expected a plugin's absolute path and a version 0.x", b)
	}
	if want := "xla:cpu (PJRT " + b.Version + "): asked for by name"; b.String() != want {
		t.Errorf("String() = %q, expected %q", b, want)
	}
	if got, err := b.selfTest(); err != nil || got != "Σ [[1 2][3 4]]² = 54" {
		t.Errorf("selfTest() = %q, %v", got, err)
	}
	_, err := Open("xla:cpu,no_such_option")
	wantError(t, err, "unknown plugin options [no_such_option]", b.Plugin)
}

// The versions that doctor names are go-xla's own, and those that "make cuda" installs.
func TestPlugins(t *testing.T) {
	dir, err := exec.Command("go", "list", "-m", "-f", "{{.Dir}}", "github.com/gomlx/go-xla").Output()
	if err != nil {
		t.Fatal(err)
	}
	header, err := os.ReadFile(filepath.Join(strings.TrimSpace(string(dir)), "pjrt", "pjrt_c_api.h"))
	if err != nil {
		t.Fatal(err)
	}
	for _, line := range []string{fmt.Sprintf("#define PJRT_API_MAJOR %d\n", pjrtMajor), fmt.Sprintf("#define PJRT_API_MINOR %d\n", pjrtMinor)} {
		if !strings.Contains(string(header), line) {
			t.Errorf("go-xla's header has no line %q", line)
		}
	}
	pins, err := os.ReadFile("../../kernels/requirements-cuda.txt")
	if err != nil {
		t.Fatal(err)
	}
	pin := regexp.MustCompile(`(?m)^(jax-cuda\d+-pjrt)==(\S+)$`).FindSubmatch(pins)
	if pin == nil {
		t.Fatal("requirements-cuda.txt pins no plugin")
	}
	for _, want := range []string{fmt.Sprintf("%s %s (PJRT 0.112, the one of `make cuda`)", pin[1], pin[2]), fmt.Sprintf("(PJRT %d.%d)", pjrtMajor, pjrtMinor)} {
		if !strings.Contains(CUDAPlugins, want) {
			t.Errorf("CUDAPlugins does not say %q: %s", want, CUDAPlugins)
		}
	}
}

// With no plugin the error says what was looked for and where, and the choice falls on Go.
func TestNoPlugin(t *testing.T) {
	choose(t, "", "")
	forget(t)
	empty, other := t.TempDir(), filepath.Join(t.TempDir(), "nowhere")
	t.Setenv(pluginPathEnv, empty+":"+other)
	_, err := Open(CPU)
	wantError(t, err, "no XLA plugin for cpu found", "pjrt_c_api_cpu_plugin.so", "xla_plugins/xla_cpu_pjrt/xla_cpu_pjrt.so",
		empty, other, "make setup", pluginPathEnv, `"go"`)
	b := mustOpen(t, "")
	if b.Choice != Go || !strings.Contains(b.Why, "no XLA plugin for cpu found") {
		t.Errorf("without a plugin the choice is %s", b)
	}
	t.Setenv(Env, CPU) // asked for: never a silent fallback
	_, err = Open("")
	wantError(t, err, "no XLA plugin for cpu found", "(set by $SD_BACKEND)")

	for _, name := range Names {
		s := Test(name)
		if works := s.Name == Go; works != (s.Err == nil) {
			t.Errorf("Test says of %s: %v", s.Name, s.Err)
		}
	}
}

// The folders that are searched when nothing is set.
func TestPluginFolders(t *testing.T) {
	t.Setenv(pluginPathEnv, "")
	root, env := t.TempDir(), t.TempDir()
	t.Setenv("SD_ROOT", root)
	t.Setenv("VIRTUAL_ENV", env)
	site := filepath.Join(root, ".venv", "lib", "python3.14", "site-packages")
	if err := os.MkdirAll(site, 0o755); err != nil {
		t.Fatal(err)
	}
	got := pluginFolders()
	if len(got) < 3 || got[0] != site || got[1] != filepath.Join(env, "lib", "python3*", "site-packages") {
		t.Errorf("folders %q, expected first %q and then those of %q", got, site, env)
	}
	// A wheel unpacked there is found.
	want := filepath.Join(site, "xla_plugins", "xla_cpu_pjrt", "xla_cpu_pjrt.so")
	if err := os.MkdirAll(filepath.Dir(want), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(want, []byte("x"), 0o644); err != nil {
		t.Fatal(err)
	}
	all := func(paths []string) []string { return paths }
	if path, err := findPlugin("cpu", all); path != want || err == nil || !strings.Contains(err.Error(), "no ELF library") {
		t.Errorf("found %q, %v; expected %q, which is no library", path, err, want)
	}
}

// compile makes a shared library of C code with the compiler that cgo uses.
func compile(t *testing.T, path, code string, flags ...string) string {
	t.Helper()
	cc, err := exec.Command("go", "env", "CC").Output()
	if err != nil {
		t.Fatal(err)
	}
	args := append(append(strings.Fields(string(cc)), flags...), "-shared", "-fPIC", "-o", path, "-xc", "-")
	cmd := exec.Command(args[0], args[1:]...)
	cmd.Stdin = strings.NewReader(code)
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%v: %v\n%s", args, err, out)
	}
	return path
}

// A plugin that is no plugin is told apart before the dynamic loader or go-xla is given it.
func TestNotAPlugin(t *testing.T) {
	choose(t, "", "")
	forget(t)
	dir := t.TempDir()
	file := func(name, content string) string {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, []byte(content), 0o644); err != nil {
			t.Fatal(err)
		}
		return path
	}
	const head = `#include <stddef.h>
	struct head { size_t size; void *next; struct { size_t size; void *next; int major, minor; } version; };`
	for _, test := range []struct{ name, path, want string }{
		{"nothing", filepath.Join(dir, "missing.so"), "there is no such file"},
		{"a folder", dir, "is no ELF library"},
		{"an empty file", file("empty.so", ""), "is no ELF library"},
		{"a text", file("text.so", "version https://git-lfs.github.com/spec/v1\n"), "is no ELF library"},
		{"the beginning of a library", file("cut.so", "\x7fELF\x02\x01\x01\x00"), "is no ELF library"},
		{"another library", compile(t, filepath.Join(dir, "other.so"), "int answer(void) { return 42; }"), "does not export GetPjrtApi"},
		{"one that needs the function", compile(t, filepath.Join(dir, "user.so"), "extern void *GetPjrtApi(void); void *api(void) { return GetPjrtApi(); }"), "does not export GetPjrtApi"},
		{"one that does not link", compile(t, filepath.Join(dir, "unlinked.so"), "extern int missing; int *GetPjrtApi(void) { return &missing; }"), "does not load"},
		{"one without an interface", compile(t, filepath.Join(dir, "null.so"), "void *GetPjrtApi(void) { return 0; }"), "GetPjrtApi returns no interface"},
		{"one of the future", compile(t, filepath.Join(dir, "future.so"), head+"static struct head api = {sizeof api, 0, {sizeof api.version, 0, 7, 3}}; void *GetPjrtApi(void) { return &api; }"),
			"speaks PJRT 7.3, expected 0.x"},
	} {
		t.Run(test.name, func(t *testing.T) {
			_, err := Open("xla:" + test.path)
			wantError(t, err, "XLA plugin "+test.path, test.want, "make setup")
		})
	}

	// The same in a folder that is searched: asked for it is an error, else the reason to take the next best.
	file("pjrt_c_api_cpu_plugin.so", "not yet downloaded")
	t.Setenv(pluginPathEnv, dir)
	_, err := Open(CPU)
	wantError(t, err, filepath.Join(dir, "pjrt_c_api_cpu_plugin.so"), "is no ELF library")
	if b := mustOpen(t, ""); b.Choice != Go || !strings.Contains(b.Why, "is no ELF library") {
		t.Errorf("with a broken plugin the choice is %s", b)
	}
}

// Without XLA the package builds, and its tests pass: TestWithoutXLA among them.
func TestBuildsWithoutXLA(t *testing.T) {
	for name, change := range map[string][]string{"noxla": {"GOFLAGS=-tags=noxla"}, "no cgo": {"CGO_ENABLED=0", "GOFLAGS="}} {
		t.Run(name, func(t *testing.T) {
			cmd := exec.Command("go", "test", "-v", ".")
			cmd.Env = append(os.Environ(), change...)
			out, err := cmd.CombinedOutput()
			if err != nil || !strings.Contains(string(out), "--- PASS: TestWithoutXLA") {
				t.Errorf("%v\n%s", err, out)
			}
		})
	}
}
