package workers

import (
	"context"
	"os"
	"os/exec"
	"strconv"
	"strings"
)

// Memory returns the bytes of memory that the GPU of a device has, as NVIDIA's driver says; 0
// where nvidia-smi is not there or does not say. A device without a GPU of its own has the first
// one that this process sees.
func (d Device) Memory(ctx context.Context) int64 {
	gpu := os.Getenv(visible)
	for _, pair := range d.Env {
		if name, ok := strings.CutPrefix(pair, visible+"="); ok {
			gpu = name
		}
	}
	gpu, _, _ = strings.Cut(gpu, ",")
	if gpu == "" {
		gpu = "0"
	}
	out, err := exec.CommandContext(ctx, "nvidia-smi", "--query-gpu=memory.total", "--format=csv,noheader,nounits", "--id="+gpu).Output()
	if err != nil {
		return 0
	}
	mib, err := strconv.ParseInt(strings.TrimSpace(string(out)), 10, 64)
	if err != nil {
		return 0
	}
	return mib << 20
}
