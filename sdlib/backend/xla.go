//go:build cgo && !noxla && linux && (amd64 || arm64)

package backend

import (
	"fmt"
	"path/filepath"
	"strings"

	"github.com/gomlx/go-xla/compute/xla"
	"github.com/gomlx/go-xla/pjrt"
)

// pjrtMajor is the major version of the PJRT interface that go-xla is built for.
const pjrtMajor = 0

func init() { xla.EnableAutoInstall(false) } // it would download a plugin behind the user's back

// openXLA opens the plugin for "cpu" or "cuda", or the one at an absolute path.
func openXLA(b *Backend, kind, options string) error {
	if kind == "cuda" {
		if gpus, _ := filepath.Glob("/dev/nvidia[0-9]*"); len(gpus) == 0 {
			return &missingError{Short: "no NVIDIA GPU here",
				Long: ": looked for /dev/nvidia0 (in a container, start it with access to the GPU). Use the backend " + CPU + " or " + Go}
		}
	}
	path, err := findPlugin(kind)
	if err != nil {
		return err
	}
	const mend = "run `make setup` to install the version pinned in kernels/requirements.txt"
	major, minor, err := pjrtVersion(path)
	if err != nil {
		return fmt.Errorf("XLA plugin %s does not load: %s; %s, or use the backend %q", path, firstLine(err), mend, Go)
	}
	if major != pjrtMajor {
		return fmt.Errorf("XLA plugin %s speaks PJRT %d.%d, expected %d.x: %s", path, major, minor, pjrtMajor, mend)
	}
	config := path
	if kind == "cuda" && !strings.Contains(options, "tf32") {
		config += ",tf32=false" // float32 means float32, unless the user says otherwise
	}
	if options != "" {
		config += "," + options
	}
	if b.Engine, err = xla.NewWithOptions(config, clientOptions(kind)); err != nil {
		return fmt.Errorf("XLA plugin %s does not start: %s; %s, or use the backend %q", path, firstLine(err), mend, Go)
	}
	if kind != "cuda" {
		keepMemory()
	}
	b.Plugin, b.Version = path, fmt.Sprintf("%d.%d", major, minor)
	return nil
}

func firstLine(err error) string {
	line, _, _ := strings.Cut(err.Error(), "\n")
	return line
}

// clientOptions are what the plugin is started with. XLA's CPU client has as many threads
// as it has devices, four unless told otherwise, if the machine has fewer CPUs; on two of
// them four threads spend a sixth of a training step in each other's way.
func clientOptions(kind string) pjrt.NamedValuesMap {
	if kind != "cpu" { // other plugins, those named by their path included, may not know the option
		return nil
	}
	return pjrt.NamedValuesMap{"cpu_device_count": int64(1)}
}
