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
	want := "may not be read or written: set SD_STORE to a folder of yours"
	if errors.Is(os.Mkdir("/sys/store", 0o777), syscall.EROFS) { // as in containers
		want = "cannot be written: set SD_STORE to a folder that you may write"
	}
	_, err = s.Get(context.Background(), Key{Step: "train"}, never)
	if err == nil || !strings.Contains(err.Error(), want) {
		t.Errorf("Get gave %v", err)
	}
}
