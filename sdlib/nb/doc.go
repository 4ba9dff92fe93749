// Package nb shows figures, tables, text and progress in a cell of a GoNB
// notebook. The same code runs as a plain program, where text goes to standard
// output, progress to standard error, and figures nowhere.
//
//	scores := nb.Must(lab.Heads(ctx, m))
//	nb.Printf("scores over %d images", scores.Images)
//	nb.Show(nb.Must(paper.Figure2(scores, "My model")))
//
// # Why not fmt.Println
//
// GoNB reads a cell's standard output through one pipe and its rich output through
// another. Mixed, they arrive in any order, and rich output that is still in its
// pipe when the program ends is lost. This package sends everything, plain text
// too, through the second pipe and waits until it has arrived. In a notebook it
// writes nothing to standard output; a cell should not either.
//
// # Errors
//
// A cell has nobody to return an error to. [Must] and [Check] end it instead: the
// plain message on standard error, no stack trace, exit status 1, which stops a
// headless run of the notebook. A figure or table that cannot be drawn ends the
// cell the same way. Functions that are not the last in line, those of a library,
// return their errors and leave this package alone.
//
// # What stays in the notebook
//
// Pictures are PNGs at twice the screen's resolution with their width on screen,
// JPEGs where a PNG of photographs would be large. Their alternative text is the
// output's plain text and its metadata "alt".
// A [Live] figure leaves the last one that it showed.
// Progress bars end as one line of text without times, so that a notebook executed
// twice is the same file.
package nb
