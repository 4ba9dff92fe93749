package slurm

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// What squeue and sacct print is read line by line; a line that is no task's is passed over.
func FuzzRead(f *testing.F) {
	f.Add("4711_3|RUNNING|gpu-2|None|1:02:03\n4711_[4-9]|PENDING||Resources|0:00\n")
	f.Add("4711_0|CANCELLED by 1000|None assigned|None|0:00\n4711_0.batch|x|y\n")
	f.Add("4711_|||||\n|\n\xff|")
	f.Fuzz(func(t *testing.T, lines string) {
		all := map[string]State{}
		read(all, "4711", lines)
		for task, s := range all {
			if s.Task != task || strings.ContainsAny(s.State, "| ") || !strings.Contains(lines, "4711_"+task) {
				t.Errorf("%q is read as the task %q: %+v", lines, task, s)
			}
		}
	})
}

// A file of options is refused, or gives a script in which no option begins a line of its own but those that are lists of lines.
func FuzzOptions(f *testing.F) {
	f.Add([]byte(`{"tasks": 4, "partition": "gpu,long", "time": "08:00:00", "gpus": "a100:1", "memory": "32G", "modules": ["cuda/12"], "sbatch": ["--constraint=a100"], "setup": ["export A=1"]}`))
	f.Add([]byte(`{"account": "x\n#SBATCH --uid=0", "tasks": 9223372036854775807}`))
	f.Add([]byte("\xef\xbb\xbf{\"grace\": 1e3}"))
	path := filepath.Join(f.TempDir(), "options.json")
	f.Fuzz(func(t *testing.T, text []byte) {
		if err := os.WriteFile(path, text, 0o666); err != nil {
			t.Fatal(err)
		}
		o, err := ReadOptions(path)
		if err != nil {
			return
		}
		w := few("/store")
		w.Options = o
		script, err := w.Script()
		if err != nil {
			return
		}
		own := few("/store")
		own.Setup = o.Setup // lines of shell, which may hold anything
		own.Sbatch, own.Modules = o.Sbatch, o.Modules
		plain, err := own.Script()
		if err != nil {
			t.Fatal(err)
		}
		if more := strings.Count(script, "\n") - strings.Count(plain, "\n"); more < -8 || more > 8 {
			t.Errorf("%q gives a script with %d more lines than one without its values:\n%s", text, more, script)
		}
	})
}
