package optimize

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

	"samediff/sdlib/internal/disk"
	"samediff/sdlib/safetensors"
)

// checkpoints keeps a run's state on disk: the newest in one file, the one before in
// another, so that a damaged file costs an epoch and not the run.
//
// A file is safetensors. Its last tensor, "sha256", is the SHA-256 of the whole file with
// zeros in its own place: of the tensors, their names and shapes, and the text of the header.
type checkpoints struct {
	dir  string // "" keeps none
	run  string // names the run whose state this is
	warn func(string)
	step int // of the last checkpoint written or read, -1 for none
}

const (
	newest   = "checkpoint.safetensors"
	previous = "checkpoint-before.safetensors"
	aside    = "checkpoint-aside.safetensors"
)

// format is raised when a checkpoint means something else.
const format = "samediff/sdlib/optimize checkpoint 1"

// header is what a checkpoint says besides its tensors.
type header struct {
	Run     string  `json:"run"`
	Step    int     `json:"step"`
	History []Epoch `json:"history"`
	Now     Times   `json:"now"` // of the epoch under way
}

var (
	errOtherRun    = errors.New("the checkpoint is of another run: another problem, data, settings or seed; give each run a folder of its own")
	errOtherFormat = errors.New("has another format, that of another version")
	errDamaged     = errors.New("is damaged")
)

// identity names a run by all that its result depends on.
func identity(p *Problem, s *Settings) (string, error) {
	hash := sha256.New()
	text, err := json.Marshal([]any{p.Key, s, p.Sets, p.Measures, p.Data.Len()})
	if err != nil {
		return "", fmt.Errorf("optimize: checkpoints: %w", err)
	}
	hash.Write(text)
	for _, x := range slices.Concat(p.Params, p.Carried) {
		fmt.Fprintf(hash, "\n%q %q %v ", x.Name, x.Group, x.Start.Shape().Dimensions)
		if err := x.Start.ConstBytes(func(data []byte) { hash.Write(data) }); err != nil {
			return "", fmt.Errorf("optimize: fetch the start of %s: %w", x.Name, err)
		}
	}
	return hex.EncodeToString(hash.Sum(nil)), nil
}

// save writes the state and what h says of the run, aside and renamed; the checkpoint
// that was newest becomes the one before.
func (c *checkpoints) save(s *state, h header) error {
	if c.dir == "" {
		return nil
	}
	var all []safetensors.Tensor
	values := append(s.tensors(), s.best...)
	for i, name := range s.tensorNames(len(s.best) > 0) {
		err := tensors.ConstFlatData(values[i], func(flat []float32) { // on a CPU the device's own memory, which no step changes meanwhile
			all = append(all, safetensors.ViewOf(name, values[i].Shape().Dimensions, flat))
		})
		if err != nil {
			return fmt.Errorf("optimize: checkpoint: fetch %s: %w", name, err)
		}
	}
	h.Run, h.Step = c.run, s.step
	text, err := json.Marshal(h)
	if err != nil {
		return fmt.Errorf("optimize: checkpoint: %w", err)
	}
	metadata := map[string]string{"format": format, "checkpoint": string(text)}
	sum := sha256.New()
	seal := safetensors.Tensor{Name: "sha256", DType: "U8", Shape: []int{sha256.Size}, Data: make([]byte, sha256.Size)}
	if err := safetensors.Write(sum, append(all, seal), metadata); err != nil {
		return fmt.Errorf("optimize: checkpoint: %w", err)
	}
	seal.Data = sum.Sum(nil)
	path := filepath.Join(c.dir, newest)
	if err := os.Rename(path, filepath.Join(c.dir, previous)); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("optimize: checkpoint: %w", err)
	}
	if err := safetensors.WriteFile(path, append(all, seal), metadata); err != nil {
		return fmt.Errorf("optimize: checkpoint after step %d: %w", s.step, err)
	}
	c.step = s.step
	return nil
}

