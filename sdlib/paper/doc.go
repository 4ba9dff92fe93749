// Package paper draws the figures and tables of "Beyond the Doors of Perception: Vision
// Transformers Represent Relations Between Objects" (Lepori, Tartaglini et al., NeurIPS
// 2024), one file each. Results come in, a figure or a table comes out:
//
//	f, err := paper.Figure1(stimuli.B16)         // the two tasks
//	s, err := lab.Heads(ctx, m)
//	f, err = paper.Figure2(s, "Quick model")     // local and global heads
//	nb.Show(f)                                   // or f.Save("figure02.pdf")
//
// The functions compute nothing: what looks into a model is in other packages, such as
// attention, das and probe, and its results are plain data. [Contents] lists the paper's
// figures and tables, with the results that each needs from a study.Lab.
//
// The functions take the results of any model, so the same call draws the figure of a
// course model that was trained in minutes and that of a ViT-B/16. Where the paper
// repeats a figure for other models, one function serves all: [Figure2] and
// [HeadFigure] also draw Figures 10, 11, 15 and 20, and [BehaviorTable] Tables 2 to 6.
//
// Figures 1, 7, 8 and 23 show stimuli and need no model; [Gallery], [PatchFigure],
// [CombinationFigure] and [CounterfactualPair] show sets of one's own in the same way.
//
// # Claims
//
// [Claims] are what the paper shows and says, each sharp enough to be right or wrong. [Check] holds
// them against results, those that come with the repository ([OpenResults]), and [Beside] against those of
// one model:
//
//	results, err := paper.OpenResults()
//	checked, err := paper.Check(results, paper.Claims())
//	text, err := paper.ClaimTable(checked).Markdown()   // sd paper --markdown
//
// A claim finds its result by the name of a model and a file. What is not there is no error: the finding is [Untested],
// and says which command would make it.
package paper
