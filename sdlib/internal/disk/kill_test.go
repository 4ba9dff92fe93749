package disk

import (
	"bytes"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"testing"
	"time"
)

// kills is how often a test kills a writer: a few times, or $SD_KILLS.
func kills(t *testing.T) int {
	n, err := strconv.Atoi(os.Getenv("SD_KILLS"))
	if err != nil {
		return 5
	}
	return n
}

const writerEnv = "SD_TEST_WRITER"

// TestWriter is the process that TestKills kills: it writes a file and a folder for ever, each time in another content throughout.
func TestWriter(t *testing.T) {
	dir := os.Getenv(writerEnv)
	if dir == "" {
		t.Skip("for TestKills")
	}
	for i := 0; ; i++ {
		if err := rewriteAll(dir, i); err != nil {
			t.Fatal(err)
		}
	}
}

func rewriteAll(dir string, i int) error {
	text := bytes.Repeat(fmt.Appendf(nil, "%06d\n", i), 20_000)
	write := func(w io.Writer) error { _, err := w.Write(text); return err }
	if err := Replace(filepath.Join(dir, "file"), write); err != nil {
		return err
	}
	return ReplaceFolder(filepath.Join(dir, "folder"), []string{"a", "b"}, func(aside string) error {
		if err := os.WriteFile(filepath.Join(aside, "a"), text, 0o666); err != nil {
			return err
		}
		return os.WriteFile(filepath.Join(aside, "b"), text, 0o666)
	})
}

// A writer that is killed at any time leaves the old content or the new one, whole, and the next one removes what it left beside.
func TestKills(t *testing.T) {
	if !claims {
		t.Skip("this system does not say that a process is dead")
	}
	dir := t.TempDir()
	if err := rewriteAll(dir, 0); err != nil {
		t.Fatal(err)
	}
	for k := range kills(t) {
		writer := exec.Command(os.Args[0], "-test.run", "^TestWriter$")
		writer.Env = append(os.Environ(), writerEnv+"="+dir)
		if err := writer.Start(); err != nil {
			t.Fatal(err)
		}
		time.Sleep(time.Duration(20+rand.IntN(200)) * time.Millisecond)
		if err := writer.Process.Kill(); err != nil {
			t.Fatal(err)
		}
		writer.Wait()
		var all [3][]byte
		for i, name := range []string{"file", "folder/a", "folder/b"} {
			var err error
			if all[i], err = os.ReadFile(filepath.Join(dir, name)); err != nil {
				t.Fatalf("kill %d: %v", k, err)
			}
			if first := all[i][:7]; len(all[i]) != 140_000 || bytes.Count(all[i], first) != 20_000 {
				t.Fatalf("kill %d: %s is torn", k, name)
			}
		}
		if !bytes.Equal(all[1], all[2]) {
			t.Errorf("kill %d: the folder is half old, half new", k)
		}
	}
	if err := rewriteAll(dir, 1); err != nil {
		t.Fatal(err)
	}
	entries, err := os.ReadDir(dir)
	if err != nil || len(entries) != 2 {
		t.Errorf("there is %v (%v), want the file and the folder alone", entries, err)
	}
}
