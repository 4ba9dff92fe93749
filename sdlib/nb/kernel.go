package nb

import (
	"fmt"
	"os"
	"strings"
	"sync"
	"time"

	"github.com/janpfeifer/gonb/gonbui"
	"github.com/janpfeifer/gonb/gonbui/protocol"
)

// inNotebook reports whether GoNB started this program and listens. GoNB's
// variables may be left over in the environment of a program that some cell has
// started; then its pipes are gone.
var inNotebook = sync.OnceValue(func() bool {
	return gonbui.IsNotebook && gonbui.Open() == nil
})

// syncTimeout bounds the wait for a kernel that has gone.
const syncTimeout = 10 * time.Second

var (
	mu   sync.Mutex // held while a message is on its way
	text struct {   // the block of text that the next Printf continues
		id    string
		lines string
	}
	warned bool // the loss of the connection was reported
)

// show sends one output and waits until it has arrived.
func show(data *protocol.DisplayData) {
	mu.Lock()
	defer mu.Unlock()
	text.id = "" // what follows is below this output
	send(data)
	wait()
}

// showText sends lines of plain text. As long as nothing else comes between, they
// go into one output, which is replaced by a longer one.
func showText(lines string) {
	mu.Lock()
	defer mu.Unlock()
	if text.id == "" {
		text.id, text.lines = gonbui.UniqueId(), ""
	}
	text.lines += lines
	send(&protocol.DisplayData{
		Data:      map[protocol.MIMEType]any{protocol.MIMETextPlain: strings.TrimSuffix(text.lines, "\n")},
		DisplayID: text.id,
	})
	wait()
}

// send hands a message to the kernel. mu is held.
func send(data *protocol.DisplayData) {
	gonbui.SendData(data)
	report()
}

// wait returns when the kernel has read everything sent. mu is held.
func wait() {
	if gonbui.Error() != nil {
		return // Sync would wait for ever
	}
	done := make(chan struct{})
	go func() {
		gonbui.Sync()
		close(done)
	}()
	select {
	case <-done:
	case <-time.After(syncTimeout):
	}
	report()
}

// report says once that the connection to the kernel is lost.
func report() {
	if err := gonbui.Error(); err != nil && !warned {
		warned = true
		fmt.Fprintf(os.Stderr, "nb: output of this cell is lost, the connection to the notebook's kernel broke: %v\n", err)
	}
}
