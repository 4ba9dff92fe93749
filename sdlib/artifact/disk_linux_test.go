package artifact

import (
	"context"
	"errors"
	"os"
	"strings"
	"syscall"
	"testing"
)

func TestFullDisk(t *testing.T) {
	s := open(t)
	_, err := s.Get(context.Background(), Key{Step: "train"}, func(context.Context, string) error {
		return os.WriteFile("/dev/full", []byte("weights"), 0o666)
	})
	if !errors.Is(err, syscall.ENOSPC) || !strings.Contains(err.Error(), "is full: free some space") || !strings.Contains(err.Error(), s.Dir()) {
		t.Errorf("a computation on a full disk gave %v", err)
	}
}

// Nobody makes folders in /sys, not even root.
func TestReadOnlyDisk(t *testing.T) {
	s, err := Open("/sys/store")
	if err != nil {
		t.Fatal(err)
	}
	if infos, err := s.List(context.Background()); err != nil || len(infos) > 0 {
		t.Errorf("List gave %v, %v", infos, err)
	}
	_, err = s.Get(context.Background(), Key{Step: "train"}, never)
	if err == nil || !strings.Contains(err.Error(), "may not be read or written: set SD_STORE to a folder of yours") {
		t.Errorf("Get gave %v", err)
	}
}
