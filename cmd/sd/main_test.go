package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/spf13/cobra"

	"samediff/internal/halt"
)

// mainEnv makes this test binary the command itself, for tests that need a process of their own.
const mainEnv = "SD_TEST_MAIN"

// haltEnv and meetEnv make such a process wait at a place that does not depend on how fast the machine is. Both are a number, a space, and
// a path: of the look at the context at which it halts, and the file that it writes then (package halt); of the processes of a [meeting].
const haltEnv, meetEnv = "SD_TEST_HALT", "SD_TEST_MEET"

func TestMain(m *testing.M) {
	if os.Getenv(mainEnv) != "" {
		if n, file, ok := strings.Cut(os.Getenv(haltEnv), " "); ok {
			os.Exit(run(halt.In(context.Background(), number(n), file), os.Args[1:], os.Stdout, os.Stderr))
		}
		if n, dir, ok := strings.Cut(os.Getenv(meetEnv), " "); ok {
			os.Exit(run(context.Background(), os.Args[1:], os.Stdout, &meeting{Writer: os.Stderr, dir: dir, size: number(n)}))
		}
		main()
	}
	os.Setenv(mainEnv, "1") // for the processes that commands start of themselves
	os.Exit(m.Run())
}

func number(text string) int {
	n, err := strconv.Atoi(text)
	if err != nil {
		panic(err)
	}
	return n
}

// A meeting is standard error of a process that works through a plan for Figure 2. Having said what its first job is, and holding the
// job's lock, it writes a file named after its process and waits until so many are in the folder.
type meeting struct {
	io.Writer
	dir  string
	size int
	once sync.Once
}

func (m *meeting) Write(text []byte) (int, error) {
	n, err := m.Writer.Write(text)
	if bytes.HasPrefix(text, []byte("sd: heads ")) {
		m.once.Do(m.wait)
	}
	return n, err
}

func (m *meeting) wait() {
	if err := os.WriteFile(filepath.Join(m.dir, fmt.Sprint(os.Getpid())), nil, 0o600); err != nil {
		panic(err)
	}
	for begin := time.Now(); len(present(m.dir)) < m.size; time.Sleep(5 * time.Millisecond) {
		if time.Since(begin) > 5*time.Minute {
			panic("after five minutes the others are not here")
		}
	}
}

// present are the names of the files in a meeting's folder.
func present(dir string) (names []string) {
	entries, err := os.ReadDir(dir)
	if err != nil {
		panic(err)
	}
	for _, e := range entries {
		names = append(names, e.Name())
	}
	return names
}

// result is what a command left behind.
type result struct {
	status      int
	out, errors string
}

// sd runs a command in this process.
func sd(args ...string) result {
	var out, errs bytes.Buffer
	status := run(context.Background(), args, &out, &errs)
	return result{status, out.String(), errs.String()}
}

// want fails the test unless the command ended with a status.
func (r result) want(t *testing.T, status int) result {
	t.Helper()
	if r.status != status {
		t.Fatalf("exit status %d, want %d\nstandard output:\n%s\nstandard error:\n%s", r.status, status, r.out, r.errors)
	}
	return r
}

// says fails the test unless standard error is one line with all of these parts.
func (r result) says(t *testing.T, parts ...string) {
	t.Helper()
	if strings.Count(r.errors, "\n") != 1 || !strings.HasPrefix(r.errors, "sd: ") {
		t.Errorf("want one line on standard error that begins with \"sd: \", got:\n%s", r.errors)
	}
	for _, part := range parts {
		if !strings.Contains(r.errors, part) {
			t.Errorf("standard error lacks %q:\n%s", part, r.errors)
		}
	}
}

// process prepares a command in a process of its own; a hanging one is killed.
func process(t *testing.T, args ...string) *exec.Cmd {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 3*time.Minute)
	t.Cleanup(cancel)
	cmd := exec.CommandContext(ctx, os.Args[0], args...)
	cmd.Env = append(os.Environ(), mainEnv+"=1")
	return cmd
}

