package runner

import (
	"sync"
	"sync/atomic"

	"github.com/gomlx/compute"
	. "github.com/gomlx/gomlx/core/graph"
	"github.com/gomlx/gomlx/core/tensors"

	"samediff/sdlib/backend"
	"samediff/sdlib/vit"
)

// A program is a pass compiled for a configuration and parameters. Calls take turns.
type program struct {
	mu    sync.Mutex
	p     *vit.Program
	users int
	last  int // when it was asked for last, in calls
}

func (p *program) run(m *vit.Model, inputs []any) ([]*tensors.Tensor, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.p.Run(m, inputs...)
}

// mostPrograms is how many programs are kept. One of ViT-B takes some 10 MB.
const mostPrograms = 32

var (
	mu       sync.Mutex
	programs = map[key]*program{}
	calls    int

	compiled atomic.Int64
)

// key says what a program depends on, the shapes of its inputs aside.
type key struct {
	engine compute.Backend
	pass   any // *Pass[P]
	config vit.Config
	params any // P
}

// Compiled returns how often a pass's graph was compiled in this process: once for each
// pass, configuration, value of the parameters and shape of the inputs.
func Compiled() int { return int(compiled.Load()) }

// program returns the pass's program, compiled or about to be, and a function to call when it is no longer in use.
func (p *Pass[P]) program(be *backend.Backend, c vit.Config, params P) (*program, func(), error) {
	mu.Lock()
	defer mu.Unlock()
	k := key{be.Engine, p, c, params}
	found, ok := programs[k]
	if !ok {
		made, err := vit.Compile(be, c, func(w *vit.Weights[*Node], in []*Node) []*Node {
			compiled.Add(1)
			return p.graph(c, params, w, in)
		})
		if err != nil {
			return nil, nil, err
		}
		forget()
		found = &program{p: made}
		programs[k] = found
	}
	calls++
	found.last = calls
	found.users++
	return found, func() {
		mu.Lock()
		defer mu.Unlock()
		found.users--
	}, nil
}

// forget makes room for one more program: the one not used for the longest time goes.
func forget() {
	if len(programs) < mostPrograms {
		return
	}
	var oldest key
	var p *program
	for k, candidate := range programs {
		if candidate.users == 0 && (p == nil || candidate.last < p.last) {
			oldest, p = k, candidate
		}
	}
	if p != nil {
		p.p.Close()
		delete(programs, oldest)
	}
}
