package finetune

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"

	"github.com/gomlx/gomlx/core/tensors"

	"samediff/sdlib/safetensors"
	"samediff/sdlib/stimuli"
	"samediff/sdlib/vit"
)

// checkpoints keeps a run's state on disk: the newest in one file, the one before in
// another, so that a damaged file costs an epoch and not the run.
type checkpoints struct {
	dir  string
	run  string // names the run whose state this is
	warn func(string)
	step int // of the last checkpoint written or read, -1 for none

	model int // number of the model's weights, which come before the probes'
}

const (
	newest   = "checkpoint.safetensors"
	previous = "checkpoint-before.safetensors"
	damaged  = "checkpoint-damaged.safetensors"
)

// header is what a checkpoint says besides its tensors.
type header struct {
	Run     string  `json:"run"`
	Step    int     `json:"step"`
	History []Epoch `json:"history"`
	Times   []Times `json:"times"`  // of the epochs of History
	Now     Times   `json:"now"`    // of the epoch under way
	Digest  string  `json:"digest"` // SHA-256 of all tensors' bytes
}

// openCheckpoints finds the run's last checkpoint and takes up its state.
func (t *trainer) openCheckpoints(m *vit.Model, train *stimuli.Set) error {
	t.saver = &checkpoints{dir: t.Dir, warn: t.Warn, step: -1, model: len(m.Config.Names())}
	if t.Dir == "" {
		return nil
	}
	if err := os.MkdirAll(t.Dir, 0o755); err != nil {
		return fmt.Errorf("finetune: checkpoints: %w", err)
	}
	start, err := m.Hash()
	if err != nil {
		return err
	}
	var valConfig any
	if t.val != nil {
		valConfig = t.val.Config()
	}
	id, err := json.Marshal([]any{start, t.Recipe, train.Config(), valConfig})
	if err != nil {
		return fmt.Errorf("finetune: checkpoints: %w", err)
	}
	sum := sha256.Sum256(id)
	t.saver.run = hex.EncodeToString(sum[:])
	h, err := t.saver.load(t.state)
	t.history, t.times, t.now = h.History, h.Times, h.Now
	for len(t.times) < len(t.history) { // written by a version that took no times
		t.times = append(t.times, Times{})
	}
	return err
}

// save writes the state and what h says of the run, aside and renamed; the checkpoint
// that was newest becomes the one before.
func (c *checkpoints) save(s *state, h header) error {
	if c.dir == "" {
		return nil
	}
	var all []safetensors.Tensor
	digest := sha256.New()
	add := func(name string, x *tensors.Tensor) error {
		values, err := tensors.CopyFlatData[float32](x)
		if err != nil {
			return fmt.Errorf("finetune: checkpoint: fetch %s: %w", name, err)
		}
		t := safetensors.Float32s(name, x.Shape().Dimensions, values)
		digest.Write(t.Data)
		all = append(all, t)
		return nil
	}
	values := append(s.tensors(), s.best...)
	for i, name := range s.tensorNames(len(s.best)) {
		if err := add(name, values[i]); err != nil {
			return err
		}
	}
	h.Run, h.Step, h.Digest = c.run, s.step, hex.EncodeToString(digest.Sum(nil))
	text, err := json.Marshal(h)
	if err != nil {
		return fmt.Errorf("finetune: checkpoint: %w", err)
	}
	path := filepath.Join(c.dir, newest)
	if err := os.Rename(path, filepath.Join(c.dir, previous)); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("finetune: checkpoint: %w", err)
	}
	if err := safetensors.WriteFile(path, all, map[string]string{"checkpoint": string(text)}); err != nil {
		return fmt.Errorf("finetune: checkpoint after step %d: %w", s.step, err)
	}
	c.step = s.step
	return nil
}

// load takes up the newest checkpoint that can be read. A run without one starts at step 0.
func (c *checkpoints) load(s *state) (header, error) {
	for _, name := range []string{newest, previous} {
		path := filepath.Join(c.dir, name)
		h, err := c.read(path, s)
		switch {
		case errors.Is(err, fs.ErrNotExist):
			continue
		case errors.Is(err, errOtherRun):
			return header{}, err
		case err != nil:
			// Set aside, so that the next save does not put it in the place of the good one before it.
			if err := os.Rename(path, filepath.Join(c.dir, damaged)); err != nil {
				return header{}, fmt.Errorf("finetune: set a damaged checkpoint aside: %w", err)
			}
			if c.warn != nil {
				c.warn(fmt.Sprintf("checkpoint %s is damaged (%v): set aside as %s, going on with an older one", path, err, damaged))
			}
			continue
		}
		s.step, c.step = h.Step, h.Step
		return h, nil
	}
	return header{}, nil
}

var errOtherRun = errors.New("the checkpoint is of another run: another model, recipe, seed or training set; give each run a folder of its own")

// read replaces the state's tensors by a checkpoint's, or by none when there is an error.
func (c *checkpoints) read(path string, s *state) (header, error) {
	var h header
	f, err := safetensors.Open(path)
	if err != nil {
		return h, err
	}
	defer f.Close()
	if err := json.Unmarshal([]byte(f.Metadata()["checkpoint"]), &h); err != nil {
		return h, fmt.Errorf("finetune: %s is no checkpoint: %w", path, err)
	}
	if h.Run != c.run {
		return h, fmt.Errorf("finetune: %s: %w", path, errOtherRun)
	}
	digest := sha256.New()
	old := s.tensors()
	kept := 0
	if _, ok := f.Tensor("best/" + s.names[0]); ok {
		kept = c.model
		old = append(old, s.weights[:kept]...) // which have the shapes of the best
	}
	all := make([]*tensors.Tensor, len(old))
	for i, name := range s.tensorNames(kept) {
		t, ok := f.Tensor(name)
		if !ok || !slices.Equal(t.Shape, old[i].Shape().Dimensions) {
			return h, fmt.Errorf("%s is missing or has another shape than %v", name, old[i].Shape().Dimensions)
		}
		digest.Write(t.Data)
		values, err := t.Float32s()
		if err != nil {
			return h, err
		}
		all[i] = tensors.FromFlatDataAndDimensions(values, t.Shape...)
	}
	if hex.EncodeToString(digest.Sum(nil)) != h.Digest {
		return h, errors.New("its bytes do not have the checksum they were written with")
	}
	n := len(all) - kept
	s.set(all[:n:n])
	s.best = all[n:]
	return h, nil
}

// tensorNames names the state's tensors in a checkpoint, in the order of state.tensors,
// followed by those of the first kept weights in the best epoch.
func (s *state) tensorNames(kept int) []string {
	var names []string
	for _, prefix := range []string{"weight/", "m/", "v/"} {
		for _, name := range s.names {
			names = append(names, prefix+name)
		}
	}
	names = append(names, "sums")
	for _, name := range s.names[:kept] {
		names = append(names, "best/"+name)
	}
	return names
}

// lastGood tells where a run that failed can be taken up.
func (c *checkpoints) lastGood() string {
	if c.step < 0 {
		return "there is no checkpoint before it"
	}
	return fmt.Sprintf("the last good checkpoint is %s, after step %d", filepath.Join(c.dir, newest), c.step)
}
