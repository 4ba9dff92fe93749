package report

import (
	"bytes"
	"embed"
	"encoding/base64"
	"errors"
	"fmt"
	"html/template"
	"io"
	"io/fs"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"samediff/sdlib/figure"
	"samediff/sdlib/internal/disk"
	"samediff/sdlib/internal/shell"
	"samediff/sdlib/paper"
	"samediff/sdlib/stimuli"
)

//go:embed page
var files embed.FS

var page = template.Must(template.ParseFS(files, "page/report.html"))

// ErrMore says that a file has a page of more chapters.
var ErrMore = errors.New("it has a page of more chapters, which stays: choose another name, or exactly the chapters to replace it with")

// Save writes the page to a file, aside and renamed. It does not take the place of one that has more chapters, which is [ErrMore],
// unless it is finished and of chapters that were chosen; nor that of a file which is no report: that is an error.
func (p Page) Save(path string) error {
	text, err := p.HTML()
	if err != nil {
		return err
	}
	var more error
	switch old, err := disk.ReadFile(path, maxPage); {
	case errors.Is(err, fs.ErrNotExist):
	case err != nil:
		return err
	case len(old) > 0 && !bytes.Contains(old[:min(len(old), 1000)], []byte("<title>"+titled)):
		return fmt.Errorf("%s is no report: choose another name, or remove it", path)
	case p.settled() < settled(old) && !p.exact():
		text = string(old) // written again, so that a folder that cannot be written shows before hours of work
		more = fmt.Errorf("%s: %w", path, ErrMore)
	}
	err = disk.Replace(path, func(w io.Writer) error {
		_, err := io.WriteString(w, text)
		return err
	})
	return errors.Join(err, more)
}

// titled is what the title of every page begins with.
const titled = "Report on "

// maxPage bounds a page: with the viewer's maps of a large model some 10 MB.
const maxPage = 1 << 30

var chapters = regexp.MustCompile(`<meta name="chapters" content="(\d+)">`)

// settled is what [Page.settled] was of a page that was written.
func settled(text []byte) int {
	if m := chapters.FindSubmatch(text); m != nil {
		n, _ := strconv.Atoi(string(m[1]))
		return n
	}
	return 0
}

// HTML returns the page as a document.
func (p Page) HTML() (string, error) {
	style, err := files.ReadFile("page/report.css")
	if err != nil {
		return "", err
	}
	content := struct {
		Title, Reference string
		Style            template.CSS
		Model, Beside    template.HTML
		Sections         []shown
		LeftOut          []LeftOut
		Left, Settled    int
	}{Title: titled + p.Subject.label(), Style: template.CSS(style), LeftOut: slices.Clone(p.LeftOut), Left: p.Left, Settled: p.settled()}
	for i, l := range content.LeftOut {
		content.LeftOut[i].Command = p.Subject.command(l.Command)
	}
	if content.Model, err = tableHTML(p.table()); err != nil {
		return "", err
	}
	if len(p.Beside) > 0 {
		content.Reference = p.Reference
		if content.Beside, err = besideHTML(p.Beside); err != nil {
			return "", err
		}
	}
	for i, s := range p.Sections {
		one, err := p.shown(i, s)
		if err != nil {
			return "", fmt.Errorf("report: %s: %w", s.Title, err)
		}
		content.Sections = append(content.Sections, one)
	}
	var text strings.Builder
	err = page.Execute(&text, content)
	return text.String(), err
}

// shown is a section as the page has it.
type shown struct {
	ID, Title, About, Command string
	Parts                     []template.HTML
	Beside                    template.HTML
}

func (p Page) shown(i int, s Section) (shown, error) {
	one := shown{ID: fmt.Sprintf("section%d", i+1), Title: s.Title, About: s.About, Command: p.Subject.command(s.Command)}
	for i := range s.Parts {
		text, err := s.Parts[i].html()
		if err != nil {
			return one, err
		}
		one.Parts = append(one.Parts, text)
	}
	var claims []paper.Checked
	for _, c := range p.Beside {
		if c.Group == s.Group {
			claims = append(claims, c)
		}
	}
	var err error
	if len(claims) > 0 {
		one.Beside, err = besideHTML(claims)
	}
	return one, err
}

