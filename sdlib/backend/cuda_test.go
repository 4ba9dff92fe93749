//go:build cgo && !noxla && linux && (amd64 || arm64)

package backend

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// machine is a folder that stands for a machine: its device files, its driver, the Python
// packages with NVIDIA's libraries, and a plugin.
type machine struct {
	*testing.T
	root, site string
	log        string // what the plugin was asked for
}

// newMachine returns a machine with nothing, and has this package look there until the test ends.
func newMachine(t *testing.T) *machine {
	choose(t, "", "")
	forget(t)
	root := t.TempDir()
	m := &machine{T: t, root: root, site: filepath.Join(root, "site-packages"), log: filepath.Join(root, "log")}
	files, drivers, kits := gpuFiles, driverLibraries, toolkits
	t.Cleanup(func() { gpuFiles, driverLibraries, toolkits = files, drivers, kits })
	gpuFiles = []string{filepath.Join(root, "dev", "nvidia[0-9]*")}
	driverLibraries = []string{filepath.Join(root, "libcuda.so.1")}
	toolkits = []string{filepath.Join(root, "cuda")}
	for _, name := range []string{"CUDA_HOME", "CUDA_PATH", "GOPJRT_CUDA_CHECKS"} {
		t.Setenv(name, "")
	}
	t.Setenv("XLA_FLAGS", "--xla_dump_max_hlo_modules=1") // the user's own stay
	t.Setenv(pluginPathEnv, m.site)
	return m
}

func (m *machine) file(parts ...string) string {
	m.Helper()
	path := filepath.Join(append([]string{m.root}, parts...)...)
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		m.Fatal(err)
	}
	if err := os.WriteFile(path, nil, 0o644); err != nil {
		m.Fatal(err)
	}
	return path
}

// driver installs a driver that runs CUDA up to a version.
func (m *machine) driver(version int) {
	m.Helper()
	compile(m.T, filepath.Join(m.root, "libcuda.so.1"), fmt.Sprintf("int cuDriverGetVersion(int *v) { *v = %d; return 0; }", version))
}

// plugin installs a CUDA plugin that computes on the CPU, in the folder of a wheel.
func (m *machine) plugin(folder string, version int) string {
	m.Helper()
	path := m.file("site-packages", "jax_plugins", folder, "xla_cuda_plugin.so")
	dir, err := exec.Command("go", "list", "-m", "-f", "{{.Dir}}", "github.com/gomlx/go-xla").Output()
	if err != nil {
		m.Fatal(err)
	}
	source, err := os.ReadFile("testdata/cuda_on_cpu.c")
	if err != nil {
		m.Fatal(err)
	}
	compile(m.T, path, string(source), "-I"+filepath.Join(strings.TrimSpace(string(dir)), "pjrt"))
	m.Setenv("PROXY_CUDA", fmt.Sprint(version))
	m.Setenv("PROXY_LOG", m.log)
	return path
}

// Each thing that is missing is an error of its own, which says how to get it.
func TestCUDAMissing(t *testing.T) {
	m := newMachine(t)
	wrong := func(short string, parts ...string) {
		t.Helper()
		_, err := Open(CUDA)
		wantError(t, err, append(parts, short)...)
		if why, mend := Explain(err); reason(err) != short || !strings.HasPrefix(why, short) || mend == "" || strings.Contains(why, mend) {
			t.Errorf("the reason is %q; what is wrong %q; to mend it %q; expected the reason %q", reason(err), why, mend, short)
		}
	}
	wrong("no NVIDIA GPU here", "nvidia[0-9]*", "--gpus all", `xla:cpu or go`)

	gpu := m.file("dev", "nvidia0")
	wrong("NVIDIA's driver is not found", gpu, "libcuda.so.1", "525 or newer", "NVIDIA_DRIVER_CAPABILITIES")

	m.file("libcuda.so.1")
	wrong("NVIDIA's driver is not found", "too short") // no library

	m.driver(12040)
	wrong("no XLA plugin for cuda found", m.site, "jax_plugins/xla_cuda*/xla_cuda_plugin.so", "make cuda", pluginPathEnv, "jax-cuda13-pjrt 0.11.2")
}

// A driver too old for the plugin's CUDA is an error; one of the same major version is not.
func TestCUDADriver(t *testing.T) {
	for _, test := range []struct {
		plugin, driver cudaVersion
		fits           bool
	}{
		{12090, 12040, true}, {13000, 12090, false}, {12090, 13010, true}, {13000, 13000, true}, {0, 12000, true}, {13000, 0, true},
	} {
		err := checkDriver("/plugin.so", test.plugin, test.driver)
		if (err == nil) != test.fits {
			t.Errorf("a plugin for CUDA %s, a driver for %s: %v", test.plugin, test.driver, err)
		}
		if err != nil {
			wantError(t, err, "too old", "/plugin.so is built for CUDA 13.0", "runs CUDA up to 12.9", "580 or newer", "make cuda")
		}
	}
	// The newest plugin that the driver runs is taken.
	paths := []string{"/a/xla_cuda11/p.so", "/a/xla_cuda12/p.so", "/a/xla_cuda13/p.so"}
	for driver, want := range map[cudaVersion]int{11080: 0, 12040: 1, 13000: 2, 14000: 2, 0: 2} {
		if got := newest(paths, driver); got[0] != paths[want] || len(got) != len(paths) {
			t.Errorf("a driver for CUDA %s takes of %q first %q", driver, paths, got)
		}
	}
}

