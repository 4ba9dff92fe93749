//go:build cgo && !noxla && linux && (amd64 || arm64)

package backend

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/gomlx/go-xla/compute/xla"

	"samediff/sdlib/internal/keepmemory"
)

// XLA's plugin for the CPU is opened in the same way by its name, by its path, and by a path that
// says nothing: one device, since its threads are then no more than the CPUs, and buffers that
// are shared with it. (Tests' folders are named after them: this name has no cpu in it, the next no cuda.)
func TestPlatform(t *testing.T) {
	found := mustOpen(t, CPU)
	link := filepath.Join(t.TempDir(), "plugin.so")
	if err := os.Symlink(found.Plugin, link); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{CPU, "xla:" + found.Plugin, "xla:" + link} {
		b := mustOpen(t, name)
		if b.Platform != "cpu" || b.Version != found.Version || !b.IsXLA() || !Of(b.Engine).IsCPU() {
			t.Errorf("%s opens %+v, expected the platform cpu and version %s", name, b, found.Version)
		}
		if n := b.Engine.NumDevices(); n != 1 {
			t.Errorf("%s has %d devices, expected 1", name, n)
		}
		if !b.Engine.HasSharedBuffers() {
			t.Errorf("%s shares no buffers", name)
		}
		if _, err := b.selfTest(); err != nil {
			t.Error(err)
		}
	}
}

// A plugin that says it is CUDA's gets nothing that is the CPU's: no options that it would refuse,
// no allocator; and float32 products are computed in float32. The plugin is testdata/cuda_plugin.c.
func TestOtherPlatform(t *testing.T) {
	const child = "SD_BACKEND_TEST_CHILD" // a process of its own: in this one the CPU may be open
	if os.Getenv(child) == "" {
		cmd := exec.Command(os.Args[0], "-test.run=^TestOtherPlatform$", "-test.v")
		cmd.Env = append(os.Environ(), child+"=1", "GOPJRT_CUDA_CHECKS=0")
		if out, err := cmd.CombinedOutput(); err != nil || !strings.Contains(string(out), "--- PASS") {
			t.Errorf("%v\n%s", err, out)
		}
		return
	}
	header, err := exec.Command("go", "list", "-f", "{{.Dir}}", "github.com/gomlx/go-xla/pjrt").Output()
	if err != nil {
		t.Fatal(err)
	}
	code, err := os.ReadFile("testdata/cuda_plugin.c")
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	plugin := func(name string) string {
		return "xla:" + compile(t, filepath.Join(dir, name), string(code), "-I"+strings.TrimSpace(string(header)))
	}
	name := plugin("my_cuda.so")
	for options, tf32 := range map[string]bool{"": false, ",tf32=true": true} {
		b := mustOpen(t, name+options)
		if b.Platform != "cuda" || !b.IsXLA() || b.IsCPU() {
			t.Errorf("%s opens %+v, expected the platform cuda", b.Choice, b)
		}
		if got := b.Engine.(*xla.Backend).DotGeneralUseTF32; got != tf32 {
			t.Errorf("%s: products in TF32 %t, expected %t", b.Choice, got, tf32)
		}
		if b.Engine.HasSharedBuffers() {
			t.Errorf("%s shares buffers with the CPU", b.Choice)
		}
	}
	if keepmemory.Enabled() {
		t.Error("the CPU's allocator is in use")
	}
	// A path by which go-xla would not know it.
	_, err = Open(plugin("plugin.so"))
	wantError(t, err, "plugin.so is CUDA's", "expected a path with the word cuda")
}
