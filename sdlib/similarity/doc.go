// Package similarity compares what models hold inside: are two representations of the same
// images alike, up to a turn of their axes, across blocks, models and trainings?
//
//	a, err := similarity.Represent(ctx, be, m, set, images, similarity.CLS, nil) // [blocks] of [n, D]
//	b, err := similarity.Represent(ctx, be, other, set, images, similarity.CLS, nil)
//	grid, err := similarity.Compare(similarity.CKA, a, b)                        // [len(a)][len(b)]
//
// # The measures
//
// Both look at images in pairs, so that the two representations may have different widths and
// axes.
//
// [CKA] is linear centered kernel alignment (Kornblith et al. 2019): with the centered Gram
// matrices K = XXᵀ and L = YYᵀ it is ⟨K, L⟩ / (‖K‖ ‖L‖), between 0 and 1, and 1 where one is
// the other turned and scaled. Few images of many numbers look alike by chance; [DebiasedCKA]
// has an expectation of 0 there (Song et al. 2012; Nguyen et al. 2021) and can be below 0.
//
// [RSA] is representational similarity analysis (Kriegeskorte et al. 2008): the dissimilarity
// of two images is 1 minus the correlation of their vectors; the measure is Spearman's rank
// correlation of all dissimilarities of one representation with those of the other.
//
// # Watch for
//
//   - CKA is ruled by the directions of largest variance; a few large dimensions, as CLIP's
//     streams have them, hide what changes elsewhere. RSA corrects for the length of vectors
//     and not for that either.
//   - Time is linear in features and quadratic in images: 500 images are enough and quick.
package similarity