// With a GPU, a driver and a plugin xla:cuda opens and computes: here on a plugin that hands
// on to the CPU's. It takes the GPU's memory as it needs it and computes float32 in float32.
func TestCUDA(t *testing.T) {
	cpu := mustOpen(t, CPU)
	m := newMachine(t)
	t.Setenv("PROXY_PLUGIN", cpu.Plugin)
	m.file("dev", "nvidia0")
	m.driver(13000)
	path := m.plugin("xla_cuda13", 13000)
	m.file("site-packages", "nvidia", "cu13", "nvvm", "libdevice", "libdevice.10.bc")
	m.file("site-packages", "nvidia", "cu13", "bin", "ptxas")
	libraries := filepath.Join(m.site, "nvidia", "cu13", "lib")
	for _, name := range []string{"libcublas.so.13", "libcublasLt.so.13"} {
		m.file("site-packages", "nvidia", "cu13", "lib", name)
		compile(t, filepath.Join(libraries, name), "int library(void) { return 0; }")
	}

	b := mustOpen(t, CUDA)
	if b.Plugin != path || !b.IsXLA() || b.IsCPU() || Of(b.Engine).IsCPU() {
		t.Errorf("%+v, expected the plugin %s, which is not the CPU's", b, path)
	}
	if got, err := b.selfTest(); err != nil || got != "Σ [[1 2][3 4]]² = 54" {
		t.Errorf("selfTest() = %q, %v", got, err)
	}
	if !slices.Equal(b.Missing, []string{"libcudnn.so.9"}) {
		t.Errorf("missing: %q, expected cuDNN alone", b.Missing)
	}
	if loaded, _ := os.ReadFile("/proc/self/maps"); !strings.Contains(string(loaded), filepath.Join(libraries, "libcublas.so.13")) {
		t.Error("the library beside the plugin is not loaded")
	}
	want := "--xla_dump_max_hlo_modules=1 --xla_gpu_cuda_data_dir=" + filepath.Join(m.site, "nvidia", "cu13")
	if got := os.Getenv("XLA_FLAGS"); got != want {
		t.Errorf("XLA_FLAGS is %q, expected %q", got, want)
	}
	if shared := b.Engine.HasSharedBuffers(); shared {
		t.Error("the GPU shares the host's memory")
	}

	mustOpen(t, CUDA+",preallocate=true")
	log, err := os.ReadFile(m.log)
	if err != nil {
		t.Fatal(err)
	}
	var created []string
	for line := range strings.Lines(string(log)) {
		if strings.HasPrefix(line, "create") {
			created = append(created, strings.TrimSpace(line))
		}
	}
	if want := []string{"create preallocate=0", "create preallocate=1"}; !slices.Equal(created, want) {
		t.Errorf("the client was started with %q, expected %q", created, want)
	}
}

// A plugin for a newer CUDA than the driver's is not started.
func TestCUDAMismatch(t *testing.T) {
	cpu := mustOpen(t, CPU)
	m := newMachine(t)
	t.Setenv("PROXY_PLUGIN", cpu.Plugin)
	m.file("dev", "nvidia0")
	m.driver(12040)
	path := m.plugin("xla_cuda_nightly", 13000)
	_, err := Open(CUDA)
	wantError(t, err, "NVIDIA's driver is too old for XLA's CUDA plugin", path+" is built for CUDA 13.0", "runs CUDA up to 12.4")
	if log, err := os.ReadFile(m.log); err == nil && strings.Contains(string(log), "create") {
		t.Errorf("the plugin was started all the same:\n%s", log)
	}
}

// Where the compiler's tools are looked for, best place first.
func TestCUDATools(t *testing.T) {
	m := newMachine(t)
	t.Setenv("PATH", m.root)
	nvidia := filepath.Join(m.site, "nvidia")
	expect := func(want string) {
		t.Helper()
		if got := cudaDataFolder(nvidia); got != want {
			t.Errorf("found %q, expected %q", got, want)
		}
	}
	expectMissing := func(want ...string) {
		t.Helper()
		if got := missingTools(nvidia); !slices.Equal(got, want) {
			t.Errorf("missing are %q, expected %q", got, want)
		}
	}
	const libdevice, ptxas = "nvvm/libdevice/libdevice.10.bc", "bin/ptxas"
	expect("")
	expectMissing(libdevice, ptxas)
	if err := os.Chmod(m.file("ptxas"), 0o755); err != nil { // in PATH
		t.Fatal(err)
	}
	expectMissing(libdevice)
	t.Setenv("PATH", "")
	m.file("cuda", "nvvm", "libdevice", "libdevice.10.bc")
	expect(filepath.Join(m.root, "cuda"))
	expectMissing(ptxas)
	m.file("home", "nvvm", "libdevice", "libdevice.10.bc")
	t.Setenv("CUDA_HOME", filepath.Join(m.root, "home"))
	m.file("home", "bin", "ptxas")
	expect(filepath.Join(m.root, "home"))
	expectMissing()
	m.file("site-packages", "nvidia", "cuda_nvcc", "nvvm", "libdevice", "libdevice.10.bc")
	expect(filepath.Join(nvidia, "cuda_nvcc"))
	if got := nvidiaFolder(filepath.Join(m.site, "jax_plugins", "xla_cuda12", "xla_cuda_plugin.so")); got != nvidia {
		t.Errorf("the plugin's folder of NVIDIA's packages is %q, expected %q", got, nvidia)
	}
	t.Setenv("XLA_FLAGS", "--xla_gpu_cuda_data_dir=/mine")
	setCUDAEnvironment(nvidia)
	if got := os.Getenv("XLA_FLAGS"); got != "--xla_gpu_cuda_data_dir=/mine" {
		t.Errorf("the user's folder is overridden: %s", got)
	}
}
