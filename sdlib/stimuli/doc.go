// Package stimuli draws the images of same-different experiments: colored silhouettes on white, with everything that
// is known about them (label, shape, color, place, patch indices) beside the pixels.
//
// # The idea
//
// A set is a pure function. Its [Config] names the task, the [Geometry], the objects it may use, the split, its size
// and a seed; [Open] plans it in milliseconds, and [Set.Draw] paints any of its images alone, in any order, on any
// number of goroutines, always with the same bytes. Nothing is stored: a training run draws its 6,400 images into
// memory in about a second.
//
//	set, err := stimuli.Open(stimuli.Config{Geometry: stimuli.CourseQuick, Split: stimuli.Train, Seed: 1})
//	pixels := set.Images(nil)   // [n, Image, Image, 3] uint8
//	labels := set.Labels()      // [n], 1 same, 0 different
//	tokens := set.Tokens()      // [n, O, P] patch indices of the objects
//
// # What is drawn
//
// In the discrimination task two objects lie in disjoint cells of the patch grid, and the label says whether they have
// the same shape and the same color. In relational match-to-sample (RMTS) there are two such pairs, and the label
// says whether the pairs agree: both same, or both different. An object is one of 16 silhouettes in one of 16
// colors, jittered inside its cell, with fresh Gaussian noise on every one of its pixels, so no two images of a set
// are equal and none can be learned by its bytes. Because cells lie on the patch grid, an object always covers the
// same number of whole patches: that is what lets an analysis ask about "the tokens of object 1".
//
// # What else there is
//
// [OpenCounterfactuals] makes the pairs of images that interventions need: a base image, and another from which one object's
// shape or color is to be carried over. [Factors] vary what the paper keeps fixed: places off the patch grid, number,
// size, angle, contrast and texture of objects, noise on the background. [Faithful] repeats what the paper's
// released code does and should not. [Set.Export] writes a Hugging Face ImageFolder, [Import] reads one back, and
// [ImportFolder] makes a set of one's own images with boxes or masks; docs/formats.md describes the fields.
//
// # Sources
//
// The facts (sizes, splits, sampling) are those of section 2 and appendix A of "Beyond the Doors of Perception:
// Vision Transformers Represent Relations Between Objects" (Lepori, Tartaglini et al., NeurIPS 2024) and of its
// released code. The silhouettes are our own. Where paper and code disagree, the default is the correct choice.
//
// # The same bytes everywhere
//
// Random numbers come from counters, not from a shared generator: each purpose (pairs, places, jitter and noise of
// stimulus i) has its own stream, named by (seed, task, objects, split, purpose, i). Silhouettes and noise are
// integer arithmetic from fixed tables. So the bytes depend neither on the number of goroutines nor on the processor.
package stimuli
