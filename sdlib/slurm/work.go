package slurm

import (
	"encoding/json"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"time"

	"samediff/sdlib/artifact"
	"samediff/sdlib/internal/disk"
)

// Work is a plan that an array of tasks works on. It holds all that a script needs, and is kept
// beside it as JSON.
type Work struct {
	Options
	Name   string   `json:"name"`             // of the folder and the job: "table-1"
	Item   []string `json:"item"`             // of the paper: "table", "1"
	Scale  string   `json:"scale"`            // of the item's models
	Models []string `json:"models,omitempty"` // in place of these
	Task   string   `json:"task,omitempty"`   // that models learned which do not say so

	Plan artifact.ID `json:"plan"` // study.PlanID of its jobs
	Jobs int         `json:"jobs"`

	Program string `json:"program"`           // an absolute path that the nodes have
	Store   string `json:"store"`             // likewise, the folder of the store
	Backend string `json:"backend,omitempty"` // "" is the best that works on a node

	ID        string    `json:"id,omitempty"` // Slurm's, once it is submitted
	Submitted time.Time `json:"submitted,omitzero"`
	Host      string    `json:"host,omitempty"` // where it was
}

// Dir is the folder of a plan's script, submissions, tasks and logs.
func Dir(store, name string) string { return filepath.Join(store, "slurm", name) }

// Dir is the work's folder.
func (w Work) Dir() string { return Dir(w.Store, w.Name) }

const scriptName = "script.sh"

// Write writes the work's script into its folder, and returns its path.
func (w Work) Write() (path string, err error) {
	text, err := w.Script()
	if err != nil {
		return "", err
	}
	if err := os.MkdirAll(w.Dir(), 0o777); err != nil {
		return "", err
	}
	path = filepath.Join(w.Dir(), scriptName)
	return path, replace(path, []byte(text))
}

// Save keeps the submission of the work under Slurm's ID.
func (w Work) Save() error { return saveJSON(filepath.Join(w.Dir(), w.ID+".json"), w) }

// Shared returns an error if a node does not find the work's script: then its store is another folder.
func Shared(store, name string) error {
	if _, err := os.Stat(filepath.Join(Dir(store, name), scriptName)); err != nil {
		host, _ := os.Hostname()
		return fmt.Errorf("the store %s is not shared: %s does not see the script that was written into it: put the store where all nodes see it (--store): %w", store, host, err)
	}
	return nil
}

// All returns the submissions in a store, those of one name unless it is "", oldest first within a name.
func All(store, name string) ([]Work, error) {
	if name == "" {
		name = "*"
	}
	paths, err := filepath.Glob(filepath.Join(Dir(store, name), "*.json"))
	if err != nil {
		return nil, err
	}
	var all []Work
	for _, path := range paths {
		if strings.Contains(filepath.Base(path), "_") {
			continue // a task
		}
		var w Work
		if err := readJSON(path, &w); err != nil {
			return nil, err
		}
		if err := w.Validate(); err != nil {
			return nil, fmt.Errorf("%s: %w: expected what sd slurm wrote; remove the file", path, err)
		}
		all = append(all, w)
	}
	return all, nil
}

func saveJSON(path string, v any) error {
	text, err := json.MarshalIndent(v, "", " ")
	if err != nil {
		return err
	}
	return replace(path, append(text, '\n'))
}

func readJSON(path string, v any) error {
	text, err := disk.ReadFile(path, disk.Small)
	if err != nil {
		return err
	}
	if err := json.Unmarshal(text, v); err != nil {
		return fmt.Errorf("%s: %w: expected what sd slurm wrote; remove the file", path, err)
	}
	return nil
}

func replace(path string, text []byte) error {
	return disk.Replace(path, func(w io.Writer) error {
		_, err := w.Write(text)
		return err
	})
}
