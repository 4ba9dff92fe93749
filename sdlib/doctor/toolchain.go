package doctor

import (
	"context"
	"encoding/json"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
)

// minGo is the minor version of Go 1 that go.mod asks for.
const minGo = 26

// toolchain examines Go, which compiles each notebook cell, and the C compiler, without
// which programs are built without XLA.
func toolchain(ctx context.Context, root string) []Finding {
	const mend = "install Go 1.26 or newer from https://go.dev/dl/ and put its bin folder into PATH"
	path, err := exec.LookPath("go")
	if err != nil {
		return []Finding{failed("Go", "no \"go\" in PATH", mend)}
	}
	out, err := output(ctx, root, "", path, "env", "-json", "GOVERSION", "CGO_ENABLED", "CC")
	if err != nil {
		return []Finding{failed("Go", path+": "+err.Error(), mend)}
	}
	var env struct{ GOVERSION, CGO_ENABLED, CC string }
	if err := json.Unmarshal([]byte(out), &env); err != nil {
		return []Finding{failed("Go", path+" env -json: "+err.Error(), mend)}
	}
	goFinding := ok("Go", strings.TrimPrefix(env.GOVERSION, "go")+", "+path)
	if !recent(env.GOVERSION) {
		goFinding = failed("Go", env.GOVERSION+" is too old, "+path, mend)
	}
	return []Finding{goFinding, compiler(ctx, env.CGO_ENABLED, env.CC)}
}

// recent reports whether a version such as "go1.26.5" is new enough; development versions are.
func recent(version string) bool {
	rest, release := strings.CutPrefix(version, "go1.")
	if !release {
		return strings.HasPrefix(version, "devel")
	}
	digits := strings.IndexFunc(rest, func(r rune) bool { return r < '0' || r > '9' })
	if digits >= 0 {
		rest = rest[:digits]
	}
	minor, err := strconv.Atoi(rest)
	return err == nil && minor >= minGo
}

// compiler compiles a program of one line, as cgo would have to.
func compiler(ctx context.Context, cgo, cc string) Finding {
	const name = "C compiler"
	const mend = "install one, on Debian or Ubuntu: apt-get install gcc libc6-dev; or name yours by CC=..."
	if cgo == "0" {
		return absent(name, "cgo is off (CGO_ENABLED=0): programs are built with the pure Go backend alone",
			"for XLA, set CGO_ENABLED=1 and have a C compiler")
	}
	words := strings.Fields(cc) // CC may hold options
	if len(words) == 0 {
		words = []string{"cc"}
	}
	dir, err := os.MkdirTemp("", "sd-doctor-")
	if err != nil {
		return failed(name, err.Error(), "make "+os.TempDir()+" writable, or set TMPDIR to a folder that is")
	}
	defer os.RemoveAll(dir)
	args := append(words[1:], "-x", "c", "-", "-o", filepath.Join(dir, "a.out"))
	if _, err := output(ctx, "", "#include <stdlib.h>\nint main(void) { return EXIT_SUCCESS; }\n", words[0], args...); err != nil {
		return failed(name, strings.Join(words, " ")+" does not compile a line of C: "+err.Error(), mend)
	}
	detail := words[0]
	if version, err := output(ctx, "", "", words[0], "--version"); err == nil {
		detail, _, _ = strings.Cut(version, "\n")
	}
	return ok(name, detail)
}

// output runs a program in a folder with a text on its standard input, and returns what
// it prints. The error holds the first line of what it says on standard error.
func output(ctx context.Context, dir, stdin, name string, args ...string) (string, error) {
	ctx, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	cmd := exec.CommandContext(ctx, name, args...)
	cmd.Dir, cmd.Stdin = dir, strings.NewReader(stdin)
	cmd.WaitDelay = timeout / 10 // a grandchild may hold the pipes
	out, err := cmd.Output()
	if ctx.Err() != nil {
		return "", ctx.Err()
	}
	var exit *exec.ExitError
	if errors.As(err, &exit) {
		lines := strings.Split(strings.TrimSpace(string(exit.Stderr)), "\n")
		if last := lines[len(lines)-1]; last != "" { // a Python traceback ends with what went wrong
			return "", errors.New(last)
		}
	}
	return string(out), err
}
