//go:build linux && (amd64 || arm64) && cgo && !noxla

package main

import (
	"bufio"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"samediff/sdlib/backend"
	"samediff/sdlib/doctor"
)

// brokenPlugin compiles a plugin for the CPU and has this process and those that it starts find it.
func brokenPlugin(t *testing.T, code string) (path string) {
	t.Helper()
	dir := t.TempDir()
	path = filepath.Join(dir, "pjrt_c_api_cpu_plugin.so")
	cc, err := exec.Command("go", "env", "CC").Output()
	if err != nil {
		t.Fatal(err)
	}
	words := append(strings.Fields(string(cc)), "-shared", "-fPIC", "-o", path, "-xc", "-")
	cmd := exec.Command(words[0], words[1:]...)
	cmd.Stdin = strings.NewReader(code)
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	t.Setenv("PJRT_PLUGIN_LIBRARY_PATH", dir)
	return path
}

// doctor survives a plugin that ends the process which loads it, and says what to do.
func TestDoctorSurvives(t *testing.T) {
	plugin := brokenPlugin(t, "#include <stdlib.h>\nvoid *GetPjrtApi(void) { abort(); }")
	t.Setenv("SD_BACKEND", "")
	t.Setenv("GOMLX_BACKEND", "")
	r := sd("doctor", "--json", "--store", t.TempDir()).want(t, exitFailure)
	states := map[string]doctor.Finding{}
	for _, f := range decode[struct{ Findings []doctor.Finding }](t, r).Findings {
		states[f.Name] = f
	}
	if f := states["Backend xla:cpu"]; f.State != doctor.Failed || !strings.Contains(f.Detail, "opening it ends the process") || !strings.Contains(f.Mend, plugin+": replace it, or unset PJRT_PLUGIN_LIBRARY_PATH") {
		t.Errorf("the plugin: %+v", f)
	}
	if f := states["Backend go"]; f.State != doctor.OK {
		t.Errorf("pure Go: %+v", f)
	}
	if f := states["Backend taken"]; f.State != doctor.Failed || !strings.Contains(f.Mend, "SD_BACKEND") {
		t.Errorf("the backend taken: %+v", f)
	}
}

// A program that does not stop within a second, as while XLA compiles, says what it waits for; a second ctrl-c ends it at once. This one
// waits for a plugin that never returns, so that neither depends on how long a compilation takes.
func TestInterruptedTwice(t *testing.T) {
	inside := filepath.Join(t.TempDir(), "inside")
	brokenPlugin(t, fmt.Sprintf("#include <stdio.h>\n#include <unistd.h>\nvoid *GetPjrtApi(void) { fclose(fopen(%q, \"w\")); for (;;) pause(); }", inside))
	cmd := process(t, append(small, "--store", t.TempDir(), "--backend", backend.CPU)...)
	said, err := cmd.StderrPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	until(t, "the plugin is called", func() bool { _, err := os.Stat(inside); return err == nil })
	sent := time.Now()
	if err := cmd.Process.Signal(syscall.SIGINT); err != nil {
		t.Fatal(err)
	}
	found := false
	for lines := bufio.NewScanner(said); !found && lines.Scan(); {
		found = strings.HasPrefix(lines.Text(), "sd: stopping after the step at hand")
	}
	if took := time.Since(sent); !found || took < time.Second {
		t.Errorf("after ctrl-c it said so: %v, after %v; expected a line after a second", found, took)
	}
	if err := cmd.Process.Signal(syscall.SIGINT); err != nil {
		t.Fatal(err)
	}
	err = cmd.Wait() // a program that goes on is killed in the end, by another signal
	if cmd.ProcessState.Sys().(syscall.WaitStatus).Signal() != syscall.SIGINT {
		t.Errorf("a second ctrl-c ended it with %v", err)
	}
}
