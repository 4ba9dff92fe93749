// Package emoji brings pictures of everyday things onto this machine, with their names: real pictures to pretrain on, small and free.
//
//	dir, err := emoji.Fetch(ctx, emoji.Options{})     // once; 78 MB through npm
//	pack, err := emoji.Open(dir)
//	pack.Pictures[0].Name                             // "grapes"
//	set, err := scenes.OpenEmoji(scenes.Config{Seed: 1}, pack)
//
// The pictures are those of the npm package @lobehub/fluent-emoji-3d (Microsoft's Fluent emoji, MIT license), the names and
// categories those of emoji-datasource-twitter (MIT license). npm downloads both, so that the user's own settings of registries, mirrors
// and credentials hold, and this package knows no address. Nothing in the packages is run or installed. Each archive is known by its
// SHA-256; what does not match is discarded. How many files and bytes of it are read at most stands in archive.go, whatever the
// archive claims.
//
// # What is taken
//
// Animals, plants, food, places, activities and objects; no faces, people, signs or flags, which differ from each other in
// little. Left out, too, is whatever has the name of a shape of the same-different tasks, such as a star or a mushroom.
//
// # What is kept
//
// Two files in a folder: emoji.json with the names, and emoji.rgba with the pictures, [Side] x [Side] pixels, red, green, blue and
// alpha, colors multiplied by alpha. [Pack.Identity] names their content, and is part of the key of what is made with them.
package emoji
