package main

import (
	"strings"
	"testing"

	"samediff/sdlib/doctor"
)

func TestDoctor(t *testing.T) {
	type report struct {
		Healthy  bool
		Findings []doctor.Finding
	}
	store := t.TempDir()
	r := sd("doctor", "--json", "--store", store, "--backend", "go")
	got := decode[report](t, r)
	if got.Healthy != (r.status == exitOK) {
		t.Errorf("healthy is %v and the exit status %d", got.Healthy, r.status)
	}
	states := map[string]doctor.State{}
	for _, f := range got.Findings {
		states[f.Name] = f.State
		if f.State != doctor.OK && f.Mend == "" {
			t.Errorf("%s is %s and nothing says how to mend it", f.Name, f.State)
		}
	}
	for _, name := range []string{"Go", "Backend go", "Backend taken", "Store"} {
		if states[name] != doctor.OK {
			t.Errorf("%s is %q, want ok: %+v", name, states[name], got.Findings)
		}
	}

	r = sd("doctor", "--store", store, "--backend", "abacus").want(t, exitFailure)
	r.says(t, "something necessary does not work")
	if !strings.Contains(r.out, `FAILED  Backend taken      backend "abacus" is unknown`) {
		t.Errorf("doctor prints\n%s", r.out)
	}
}
