package study

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"

	"samediff/sdlib/artifact"
	"samediff/sdlib/finetune"
	"samediff/sdlib/internal/repo"
	"samediff/sdlib/stimuli"
)

func TestAblationFile(t *testing.T) {
	want := []AblationResult{
		{Ablation{PaperScale, stimuli.RMTS, Pipeline(stimuli.RMTS), 3}, "compositional", finetune.Score{N: 6400, Correct: 3201}, "0123456789ab"},
		{Ablation{CourseScale, stimuli.Discrimination, Losses{}, 1}, "train", finetune.Score{N: 10, Correct: 10}, "ba9876543210"},
	}
	var text bytes.Buffer
	if err := WriteAblation(&text, want); err != nil {
		t.Fatal(err)
	}
	write := func(text string) string {
		path := filepath.Join(t.TempDir(), "table.csv")
		if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
		return path
	}
	got, err := ReadAblation(write(text.String()))
	if err != nil || !reflect.DeepEqual(got, want) {
		t.Errorf("read %v, %v; wrote %v", got, err, want)
	}
	for _, bad := range []string{"", "a,b\n", strings.Replace(text.String(), "6400", "many", 1), strings.Replace(text.String(), "none", "noe", 1)} {
		if _, err := ReadAblation(write(bad)); err == nil {
			t.Errorf("no error for %q", bad)
		}
	}
}

// A row that could not be a result is an error that names its line.
func TestAblationFileChecks(t *testing.T) {
	head := strings.Join(ablationColumns, ",") + "\n"
	good := "course,discrimination,wo+wp,1,train,6400,3200,0.5000,0.4878,0.5122,0f413b7a3b52\n"
	for _, test := range []struct{ old, new, want string }{
		{"", "", ""},
		{"3200", "6401", "line 3: 6401 of 6400 images are right"},
		{"3200", "-1", "-1 of 6400"},
		{"6400", "0", "3200 of 0"},
		{"3200", "3201", "accuracy is 0.5000, but 3201 of 6400 gives 0.5002"},
		{"0.4878", "0.4879", "low is 0.4879"},
		{"0.5122", "0.512", "high is 0.512"},
		{"6400", "06400", `n is "06400", expected it as "6400"`},
		{"wo+wp", "wp+wp", `expected it as "wp"`},
		{"course", "coarse", "no scale"},
		{"discrimination", "identity", "no task"},
		{"train", "val", "no set"},
		{"0f413b7a3b52", "0f413b7a3bxx", "12 hexadecimal digits"},
		{"0f413b7a3b52", "", "12 hexadecimal digits"},
		{",1,", ",2,", "line 3 is about the same model and set as line 2"},
		{",0f413b7a3b52", "", "wrong number of fields"},
	} {
		another := strings.NewReplacer(",1,train", ",2,train", "0f413b7a3b52", "1f413b7a3b52").Replace(good)
		text := head + another + strings.Replace(good, test.old, test.new, 1)
		rows, err := parseAblation([]byte(text))
		if test.want == "" {
			if err != nil || len(rows) != 2 {
				t.Errorf("%d rows, %v, want 2", len(rows), err)
			}
		} else if err == nil || !strings.Contains(err.Error(), test.want) {
			t.Errorf("%s for %s: %v, want an error with %q", test.new, test.old, err, test.want)
		}
	}
}

// Saving keeps the rows of other tables in their places, and a file that nothing changes is not touched.
func TestSaveAblationKeepsRows(t *testing.T) {
	row := func(seed uint64, set string, correct int) AblationResult {
		return AblationResult{Ablation{CourseScale, stimuli.Discrimination, Losses{}, seed}, set, finetune.Score{N: 10, Correct: correct}, artifact.ID(fmt.Sprintf("%012d", seed))}
	}
	path := filepath.Join(t.TempDir(), "table.csv")
	if err := SaveAblation(path, []AblationResult{row(1, "train", 5), row(2, "train", 6)}); err != nil {
		t.Fatal(err)
	}
	if err := SaveAblation(path, []AblationResult{row(3, "train", 7), row(1, "train", 8)}); err != nil {
		t.Fatal(err)
	}
	want := []AblationResult{row(1, "train", 8), row(2, "train", 6), row(3, "train", 7)}
	if got, err := ReadAblation(path); err != nil || !reflect.DeepEqual(got, want) {
		t.Errorf("the file has %v, %v, want %v", got, err, want)
	}
	long := time.Now().Add(-time.Hour).Truncate(time.Second)
	if err := os.Chtimes(path, long, long); err != nil {
		t.Fatal(err)
	}
	if err := SaveAblation(path, want[1:]); err != nil {
		t.Fatal(err)
	}
	if info, err := os.Stat(path); err != nil || !info.ModTime().Equal(long) {
		t.Errorf("the file was written at %v (%v), although nothing changed", info.ModTime(), err)
	}
	// A training that has another model now, on another set: what was known of the old one goes.
	again := row(3, "compositional", 9)
	again.Model = "ffffffffffff"
	if err := SaveAblation(path, []AblationResult{again}); err != nil {
		t.Fatal(err)
	}
	if got, err := ReadAblation(path); err != nil || !reflect.DeepEqual(got, []AblationResult{want[0], want[1], again}) {
		t.Errorf("the file has %v, %v", got, err)
	}
	if err := os.WriteFile(path, []byte("my,own\n1,2\n"), 0o666); err != nil {
		t.Fatal(err)
	}
	if err := SaveAblation(path, want); err == nil {
		t.Error("another file was replaced")
	}
}

// The files of the repository pass, and are written as they are.
func TestAblationFilesOfTheCourse(t *testing.T) {
	root, ok := repo.Root()
	if !ok {
		t.Skip("not in the repository")
	}
	for _, name := range []string{"table1.csv", "table7.csv", "table8.csv"} {
		path := filepath.Join(root, "models", name)
		rows, err := ReadAblation(path)
		if err != nil {
			t.Error(err)
			continue
		}
		var text bytes.Buffer
		if err := WriteAblation(&text, rows); err != nil {
			t.Fatal(err)
		}
		if was, err := os.ReadFile(path); err != nil || text.String() != string(was) {
			t.Errorf("%s is written otherwise than it is (%v)", name, err)
		}
	}
}

// A file of results may come from anywhere: what is read is written as it is, and only once for each model and set.
func FuzzParseAblation(f *testing.F) {
	head := strings.Join(ablationColumns, ",") + "\n"
	f.Add([]byte(head + "course,discrimination,wo+wp,1,train,6400,3200,0.5000,0.4878,0.5122,0f413b7a3b52\n"))
	f.Add([]byte("\xef\xbb\xbf" + head))
	f.Add([]byte(head + "paper,rmts,none,18446744073709551615,OOD shape-color,1,1,1.0000,0.2065,1.0000,0f413b7a3b52\n"))
	f.Add([]byte(head + "\"course\",\"a\nb\"\n"))
	f.Fuzz(func(t *testing.T, text []byte) {
		rows, err := parseAblation(text)
		if err != nil {
			return
		}
		var out bytes.Buffer
		if err := WriteAblation(&out, rows); err != nil {
			t.Fatal(err)
		}
		again, err := parseAblation(out.Bytes())
		if err != nil || !reflect.DeepEqual(rows, again) {
			t.Errorf("%q is read as %v, and written and read again as %v, %v", text, rows, again, err)
		}
	})
}
