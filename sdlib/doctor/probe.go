package doctor

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"strings"

	"samediff/sdlib/backend"
)

// A Probe is what came of opening a backend, and of adding two numbers on it, as one process writes it for another.
type Probe struct {
	backend.Status
	Choice   string   `json:"choice,omitempty"` // of the backend that was opened
	Platform string   `json:"platform,omitempty"`
	Why      string   `json:"why,omitempty"`
	Missing  []string `json:"missing,omitempty"`
	Wrong    string   `json:"wrong,omitempty"` // why it does not work
	Mend     string   `json:"mend,omitempty"`
}

// ProbeBackend opens the backend of a name, as [backend.Open] takes it, in this process.
func ProbeBackend(name string) Probe {
	p := Probe{Status: backend.Test(name)}
	if be := p.Backend; be != nil {
		p.Choice, p.Platform, p.Why, p.Missing = be.Choice, be.Platform, be.Why, be.Missing
	}
	if p.Err != nil {
		p.Wrong, p.Mend = backend.Explain(p.Err)
	}
	return p
}

// ProbeIn opens a backend in a process of its own, since a damaged plugin can end the one that loads it, or with other
// variables, NAME=VALUE, in its environment. command is [Options.Probe]; where it is empty, this process does it.
func ProbeIn(ctx context.Context, command []string, name string, env ...string) Probe {
	if len(command) == 0 {
		return ProbeBackend(name)
	}
	ctx, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	cmd := exec.CommandContext(ctx, command[0], append(command[1:len(command):len(command)], name)...)
	var out, said bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &said
	cmd.Env = append(append(os.Environ(), "GOTRACEBACK=none"), env...)
	err := cmd.Run()
	if ctx.Err() != nil {
		err = fmt.Errorf("no answer in %v", timeout)
	}
	var p Probe
	if err == nil {
		err = json.Unmarshal(out.Bytes(), &p)
	}
	if err != nil {
		first, _, _ := strings.Cut(strings.TrimSpace(said.String()), "\n")
		p = Probe{Wrong: fmt.Sprintf("opening it ends the process: %v: %.200s", err, first), Mend: backend.MendDamaged(name)}
	}
	p.Name = name
	if p.Choice != "" {
		p.Backend = &backend.Backend{Choice: p.Choice, Platform: p.Platform, Plugin: p.Plugin, Version: p.Version, Why: p.Why, Missing: p.Missing}
	}
	if p.Wrong != "" {
		p.Err = errors.New(p.Wrong)
	}
	return p
}
