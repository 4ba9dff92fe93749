//go:build !linux

package workers

import "os/exec"

// Elsewhere there is no affinity that a process would inherit, and no signal at its parent's death.
func allowed() []int      { return nil }
func confine([]int) error { return nil }
func apart(*exec.Cmd)     {}
