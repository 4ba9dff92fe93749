// Package photographs has the paper's photorealistic set (appendix A.3), rendered anew: two objects on a table in a sunlit room,
// the same one twice or two different ones.
//
//	set, err := photographs.Open(stimuli.B16)      // half of the pictures are same
//	set.Image(0)
//	set.Stimulus(0).Objects[1].Tokens              // the patches that show something of the second object
//
// The paper's images are not public. These follow its description: 16 objects that differ in shape, texture and color together, 5 of
// them the same from all sides; 16 same pairs and 16 different ones, each object in two of the latter; 8 arrangements of every pair,
// each object turned at random about the vertical; 4 cameras; tables, walls and furniture that vary; objects may hide parts of each
// other. That makes 1,024 pictures of 224 x 224 pixels, half of them same.
//
// A part of them comes with this package, photographs.zip: every pair equally often, and from each of the cameras. The folder render
// has the Python scripts for Blender that made them; `make photographs` makes all 1,024, to be read with [OpenFolder].
//
// # Objects and patches
//
// A picture has a mask for each object: the pixels where it is seen. The object covers the patches with such a pixel, from a
// handful to dozens, and two objects may share patches. Package attention says how it counts those. A model that sees smaller
// pictures gets them scaled, masks too.
//
// # Watch for
//
//   - Shape, texture and color go together, so that a model may answer by color alone.
//   - Pictures of one arrangement show one scene, and are not independent of each other. The part has each scene at most once.
package photographs
