package nb

import (
	"errors"
	"fmt"
	"math"
	"os"
	"strings"

	"samediff/sdlib/figure"

	"github.com/janpfeifer/gonb/gonbui/protocol"
)

const (
	screenDPI = 96 // what browsers call an inch

	// largePNG is the size in bytes from which a picture is sent as JPEG. Charts
	// stay far below it; grids of photographs exceed it, at a third of the quality
	// per byte.
	largePNG = 400_000

	mimeJPEG protocol.MIMEType = "image/jpeg"
)

// Show shows figures below each other, each with its alternative text. A figure
// with an error ends the cell as [Check] does. Outside a notebook figures are only
// checked.
func Show(figures ...*figure.Figure) {
	for _, f := range figures {
		Check(f.Err())
		if inNotebook() {
			show(picture(f))
		}
	}
}

// picture returns a figure as an output.
func picture(f *figure.Figure) *protocol.DisplayData {
	mime, bytes := encode(f)
	width, _ := f.Size()
	return &protocol.DisplayData{
		Data: map[protocol.MIMEType]any{mime: bytes, protocol.MIMETextPlain: f.Alt()},
		Metadata: map[string]any{
			// gob knows this map type, and no other that would do.
			string(mime): map[string]int{"width": int(math.Round(width * screenDPI))},
			"alt":        f.Alt(),
		},
	}
}

// encode returns a figure as PNG, or as JPEG where that is large and JPEG is not.
func encode(f *figure.Figure) (protocol.MIMEType, []byte) {
	picture := Must(f.PNG(figure.DPI))
	if len(picture) > largePNG {
		if smaller := Must(f.JPEG(figure.DPI, figure.JPEGQuality)); len(smaller) < len(picture) {
			return mimeJPEG, smaller
		}
	}
	return protocol.MIMEImagePNG, picture
}

// Printf shows plain text, in order with all else that the package shows. A line
// feed at the end may be left out. Calls in sequence become one block of text.
func Printf(format string, args ...any) {
	text := strings.TrimSuffix(fmt.Sprintf(format, args...), "\n") + "\n"
	if inNotebook() {
		showText(text)
		return
	}
	fmt.Fprint(os.Stdout, text)
}

// Markdown shows formatted Markdown, with formulas between dollar signs. Outside a
// notebook it prints the source.
func Markdown(format string, args ...any) {
	text := fmt.Sprintf(format, args...)
	if inNotebook() {
		show(&protocol.DisplayData{Data: map[protocol.MIMEType]any{protocol.MIMETextMarkdown: text}})
		return
	}
	fmt.Fprintln(os.Stdout, strings.TrimSuffix(text, "\n"))
}

// Table shows a table. Outside a notebook it prints it in aligned columns. A table
// with an error ends the cell as [Check] does.
func Table(t figure.Table) {
	text := Must(t.Text())
	if inNotebook() {
		show(&protocol.DisplayData{Data: map[protocol.MIMEType]any{
			protocol.MIMETextHTML:  Must(t.HTML()),
			protocol.MIMETextPlain: strings.TrimSuffix(text, "\n"),
		}})
		return
	}
	fmt.Fprint(os.Stdout, text)
}

// A Page is a piece of HTML with a text that stands for it where HTML is not shown, such as
// viewer.Page.
type Page interface {
	HTML() (string, error)
	Alt() string
}

// HTML shows a page in the cell's output. One that cannot be made ends the cell as [Check]
// does. Outside a notebook the page is only checked, as figures are.
func HTML(p Page) {
	html := Must(p.HTML())
	if inNotebook() {
		show(&protocol.DisplayData{Data: map[protocol.MIMEType]any{
			protocol.MIMETextHTML:  html,
			protocol.MIMETextPlain: p.Alt(),
		}})
	}
}

// Must returns v, or ends the cell as [Check] does if err is not nil:
//
//	model := nb.Must(vit.Load("models/course"))
func Must[T any](v T, err error) T {
	Check(err)
	return v
}

// Check does nothing if err is nil. Else it writes the error's message to standard
// error, and the hint on a second line where an error of the chain has a method
// Hint() string, and ends the program with exit status 1. What was shown before
// stays.
func Check(err error) {
	if err == nil {
		return
	}
	fmt.Fprintln(os.Stderr, message(err))
	os.Exit(1)
}

// message returns what Check writes.
func message(err error) string {
	text := err.Error()
	var helpful interface{ Hint() string }
	if errors.As(err, &helpful) {
		if hint := helpful.Hint(); hint != "" && !strings.Contains(text, hint) {
			text += "\nhint: " + hint
		}
	}
	return text
}
