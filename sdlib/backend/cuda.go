//go:build cgo && !noxla && linux && (amd64 || arm64)

package backend

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"samediff/sdlib/internal/blame"
)

// This file finds what XLA's CUDA plugin needs besides itself, in the order in which it
// is missed: a GPU, NVIDIA's driver, a plugin that the driver is recent enough for, and
// NVIDIA's libraries. Each that is not there is an error that says how to get it.

// gpuFiles are the device files of an NVIDIA GPU: on Linux, and on Windows' subsystem for it.
var gpuFiles = []string{"/dev/nvidia[0-9]*", "/dev/dxg"}

// driverLibraries are the places of the driver's library: where the system's loader looks, and
// where containers and Windows' subsystem have it without telling the loader.
var driverLibraries = []string{
	"libcuda.so.1", "/usr/local/nvidia/lib64/libcuda.so.1", "/usr/local/nvidia/lib/libcuda.so.1", "/usr/lib/wsl/lib/libcuda.so.1",
}

// toolkits are where a CUDA toolkit may lie, besides $CUDA_HOME and $CUDA_PATH.
var toolkits = []string{"/usr/local/cuda", "/usr/local/cuda-*", "/opt/cuda"}

// A cudaVersion counts as CUDA does: 12040 is CUDA 12.4. 0 is unknown.
type cudaVersion int

func (v cudaVersion) String() string { return fmt.Sprintf("%d.%d", v/1000, v%1000/10) }
func (v cudaVersion) major() int     { return int(v / 1000) }

// findDriver returns the newest CUDA that NVIDIA's driver can run. It leaves the driver's
// library loaded, so that the plugin finds it wherever it lies.
func findDriver() (cudaVersion, error) {
	var gpus []string
	for _, pattern := range gpuFiles {
		found, _ := filepath.Glob(pattern)
		gpus = append(gpus, found...)
	}
	if len(gpus) == 0 {
		return 0, &missingError{
			Short: "no NVIDIA GPU here",
			Long:  fmt.Sprintf(": there is no file %s", strings.Join(gpuFiles, " or ")),
			Mend: fmt.Sprintf("none is needed; where there is one, install NVIDIA's driver, or give the container access to it (docker run --gpus all); or use the backend %s or %s",
				CPU, Go),
		}
	}
	var first error
	for _, path := range driverLibraries {
		version, err := driverVersion(path)
		if err == nil {
			return cudaVersion(version), nil
		}
		if first == nil {
			first = err
		}
	}
	return 0, &missingError{
		Short: "NVIDIA's driver is not found",
		Long:  fmt.Sprintf(": there is %s, but the driver's library does not load: %s", gpus[0], blame.Line(first)),
		Mend:  "install NVIDIA's driver, 525 or newer for CUDA 12 and 580 or newer for CUDA 13; in a container, mount the host's (docker run --gpus all, NVIDIA_DRIVER_CAPABILITIES=compute,utility)",
	}
}

// fits reports whether a driver can run a plugin's CUDA. Within a major version it can.
func fits(plugin, driver cudaVersion) bool {
	return plugin == 0 || driver == 0 || plugin.major() <= driver.major()
}

// checkDriver compares what a plugin was built for with what the driver can run.
func checkDriver(path string, plugin, driver cudaVersion) error {
	if fits(plugin, driver) {
		return nil
	}
	return &missingError{
		Short: "NVIDIA's driver is too old for XLA's CUDA plugin",
		Long:  fmt.Sprintf(": %s is built for CUDA %s, and the driver runs CUDA up to %s", path, plugin, driver),
		Mend:  "update the driver (CUDA 13 needs 580 or newer, CUDA 12 525 or newer), or install the plugin of an older CUDA (`make cuda` has the one for CUDA 12)",
	}
}

var pluginCUDA = regexp.MustCompile(`xla_cuda(\d+)`)

// newest puts the plugins of the newest CUDA first that the driver can run, by the names of
// their folders: of jax_plugins/xla_cuda12 and xla_cuda13 the second, if the driver is recent.
func newest(paths []string, driver cudaVersion) []string {
	version := func(path string) cudaVersion {
		if m := pluginCUDA.FindStringSubmatch(path); m != nil {
			major, _ := strconv.Atoi(m[1])
			return cudaVersion(1000 * major)
		}
		return 0
	}
	paths = slices.Clone(paths)
	slices.SortStableFunc(paths, func(a, b string) int {
		va, vb := version(a), version(b)
		if fa, fb := fits(va, driver), fits(vb, driver); fa != fb {
			if fa {
				return -1
			}
			return 1
		}
		return int(vb - va)
	})
	return paths
}

