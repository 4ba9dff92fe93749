//go:build !(cgo && !noxla && linux && (amd64 || arm64))

package backend

import "testing"

func TestWithoutXLA(t *testing.T) {
	choose(t, "", "")
	for _, name := range []string{CUDA, CPU, "xla:/lib/plugin.so"} {
		_, err := Open(name)
		wantError(t, err, "built without XLA", `use the backend "go"`)
	}
	if b := mustOpen(t, ""); b.Choice != Go || b.Why != "built without XLA" {
		t.Errorf("without XLA the choice is %s", b)
	}
}
