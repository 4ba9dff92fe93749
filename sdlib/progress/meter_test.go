package progress

import (
	"math"
	"sync"
	"testing"
	"time"
)

// fake returns a Meter on a clock that moves only when told to, and the updates it has sent.
func fake(total int) (m *Meter, sleep func(time.Duration), updates *[]Update) {
	updates = new([]Update)
	now := time.Unix(1_700_000_000, 0)
	m = New("train", "images", total, func(u Update) { *updates = append(*updates, u) })
	m.now = func() time.Time { return now }
	m.restart(0)
	return m, func(d time.Duration) { now = now.Add(d) }, updates
}

func last(updates *[]Update) Update { return (*updates)[len(*updates)-1] }

func TestConstantRateIsExact(t *testing.T) {
	m, sleep, updates := fake(1000)
	m.Start(0)
	for i := 1; i <= 50; i++ {
		sleep(200 * time.Millisecond)
		m.Set(10*i, "")
		u := last(updates)
		if math.Abs(u.Rate-50) > 1e-9 { // 10 images in .2 s
			t.Fatalf("after %v the rate is %v, want 50", u.Elapsed, u.Rate)
		}
		if want := time.Duration(1000-10*i) * time.Second / 50; (u.Left - want).Abs() > time.Millisecond {
			t.Fatalf("after %v %v are left, want %v", u.Elapsed, u.Left, want)
		}
	}
}

func TestRateForgetsTheFirstStep(t *testing.T) {
	m, sleep, updates := fake(1_000_000)
	m.Start(0)
	sleep(20 * time.Second) // compiles
	done := 1
	m.Set(done, "")
	for range 60 {
		sleep(time.Second)
		done += 100
		m.Set(done, "")
	}
	// What came before 60 s weighs exp(-60/15), under 2 %, of which 20 s at nearly nothing.
	if rate := last(updates).Rate; rate < 97 || rate > 100 {
		t.Errorf("a minute after a slow first step the rate is %v, want nearly 100", rate)
	}
}

func TestThrottle(t *testing.T) {
	m, sleep, updates := fake(10_000)
	m.Start(0)
	for i := range 10_000 {
		sleep(time.Millisecond)
		m.Set(i, "")
	}
	m.Finish("done")
	if n := len(*updates); n < 99 || n > 102 { // 10 s
		t.Errorf("%d updates in ten seconds, want about 100", n)
	}
	if u := last(updates); !u.Finished || u.Note != "done" || u.Done != 9999 {
		t.Errorf("the last update is %+v", u)
	}
}

func TestResume(t *testing.T) {
	m, sleep, updates := fake(1000)
	m.Start(900)
	if u := last(updates); u.Done != 900 || u.Rate != 0 || u.Left != 0 {
		t.Errorf("the first update is %+v, want 900 done and no rate", u)
	}
	sleep(time.Second)
	m.Set(910, "")
	if u := last(updates); math.Abs(u.Rate-10) > 1e-9 || (u.Left-9*time.Second).Abs() > time.Millisecond {
		t.Errorf("after 10 images in 1 s: %+v, want 10 images/s and 9 s left", u)
	}
	sleep(time.Second)
	m.Set(1000, "")
	m.Finish("")
	if u := last(updates); math.Abs(u.Rate-50) > 1e-9 || u.Left != 0 { // 100 in 2 s
		t.Errorf("the last update is %+v, want the mean of 50 images/s", u)
	}
}

func TestGoingBack(t *testing.T) {
	m, sleep, updates := fake(100)
	m.Start(0)
	for _, done := range []int{50, 20, 30} {
		sleep(time.Second)
		m.Set(done, "")
		if u := last(updates); u.Rate < 0 || u.Left < 0 {
			t.Errorf("at %d: %+v, want nothing negative", done, u)
		}
	}
}

func TestStandstill(t *testing.T) {
	m, sleep, updates := fake(math.MaxInt)
	m.Start(0)
	sleep(time.Second)
	m.Set(1, "")
	for range 1000 {
		sleep(time.Second)
		m.Set(1, "")
	}
	if u := last(updates); u.Left < 0 || u.Left > 1000*time.Hour {
		t.Errorf("%v left, want at most 1000 h", u.Left)
	}
}

func TestNothingAfterFinish(t *testing.T) {
	m, sleep, updates := fake(10)
	m.Start(0)
	sleep(time.Second)
	m.Set(10, "loss .31")
	m.Finish("")
	n := len(*updates)
	sleep(time.Second)
	m.Set(11, "late")
	m.Add(1)
	m.Finish("twice")
	if len(*updates) != n || last(updates).Note != "loss .31" {
		t.Errorf("after Finish came %+v", (*updates)[n:])
	}
}

func TestSilence(t *testing.T) {
	m := New("train", "images", 10, nil)
	m.Start(0)
	m.Set(5, "")
	m.Add(5)
	m.Finish("") // must not call the nil Func
	if m.done != 10 {
		t.Errorf("a silent meter counted %d, want 10", m.done)
	}
}

func TestWorkers(t *testing.T) {
	var lastUpdate Update
	m := New("draw", "images", 8000, func(u Update) { lastUpdate = u })
	var workers sync.WaitGroup
	for range 8 {
		workers.Go(func() {
			for range 1000 {
				m.Add(1)
			}
		})
	}
	workers.Wait()
	m.Finish("")
	if lastUpdate.Done != 8000 {
		t.Errorf("eight workers did %d, want 8000", lastUpdate.Done)
	}
}
