package runner

import (
	"bufio"
	"os"
	"strconv"
	"strings"

	"samediff/sdlib/vit"
)

const (
	// mostItems is the largest batch: on a CPU larger ones are no faster, and progress comes in larger steps.
	mostItems = 256
	// mostBytes bounds what a batch takes, whatever the machine has.
	mostBytes = 2 << 30
)

// Size returns the number of items in a batch: a power of two, at most 256, not much more
// than there are, and so many that the intermediate values of a forward pass of the
// configuration, and the bytes that each item needs besides, stay within 2 GiB and a
// quarter of the machine's free memory. A single item always runs.
func Size(c vit.Config, items, bytes int) int {
	budget := mostBytes
	if free := freeMemory(); free > 0 {
		budget = min(budget, free/4)
	}
	each := forwardBytes(c) + bytes
	size := 1
	for size < min(items, mostItems) && 2*size*each <= budget {
		size *= 2
	}
	return size
}

// forwardBytes estimates what the forward pass holds at one time for an image: the residual
// stream before and after, its norm, queries, keys, values, the hidden layer twice, and the
// attention scores of a block twice. XLA frees a block's values before the next one's.
func forwardBytes(c vit.Config) int {
	T, D := c.Tokens(), c.Width
	return 4 * (T*(6*D+2*c.MLP) + 2*c.Heads*T*T)
}

// freeMemory returns the bytes that Linux says are available, 0 where it does not say.
func freeMemory() int {
	f, err := os.Open("/proc/meminfo")
	if err != nil {
		return 0
	}
	defer f.Close()
	for lines := bufio.NewScanner(f); lines.Scan(); {
		if text, ok := strings.CutPrefix(lines.Text(), "MemAvailable:"); ok {
			kB, err := strconv.Atoi(strings.TrimSpace(strings.TrimSuffix(text, "kB")))
			if err != nil {
				return 0
			}
			return kB << 10
		}
	}
	return 0
}
