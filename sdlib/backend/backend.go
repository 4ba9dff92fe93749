package backend

import (
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"
	"sync"

	"github.com/gomlx/compute"
	_ "github.com/gomlx/compute/gobackend" // registers "go"
)

// Names of the backends that Open chooses among, best first.
const (
	CUDA = "xla:cuda"
	CPU  = "xla:cpu"
	Go   = "go"
)

// Names lists them in the order in which Open tries them.
var Names = []string{CUDA, CPU, Go}

// Env is the environment variable that overrides the automatic choice.
const Env = "SD_BACKEND"

// goConfig is how the pure Go backend is opened: running the operations of a
// graph one after another, since running them side by side can deadlock.
const goConfig = "go:ops_sequential"

// A Backend is an open engine together with how it came to be chosen.
type Backend struct {
	// Engine is what GoMLX runs graphs on.
	Engine compute.Backend
	// Choice is the name it was opened by: "xla:cuda", "xla:cpu" or "go", with options if any.
	Choice string
	// Platform is what it computes on: "cpu" or "cuda" for XLA (another plugin's own word, if it
	// is neither), "go" for the pure Go backend. How a graph is best built depends on it alone.
	Platform string
	// Plugin is the path of XLA's plugin, "" for the pure Go backend.
	Plugin string
	// Version is the PJRT interface's version that the plugin speaks, such as "0.81".
	Version string
	// Why says who made the choice: a name that was asked for, or what was missing for a better one.
	Why string
	// Missing are NVIDIA's libraries that a CUDA plugin needs for models and that do not load,
	// and tools of its compiler that are not found.
	Missing []string
}

// String describes the backend in one line: "xla:cpu (PJRT 0.81): no NVIDIA GPU here".
func (b *Backend) String() string {
	s := b.Choice
	if b.Version != "" {
		s += " (PJRT " + b.Version + ")"
	}
	return s + ": " + b.Why
}

// IsXLA reports whether graphs are compiled by XLA rather than interpreted in Go.
func (b *Backend) IsXLA() bool { return b.Platform != Go }

// Of returns the backend whose engine runs a graph, nil if it was not opened by [Open].
func Of(engine compute.Backend) *Backend {
	mu.Lock()
	defer mu.Unlock()
	for _, b := range opened {
		if b.Engine == engine {
			found := *b
			return &found
		}
	}
	return nil
}

// IsCPU reports whether graphs are compiled by XLA for the CPU; of no backend, nil, it is false.
func (b *Backend) IsCPU() bool { return b != nil && b.Platform == "cpu" }

// Warn is where Open says, once, that it fell back on pure Go.
var Warn io.Writer = os.Stderr

var slow sync.Once

var (
	mu     sync.Mutex
	opened = map[string]*Backend{}
)

// Open returns the backend called name: "xla:cuda", "xla:cpu" or "go", optionally
// followed by GoMLX options after a comma. With an empty name or "auto" it takes the
// one named by $SD_BACKEND or $GOMLX_BACKEND, and with neither the best that works.
// A backend is opened once per process: later calls return the same Engine.
//
// On CUDA, products of float32 are computed in float32. "xla:cuda,tf32=true" lets the
// GPU round their factors to TF32's 10 bits after the point, which is several times
// faster; docs/parity.md has what that costs. The GPU's memory is taken as it is needed;
// "xla:cuda,preallocate=true" takes three quarters of it at once, as XLA does by itself.
//
// The error says what was looked for, where, and how to get it.
func Open(name string) (*Backend, error) {
	mu.Lock()
	defer mu.Unlock()
	why := asked
	if name == "" || name == "auto" {
		name, why = fromEnv()
	}
	if name != "" {
		b, err := open(name, why)
		if err != nil && why != asked {
			return nil, fmt.Errorf("%w (%s)", err, why)
		}
		return b, err
	}
	var missing []string
	for _, name := range Names {
		b, err := open(name, "the best that works here")
		if err == nil {
			if len(missing) > 0 {
				b.Why = strings.Join(missing, "; ")
			}
			if b.Platform == Go {
				slow.Do(func() {
					fmt.Fprintf(Warn, "samediff: computing in pure Go, 10 to 20 times slower than with XLA: %s (`sd doctor` says how to mend that; $%s=go chooses it)\n", b.Why, Env)
				})
			}
			return b, nil
		}
		if r := reason(err); !slices.Contains(missing, r) {
			missing = append(missing, r)
		}
	}
	return nil, fmt.Errorf("backend: none of %s works: %s", strings.Join(Names, ", "), strings.Join(missing, "; "))
}

