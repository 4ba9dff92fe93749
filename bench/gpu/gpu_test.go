package main

import (
	"errors"
	"fmt"
	"math"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"

	"samediff/sdlib/backend"
	"samediff/sdlib/vit"
)

// built is the folder with the programs that run.sh runs, once a test has asked for them.
var built string

var build = sync.OnceValue(func() (err error) {
	if built, err = os.MkdirTemp("", "gpu-test-"); err != nil {
		return err
	}
	if out, err := exec.Command("go", "build", "-o", built, "samediff/bench/gpu", "samediff/cmd/sd").CombinedOutput(); err != nil {
		return fmt.Errorf("%w\n%s", err, out)
	}
	return nil
})

// The weights that the user has are not used: with them the part about CLIP takes minutes.
func TestMain(m *testing.M) {
	home, err := os.MkdirTemp("", "gpu-test-")
	if err != nil {
		panic(err)
	}
	for _, name := range []string{"HF_HUB_CACHE", "HUGGINGFACE_HUB_CACHE", "HF_ASSETS_CACHE"} {
		os.Unsetenv(name)
	}
	os.Setenv("HF_HOME", home)
	status := m.Run()
	os.RemoveAll(home)
	if built != "" {
		os.RemoveAll(built)
	}
	os.Exit(status)
}

func programs(t *testing.T) string {
	t.Helper()
	if err := build(); err != nil {
		t.Fatal(err)
	}
	return built
}

// run runs a run.sh and returns its rows, its exit status and what it printed.
func run(t *testing.T, script string, args ...string) (rows [][]string, status int, printed string) {
	t.Helper()
	out := filepath.Join(t.TempDir(), "out")
	said, err := exec.Command("bash", append([]string{script}, append(args, out)...)...).CombinedOutput()
	exit := (*exec.ExitError)(nil)
	if err != nil && !errors.As(err, &exit) {
		t.Fatal(err)
	}
	if exit != nil {
		status = exit.ExitCode()
	}
	rows, err = readRows(filepath.Join(out, "results.csv"))
	if err != nil {
		t.Fatalf("%v\n%s", err, said)
	}
	text, _ := os.ReadFile(filepath.Join(out, "results.csv"))
	if lines := strings.Count(string(text), "\n"); lines != len(rows)+1 {
		t.Errorf("results.csv has %d lines of %d fields and %d in all, expected a head and these", len(rows), len(columns), lines)
	}
	files, _ := os.ReadDir(out)
	if len(files) > 8 {
		t.Errorf("%d files are left, expected at most 8", len(files))
	}
	t.Cleanup(func() {
		if t.Failed() {
			log, _ := os.ReadFile(filepath.Join(out, "log.txt"))
			t.Logf("%s\nlog.txt:\n%s", said, log)
		}
	})
	return rows, status, string(said)
}

// with returns the rows of a part about something.
func with(rows [][]string, part, what string) (found [][]string) {
	for _, r := range rows {
		if r[0] == part && r[1] == what {
			found = append(found, r)
		}
	}
	return found
}

// fakePython answers like a Python with PyTorch: find.py's question and torch_peer.py's. Its
// torch.compile does not work.
const fakePython = `#!/bin/bash
case $1 in
*/find.py) printf 'python\t3.99.0\ntorch\t9.9.0\n' ;;
*/torch_peer.py)
	echo ready torch 9.9.0 on nothing
	while read -r model precision batch engine seconds; do
		case $model/$engine in
		product/*) echo product 0.5 ;;
		*/torch.compile) echo error no compiler here; continue ;;
		*) printf 'compile 1\ntraining 100\nmemory 10\nforward 300\n' ;;
		esac
		echo done
	done ;;
esac
`

