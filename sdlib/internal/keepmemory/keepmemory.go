package keepmemory

import (
	"fmt"
	"os"
	"strconv"
)

// Env is the environment variable that switches the package off: "0" or "false". "1", "true",
// and unset leave it on.
const Env = "SD_KEEP_MEMORY"

// Enable makes the process keep freed memory from now on, unless [Env] says no. It is called
// when XLA is opened on a CPU. The error says that the variable's value is neither yes nor no.
func Enable() error {
	if v := os.Getenv(Env); v != "" {
		on, err := strconv.ParseBool(v)
		if err != nil {
			return fmt.Errorf("$%s is %q, expected 1 (keep freed memory, the default) or 0 (return it to the kernel)", Env, v)
		}
		if !on {
			return nil
		}
	}
	enable()
	return nil
}

// Enabled reports whether freed memory is kept.
func Enabled() bool { return enabled() }

// Release returns the memory that is kept now to the kernel, such as that of a training that has
// ended. What is freed later is kept again.
func Release() { release() }
