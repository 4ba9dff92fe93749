package progress

import (
	"math"
	"sync"
	"time"
)

const (
	interval = 100 * time.Millisecond // between updates: faster is not read, and costs a notebook dearly
	memory   = 15.0                   // seconds after which a measurement weighs 1/e
)

// A Meter measures one task and reports it. Its methods may be called from any number of goroutines.
type Meter struct {
	task, unit string
	total      int
	report     Func
	now        func() time.Time // a test's clock

	mu       sync.Mutex
	started  time.Time
	base     int // units done before Start
	done     int
	note     string
	finished bool

	sent     time.Time // the last update, and what was done by then
	sentDone int
	units    float64 // weighted sums of units and seconds between updates: their quotient is the rate
	seconds  float64
}

// New returns a Meter of a task of total units (0: unknown), which starts now. The unit is a plural: "images".
func New(task, unit string, total int, report Func) *Meter {
	m := &Meter{task: task, unit: unit, total: total, report: report, now: time.Now}
	m.restart(0)
	return m
}

// Start starts the clock, again if need be, with done units that are there already: a resumed run neither counts them into its
// rate nor shows them as missing.
func (m *Meter) Start(done int) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.restart(done)
	m.send(m.started)
}

func (m *Meter) restart(done int) {
	m.started = m.now()
	m.base, m.done, m.note, m.finished = done, done, "", false
	m.sent, m.sentDone, m.units, m.seconds = m.started, done, 0, 0
}

// Set says that done units are done in all, and a word on how it goes. It may be called as often as convenient: at most ten
// updates a second are sent.
func (m *Meter) Set(done int, note string) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.done, m.note = done, note
	m.tick()
}

// Add says that n more units are done: the Set of workers who do not know of each other.
func (m *Meter) Add(n int) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.done += n
	m.tick()
}

// Finish sends the last update, with the mean rate since Start. An empty note keeps the one before. Calls of Finish, Set and Add
// that follow do nothing, so a deferred Finish covers the paths on which the task fails.
func (m *Meter) Finish(note string) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.finished {
		return
	}
	if note != "" {
		m.note = note
	}
	m.finished = true
	m.send(m.now())
}

// tick sends an update if one is due.
func (m *Meter) tick() {
	if m.report == nil || m.finished {
		return
	}
	now := m.now()
	if now.Sub(m.sent) < interval {
		return
	}
	m.measure(now)
	m.send(now)
}

// measure takes the time since the last update into the rate: after dt seconds, all earlier ones weigh exp(-dt/memory) of what
// they did. Units and seconds are weighted alike, so a constant rate is exact from the first update on.
func (m *Meter) measure(now time.Time) {
	dt := now.Sub(m.sent).Seconds()
	if m.done < m.sentDone { // the task has gone back, as after a failed epoch
		m.units, m.seconds = 0, 0
		m.sentDone = m.done
	}
	decay := math.Exp(-dt / memory)
	m.units = m.units*decay + float64(m.done-m.sentDone)
	m.seconds = m.seconds*decay + dt
	m.sent, m.sentDone = now, m.done
}

func (m *Meter) send(now time.Time) {
	if m.report == nil {
		return
	}
	u := Update{
		Task: m.task, Done: m.done, Total: m.total, Unit: m.unit, Note: m.note,
		Elapsed: now.Sub(m.started), Finished: m.finished,
	}
	switch {
	case m.finished && u.Elapsed > 0:
		u.Rate = max(0, float64(m.done-m.base)/u.Elapsed.Seconds())
	case !m.finished && m.seconds > 0:
		u.Rate = m.units / m.seconds
	}
	if left := float64(m.total - m.done); !m.finished && left > 0 && u.Rate > 0 {
		// A rate close to nothing would overflow the duration.
		u.Left = time.Duration(min(left/u.Rate, float64(1000*time.Hour/time.Second)) * float64(time.Second))
	}
	m.report(u)
}
