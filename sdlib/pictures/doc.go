// Package pictures reads images of one's own in the size that a model takes: those of a
// folder, or a tensor of bytes.
//
//	photos, err := pictures.OpenFolder("photos", m.Config.Image, &m.Preparation) // brought to the model's size as its files say
//	pixels, err := photos.Pixels([]int{0, 1})                                    // [2, height, width, 3]
//
// Models were trained on images that were scaled and cropped in one way, and see worse if theirs are not. A [Preparation] says how, as
// the model's preprocessor_config.json has it; [Resize] scales as Pillow does, to the same bytes. Without a preparation an image
// of another size is an error, a [SizeError].
//
// An image is height x width x RGB bytes. Normalization belongs to the model
// ([samediff/sdlib/vit.Config.Pixels]). Images with labels and objects are sets of stimuli:
// see [samediff/sdlib/stimuli.ImportFolder].
package pictures