// command is a chapter's command, or its two, for the model, as a shell takes it.
func (s Subject) command(of string) string {
	command := strings.ReplaceAll(of, "MODEL", shell.Quote(s.Name))
	if s.Task != "" {
		task := " --task " + string(s.Task)
		command = strings.ReplaceAll(command, and, task+and) + task
	}
	return command
}

// and is between the commands of a chapter that has two.
const and = " && "

// html is a part as an element of the page. It is made once: a page is written after every chapter.
func (p *Part) html() (_ template.HTML, err error) {
	if p.made == "" {
		p.made, err = p.make()
	}
	return p.made, err
}

func (p *Part) make() (template.HTML, error) {
	switch {
	case p.Figure != nil:
		return picture(p.Figure)
	case p.Table != nil:
		return tableHTML(*p.Table)
	case p.Viewer != nil:
		text, err := p.Viewer.HTML()
		return template.HTML(text), err
	}
	return template.HTML("<p>" + template.HTMLEscapeString(p.Text) + "</p>\n"), nil
}

// dots is how many pixels a picture has for each of the screen's.
const dots = 2

// picture is a figure with its text for those who do not see it.
func picture(f *figure.Figure) (template.HTML, error) {
	png, err := f.PNG(dots * 96)
	if err != nil {
		return "", err
	}
	width, _ := f.Size()
	return template.HTML(fmt.Sprintf("<figure><img src=\"data:image/png;base64,%s\" alt=\"%s\" width=\"%d\"></figure>\n",
		base64.StdEncoding.EncodeToString(png), template.HTMLEscapeString(f.Alt()), int(width*96))), nil
}

// tableHTML is a table in a box that scrolls where the screen is narrow. Numbers below 0 have a minus sign.
func tableHTML(t figure.Table) (template.HTML, error) {
	for _, row := range t.Rows {
		for i, cell := range row {
			if number, below := strings.CutPrefix(cell, "-"); below {
				row[i] = "−" + number
			}
		}
	}
	text, err := t.HTML()
	return template.HTML("<div class=\"table\">" + text + "</div>\n"), err
}

// besideHTML sets out claims beside what was found; the number of a figure stays on its line.
func besideHTML(claims []paper.Checked) (template.HTML, error) {
	t := paper.BesideTable(claims)
	where := slices.Index(t.Columns, "shown in")
	for _, row := range t.Rows {
		row[where] = strings.ReplaceAll(row[where], " ", "\u00a0")
	}
	return tableHTML(t)
}

// table says what the model is, and on how much the report rests.
func (p Page) table() figure.Table {
	s := p.Subject
	c := s.Model.Config
	t := figure.Table{Columns: []string{"", ""}}
	t.Add("model", s.Name)
	t.Add("hash of its weights", s.Model.ID.Short())
	if weights := s.Model.Origin.String(); weights != "" {
		t.Add("weights", weights)
	}
	t.Add("family", c.Family)
	t.Add("images", fmt.Sprintf("%d × %d pixels, patches of %d: %d tokens", c.Image, c.Image, c.Patch, c.Tokens()))
	t.Add("size", fmt.Sprintf("%d blocks of %d heads, width %d, %.1f M parameters", c.Blocks, c.Heads, c.Width, float64(c.Params())/1e6))
	if len(s.Model.Labels) > 0 {
		t.Add("classes", fmt.Sprintf("%d: %q", c.Classes, s.Model.Labels[:min(len(s.Model.Labels), 4)]))
	}
	learned := "unknown"
	if sets, err := s.Model.Sets(); err == nil {
		train := sets[0].Stimuli
		learned = fmt.Sprintf("%s, %s combinations of shape and color, %d images", train.Task, train.Objects, train.Size)
		if s.Model.Training.Stimuli.Geometry == (stimuli.Geometry{}) {
			learned = fmt.Sprintf("unknown: asked about %s, with the paper's stimuli of its geometry", train.Task)
		}
	}
	t.Add("learned", learned)
	on := p.Sizes.describe(c)
	if s.reads() {
		on += "; only what was computed before"
	}
	t.Add("rests on", on)
	return t
}
