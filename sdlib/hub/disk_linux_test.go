package hub

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
)

func TestFullDisk(t *testing.T) {
	files := tinyModel()
	h := newFakeHub(t, files)
	o := h.options(t)
	blobs := filepath.Join(o.Dir, "models--owner--tiny-vit", "blobs")
	if err := os.MkdirAll(blobs, 0o777); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink("/dev/full", filepath.Join(blobs, etagOf("config.json", files["config.json"])+incomplete)); err != nil {
		t.Fatal(err)
	}
	_, err := FetchModel(ctx, Repo{Name: model}, o)
	if !errors.Is(err, syscall.ENOSPC) || !strings.Contains(err.Error(), "is full: free some space, or set HF_HUB_CACHE") || !strings.Contains(err.Error(), o.Dir) {
		t.Errorf("a full disk gave %v", err)
	}
}

// Nobody makes folders in /sys, not even root.
func TestReadOnlyDisk(t *testing.T) {
	h := newFakeHub(t, tinyModel())
	o := h.options(t)
	o.Dir = "/sys/hub"
	_, err := FetchModel(ctx, Repo{Name: model}, o)
	if err == nil || !strings.Contains(err.Error(), "/sys/hub, cannot be written: set HF_HUB_CACHE to a folder that you may write") {
		t.Errorf("a cache that cannot be written gave %v", err)
	}
}
