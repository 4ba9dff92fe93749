package doctor

import (
	"fmt"
	"strings"

	"samediff/sdlib/backend"
)

// backends opens every backend and computes something tiny on it, and tells which one is taken. One working backend is
// necessary, and so is XLA on the CPU where nothing faster works; a GPU is not.
func backends(chosen string) []Finding {
	statuses := backend.Check()
	fast := ""
	for _, s := range statuses {
		if s.Err == nil && s.Backend.IsXLA() {
			fast = s.Name
			break
		}
	}
	var all []Finding
	for _, s := range statuses {
		name := "Backend " + s.Name
		switch {
		case s.Err == nil:
			all = append(all, ok(name, working(s)))
		case s.Name == backend.CUDA:
			all = append(all, absent(name, s.Err.Error(), "with an NVIDIA GPU and its driver: run `make cuda`"))
		case s.Name == backend.CPU && fast != "":
			all = append(all, absent(name, s.Err.Error(), setup))
		case s.Name == backend.CPU && strings.Contains(s.Err.Error(), "built without XLA"):
			all = append(all, absent(name, s.Err.Error(), "build with cgo and without -tags noxla"))
		default:
			all = append(all, failed(name, s.Err.Error(), setup))
		}
	}
	be, err := backend.Open(chosen)
	if err != nil {
		return append(all, failed("Backend taken", err.Error(), "unset $SD_BACKEND and $GOMLX_BACKEND, or name one that works"))
	}
	return append(all, ok("Backend taken", be.String()))
}

func working(s backend.Status) string {
	if s.Plugin == "" {
		return s.Result
	}
	devices := fmt.Sprintf("%d devices", s.Devices)
	if s.Devices == 1 {
		devices = "1 device"
	}
	return fmt.Sprintf("%s, PJRT %s, %s, %s", s.Result, s.Version, devices, s.Plugin)
}