// nvidiaFolder returns the folder that NVIDIA's wheels share, site-packages/nvidia, as seen
// from a plugin: beside its folder or one further up, as in the plugin's own search path. ""
// is none.
func nvidiaFolder(plugin string) string {
	places := []string{plugin}
	if real, err := filepath.EvalSymlinks(plugin); err == nil && real != plugin {
		places = append(places, real)
	}
	for _, place := range places {
		dir := filepath.Dir(place)
		for range 2 {
			dir = filepath.Dir(dir)
			if found := filepath.Join(dir, "nvidia"); isDir(found) {
				return found
			}
		}
	}
	return ""
}

func isDir(path string) bool {
	info, err := os.Stat(path)
	return err == nil && info.IsDir()
}

// A cudaLibrary is one of NVIDIA's libraries that XLA loads when it first needs it.
type cudaLibrary struct {
	name   string
	needed bool // by every model; the others are for operations that no model here has, or for several GPUs
}

// cudaLibraries are those of a CUDA version, each after the ones it needs.
func cudaLibraries(v cudaVersion) []cudaLibrary {
	major := v.major()
	// The libraries of numbers count on their own.
	solver, fft := 11, 11
	if major >= 13 {
		solver, fft = 12, 12
	}
	name := func(library string, version int) string { return fmt.Sprintf("lib%s.so.%d", library, version) }
	return []cudaLibrary{
		{name("cudart", major), false}, {name("nvrtc", major), false}, {name("nvJitLink", major), false},
		{name("cublasLt", major), true}, {name("cublas", major), true},
		{name("cusparse", 12), false}, {name("cusolver", solver), false}, {name("cufft", fft), false},
		{name("cupti", major), false}, {name("cudnn", 9), true}, {name("nccl", 2), false}, {name("nvshmem_host", 3), false},
	}
}

// loadCUDALibraries loads NVIDIA's libraries from the folder of their wheels, or from where
// the system's loader looks, and returns the names of those that every model needs and that
// do not load. Once loaded they are found by their names, whatever the plugin's own search
// path is. JAX loads the same ones before it opens the plugin.
func loadCUDALibraries(nvidia string, v cudaVersion) (missing []string) {
	for _, l := range cudaLibraries(v) {
		places := []string{l.name}
		if nvidia != "" {
			found, _ := filepath.Glob(filepath.Join(nvidia, "*", "lib", l.name))
			places = append(found, l.name)
		}
		loaded := slices.ContainsFunc(places, func(path string) bool { return loadLibrary(path) == nil })
		if !loaded && l.needed {
			missing = append(missing, l.name)
		}
	}
	return missing
}

// cudaRoots are the folders below which XLA's compiler may find its tools: NVIDIA's wheels, then CUDA toolkits.
func cudaRoots(nvidia string) (roots []string) {
	patterns := append([]string{os.Getenv("CUDA_HOME"), os.Getenv("CUDA_PATH")}, toolkits...)
	if nvidia != "" {
		patterns = append([]string{filepath.Join(nvidia, "*")}, patterns...)
	}
	for _, pattern := range patterns {
		if pattern != "" {
			found, _ := filepath.Glob(pattern)
			roots = append(roots, found...)
		}
	}
	return roots
}

// cudaDataFolder returns the first of these that holds libdevice, the GPU's mathematical
// functions, in nvvm/libdevice. "" is none.
func cudaDataFolder(nvidia string) string {
	for _, root := range cudaRoots(nvidia) {
		if found, _ := filepath.Glob(filepath.Join(root, "nvvm", "libdevice", "libdevice*.bc")); len(found) > 0 {
			return root
		}
	}
	return ""
}

// missingTools are those of the compiler's tools that are not here: without libdevice no model
// compiles, and without NVIDIA's assembler ptxas nothing does.
func missingTools(nvidia string) (missing []string) {
	if cudaDataFolder(nvidia) == "" && !strings.Contains(os.Getenv(xlaFlags), dataFolderFlag) {
		missing = append(missing, "nvvm/libdevice/libdevice.10.bc")
	}
	_, err := exec.LookPath("ptxas")
	inRoot := func(root string) bool {
		info, err := os.Stat(filepath.Join(root, "bin", "ptxas"))
		return err == nil && !info.IsDir()
	}
	if err != nil && !slices.ContainsFunc(cudaRoots(nvidia), inRoot) {
		missing = append(missing, "bin/ptxas")
	}
	return missing
}

const xlaFlags, dataFolderFlag = "XLA_FLAGS", "--xla_gpu_cuda_data_dir="

// setCUDAEnvironment gives XLA the path of libdevice, unless the user has, and go-xla that it
// need not look for NVIDIA's libraries: it knows one place alone, and prints a long warning.
func setCUDAEnvironment(nvidia string) {
	if dir := cudaDataFolder(nvidia); dir != "" && !strings.Contains(os.Getenv(xlaFlags), dataFolderFlag) {
		os.Setenv(xlaFlags, strings.TrimSpace(os.Getenv(xlaFlags)+" "+dataFolderFlag+dir))
	}
	if os.Getenv("GOPJRT_CUDA_CHECKS") == "" {
		os.Setenv("GOPJRT_CUDA_CHECKS", "no")
	}
}
