package doctor

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"samediff/sdlib/backend"
)

// A backend that ends the process which opens it is a finding, and so is one that says nothing; what another process found is taken as
// it is.
func TestProbeIn(t *testing.T) {
	script := filepath.Join(t.TempDir(), "probe")
	text := `#!/bin/sh
case $1 in
xla:cuda) echo "fatal error: unexpected signal" >&2; kill -SEGV $$ ;;
xla:cpu) echo "no JSON" ;;
go) echo '{"name": "go", "result": "54", "devices": 1, "choice": "go", "platform": "go", "why": "asked for by name"}' ;;
*) echo '{"name": "", "wrong": "nothing works", "mend": "try"}' ;;
esac
`
	if err := os.WriteFile(script, []byte(text), 0o755); err != nil {
		t.Fatal(err)
	}
	found := backends(t.Context(), []string{script}, "")
	want(t, found[0], Absent, "opening it ends the process: signal: segmentation fault", "unexpected signal")
	want(t, found[1], Failed, "opening it ends the process: invalid character")
	want(t, found[2], OK, "54")
	want(t, found[3], Failed, "nothing works")
}

// What a process says of a backend is what it would have found itself.
func TestProbeBackend(t *testing.T) {
	p := ProbeBackend(backend.Go)
	if p.Err != nil || p.Choice != backend.Go || p.Platform != backend.Go || p.Wrong != "" || p.Result == "" {
		t.Errorf("pure Go: %+v", p)
	}
	p = ProbeBackend("abacus")
	if p.Err == nil || !strings.Contains(p.Wrong, `backend "abacus" is unknown`) || p.Backend != nil {
		t.Errorf("no such backend: %+v", p)
	}
}
