package nb

import (
	"samediff/sdlib/figure"

	"github.com/janpfeifer/gonb/gonbui"
)

// Live returns a function that shows a figure in one place of the cell's output. The
// place is below what was shown before its first call; each call replaces the figure
// there, and the last one stays in the notebook. It shows how something long is going:
//
//	show := nb.Live()
//	options.OnEpoch = func(h []finetune.Epoch) { show(nb.Must(paper.TrainingCurve(h))) }
//
// Every call of Live begins another place. The function may be called from several
// goroutines. A figure with an error ends the cell as [Check] does. Outside a notebook
// figures are only checked.
func Live() func(*figure.Figure) {
	var id string // of the output; given by the first figure, guarded by mu
	return func(f *figure.Figure) {
		Check(f.Err())
		if !inNotebook() {
			return
		}
		data := picture(f)
		mu.Lock()
		defer mu.Unlock()
		if id == "" {
			id = gonbui.UniqueId()
			text.id = "" // text that follows is below the figure
		}
		data.DisplayID = id
		send(data)
		wait()
	}
}
