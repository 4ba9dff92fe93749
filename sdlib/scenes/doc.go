// Package scenes draws pictures to pretrain on: a few things on a ground, with the names of what is there.
//
//	set, err := scenes.Open(scenes.Config{Image: 64, Seed: 1})
//	set.Scene(0).Caption()          // "a striped navy balor and a plain gold mozad on a cloudy ground"
//	pixels := set.Images(0, 100)    // [100, 64, 64, 3]
//
// A scene is a pure function of the configuration and of its number: any of them can be drawn alone, in any order, on any
// number of goroutines, the same to the bit on one kind of processor. Nothing is read from disk.
//
// # Kinds
//
// Things are of [NumKinds] kinds. A kind is a random outline, always the same under the same made-up name; a thing of the
// kind has a size, a turn, one of [Colors] and a texture of its own. Three quarters of the things have their kind's usual color, as apples
// are red, which it shares with four or five other kinds: color is where learning begins, and the outline has to tell the
// rest. (With colors drawn evenly a small model did not learn to name two kinds in 640 steps.) The things of a scene are of different
// kinds: no scene shows what *same* means.
//
// # Emoji
//
// The things can be real pictures instead, those of package emoji under their own names, in the colors that they have:
//
//	set, err := scenes.OpenEmoji(scenes.Config{Seed: 1}, pack)
//
// A fifth of the emoji is held out of all scenes ([Config].Held). [Pairs] writes a same-different set of emoji, of those
// or of all, which is a test that is neither silhouettes nor photographs.
//
// # What is left out
//
// The objects of the same-different tasks are not among them. An outline that resembles one of the tasks' shapes
// (package stimuli) is not taken, nor is a color near one of the tasks' colors; a test asserts both. What a model knows of
// those objects after pretraining it knows from others.
//
// # Watch for
//
//   - Captions are as a bag of words: *a red bado and a navy balor* has the words of *a navy bado and a red balor*.
//   - Made-up kinds are no photographs. A model that was pretrained on them is an analogue of a pretrained
//     model, in the same objective, and not a small copy of it.
package scenes
