package main

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"samediff/sdlib/artifact"
	"samediff/sdlib/emoji"
	"samediff/sdlib/vit"
)

// killsEnv is how often each command is killed: make kills sets it. Without, a few of the commands are, twice.
const killsEnv = "SD_KILLS"

// writers are the commands that write, in sizes of seconds. IN is a folder with what they read: model, tuned, foreign, set, das.json; OUT the one
// that they write to; ~ is a space.
var writers = []struct {
	args  string
	quick bool // in an ordinary test run too
	fresh bool // it refuses a folder where all is done
}{
	{"stimuli export OUT/set --images 60", true, true},
	{"stimuli export OUT/pairs --images 60 --counterfactual shape --pairs 20", false, true},
	{"model convert IN/model -o OUT/model --format bin --dtype f16", true, false},
	{"model pack IN/tuned --base IN/model -o OUT/packed --name base --images 16", true, false},
	{"model trace IN/model --images IN/set --nodes block*/resid_post -o OUT/trace.safetensors", false, false},
	{"figure 1 --geometry course-quick -o OUT/figure.png", false, false},
	{"train quick --images 32 --batch 16 --epochs 2 --blocks 1 --val 0 --warmup 0 --losses none", false, false},
	{"eval IN/model --only test~(IID) --images 64", false, false},
	{"attention IN/model --csv OUT/scores.csv --html OUT/scores.html --images 2", false, false},
	{"das IN/model --recipe IN/das.json --blocks 0 --property shape --test 20 --csv OUT/das.csv --save OUT/das", false, false},
	{"novel IN/model --recipe IN/das.json --blocks 0 --property shape --test 20 --made 20 --novelty added --csv OUT/novel.csv", false, false},
	{"patch heads IN/model --images 8 --draws 2 --top 2 --csv OUT/heads.csv -o OUT/heads.png", false, false},
	{"patch edges IN/model --images 8 --csv OUT/edges.csv -o OUT/edges.png", false, false},
	{"probe IN/model --images 40 --csv OUT/probe.csv -o OUT/probe.png", false, false},
	{"similarity IN/model --images 16 --csv OUT/alike.csv -o OUT/alike.png", false, false},
	{"patch interchange discrimination-256-quick --pairs 8 --site heads --csv OUT/interchange.csv -o OUT/interchange.png", false, false},
	{"patch path discrimination-256-quick --pairs 4 --csv OUT/paths.csv -o OUT/paths.png", false, false},
	{"table 7 --trained --csv OUT/table.csv", false, false},
	{"seeds quick --trained --csv OUT/seeds.csv", false, false},
	{"report IN/foreign -o OUT/report.html", false, false},
	{"pictures pairs -o OUT/pairs --images 60 --held 0", true, true},
	{"stimuli show -o OUT/sheet.png", false, false},
	{"pretrain masked --images 32 --batch 16 --epochs 2 --blocks 1 --warmup 0", false, false},
	{"eval IN/model --vary --images 16", false, false},
	{"slurm table 1 --scale tiny --tasks 2", false, false},
}

// TestKills ends each command that writes with SIGKILL at random moments. What it wrote before stays whole until the new stands; then
// the same command goes on to the same files, and nothing else is left, in the folder or in the store.
func TestKills(t *testing.T) {
	if testing.Short() {
		t.Skip("starts many processes")
	}
	kills, all := 2, false
	if text := os.Getenv(killsEnv); text != "" {
		var err error
		if kills, err = strconv.Atoi(text); err != nil {
			t.Fatalf("%s: %v", killsEnv, err)
		}
		all = true
	}
	in := killInputs(t)
	for _, w := range writers {
		if !w.quick && !all {
			continue
		}
		words := strings.Fields(w.args)
		name := words[0]
		if !strings.HasPrefix(words[1], "IN") && !strings.HasPrefix(words[1], "quick") {
			name += " " + words[1]
		}
		if slices.Contains(words, "--vary") {
			name += " --vary"
		}
		t.Run(name, func(t *testing.T) { killOften(t, w.args, in, w.fresh, kills) })
	}
}

// killInputs makes what the commands read.
func killInputs(t *testing.T) (in string) {
	t.Helper()
	in = t.TempDir()
	c := vit.CourseQuick
	c.Width, c.Heads, c.MLP, c.Blocks = 12, 2, 24, 2
	for i, name := range []string{"model", "tuned", "foreign"} {
		if name == "foreign" { // its images fit none of the stimuli, so that a report has little to compute
			c.Image, c.Patch, c.Classes = 32, 8, 3
		}
		m, err := vit.New(c, uint64(i+1))
		if err != nil {
			t.Fatal(err)
		}
		if err := m.Save(filepath.Join(in, name)); err != nil {
			t.Fatal(err)
		}
	}
	const recipe = `{"pairs": 20, "steps": 2, "batch": 10, "lr": 0.01, "mask_lr": 0.02, "schedule": "linear", "sparsity": 0.001, "temperature": {"from": 1, "to": 0.1}}`
	if err := os.WriteFile(filepath.Join(in, "das.json"), []byte(recipe), 0o666); err != nil {
		t.Fatal(err)
	}
	sd("stimuli", "export", filepath.Join(in, "set"), "--images", "40").want(t, exitOK)
	emojiPack(t, filepath.Join(in, "emoji"))
	return in
}