// finish runs a process to its end.
func finish(t *testing.T, cmd *exec.Cmd) result {
	t.Helper()
	var out, errs bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &errs
	var exit *exec.ExitError
	if err := cmd.Run(); err != nil && !errors.As(err, &exit) {
		t.Fatal(err)
	}
	return result{cmd.ProcessState.ExitCode(), out.String(), errs.String()}
}

// decode reads a command's JSON.
func decode[T any](t *testing.T, r result) T {
	t.Helper()
	var v T
	if err := json.Unmarshal([]byte(r.out), &v); err != nil {
		t.Fatalf("%v in:\n%s", err, r.out)
	}
	return v
}

func TestHelpTeaches(t *testing.T) {
	var visit func(cmd *cobra.Command)
	visit = func(cmd *cobra.Command) {
		for _, c := range cmd.Commands() {
			visit(c)
		}
		name := cmd.CommandPath()
		r := sd(append(strings.Fields(name)[1:], "--help")...)
		if r.status != exitOK || r.errors != "" || !strings.Contains(r.out, cmd.Long) {
			t.Errorf("%s --help: status %d, errors %q, output:\n%s", name, r.status, r.errors, r.out)
		}
		if cmd.Short == "" || len(strings.Fields(cmd.Long)) < 35 {
			t.Errorf("%s: the help is too short to teach:\n%s", name, cmd.Long)
		}
		if !cmd.HasSubCommands() && cmd.Example == "" {
			t.Errorf("%s: no example", name)
		}
		for _, line := range strings.Split(cmd.Long, "\n") {
			if len([]rune(line)) > 92 {
				t.Errorf("%s: a line of %d characters wraps in a terminal: %s", name, len([]rune(line)), line)
			}
		}
	}
	visit(newRoot(&app{}))
}

func TestWrongUsage(t *testing.T) {
	t.Setenv("SD_STORE", t.TempDir())
	for _, test := range []struct{ args, says string }{
		{"trian", `no command "trian"; did you mean train?`},
		{"store purge", `no command "purge"`},
		{"--colour", "unknown flag: --colour"},
		{"train --geometry b99", `unknown geometry "b99": expected one of b16, b32, b14, b16-112, b14-112, course, course-quick`},
		{"train --task sorting", "expected one of discrimination, rmts"},
		{"train --epochs many", `invalid argument "many"`},
		{"train slowly", "expected quick, course, rmts, clip-b16-112, clip-b16-112-32, clip-b16-112-rmts, clip-b16-112-rmts-32, clip-b16-112-rmts-direct, clip-b16-minutes, dinov2-s-saliency-112, dinov2-s-saliency-112-rmts, course-scratch, course-supervised, course-contrastive, course-masked, course-distilled, or one of clip-b16, clip-b32, "},
		{"seeds slowly", "expected quick, course, rmts,"},
		{"seeds quick --only iid", `no set is called "iid"`},
		{"seeds quick --images=-2", "--images is -2"},
		{"train quick course", "accepts at most 1 arg(s), received 2"},
		{"figure 40", "expected one of 1, 2, 3, 4, "},
		{"figure 7 --model quick", "--model is for figures and tables of models, and figure 7 is none"},
		{"figure 7 --geometry b32", "--geometry is for figures 1, 8 and 23"},
		{"attention quick --heads 0", "--heads is 0, expected 1 or more"},
		{"attention quick --images 4", "--images and --index are for --html"},
		{"attention quick --html a.html --images 0", "--images is 0, expected 1 or more"},
		{"attention quick --html a.html --images 4 --index 1,2", "either --images or --index"},
		{"attention quick --during 0,soon", "expected numbers of steps such as 0,10,30,100"},
		{"attention quick --during 5", "is one step, expected two or more"},
		{"attention quick --during 0,5 --parts", "leave --parts, --html and --set away"},
		{"attention quick --during 0,5 --measure size", "expected one of local, within, pair, background, between"},
		{"attention quick --during 0,5 --measure between", "is of RMTS"},
		{"attention quick --during 0,5 --images-of-each 0", "--images-of-each is 0"},
		{"probe quick --target size", "expected one of relation, shape, color, same-object"},
		{"probe quick --images 0", "expected 1 or more"},
		{"probe quick --intervene --target shape", "--intervene adds the direction of a relation"},
		{"probe quick --intervene --control shuffled", "leave --control shuffled away"},
		{"probe quick --intervene --directions up", "expected one of opposite, present, random, means"},
		{"similarity quick --images 1", "expected 2 or more"},
		{"eval", "accepts 1 arg(s), received 0"},
		{"stimuli show --split all", "expected one of train, val, test, test-iid"},
		{"stimuli show --count 0", "expected 1 to 6400"},
		{"stimuli export", "accepts 1 arg(s), received 0"},
		{"store rm", "requires at least 1 arg(s)"},
		{"doctor now", "unknown command"},
	} {
		t.Run(test.args, func(t *testing.T) {
			r := sd(strings.Fields(test.args)...).want(t, exitUsage)
			r.says(t, test.says, "--help`)")
			if r.out != "" {
				t.Errorf("standard output is %q, want none", r.out)
			}
		})
	}
}

