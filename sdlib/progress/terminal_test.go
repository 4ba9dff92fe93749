package progress

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

func TestString(t *testing.T) {
	tests := []struct {
		update Update
		want   string
	}{
		{Update{Task: "train", Done: 2688, Total: 6400, Unit: "images", Rate: 896.4, Left: 4200 * time.Millisecond, Note: "loss .31"},
			"train   42%  2688/6400 images  896 images/s  4s left  loss .31"},
		{Update{Task: "train", Total: 6400, Unit: "images"}, "train    0%  0/6400 images"},
		{Update{Task: "draw", Done: 7, Unit: "images", Rate: 12.34}, "draw  7 images  12.3 images/s"},
		{Update{Task: "t", Done: 1, Total: 3, Unit: "steps", Rate: .5, Left: 185 * time.Second}, "t   33%  1/3 steps  0.50 steps/s  3m05s left"},
		{Update{Task: "t", Done: 3, Total: 3, Unit: "steps", Elapsed: 7679 * time.Second, Finished: true}, "t  100%  3/3 steps  in 2h07m"},
		{Update{Task: "t", Done: 5, Total: 3, Unit: "steps"}, "t  100%  5/3 steps"},
		{Update{Task: "a\nb", Unit: "steps", Note: "\x1b[2Jnote"}, "a b  0 steps   [2Jnote"},
		{Update{Task: "t", Total: 1, Unit: "s", Rate: 1, Left: 59700 * time.Millisecond}, "t    0%  0/1 s  1.00 s/s  1m00s left"},
	}
	for _, test := range tests {
		if got := test.update.String(); got != test.want {
			t.Errorf("got  %q\nwant %q", got, test.want)
		}
	}
}

func TestLog(t *testing.T) {
	var out bytes.Buffer
	show := Terminal(&out)
	for i := range 121 { // 12 s, an update every 100 ms
		show(Update{Task: "train", Done: i, Total: 120, Unit: "images", Elapsed: time.Duration(i) * 100 * time.Millisecond, Finished: i == 120})
	}
	show(Update{Task: "eval", Total: 10, Unit: "images"})
	show(Update{Task: "eval", Done: 10, Total: 10, Unit: "images", Elapsed: time.Second, Finished: true})
	want := "train   41%  50/120 images\n" + "train   83%  100/120 images\n" + "train  100%  120/120 images  in 12s\n" +
		"eval  100%  10/10 images  in 1s\n"
	if out.String() != want {
		t.Errorf("got\n%swant\n%s", out.String(), want)
	}
}

func TestLogFile(t *testing.T) {
	path := filepath.Join(t.TempDir(), "log")
	file, err := os.Create(path)
	if err != nil {
		t.Fatal(err)
	}
	Terminal(file)(Update{Task: "train", Done: 1, Total: 1, Unit: "images", Finished: true})
	if err := file.Close(); err != nil {
		t.Fatal(err)
	}
	if text, _ := os.ReadFile(path); strings.ContainsAny(string(text), "\r\x1b█") || !strings.HasSuffix(string(text), "\n") {
		t.Errorf("a file got %q, want a plain line", text)
	}
}

func TestRewrite(t *testing.T) {
	var out bytes.Buffer
	s := &screen{w: &out, width: func() int { return 40 }}
	s.show(Update{Task: "train", Done: 1, Total: 2, Unit: "images"})
	s.show(Update{Task: "train", Done: 1, Total: 2, Unit: "images", Note: "a note that does not fit into the line"})
	s.show(Update{Task: "train", Done: 2, Total: 2, Unit: "images", Finished: true})
	s.show(Update{Task: "study", Done: 1, Unit: "steps"})
	s.show(Update{Task: "eval", Done: 1, Unit: "images", Finished: true})
	want := "\r█████░░░░░ train   50%  1/2 images\x1b[K" +
		"\rtrain   50%  1/2 images  a note that d…\x1b[K" +
		"\rtrain  100%  2/2 images  in 0s\x1b[K\n" +
		"\rstudy  1 steps\x1b[K" +
		"\neval  1 images  in 0s\x1b[K\n"
	if out.String() != want {
		t.Errorf("got\n%q\nwant\n%q", out.String(), want)
	}
}

func TestNarrowTerminal(t *testing.T) {
	for columns := 1; columns < 60; columns++ {
		var out bytes.Buffer
		s := &screen{w: &out, width: func() int { return columns }}
		s.show(Update{Task: "train", Done: 1, Total: 2, Unit: "images", Note: "loss .31"})
		line := strings.TrimSuffix(strings.TrimPrefix(out.String(), "\r"), "\x1b[K")
		if n := len([]rune(line)); n > max(1, columns-1) {
			t.Errorf("%d columns got a line of %d: %q", columns, n, line)
		}
	}
}
