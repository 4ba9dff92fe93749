package workers

import (
	"fmt"
	"os"
	"runtime"
	"slices"
	"strconv"
	"strings"
)

// A Device is what one process computes on.
type Device struct {
	Name string   // as it was asked for: "0"
	Env  []string // NAME=VALUE, beside the process's own environment
	CPUs []int    // that the process may use; nil for all
}

func (d Device) String() string { return "device " + d.Name }

// visible is CUDA's list of the GPUs that a process may use.
const visible = "CUDA_VISIBLE_DEVICES"

// Devices returns what processes on a platform are given, "cuda", "cpu" or "go" as
// backend.Backend.Platform has it: of GPUs those of these numbers, of CPUs an equal share for each name.
func Devices(names []string, platform string) ([]Device, error) {
	if len(names) == 0 {
		return nil, fmt.Errorf("no devices: expected numbers such as 0,1")
	}
	list := strings.FieldsFunc(os.Getenv(visible), func(r rune) bool { return r == ',' })
	var all []Device
	for i, name := range names {
		n, err := strconv.Atoi(name)
		if err != nil || n < 0 {
			return nil, fmt.Errorf("no device %q: expected numbers from 0, such as 0,1", name)
		}
		if slices.Contains(names[:i], name) {
			return nil, fmt.Errorf("device %s twice: expected each once", name)
		}
		d := Device{Name: name}
		if platform == "cuda" {
			if _, set := os.LookupEnv(visible); set {
				if n >= len(list) {
					return nil, fmt.Errorf("no device %s: %s=%s has %d, counted from 0", name, visible, os.Getenv(visible), len(list))
				}
				name = list[n]
			}
			d.Env = []string{visible + "=" + name}
		} else {
			d.CPUs = share(allowed(), i, len(names))
		}
		all = append(all, d)
	}
	return all, nil
}

// share is part i of n of some CPUs. Where there are fewer CPUs than parts, several have the same one.
func share(cpus []int, i, n int) []int {
	if len(cpus) == 0 {
		return nil
	}
	if len(cpus) < n {
		return []int{cpus[i%len(cpus)]}
	}
	return cpus[i*len(cpus)/n : (i+1)*len(cpus)/n]
}

// threads is the number of CPUs that the device's process has.
func (d Device) threads() int {
	if len(d.CPUs) == 0 {
		return runtime.NumCPU()
	}
	return len(d.CPUs)
}
