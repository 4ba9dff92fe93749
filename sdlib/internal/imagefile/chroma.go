package imagefile

import "image"

// smooth gives each pixel of a JPEG image colors between those of the samples around it, as libjpeg ("fancy upsampling") and so Pillow
// do; the standard library repeats the nearest sample. Of two samples the nearer one counts three quarters. Images whose colors
// have every pixel, or are halved in some rarer way, stay as they are.
func smooth(m *image.YCbCr) image.Image {
	w, h := m.Rect.Dx(), m.Rect.Dy()
	var tall int
	switch m.SubsampleRatio {
	case image.YCbCrSubsampleRatio422:
		tall = 1
	case image.YCbCrSubsampleRatio420:
		tall = 2
	default:
		return m
	}
	if m.Rect.Min != (image.Point{}) || w < 3 { // libjpeg leaves such narrow ones alone
		return m
	}
	out := image.NewYCbCr(image.Rect(0, 0, w, h), image.YCbCrSubsampleRatio444)
	for y := range h {
		copy(out.Y[y*out.YStride:][:w], m.Y[y*m.YStride:])
	}
	for _, plane := range [][2][]byte{{m.Cb, out.Cb}, {m.Cr, out.Cr}} {
		upsample(plane[1], out.CStride, w, h, plane[0], m.CStride, tall)
	}
	return out
}

// upsample doubles a plane of samples in width and, where tall is 2, in height.
func upsample(dst []byte, stride, w, h int, src []byte, from, tall int) {
	cols, rows := (w+1)/2, (h+tall-1)/tall
	line := make([]int, cols) // of the samples of a row of pixels, times 4 where two rows were mixed
	for y := range h {
		scale, near := 1, y/tall
		if tall == 2 {
			far := near - 1 + 2*(y%2)
			far = min(max(far, 0), rows-1)
			scale = 4
			for i := range line {
				line[i] = 3*int(src[near*from+i]) + int(src[far*from+i])
			}
		} else {
			for i := range line {
				line[i] = int(src[near*from+i])
			}
		}
		// libjpeg rounds left and right pixels in opposite directions, so that no bias adds up.
		roundLeft, roundRight := 1, 2
		if scale == 4 {
			roundLeft, roundRight = 8, 7
		}
		for i, v := range line {
			left, right := line[max(i-1, 0)], line[min(i+1, cols-1)]
			dst[y*stride+2*i] = byte((3*v + left + roundLeft) / (4 * scale))
			if 2*i+1 < w {
				dst[y*stride+2*i+1] = byte((3*v + right + roundRight) / (4 * scale))
			}
		}
	}
}
