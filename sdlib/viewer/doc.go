// Package viewer makes a page on which one explores where the heads of a vision transformer
// look: a piece of HTML that holds images, weights and a small program, and needs nothing
// else.
//
//	lab, err := study.Open(study.Options{})
//	m, err := lab.Find(ctx, "discrimination-256-course")
//	page, err := lab.Viewer(ctx, m, nil, nil)   // 8 images of the test set, and the heads' scores
//	nb.HTML(page)                               // in a notebook's cell
//	err = page.Save("heads.html")               // or a file: sd attention MODEL --html heads.html
//
// Without a lab, [Collect] runs a model and [Page] shows what it returns.
//
// # What it shows
//
// One image with the weights of one head on it, and small maps of all heads, a row for each
// block. The maps answer one of two questions about a source, which is an object, a patch or
// a token in front such as CLS:
//
//   - Where does it look? For each token k the mean of A[q, k] over the source's tokens q.
//   - Who looks at it? For each token q the sum of A[q, k] over the source's tokens k: the
//     share of q's attention that goes to the source.
//
// A is a head's attention, query by key, and its rows sum to 1. Below the image the same
// numbers are summed over the source itself, each other object, the background and the
// tokens in front. Beside each head stands one of the scores of package attention.
//
// Colors are measured by the largest weight of a patch, in each map or in all of them. Tokens
// in front don't count: a head that parks its attention on CLS would have a white map.
//
// # What is kept
//
// A ViT-B/16 has 144 heads and 197 tokens, 5.6 million weights for an image. They are kept
// so:
//
//   - A weight of a patch has 8 bits. It is off by at most .2 % of the largest weight of a
//     patch in its row. A weight of a token in front has 16 bits and is off by less than .00001.
//   - If everything fits into [Choice].Limit, which it does for the models of the course,
//     everything is kept.
//   - If not, rows of the objects and of the tokens in front are kept whole, and so is
//     what every token reads from those in front. In rows of the background, weights between
//     patches below a threshold, [Data].Smallest, are left out: the lowest for which
//     the rest fits. The page spreads what they sum to evenly over them, says so, and
//     draws none of them darker than the threshold. Fewer images have a lower threshold.
//
// With 8 images the threshold is .016 for CLIP's ViT-B/16, three times the mean weight, and
// .028 in RMTS, with its four objects; with two images .004, and one image is kept whole
// (BenchmarkPage).
//
// # Where it works
//
// Scripts run in JupyterLab, in pages that nbconvert exports, and in files. The program lives
// in a shadow root of its element, so any number of viewers, and the styles of a notebook, do
// not touch each other; keys that it uses do not reach the notebook. Where scripts do not
// run (an untrusted notebook, a page that strips them) there is a still picture of
// the first image in its place. It needs a browser with DecompressionStream: Chrome from 80,
// Firefox from 113, Safari from 16.4; others show the picture.
//
// The page's own files are in folder page, plain HTML, CSS and JavaScript.
package viewer
