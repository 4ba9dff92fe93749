package slurm

import (
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"
)

// A Phase is how far a task says that it is.
type Phase string

const (
	Checking  Phase = "checking"  // the store and the device
	Working   Phase = "working"   // on a job
	Done      Phase = "done"      // no job was left
	Left      Phase = "left"      // other tasks had all that was left
	Requeued  Phase = "requeued"  // it wrote a checkpoint and waits in the queue
	Cancelled Phase = "cancelled" // likewise, but does not come back
	Failed    Phase = "failed"    // with Error
)

// A Task is a task of an array as it describes itself, in a file of the work's folder.
type Task struct {
	ID       string    `json:"id"`   // "4711_3"
	Host     string    `json:"host"` // or the node's name
	Phase    Phase     `json:"phase"`
	Job      string    `json:"job,omitempty"`   // that it began last
	Error    string    `json:"error,omitempty"` // what went wrong
	Restarts int       `json:"restarts"`        // how often it was requeued before
	Begun    time.Time `json:"begun"`
	Changed  time.Time `json:"changed"`

	dir string
	mu  sync.Mutex
}

// ThisTask returns the task that this process is, by Slurm's variables in its environment, for a work's folder.
func ThisTask(dir string) (*Task, error) {
	array, index := os.Getenv("SLURM_ARRAY_JOB_ID"), os.Getenv("SLURM_ARRAY_TASK_ID")
	if array == "" || index == "" {
		return nil, errors.New("SLURM_ARRAY_JOB_ID is not set: this command is what the script of sd slurm runs in a task of an array")
	}
	t := &Task{ID: array + "_" + index, Host: os.Getenv("SLURMD_NODENAME"), Begun: time.Now(), dir: dir}
	if t.Host == "" {
		t.Host, _ = os.Hostname()
	}
	t.Restarts, _ = strconv.Atoi(os.Getenv("SLURM_RESTART_COUNT")) // not set at first
	return t, nil
}

// Record writes down how far the task is.
func (t *Task) Record(phase Phase, problem error) error {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.Phase, t.Error, t.Changed = phase, "", time.Now()
	if problem != nil {
		t.Error = problem.Error()
	}
	return saveJSON(filepath.Join(t.dir, t.ID+".json"), t)
}

// Begin writes down which job the task begins.
func (t *Task) Begin(job string) error {
	t.mu.Lock()
	t.Job = job
	t.mu.Unlock()
	return t.Record(Working, nil)
}

// A Report is what Slurm says of a task together with what the task says itself.
type Report struct {
	State
	Task *Task  // nil for one that did not begin
	Log  string // the file of its output

	asked bool // Slurm, which is here
}

// Lost reports whether a task says that it works while Slurm knows that it does not: it was killed.
func (r Report) Lost() bool {
	return r.asked && r.Task != nil && (r.Task.Phase == Working || r.Task.Phase == Checking) && !slices.Contains([]string{"RUNNING", "COMPLETING", "SUSPENDED", "CONFIGURING"}, r.State.State)
}

// Reports returns what is known of a submission's tasks. Where there is no Slurm here it is what the tasks say.
func Reports(ctx context.Context, w Work) ([]Report, error) {
	states, err := States(ctx, w.ID)
	if err != nil && !errors.Is(err, ErrNone) {
		return nil, err
	}
	byTask := map[int]Report{}
	for task, s := range states {
		if i, err := strconv.Atoi(task); err == nil {
			byTask[i] = Report{State: s}
		}
	}
	for i := range w.tasks() {
		r := byTask[i]
		r.State.Task, r.asked = strconv.Itoa(i), err == nil
		path := filepath.Join(w.Dir(), fmt.Sprintf("%s_%d.json", w.ID, i))
		var t Task
		switch readErr := readJSON(path, &t); {
		case readErr == nil:
			r.Task = &t
		case !errors.Is(readErr, os.ErrNotExist):
			return nil, readErr
		}
		r.Log = strings.TrimSuffix(path, ".json") + ".log"
		byTask[i] = r
	}
	var all []Report
	for _, i := range slices.Sorted(maps.Keys(byTask)) {
		all = append(all, byTask[i])
	}
	return all, nil
}

// Tail returns the last lines of a file, "" where there is none.
func Tail(path string, lines int) string {
	file, err := os.Open(path)
	if err != nil {
		return ""
	}
	defer file.Close()
	const most = 16 << 10
	if info, err := file.Stat(); err == nil && info.Size() > most {
		file.Seek(-most, io.SeekEnd)
	}
	text, _ := io.ReadAll(io.LimitReader(file, most))
	all := strings.Split(strings.TrimRight(string(text), "\n"), "\n")
	return strings.Join(all[max(0, len(all)-lines):], "\n")
}