// asked is the reason for a backend that the caller named.
const asked = "asked for by name"

func fromEnv() (name, why string) {
	for _, env := range []string{Env, compute.ConfigEnvVar} {
		if v := os.Getenv(env); v != "" && v != "auto" {
			return v, "set by $" + env
		}
	}
	return "", ""
}

func open(name, why string) (*Backend, error) {
	kind, options, _ := strings.Cut(name, ",")
	if b, ok := opened[name]; ok && !b.Engine.IsFinalized() {
		again := *b // another caller may have chosen it for another reason
		again.Why = why
		return &again, nil
	}
	b := &Backend{Choice: name, Why: why}
	var err error
	switch {
	case kind == Go || strings.HasPrefix(kind, Go+":"):
		err = openGo(b, kind, options)
	case kind == CUDA || kind == CPU || strings.HasPrefix(kind, "xla:/"):
		err = openXLA(b, strings.TrimPrefix(kind, "xla:"), options)
	default:
		return nil, fmt.Errorf("backend %q is unknown: expected one of %s (options after a comma), or xla:/path/to/plugin.so",
			name, strings.Join(Names, ", "))
	}
	if err != nil {
		return nil, err
	}
	kept := *b
	opened[name] = &kept
	return b, nil
}

func openGo(b *Backend, kind, options string) (err error) {
	config := goConfig
	if kind != Go {
		config = kind // the user's own options: "go:parallelism=1"
	}
	if options != "" {
		config += "," + options
	}
	if b.Engine, err = compute.NewWithConfig(config); err != nil {
		return fmt.Errorf("backend %q: %w", config, err)
	}
	b.Platform = Go
	return nil
}

// A missingError says why a backend can't be used here, and how to mend that; Short is its first clause.
type missingError struct{ Short, Long, Mend string }

func (e *missingError) Error() string { return e.Short + e.Long + "; " + e.Mend }

func reason(err error) string {
	if m, ok := err.(*missingError); ok {
		return m.Short
	}
	return err.Error()
}

// Explain parts an error of [Open] into what is wrong and how to mend it, "" where the
// error does not say that apart.
func Explain(err error) (wrong, mend string) {
	if m := (*missingError)(nil); errors.As(err, &m) {
		return strings.Replace(err.Error(), "; "+m.Mend, "", 1), m.Mend
	}
	return err.Error(), ""
}

// A Status is one line of a health check: a backend, and what came of opening it
// and adding two numbers on it.
type Status struct {
	Name    string   `json:"name"`
	Backend *Backend `json:"-"`
	Plugin  string   `json:"plugin,omitempty"`
	Version string   `json:"version,omitempty"`
	Devices int      `json:"devices,omitempty"`
	Result  string   `json:"result,omitempty"` // of the tiny computation
	Err     error    `json:"-"`
}

// Test opens a backend by name and runs a tiny computation on it.
func Test(name string) Status {
	s := Status{Name: name}
	if s.Backend, s.Err = Open(name); s.Err == nil {
		s.Plugin, s.Version, s.Devices = s.Backend.Plugin, s.Backend.Version, s.Backend.Engine.NumDevices()
		s.Result, s.Err = s.Backend.selfTest()
	}
	return s
}