// All parts run on the CPU, through the same scripts and programs as on a GPU, beside a PyTorch
// that is none: bench/training's environment has the real one.
func TestRunOnCPU(t *testing.T) {
	be, err := backend.Open(backend.CPU)
	if err != nil {
		be, err = backend.Open(backend.Go)
	}
	if err != nil {
		t.Fatal(err)
	}
	python := filepath.Join(t.TempDir(), "python")
	if err := os.WriteFile(python, []byte(fakePython), 0o755); err != nil {
		t.Fatal(err)
	}
	rows, status, printed := run(t, "run.sh", "--backend", be.Choice, "--tiny", "--bin", programs(t), "--python", python)
	if status != 0 {
		t.Errorf("exit status %d", status)
	}
	expect := func(part, what string, n int, ok string) {
		t.Helper()
		found := with(rows, part, what)
		if len(found) != n || slices.ContainsFunc(found, func(r []string) bool { return r[6] != ok }) {
			t.Errorf("%s, %s: %q, expected %d rows that say %q", part, what, found, n, ok)
		}
		for _, r := range found {
			if x, err := strconv.ParseFloat(r[3], 64); (n > 0 && r[4] != "") && (err != nil || !(x >= 0)) {
				t.Errorf("%s, %s: %q is no number", part, what, r)
			}
		}
	}
	expect("setup", "machine", 1, "")
	expect("setup", "backend", 1, yes)
	expect("setup", "a product of two matrices", 1, yes)
	expect("parity", "forward", 3, yes) // three precisions
	expect("losses", "training loss", 1, yes)
	expect("clip", "weights", 1, missing)
	if found := with(rows, "das", "discrimination-256-quick"); len(found) != 2 || found[0][6] != yes || found[1][2] != "1 of 1 blocks" {
		t.Errorf("searches: %q, expected one block, and how many there are", found)
	}
	for _, what := range []string{trainingRate, forwardRate, compileTime, memoryUse, productRate} {
		ours := slices.DeleteFunc(with(rows, "speed", what), func(r []string) bool { return !strings.HasSuffix(r[2], "/xla") })
		if len(ours) != 1 || !(number(ours[0][3]) > 0) {
			t.Errorf("%s: %q, expected a positive number", what, ours)
		}
	}
	if r := with(rows, "setup", "torch"); len(r) != 1 || !strings.Contains(r[0][7], "9.9.0, "+python) {
		t.Errorf("PyTorch: %q", r)
	}
	if r := with(rows, "speed", "speed"); len(r) != 1 || r[0][2] != "course-quick/bf16/4/torch.compile" || r[0][6] != missing || !strings.Contains(r[0][7], "no compiler here") {
		t.Errorf("what could not be measured: %q, expected torch.compile alone", r)
	}
	for _, part := range []string{"setup", "parity", "speed", "losses"} {
		expect(part, "time", 1, "")
	}
	speeds := speedTable(rows)
	for i, want := range []string{"product bf16 64 TFLOP/s 0.5", "course-quick bf16 4 training 100", "course-quick bf16 4 forward 300"} {
		r := speeds.Rows[i]
		if got := strings.Join(append(slices.Clone(r[:4]), r[5]), " "); got != want || !(number(r[4]) > 0) || !(number(r[7]) > 0) {
			t.Errorf("line %d of the table is %q, expected %s, a speed of ours and a ratio", i, r, want)
		}
	}
	if !strings.Contains(printed, plain(speeds)) {
		t.Error("the table is not printed")
	}
}

func number(text string) float64 {
	x, err := strconv.ParseFloat(text, 64)
	if err != nil {
		return math.NaN()
	}
	return x
}

// Without a plugin each part says so, nothing fails, and all rows are there.
func TestDryRun(t *testing.T) {
	dir := programs(t)
	t.Setenv("PJRT_PLUGIN_LIBRARY_PATH", "")
	for _, name := range []string{"xla:cuda", "xla:/nowhere/pjrt_c_api_cuda_plugin.so"} {
		rows, status, _ := run(t, "run.sh", "--backend", name, "--bin", dir, "--python", "/nowhere/python")
		if name == "xla:cuda" && with(rows, "setup", "card")[0][6] != missing {
			continue // there is a GPU, and perhaps a plugin
		}
		if status != 0 {
			t.Errorf("%s: exit status %d", name, status)
		}
		for _, part := range []string{"setup", "parity", "speed", "losses", "clip", "das"} {
			found := with(rows, part, "backend")
			if len(found) == 0 || slices.ContainsFunc(found, func(r []string) bool { return r[6] != missing || r[7] == "" }) {
				t.Errorf("%s, %s: %q, expected rows that say what is missing", name, part, found)
			}
			if len(with(rows, part, "time")) != 1 {
				t.Errorf("%s: the part %s did not end by itself", name, part)
			}
		}
		for _, r := range rows {
			if r[6] == no || r[6] == yes {
				t.Errorf("%s: %q, expected that nothing could run", name, r)
			}
		}
	}
}

