package backend

import (
	"strings"
	"testing"
)

// choose clears the variables that override the choice, so that a test does not depend on the user's.
func choose(t *testing.T, sd, gomlx string) {
	t.Helper()
	t.Setenv(Env, sd)
	t.Setenv("GOMLX_BACKEND", gomlx)
}

// forget makes Open look for backends anew, until the test ends.
func forget(t *testing.T) {
	t.Helper()
	mu.Lock()
	before := opened
	opened = map[string]*Backend{}
	mu.Unlock()
	t.Cleanup(func() { mu.Lock(); opened = before; mu.Unlock() })
}

// wantError fails unless err is one line with all the parts.
func wantError(t *testing.T, err error, parts ...string) {
	t.Helper()
	if err == nil {
		t.Fatalf("no error, expected one with %q", parts)
	}
	if strings.Contains(err.Error(), "\n") {
		t.Errorf("the error has several lines:\n%v", err)
	}
	for _, part := range parts {
		if !strings.Contains(err.Error(), part) {
			t.Errorf("the error does not say %q:\n%v", part, err)
		}
	}
}

func mustOpen(t *testing.T, name string) *Backend {
	t.Helper()
	b, err := Open(name)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func TestWrongName(t *testing.T) {
	choose(t, "", "")
	for _, name := range []string{"xla", "cpu", "cuda", "XLA:CPU", "xla:tpu", "gopher", " go", "xla:cpu.so", "auto,x"} {
		_, err := Open(name)
		wantError(t, err, `backend "`+name+`" is unknown: expected one of xla:cuda, xla:cpu, go`, "xla:/path/to/plugin.so")
	}
	_, err := Open("go:no_such_option")
	wantError(t, err, `backend "go:no_such_option"`)
}

// The variables override the choice, SD_BACKEND first, and the error says which one was wrong.
func TestEnvironment(t *testing.T) {
	choose(t, "go", "xla:nonsense")
	if b := mustOpen(t, ""); b.Choice != "go" || b.Why != "set by $SD_BACKEND" {
		t.Errorf("SD_BACKEND=go opens %s", b)
	}
	choose(t, "", "go")
	if b := mustOpen(t, "auto"); b.Choice != "go" || b.Why != "set by $GOMLX_BACKEND" {
		t.Errorf("GOMLX_BACKEND=go opens %s", b)
	}
	if b := mustOpen(t, "go"); b.Why != "asked for by name" {
		t.Errorf("Open(go) says %s", b)
	}
	choose(t, "nonsense", "go")
	_, err := Open("")
	wantError(t, err, `backend "nonsense" is unknown`, "(set by $SD_BACKEND)")
	if b := mustOpen(t, "go"); b.Choice != "go" { // a name given to Open comes before the variables
		t.Errorf("Open(go) opens %s", b)
	}
	choose(t, "auto", "")
	if b := mustOpen(t, ""); b.Why == "set by $SD_BACKEND" {
		t.Errorf("SD_BACKEND=auto: %s", b)
	}
}

// A backend is opened once, whoever asks, and each is told their own reason.
func TestOpenOnce(t *testing.T) {
	choose(t, "go", "")
	byName, byEnv := mustOpen(t, "go"), mustOpen(t, "")
	if byName.Engine != byEnv.Engine {
		t.Error("two engines were opened for one name")
	}
	if byName.Why != "asked for by name" || byEnv.Why != "set by $SD_BACKEND" {
		t.Errorf("reasons %q and %q", byName.Why, byEnv.Why)
	}
	forget(t)
	again := mustOpen(t, "go")
	if again.Engine == byName.Engine {
		t.Fatal("the test's forget does not work")
	}
	again.Engine.Finalize()
	if mustOpen(t, "go").Engine == again.Engine {
		t.Error("an engine that was closed is handed out again")
	}
}

// Of finds the backend that an engine belongs to.
func TestOf(t *testing.T) {
	b := mustOpen(t, Go)
	if got := Of(b.Engine); got == nil || got.Choice != Go || got.IsCPU() {
		t.Errorf("Of(the engine of %v) = %v", b, got)
	}
	if got := Of(nil); got != nil || got.IsCPU() {
		t.Errorf("Of(nil) = %v", got)
	}
}

func TestGo(t *testing.T) {
	b := mustOpen(t, Go)
	if b.Platform != Go || b.IsXLA() || b.Plugin != "" || b.Version != "" {
		t.Errorf("the Go backend says it is XLA: %+v", b)
	}
	if got := b.String(); got != "go: asked for by name" {
		t.Errorf("String() = %q", got)
	}
	if got, err := b.selfTest(); err != nil || got != "Σ [[1 2][3 4]]² = 54" {
		t.Errorf("selfTest() = %q, %v", got, err)
	}
	withOption := mustOpen(t, "go:ops_sequential,parallelism=1")
	if _, err := withOption.selfTest(); err != nil {
		t.Error(err)
	}
}

// Every backend has one line, whether it works or not.
func TestTest(t *testing.T) {
	var all []Status
	for i, name := range Names {
		s := Test(name)
		all = append(all, s)
		switch {
		case s.Name != Names[i]:
			t.Errorf("line %d is about %q, expected %q", i, s.Name, Names[i])
		case s.Err == nil && (s.Result != "Σ [[1 2][3 4]]² = 54" || s.Devices < 1 || s.Backend == nil):
			t.Errorf("%s works, but says %+v", s.Name, s)
		case s.Err == nil && strings.HasPrefix(s.Name, "xla") && (s.Plugin == "" || s.Version == ""):
			t.Errorf("%s works, but names no plugin: %+v", s.Name, s)
		case s.Err != nil && s.Result != "":
			t.Errorf("%s does not work, but computed: %+v", s.Name, s)
		}
	}
	if last := all[len(all)-1]; last.Name != Go || last.Err != nil {
		t.Errorf("the Go backend must always work: %+v", last)
	}
}
