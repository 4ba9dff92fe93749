//go:build cgo && !noxla && linux && (amd64 || arm64)

package backend

import (
	"fmt"
	"path/filepath"
	"strconv"
	"strings"

	"github.com/gomlx/go-xla/compute/xla"
	"github.com/gomlx/go-xla/pjrt"

	"samediff/sdlib/internal/blame"
	"samediff/sdlib/internal/keepmemory"
)

func init() { xla.EnableAutoInstall(false) } // it would download a plugin behind the user's back

// openXLA opens the plugin for "cpu" or "cuda", or the one at an absolute path.
func openXLA(b *Backend, kind, options string) error {
	onCUDA := kind == "cuda" || filepath.IsAbs(kind) && pjrt.IsCUDAName(kind) // so far by the name alone
	var driver cudaVersion
	if onCUDA {
		var err error
		if driver, err = findDriver(); err != nil && kind == "cuda" {
			return err
		}
	}
	path, err := findPlugin(kind, func(paths []string) []string { return newest(paths, driver) })
	if err != nil {
		return err
	}
	bad := func(format string, args ...any) error {
		return &missingError{Short: "XLA plugin " + path + fmt.Sprintf(format, args...), Mend: mendDamaged(path)}
	}
	major, minor, err := pjrtVersion(path)
	if err != nil {
		return bad(" does not load: %s", blame.Line(err))
	}
	if major != pjrtMajor {
		return bad(" speaks PJRT %d.%d, expected %d.x, as go-xla speaks %d.%d", major, minor, pjrtMajor, pjrtMajor, pjrtMinor)
	}
	if onCUDA {
		if b.Missing, err = prepareCUDA(path, driver); err != nil {
			return err
		}
	}
	if b.Platform, err = platform(kind, path); err != nil {
		return bad(" does not start: %s", blame.Line(err))
	}
	if b.Platform == "cuda" && !pjrt.IsCUDAName(path) {
		return fmt.Errorf("XLA plugin %s is CUDA's, which go-xla knows by its path alone, and would compute float32 products in TF32: expected a path with the word cuda, such as a link pjrt_c_api_cuda_plugin.so to it", path)
	}
	devices, options, err := takeDevices(b.Platform, options)
	if err != nil {
		return fmt.Errorf("backend %q: %w", b.Choice, err)
	}
	config := path
	if b.Platform == "cuda" && !strings.Contains(options, "tf32") {
		config += ",tf32=false" // float32 means float32, unless the user says otherwise
	}
	if !strings.Contains(options, "shared_buffers") {
		config += fmt.Sprintf(",shared_buffers=%t", b.IsCPU()) // go-xla would look for "cpu" in the path
	}
	if options != "" {
		config += "," + options
	}
	if b.Engine, err = xla.NewWithOptions(config, clientOptions(b.Platform, devices)); err != nil {
		return bad(" does not start: %s", blame.Line(err))
	}
	if b.IsCPU() {
		if err := keepmemory.Enable(); err != nil {
			return fmt.Errorf("backend %q: %w", b.Choice, err)
		}
	}
	b.Plugin, b.Version = path, fmt.Sprintf("%d.%d", major, minor)
	return nil
}

// prepareCUDA makes ready what a CUDA plugin needs when it starts, and returns which of
// NVIDIA's libraries and tools are missing. It fails where the driver is too old for the plugin.
func prepareCUDA(path string, driver cudaVersion) (missing []string, err error) {
	nvidia := nvidiaFolder(path)
	setCUDAEnvironment(nvidia)
	plugin, err := pjrt.GetPlugin(path)
	if err != nil {
		return nil, fmt.Errorf("XLA plugin %s does not load: %s", path, blame.Line(err))
	}
	builtFor, _ := plugin.Attributes()["cuda_version"].(int64)
	if err := checkDriver(path, cudaVersion(builtFor), driver); err != nil {
		return nil, err
	}
	if builtFor == 0 {
		return nil, nil // a plugin that does not say needs what it is linked with
	}
	return append(loadCUDALibraries(nvidia, cudaVersion(builtFor)), missingTools(nvidia)...), nil
}

// platform is what the plugin at path computes on. A plugin that was found under its platform's
// name is taken at it; one that was named by a path is asked, for which it has to start a client.
func platform(kind, path string) (string, error) {
	if !filepath.IsAbs(kind) {
		return kind, nil
	}
	plugin, err := pjrt.GetPlugin(path)
	if err != nil {
		return "", err
	}
	var options pjrt.NamedValuesMap
	if pjrt.IsCUDAName(path) {
		options = pjrt.NamedValuesMap{"preallocate": false} // else the client takes most of the GPU's memory
	}
	client, err := plugin.NewClient(options)
	if err != nil {
		return "", err
	}
	defer client.Destroy()
	return strings.ToLower(client.Platform()), nil
}

// clientOptions are what the plugin is started with. XLA's CPU client has as many threads
// as it has devices, by default four, if the machine has fewer CPUs; on two of
// them four threads spend a sixth of a training step in each other's way.
//
// To a CUDA plugin go-xla gives preallocate=false, unless the user's options say otherwise.
func clientOptions(platform string, devices int) pjrt.NamedValuesMap {
	if platform != "cpu" { // other plugins do not know the option
		return nil
	}
	return pjrt.NamedValuesMap{"cpu_device_count": int64(devices)}
}

// takeDevices takes "devices=2" out of GoMLX's options: how many devices the CPU is, to try what several GPUs do. 1 is the default.
func takeDevices(platform, options string) (devices int, rest string, err error) {
	devices = 1
	var others []string
	for _, o := range strings.Split(options, ",") {
		text, ok := strings.CutPrefix(o, "devices=")
		if !ok {
			others = append(others, o)
			continue
		}
		if devices, err = strconv.Atoi(text); err != nil || devices < 1 || platform != "cpu" {
			return 0, "", fmt.Errorf("the option %s: expected a number from 1, on the CPU (CUDA_VISIBLE_DEVICES says which GPUs there are)", o)
		}
	}
	return devices, strings.Join(others, ","), nil
}
