package study

import (
	"context"
	"encoding/json"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"samediff/sdlib/artifact"
	"samediff/sdlib/delta"
	"samediff/sdlib/finetune"
	"samediff/sdlib/vit"
)

// A Model is a vision transformer with what is known of it.
type Model struct {
	*vit.Model
	// ID is the hash of the configuration and the weights ([vit.Model.Hash]). What is computed
	// from the model is kept under it, wherever the weights come from: equal weights share
	// their results, and no others do.
	ID       artifact.ID
	Training Training         // what it was trained by; of a folder, what its metrics.json says, the zero value without
	Trained  artifact.ID      // names the training in the store; "" for a model read from files
	History  []finetune.Epoch // one line per epoch, likewise
	Dir      string           // folder with config.json and model.safetensors

	lab *Lab // that read it, and is asked what it learned where the model does not say; nil for none
}

// Label returns a name of the model as tables and captions have it, such as "clip-b16 (8-bit weights)".
func (m *Model) Label(name string) string { return m.Origin.Label(name) }

// Load returns the model in a folder, as [delta.Load] reads it: whole, or packed as a difference
// to a base that [Bases] finds. A folder whose metrics.json is about other files is an error.
func (l *Lab) Load(dir string) (*Model, error) {
	if err := CheckSeal(dir); err != nil {
		return nil, err
	}
	m, err := delta.Load(dir, l.bases)
	if err != nil {
		return nil, err
	}
	if m.Preparation.Assumed != "" && l.options.Notify != nil {
		l.options.Notify(dir + ": " + m.Preparation.Assumed)
	}
	loaded, err := l.identified(m, dir)
	if err != nil {
		return nil, err
	}
	if metrics, err := readMetrics(dir); err == nil { // its seal was checked above
		loaded.Training, loaded.History = metrics.Training, metrics.History
	}
	return loaded, nil
}

// Files of a training's artifact, beside the model's own.
const (
	historyFile = "history.json"
	LogFile     = "log.jsonl" // a line for each epoch, with the seconds it took
	hashFile    = "hash"      // the model's ID, so that it is known without reading the weights
)

// writeModel fills the folder of a training's artifact.
func writeModel(dir string, m *vit.Model, history any) error {
	if err := m.Save(dir); err != nil {
		return err
	}
	hash, err := m.Hash()
	if err != nil {
		return err
	}
	text, err := json.MarshalIndent(history, "", " ")
	if err != nil {
		return err
	}
	return errors.Join(
		os.WriteFile(filepath.Join(dir, hashFile), []byte(hash+"\n"), 0o644),
		os.WriteFile(filepath.Join(dir, historyFile), text, 0o644))
}

// readTrained returns the model of a training's artifact.
func (l *Lab) readTrained(a *artifact.Artifact, t Training) (*Model, error) {
	m, err := l.Load(a.Dir)
	if err != nil {
		return nil, err
	}
	m.Trained, m.Training = a.ID, t
	text, err := os.ReadFile(a.Path(historyFile))
	if err != nil {
		return nil, err
	}
	return m, json.Unmarshal(text, &m.History)
}

// identity returns the ID of the model in the folder of a training's artifact.
func identity(dir string) (artifact.ID, error) {
	text, err := os.ReadFile(filepath.Join(dir, hashFile))
	switch {
	case err == nil && !newer(dir):
		return artifact.ID(strings.TrimSpace(string(text))), nil
	case err != nil && !errors.Is(err, fs.ErrNotExist):
		return "", err
	}
	m, err := vit.Load(dir) // written before there was such a file, or changed since
	if err != nil {
		if was := artifact.ID(strings.TrimSpace(string(text))); was != "" {
			return was, nil // the weights are damaged, and trained again when they are asked for
		}
		return "", err
	}
	hash, err := m.Hash()
	return artifact.ID(hash), err
}

// newer reports whether the weights in a folder were written after their hash.
func newer(dir string) bool {
	weights, err := os.Stat(filepath.Join(dir, "model.safetensors"))
	if err != nil {
		return true
	}
	hash, err := os.Stat(filepath.Join(dir, hashFile))
	return err != nil || weights.ModTime().After(hash.ModTime())
}

// A Subject is a model that a job is about, which need not be there yet.
type Subject struct {
	Name     string    // for people, and for Lab.Find where there is no training
	Training *Training // makes it
}

// Trained is the subject that a training makes.
func Trained(name string, t Training) Subject { return Subject{name, &t} }

// Subject returns the subject of a name: that of a preset's training, or the model that
// [Lab.Find] finds.
func (l *Lab) Subject(ctx context.Context, name string) (Subject, error) {
	if t, err := Preset(name); err == nil {
		return Trained(name, t), nil
	}
	_, err := l.find(ctx, Subject{Name: name})
	return Subject{Name: name}, err
}

// Model returns a subject's model, and trains it if the store does not have it.
func (l *Lab) Model(ctx context.Context, s Subject) (*Model, error) {
	if s.Training != nil {
		return l.Train(ctx, *s.Training)
	}
	return l.find(ctx, s)
}

// find returns a model that is found by its name, and remembers it: reading it takes time.
func (l *Lab) find(ctx context.Context, s Subject) (*Model, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if m := l.found[s.Name]; m != nil {
		return m, nil
	}
	m, err := l.Find(ctx, s.Name)
	if err == nil {
		l.found[s.Name] = m
	}
	return m, err
}

// Has reports whether a subject's model is there, so that nothing has to be trained.
func (l *Lab) Has(ctx context.Context, s Subject) (bool, error) {
	_, there, err := l.id(ctx, s)
	return there, err
}

// id returns the ID of a subject's model, and whether the model is there.
func (l *Lab) id(ctx context.Context, s Subject) (id artifact.ID, there bool, err error) {
	if s.Training == nil {
		m, err := l.find(ctx, s)
		if err != nil {
			return "", false, err
		}
		return m.ID, true, nil
	}
	info, err := l.look(ctx, *s.Training)
	if err != nil || info.State != artifact.Finished {
		return "", false, err
	}
	id, err = identity(info.Dir)
	return id, err == nil, err
}
