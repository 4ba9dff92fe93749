// Package figure draws the figures and tables of a paper: heat maps, marked
// line charts, scatter plots, strip charts, image grids, attention maps over an image,
// training curves, and panels put side by side. It knows no model: numbers and
// images come in, a [Figure] comes out.
//
// # The one way in
//
// Each kind of figure is a plain struct whose zero values are useful. Fill in
// what matters, call Figure, and ask the result for bytes or a file:
//
//	f := figure.HeatMap{
//		Values: scores, // [L rows, H columns]
//		Max:    1,
//		XLabel: "head",
//		YLabel: "layer",
//	}.Figure()
//	err := f.Save("scores.pdf") // or .png .svg .jpg
//
// In a notebook, package nb shows the same value: nb.Show(f).
//
// # Errors
//
// Figure methods of the structs never fail and never panic: they return a
// Figure that remembers what was wrong with its input (ragged rows, NaN, a
// wrong number of patches, no data). The error comes out of [Figure.Err] at
// once and of every method that draws: [Figure.PNG], [Figure.SVG],
// [Figure.PDF], [Figure.JPEG], [Figure.Save]. [Row] and [Grid] hand on the
// error of their panels. So figures compose without an error check per line and
// no bad figure is ever written. A [Table] works alike: its methods return the
// error.
//
// # What to watch for
//
//   - Drawing is lazy. Slices and images given to a struct are not copied; leave
//     them alone until the figure is drawn.
//   - Sizes are inches on paper. A figure is drawn once per format, at the same
//     size in all of them; PNGs are 192 dots per inch unless told otherwise.
//   - Text is drawn as outlines in every format. A figure looks the same on every
//     machine, without fonts installed, and the true minus, Greek letters and
//     arrows survive in PDF. The price: text in a PDF or SVG cannot be searched;
//     the SVG carries the alternative text as its description instead.
//   - The font has the Latin, Greek, Cyrillic and Hebrew scripts. Other characters become
//     boxes, which the package says once on stderr ([Warn]): a font of Chinese, Japanese and
//     Korean is too large to carry along.
//   - The same input gives the same bytes on one architecture. Across
//     architectures single pixels may differ by rounding (fused multiply-add).
//   - Heat map cells outside [Min, Max] take the color of the nearer end.
//
// Colors are safe for color-blind readers by default: series use the palette of
// Okabe and Ito and differ by marker too; maps are perceptually ordered.
package figure
