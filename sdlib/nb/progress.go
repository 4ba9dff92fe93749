package nb

import (
	"fmt"
	"html"
	"os"
	"strings"
	"unicode"

	"samediff/sdlib/progress"

	"github.com/janpfeifer/gonb/gonbui"
	"github.com/janpfeifer/gonb/gonbui/protocol"
)

// Progress returns a function that shows the progress of long tasks, one bar per
// task, updated in place. When a task has finished its bar becomes one line of
// text without times or rates, the same on every run:
//
//	train: 6400 of 6400 images  loss .31  val .92
//
// Outside a notebook progress goes to standard error.
func Progress() progress.Func { return newProgress(finalLine) }

// TimedProgress is like [Progress], but the last line keeps time and rate. Use it
// where they are the result; a notebook executed again will differ in that line.
func TimedProgress() progress.Func { return newProgress(progress.Update.String) }

func newProgress(final func(progress.Update) string) progress.Func {
	if !inNotebook() {
		return progress.Terminal(os.Stderr)
	}
	bars := map[string]string{} // display id by task under way
	return func(u progress.Update) {
		mu.Lock()
		defer mu.Unlock()
		id, known := bars[u.Task]
		if !known {
			id = gonbui.UniqueId()
			bars[u.Task] = id
			text.id = "" // text that follows is below the bar
		}
		data := &protocol.DisplayData{DisplayID: id}
		if !u.Finished {
			data.Data = map[protocol.MIMEType]any{
				protocol.MIMETextHTML:  barHTML(u),
				protocol.MIMETextPlain: u.String(),
			}
			send(data) // the next update, or the last, waits
			return
		}
		delete(bars, u.Task) // the same task anew gets a bar of its own
		data.Data = map[protocol.MIMEType]any{protocol.MIMETextPlain: final(u)}
		send(data)
		wait()
	}
}

// barHTML returns a bar with the update's line beside it. Where the total is
// unknown the bar only says that something moves.
func barHTML(u progress.Update) string {
	value := ""
	if u.Total > 0 {
		value = fmt.Sprintf(` value="%d" max="%d"`, min(max(u.Done, 0), u.Total), u.Total)
	}
	line := strings.ReplaceAll(html.EscapeString(u.String()), "  ", " &nbsp;")
	return fmt.Sprintf(`<progress%s style="width: 12em"></progress> <code>%s</code>`, value, line)
}

// finalLine returns what stays in the notebook.
func finalLine(u progress.Update) string {
	line := fmt.Sprintf("%s: %d", u.Task, u.Done)
	if u.Total > 0 {
		line += fmt.Sprintf(" of %d", u.Total)
	}
	line = strings.TrimSpace(line + " " + u.Unit)
	if u.Note != "" {
		line += "  " + u.Note
	}
	return strings.Map(func(r rune) rune {
		if unicode.IsControl(r) {
			return ' '
		}
		return r
	}, line)
}
