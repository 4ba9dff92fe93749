package workers

import (
	"os/exec"
	"syscall"
)

// apart gives a process a group of its own, which ctrl-c in a terminal does not reach, and SIGTERM if the thread that starts it dies.
func apart(cmd *exec.Cmd) {
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGTERM}
}
