// Package report works through every analysis that suits a model and writes one page about it:
// what is often called a scan.
//
//	lab, err := study.Open(study.Options{})
//	m, err := lab.Model(ctx, study.Subject{Name: "discrimination-256-course"})
//	page, err := report.Write(ctx, report.Subject{Lab: lab, Name: "discrimination-256-course", Model: m}, report.Full(m.Config), report.Chapters, nil)
//	err = page.Save("report.html")        // sd report discrimination-256-course -o report.html
//
// The page is one HTML file that needs nothing else: figures are pictures in it, and where the heads
// look is a viewer to explore (package viewer). Beside what was found stands what the paper says of its
// own model that is nearest in kind, and whether that agrees (paper.Beside).
//
// # What suits a model
//
// [Chapters] is the plan. A chapter names what a model must have: positions of objects, which images of
// the paper's geometries have; an answer that means same or different, which a pretrained backbone or a
// model of other classes lacks; two pairs of objects, for what is asked in RMTS alone. What a model does not have
// is left out, and the page says what and why. A chapter that fails does not take the others with it.
//
// # How long it takes
//
// Every result is kept in the lab's store and shared with the other commands, so a report that is
// interrupted goes on where it stopped, and a second one is a matter of reading. [Choose] takes some of the
// chapters; a lab that only reads (study.Options.ReadOnly) makes a page of what there is, in seconds. [Full] has the sizes of the
// commands' defaults; [Quick] those with which a model of the course takes minutes.
package report