// What is wrong with a training is found before anything is computed.
func TestImpossibleTraining(t *testing.T) {
	t.Setenv("SD_STORE", t.TempDir())
	for _, test := range []struct{ args, says string }{
		{"--batch 7000", "expected 1 to 6400, the size of the training set"},
		{"--lr -1", "the learning rate is -1"},
		{"--images 3", "3"},
		{"--warmup 1000000", "warm-up"},
		{"--after 9", "9"},
	} {
		sd(strings.Fields("train "+test.args)...).want(t, exitFailure).says(t, test.says)
	}
}

func TestInterruptedReport(t *testing.T) {
	canceled := fmt.Errorf("train: %w", fmt.Errorf("step train: %w", context.Canceled))
	full := errors.New("the disk is full")
	for _, test := range []struct {
		err    error
		status int
		says   string
	}{
		{nil, exitOK, ""},
		{canceled, exitInterrupted, "sd: interrupted; the same command goes on where it stopped\n"},
		{fmt.Errorf("train: %w", errors.Join(context.Canceled, full)), exitInterrupted, "sd: interrupted; and the disk is full\n"},
		{errors.Join(full, errors.New("two\n lines\n")), exitFailure, "sd: the disk is full; two; lines\n"},
	} {
		var errs bytes.Buffer
		a := &app{err: &errs}
		if status := a.report(test.err); status != test.status || errs.String() != test.says {
			t.Errorf("report(%v) = %d and says %q, want %d and %q", test.err, status, errs.String(), test.status, test.says)
		}
	}
}

// A panic below is a bug, and still ends as an error.
func TestPanicBecomesError(t *testing.T) {
	var errs bytes.Buffer
	status := run(context.Background(), []string{"stimuli", "stats", "--images", "8"}, panics{}, &errs)
	r := result{status, "", errs.String()}
	r.want(t, exitFailure).says(t, "internal error: graph building failed", "--verbose")
}

type panics struct{}

func (panics) Write([]byte) (int, error) { panic("graph building failed") }

func TestImpossibleStore(t *testing.T) {
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	sd("train", "--store", file).want(t, exitFailure).says(t, file, "is no folder")
	sd("store", "ls", "--store", file).want(t, exitFailure).says(t, file, "is no folder")
	sd("eval", "quick", "--store", filepath.Join(file, "below")).want(t, exitFailure).says(t, file)
	// A folder in which nothing can be made, even by root: the file stands where the store keeps artifacts.
	dir := t.TempDir()
	for _, name := range []string{"locks", "unfinished"} {
		if err := os.WriteFile(filepath.Join(dir, name), nil, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	sd("train", "--store", dir, "--images", "64", "--warmup", "0").want(t, exitFailure).says(t, dir, "a file is in the way")
}