// emojiPack writes a pack of three emoji, as sd pictures fetch leaves one, and has commands use it.
func emojiPack(t *testing.T, dir string) {
	t.Helper()
	const names = `[{"name": "apple"}, {"name": "key"}, {"name": "bus"}]`
	pack := new(emoji.Pack)
	for i, name := range []string{"apple", "key", "bus"} {
		pack.Pictures = append(pack.Pictures, emoji.Picture{Name: name, Pixels: bytes.Repeat([]byte{uint8(80 * i), 90, 20, 255}, emoji.Side*emoji.Side)})
	}
	var pixels []byte
	for _, x := range pack.Pictures {
		pixels = append(pixels, x.Pixels...)
	}
	index := fmt.Sprintf(`{"side": %d, "sha256": %q, "emoji": %s}`, emoji.Side, strings.TrimPrefix(pack.Identity(), "sha256:"), names)
	if err := errors.Join(os.Mkdir(dir, 0o777), os.WriteFile(filepath.Join(dir, "emoji.json"), []byte(index), 0o666), os.WriteFile(filepath.Join(dir, "emoji.rgba"), pixels, 0o666)); err != nil {
		t.Fatal(err)
	}
	t.Setenv("SD_EMOJI", dir)
}

func killOften(t *testing.T, args, in string, fresh bool, kills int) {
	run := func(store, out string) []string {
		words := strings.Fields(strings.NewReplacer("IN", in, "OUT", out).Replace(args))
		for i, word := range words {
			words[i] = strings.ReplaceAll(word, "~", " ")
		}
		return append(words, "--store", store, "--backend", "go", "--quiet")
	}
	reference := t.TempDir()
	start := time.Now()
	finish(t, process(t, run(t.TempDir(), reference)...)).want(t, exitOK)
	took := time.Since(start)
	want := files(t, reference)

	out, store := filepath.Join(t.TempDir(), "out"), filepath.Join(t.TempDir(), "store")
	begin := func() {
		if err := os.RemoveAll(store); err != nil {
			t.Fatal(err)
		}
		if fresh {
			if err := os.RemoveAll(out); err != nil {
				t.Fatal(err)
			}
		} else if err := os.CopyFS(out, os.DirFS(reference)); err != nil && !errors.Is(err, fs.ErrExist) { // what an earlier run wrote, which is the same
			t.Fatal(err)
		}
	}
	begin()
	rng := rand.New(rand.NewPCG(uint64(time.Now().UnixNano()), 0))
	finished := 0
	for kill := range kills {
		cmd := process(t, run(store, out)...)
		var errs bytes.Buffer
		cmd.Stderr = &errs
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		after := time.Duration(rng.Int64N(int64(took)))
		timer := time.AfterFunc(after, func() { cmd.Process.Kill() })
		cmd.Wait()
		if timer.Stop() { // it was done before: from the start again
			finished++
			if code := cmd.ProcessState.ExitCode(); code != exitOK {
				t.Fatalf("after kill %d the same command ends with status %d:\n%s", kill, code, errs.String())
			}
			begin()
		}
		if fresh {
			if _, err := os.Stat(out); err == nil && maps.EqualFunc(files(t, out), want, bytes.Equal) { // done, and killed before it could say so
				finished++
				begin()
			}
			continue
		}
		now := files(t, out)
		for name, text := range want {
			if !bytes.Equal(now[name], text) {
				t.Fatalf("killed after %v, %s is not what it was before: %d bytes, expected %d", after, name, len(now[name]), len(text))
			}
		}
	}
	finish(t, process(t, run(store, out)...)).want(t, exitOK)
	now := files(t, out)
	if !maps.EqualFunc(now, want, bytes.Equal) {
		t.Errorf("at the end there are %v, expected %v", slices.Sorted(maps.Keys(now)), slices.Sorted(maps.Keys(want)))
	}
	sd("store", "verify", "--store", store).want(t, exitOK)
	for _, e := range decode[[]entry](t, sd("store", "ls", "--json", "--store", store).want(t, exitOK)) {
		if e.State != artifact.Finished {
			t.Errorf("the store has a result that is %v: %+v", e.State, e)
		}
	}
	t.Logf("%d kills, %d of them too late; undisturbed it takes %v", kills, finished, took.Round(time.Millisecond))
}

// files returns the content of all files below a folder, hidden ones included, by their paths.
func files(t *testing.T, dir string) map[string][]byte {
	t.Helper()
	all := map[string][]byte{}
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		name, err := filepath.Rel(dir, path)
		if err != nil {
			return err
		}
		all[name], err = os.ReadFile(path)
		return err
	})
	if err != nil {
		t.Fatal(fmt.Errorf("%s: %w", dir, err))
	}
	return all
}