// load resumes from the newest checkpoint that can be read. A run without one starts at step 0.
func (c *checkpoints) load(s *state) (header, error) {
	if c.dir == "" {
		return header{}, nil
	}
	if err := os.MkdirAll(c.dir, 0o755); err != nil {
		return header{}, fmt.Errorf("optimize: checkpoints: %w", err)
	}
	for _, name := range []string{newest, previous} {
		path := filepath.Join(c.dir, name)
		h, err := c.read(path, s)
		switch {
		case err == nil:
			s.step, c.step = h.Step, h.Step
			return h, nil
		case errors.Is(err, fs.ErrNotExist):
			continue
		case !errors.Is(err, errDamaged) && !errors.Is(err, errOtherFormat):
			return header{}, fmt.Errorf("optimize: %s: %w", path, err)
		}
		// Set aside, so that the next save does not put it in the place of the good one before it.
		if err := os.Rename(path, filepath.Join(c.dir, aside)); err != nil {
			return header{}, fmt.Errorf("optimize: set an unreadable checkpoint aside: %w", err)
		}
		if c.warn != nil {
			c.warn(fmt.Sprintf("checkpoint %s %v: set aside as %s; going on with the one before it, or from the start where there is none", path, err, aside))
		}
	}
	return header{}, nil
}

// read replaces the state's tensors by a checkpoint's, or by none when there is an error.
func (c *checkpoints) read(path string, s *state) (h header, err error) {
	file, release, err := disk.Map(path)
	if err != nil {
		return h, err
	}
	defer release()
	return c.parse(file, s)
}

func (c *checkpoints) parse(file []byte, s *state) (h header, err error) {
	f, err := safetensors.Parse(file)
	if err != nil {
		return h, fmt.Errorf("%w (%v)", errDamaged, err)
	}
	if f.Metadata()["format"] != format {
		return h, errOtherFormat
	}
	sum, end := sha256.New(), len(file)-sha256.Size
	sum.Write(file[:max(end, 0)])
	sum.Write(make([]byte, sha256.Size))
	if end < 0 || !slices.Equal(sum.Sum(nil), file[end:]) {
		return h, fmt.Errorf("%w (its bytes do not have the checksum they were written with)", errDamaged)
	}
	if err := json.Unmarshal([]byte(f.Metadata()["checkpoint"]), &h); err != nil {
		return h, err
	}
	if h.Run != c.run {
		return h, errOtherRun
	}
	_, hasBest := f.Tensor("best/" + s.names[0])
	like := append(s.tensors(), s.θ...) // the best have the shapes of the parameters
	var all []*tensors.Tensor
	for i, name := range s.tensorNames(hasBest) {
		t, ok := f.Tensor(name)
		if !ok || !slices.Equal(t.Shape, like[i].Shape().Dimensions) {
			return h, fmt.Errorf("%s is missing or has another shape than %v", name, like[i].Shape().Dimensions)
		}
		values, err := t.ViewFloat32s()
		if err != nil {
			return h, err
		}
		all = append(all, tensors.FromFlatDataAndDimensions(values, t.Shape...)) // copies
	}
	n := len(s.tensors())
	s.set(all[:n:n])
	s.best = all[n:]
	return h, nil
}

// tensorNames names the state's tensors in a checkpoint, in the order of state.tensors,
// and behind them those of the best epoch.
func (s *state) tensorNames(best bool) (all []string) {
	add := func(prefix string) {
		for _, name := range s.names {
			all = append(all, prefix+name)
		}
	}
	add("param/")
	add("m/")
	add("v/")
	all = append(all, "sums")
	for _, name := range s.carriedNames {
		all = append(all, "carried/"+name)
	}
	if best {
		add("best/")
	}
	return all
}

// lastGood says where a run that failed can be resumed.
func (c *checkpoints) lastGood() string {
	if c.step < 0 {
		return "there is no checkpoint before it"
	}
	return fmt.Sprintf("the last good checkpoint is %s, after step %d", filepath.Join(c.dir, newest), c.step)
}