// A part that hangs or fails costs itself alone, and the exit status says so.
func TestPartsFail(t *testing.T) {
	root := t.TempDir()
	file := func(path, text string) {
		t.Helper()
		path = filepath.Join(root, path)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	script, err := os.ReadFile("run.sh")
	if err != nil {
		t.Fatal(err)
	}
	file("bench/gpu/run.sh", string(script))
	file("bench/gpu/parts/10-first.sh", "# seconds: 6\necho FOUND=it >>\"$work/env\"\nprintf 'first,half a line' >>\"$csv\"\n")
	file("bench/gpu/parts/20-hangs.sh", "# seconds: 6\nrow \"$part\" before '' 1 s '' '' 'with, a comma and a \"quote\"'\nsleep 60\n")
	file("bench/gpu/parts/30-fails.sh", "# seconds: 6\necho what went wrong\nexit 3\n")
	file("bench/gpu/parts/40-last.sh", "# seconds: 6\nrow \"$part\" found \"$FOUND\" \"$limit\" s '' '' ''\n")
	file("bench/gpu/parts/50-other.sh", "# seconds: 6\nrow \"$part\" ran '' '' '' '' '' ''\n")
	rows, status, printed := run(t, filepath.Join(root, "bench/gpu/run.sh"), "--bin", programs(t), "--seconds", "20", "--parts", "first|hangs|fails|last")
	if status != 1 || !strings.Contains(printed, "2 failed") {
		t.Errorf("exit status %d, expected 1 and that 2 failed", status)
	}
	if r := with(rows, "hangs", "part"); len(r) != 1 || r[0][6] != no || !strings.Contains(r[0][7], "hung") {
		t.Errorf("the part that hangs: %q", r)
	}
	if r := with(rows, "hangs", "before"); len(r) != 1 || r[0][7] != `with, a comma and a "quote"` {
		t.Errorf("what it found before: %q", r)
	}
	if r := with(rows, "fails", "part"); len(r) != 1 || r[0][6] != no || !strings.Contains(r[0][7], "exit status 3: what went wrong") {
		t.Errorf("the part that fails: %q", r)
	}
	if r := with(rows, "last", "found"); len(r) != 1 || r[0][2] != "it" || !(number(r[0][3]) >= 2) {
		t.Errorf("the last part: %q", r)
	}
	if r := with(rows, "other", "ran"); len(r) != 0 {
		t.Error("a part that was not asked for ran")
	}
}

// The table gathers what is within bounds, puts failures last, and engines beside each other.
func TestTable(t *testing.T) {
	path := filepath.Join(t.TempDir(), "results.csv")
	text := "part,what,config,value,unit,bound,ok,note\n"
	for i := range 5 {
		text += fmt.Sprintf("parity,forward,model %d f32,%de-06,of scale,1e-05,yes,largest of logits\n", i, i)
	}
	text += `speed,training,b16/bf16/256/xla,1000,images/s,,,25 % of the card's bf16 rate
speed,memory,b16/bf16/256/xla,2000,MiB,,,
speed,training,b16/bf16/256/torch,800,images/s,,,
speed,training,b16/bf16/256/torch.compile,1250,images/s,,,
losses,training loss,course f32,NaN,of the CPU's,1e-05,no,"at step 3, of 20"
speed,speed,course/f32/64/xla,,,,skipped,3 s left
"cut off
`
	if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
	rows, err := readRows(path)
	if err != nil || len(rows) != 11 {
		t.Fatalf("%d rows, %v", len(rows), err)
	}
	speeds := speedTable(rows)
	want := []string{"b16", "bf16", "256", "training", "1000", "800", "1250", "1.25", "0.80", "25 %", "2000", "–"}
	if !slices.Equal(speeds.Rows[0], want) {
		t.Errorf("the speeds are %q, expected %q", speeds.Rows[0], want)
	}
	gathered := gather(rows)
	if r := gathered[0]; r[2] != "5 configurations" || r[3] != "4e-06" || !strings.Contains(r[7], "model 4 f32") || len(gathered) != 7 {
		t.Errorf("gathered: %q", gathered)
	}
	for markdown, want := range map[bool]string{
		false: "\nlosses  training loss  course f32 ", // the failure last
		true:  "| b16 | bf16 | 256 | training | 1000 | 800 | 1250 | 1.25 | 0.80 | 25 % | 2000 | – |",
	} {
		var text strings.Builder
		if err := printTable(&text, path, markdown); err == nil || !strings.Contains(err.Error(), "1 of 11 checks failed") {
			t.Errorf("error %v", err)
		}
		if !strings.Contains(text.String(), want) {
			t.Errorf("the table lacks %q:\n%s", want, text.String())
		}
	}
}

// ViT-B/16 takes 17.6 billion multiplications with additions for an image of 224 pixels.
func TestFlops(t *testing.T) {
	if got := flops(vit.B16); math.Abs(got-2*17.56e9) > .02e9 {
		t.Errorf("%.4g operations, expected 35.1e9", got)
	}
}

func TestParseConfig(t *testing.T) {
	c := config{"b16", bf16, 256}
	if got, err := parseConfig(c.String()); err != nil || got != c {
		t.Errorf("%v is read as %v, %v", c, got, err)
	}
	for _, text := range []string{"", "b16", "b16/f16/1", "b16/f32/0", "b16/f32/x", "b16/f32/1/xla"} {
		if _, err := parseConfig(text); err == nil {
			t.Errorf("%q is accepted", text)
		}
	}
	for _, test := range []struct {
		p             precision
		backend, want string
		model         vit.Precision
	}{
		{f32, "xla:cuda", "xla:cuda", vit.F32}, {tf32, "xla:cuda", "xla:cuda,tf32=true", vit.F32}, {bf16, "xla:cuda", "xla:cuda", vit.BF16},
		{tf32, "xla:cpu", "xla:cpu", vit.TF32}, {tf32, "go", "go", vit.TF32}, {tf32, "xla:/a/xla_cuda13/p.so", "xla:/a/xla_cuda13/p.so,tf32=true", vit.F32},
	} {
		if name, model := test.p.on(test.backend); name != test.want || model != test.model {
			t.Errorf("%s on %s is %s, %q", test.p, test.backend, name, model)
		}
	}
}
