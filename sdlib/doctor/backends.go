package doctor

import (
	"cmp"
	"context"
	"fmt"
	"strings"

	"samediff/sdlib/backend"
)

// backends opens every backend and computes something tiny on it, and says which one is taken.
func backends(ctx context.Context, command []string, chosen string) []Finding {
	var probes []Probe
	for _, name := range backend.Names {
		probes = append(probes, ProbeIn(ctx, command, name))
	}
	all := each(probes)
	taken := ProbeIn(ctx, command, chosen)
	if taken.Err != nil {
		mend := "name one that works by --backend"
		if chosen == "" {
			mend = "unset $SD_BACKEND and $GOMLX_BACKEND, or name one that works by $SD_BACKEND"
		}
		return append(all, failed("Backend taken", taken.Wrong, mend))
	}
	return append(all, ok("Backend taken", taken.Backend.String()))
}

// each has a finding for every backend. One that works is necessary, and so is XLA on the CPU
// where nothing faster works; a GPU is not.
func each(probes []Probe) []Finding {
	fast := ""
	for _, s := range probes {
		if s.Err == nil && s.Backend.IsXLA() {
			fast = s.Name
			break
		}
	}
	var all []Finding
	for _, s := range probes {
		name := "Backend " + s.Name
		if s.Err == nil {
			all = append(all, ok(name, working(s.Status)))
			continue
		}
		wrong, mend := s.Wrong, s.Mend
		switch {
		case s.Name == backend.CUDA:
			all = append(all, absent(name, wrong, cmp.Or(mend, cudaMend(s.Status))))
		case s.Name == backend.CPU && (fast != "" || strings.Contains(wrong, "built without XLA")):
			all = append(all, absent(name, wrong, cmp.Or(mend, setup)))
		default:
			all = append(all, failed(name, wrong, cmp.Or(mend, setup)))
		}
	}
	return all
}

// cudaMend is what to do where a GPU, its driver and a plugin are there and it does not work all the same.
func cudaMend(s backend.Status) string {
	if s.Backend != nil && len(s.Backend.Missing) > 0 {
		return fmt.Sprintf("of NVIDIA's libraries and tools %s are missing: `make cuda` installs them beside the plugin", strings.Join(s.Backend.Missing, ", "))
	}
	return "run `make cuda` to install the pinned plugin and NVIDIA's libraries (" + backend.CUDAPlugins +
		"); `nvidia-smi` shows what the driver sees; TF_CPP_MIN_LOG_LEVEL=0 lets XLA say more"
}

func working(s backend.Status) string {
	if s.Plugin == "" {
		return s.Result
	}
	devices := fmt.Sprintf("%d devices", s.Devices)
	if s.Devices == 1 {
		devices = "1 device"
	}
	text := fmt.Sprintf("%s, PJRT %s, %s, %s", s.Result, s.Version, devices, s.Plugin)
	if len(s.Backend.Missing) > 0 {
		text += "; without " + strings.Join(s.Backend.Missing, ", ") + ", which models may come to need (`make cuda` installs them)"
	}
	return text
}
