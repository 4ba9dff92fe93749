//go:build linux && (amd64 || arm64) && cgo && !noxla

package main

import (
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"samediff/sdlib/doctor"
)

// doctor survives a plugin that ends the process which loads it, and says what to do.
func TestDoctorSurvives(t *testing.T) {
	dir := t.TempDir()
	plugin := filepath.Join(dir, "pjrt_c_api_cpu_plugin.so")
	cc, err := exec.Command("go", "env", "CC").Output()
	if err != nil {
		t.Fatal(err)
	}
	words := append(strings.Fields(string(cc)), "-shared", "-fPIC", "-o", plugin, "-xc", "-")
	cmd := exec.Command(words[0], words[1:]...)
	cmd.Stdin = strings.NewReader("#include <stdlib.h>\nvoid *GetPjrtApi(void) { abort(); }")
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	t.Setenv("PJRT_PLUGIN_LIBRARY_PATH", dir)
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
