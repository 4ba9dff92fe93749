package doctor

import (
	"context"
	"slices"
	"time"

	"samediff/sdlib/internal/repo"
)

// A State is the outcome of one examination.
type State string

const (
	OK     State = "ok"
	Absent State = "absent" // not there, and not necessary here
	Failed State = "failed" // necessary, and does not work
)

// A Finding is one thing examined.
type Finding struct {
	Name   string `json:"name"`
	State  State  `json:"state"`
	Detail string `json:"detail"`         // what was found
	Mend   string `json:"mend,omitempty"` // what to do, unless the state is OK
}

// Options say what to examine. The zero value is what a command without flags uses.
type Options struct {
	Store   string // folder of the store; "" is artifact.DefaultDir
	Backend string // as for backend.Open; "" is the best that works
	// Probe is a command which, given the name of a backend as its last argument, prints in JSON what [ProbeBackend] returns.
	// With it, a plugin that ends the process which loads it is a finding. Without, backends are opened in this process.
	Probe []string
}

// timeout bounds each program that is started: a hanging compiler or Python is a finding too.
const timeout = time.Minute

// Examine looks at everything, in the order in which things need each other.
func Examine(ctx context.Context, o Options) []Finding {
	root, _ := repo.Root()
	var all []Finding
	all = append(all, toolchain(ctx, root)...)
	all = append(all, notebooks(ctx, root)...)
	all = append(all, backends(ctx, o.Probe, o.Backend)...)
	return append(all, storage(ctx, o.Store)...)
}

// Healthy reports whether nothing necessary fails.
func Healthy(findings []Finding) bool {
	return !slices.ContainsFunc(findings, func(f Finding) bool { return f.State == Failed })
}

func ok(name, detail string) Finding           { return Finding{name, OK, detail, ""} }
func absent(name, detail, mend string) Finding { return Finding{name, Absent, detail, mend} }
func failed(name, detail, mend string) Finding { return Finding{name, Failed, detail, mend} }
