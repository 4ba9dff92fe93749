//go:build cgo && !noxla && linux && (amd64 || arm64)

package keepmemory_test

import (
	"fmt"
	"os"
	"os/exec"
	"regexp"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	. "github.com/gomlx/gomlx/core/graph"
	"golang.org/x/sys/unix"

	"samediff/sdlib/backend"
	"samediff/sdlib/internal/keepmemory"
)

// side is that of the temporary value of a run, 64 MB in all.
const side = 4096

// What XLA frees after a run it gets again for the next, so that pages are not mapped anew; with
// SD_KEEP_MEMORY=0 they are, and in the first run after Release. Each setting has a process of its own.
func TestPageFaults(t *testing.T) {
	const child = "SD_KEEP_MEMORY_TEST_CHILD"
	if os.Getenv(child) != "" {
		each, released := faults(t)
		fmt.Printf("enabled %t, faults a run %d, after Release %d\n", keepmemory.Enabled(), each, released)
		return
	}
	pages := side * side * 4 / os.Getpagesize()
	for _, test := range []struct {
		env  string
		kept bool
	}{{"", true}, {"1", true}, {"0", false}, {"false", false}} {
		cmd := exec.Command(os.Args[0], "-test.run=^TestPageFaults$", "-test.v")
		cmd.Env = append(os.Environ(), child+"=1", keepmemory.Env+"="+test.env)
		out, err := cmd.CombinedOutput()
		found := regexp.MustCompile(`enabled (\w+), faults a run (\d+), after Release (\d+)`).FindStringSubmatch(string(out))
		if err != nil || found == nil {
			t.Fatalf("%s=%s: %v\n%s", keepmemory.Env, test.env, err, out)
		}
		got, _ := strconv.Atoi(found[2])
		released, _ := strconv.Atoi(found[3])
		t.Logf("%s=%-5s: %d page faults a run, of a value of %d pages", keepmemory.Env, test.env, got, pages)
		if test.kept && got > pages/8 || !test.kept && got < pages*7/8 {
			t.Errorf("%s=%s: %d page faults a run with a value of %d pages, expected it kept: %t", keepmemory.Env, test.env, got, pages, test.kept)
		}
		if released < pages*7/8 {
			t.Errorf("%s=%s: %d page faults in the run after Release, with a value of %d pages that nothing keeps", keepmemory.Env, test.env, released, pages)
		}
	}
}

// faults is the number of page faults of a run, on average, and of the first after Release.
func faults(t *testing.T) (each, released int64) {
	if err := unix.Prctl(unix.PR_SET_THP_DISABLE, 1, 0, 0, 0); err != nil { // a huge page would count as one fault
		t.Fatal(err)
	}
	be, err := backend.Open(backend.CPU)
	if err != nil {
		t.Fatal(err)
	}
	exec, err := NewExec(be.Engine, func(x *Node) *Node {
		y := Sin(BroadcastToDims(x, side, side))
		return ReduceAllSum(MatMul(y, ReduceAndKeep(y, ReduceSum, 1)))
	})
	if err != nil {
		t.Fatal(err)
	}
	defer exec.Finalize()
	run := func(n int) int64 {
		for i := range n {
			out, err := exec.Call(float32(i))
			if err != nil {
				t.Fatal(err)
			}
			out[0].MustFinalizeAll()
		}
		var u syscall.Rusage
		if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
			t.Fatal(err)
		}
		return u.Minflt
	}
	const runs = 16
	before := run(4) // one run may begin before the memory of the last is back
	after := run(runs)
	each = (after - before) / runs
	for range 10 { // what the last run had may come back after Release, and be kept
		time.Sleep(20 * time.Millisecond)
		keepmemory.Release()
		last := after
		after = run(1)
		released = max(released, after-last)
	}
	return each, released
}

// A value that is neither yes nor no is an error, of the backend that asks too.
func TestUnclearSwitch(t *testing.T) {
	t.Setenv(keepmemory.Env, "perhaps")
	if err := keepmemory.Enable(); err == nil || !strings.Contains(err.Error(), `$SD_KEEP_MEMORY is "perhaps", expected 1`) {
		t.Errorf("error %v", err)
	}
	_, err := backend.Open(backend.CPU)
	if err == nil || !strings.Contains(err.Error(), `backend "xla:cpu": $SD_KEEP_MEMORY`) {
		t.Errorf("opening XLA on the CPU: error %v", err)
	}
}
