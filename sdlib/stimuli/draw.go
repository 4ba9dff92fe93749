package stimuli

import (
	"fmt"
	"image"
	"runtime"
	"sync"
	"sync/atomic"
)

// background is the level of all three channels where there is no object.
const background = 255

// A painter knows how the objects of a set look at its size. It is read-only after newPainter.
type painter struct {
	side     int                // of the image, pixels
	outlines [NumShapes][]int32 // for each shape, where its pixels lie in an image when its box is at (0, 0): byte offsets
	noise    *noise             // what each channel of a pixel gets
	top      int16              // highest level of an object's channel
}

func newPainter(cfg Config) *painter {
	g := cfg.Geometry
	p := &painter{side: g.Image, noise: newNoise(max(cfg.NoiseSD, 0)), top: int16(cfg.Clip)}
	for shape := range p.outlines {
		mask := sample(silhouettes[shape].inside, g.Object)
		for y := range mask.Size {
			for x := range mask.Size {
				if mask.At(x, y) {
					p.outlines[shape] = append(p.outlines[shape], int32((y*g.Image+x)*3))
				}
			}
		}
	}
	return p
}

// paint draws an object over what dst holds.
func (p *painter) paint(dst []uint8, o Object, random stream) {
	color := Colors[o.Color]
	mean := [3]int16{int16(color.R), int16(color.G), int16(color.B)}
	corner := (o.Box.Min.Y*p.side + o.Box.Min.X) * 3
	for _, offset := range p.outlines[o.Shape] {
		at := corner + int(offset)
		p.noise.pixel(dst[at:at+3:at+3], mean, random.next(), p.top)
	}
}

// Draw paints image i into dst: height x width x RGB, Image·Image·3 bytes, whatever dst held before. It panics when dst
// has another length.
func (s *Set) Draw(i int, dst []uint8) {
	if want := s.imageBytes(); len(dst) != want {
		panic(fmt.Sprintf("stimuli: Draw into %d bytes: expected %d, %d x %d x 3", len(dst), want, s.painter.side, s.painter.side))
	}
	fill(dst, background)
	for o, object := range s.stimuli[i].Objects {
		s.painter.paint(dst, object, newStream(s.key, forNoise, uint64(i), uint64(o)))
	}
}

// imageBytes is the size of an image in memory.
func (s *Set) imageBytes() int { return s.painter.side * s.painter.side * 3 }

// fill sets all bytes, by copying a growing beginning over the rest.
func fill(dst []uint8, value uint8) {
	if len(dst) == 0 {
		return
	}
	dst[0] = value
	for n := 1; n < len(dst); n *= 2 {
		copy(dst[n:], dst[:n])
	}
}

// Images draws the images of the given indices, nil for all of them, on all processor cores: [n, Image, Image, 3].
// All 6,400 images of a split take 0.9 GiB at 224 pixels and 75 MiB at 64.
func (s *Set) Images(indices []int) []uint8 {
	n := len(indices)
	if indices == nil {
		n = s.Len()
	}
	for _, i := range indices {
		_ = s.stimuli[i] // a wrong index panics here, where the caller can see it, and not in a goroutine
	}
	size := s.imageBytes()
	out := make([]uint8, n*size)
	var next atomic.Int64
	var group sync.WaitGroup
	for range min(runtime.GOMAXPROCS(0), n) {
		group.Go(func() {
			for {
				at := int(next.Add(1)) - 1
				if at >= n {
					return
				}
				i := at
				if indices != nil {
					i = indices[at]
				}
				s.Draw(i, out[at*size:(at+1)*size])
			}
		})
	}
	group.Wait()
	return out
}

// Image draws image i as the standard library's image, for figures and files.
func (s *Set) Image(i int) *image.NRGBA {
	pixels := make([]uint8, s.imageBytes())
	s.Draw(i, pixels)
	return toNRGBA(pixels, s.painter.side)
}

// RenderShape draws one shape in one color, without noise, on a white square of size x size pixels. It fails for
// unknown ids and for a size outside 1..4096.
func RenderShape(shape, colorID, size int) (*image.NRGBA, error) {
	mask, err := ShapeMask(shape, size)
	if err != nil {
		return nil, err
	}
	if colorID < 0 || colorID >= NumColors {
		return nil, fmt.Errorf("stimuli: color %d does not exist: expected 0..%d", colorID, NumColors-1)
	}
	out := image.NewNRGBA(image.Rect(0, 0, size, size))
	fill(out.Pix, background)
	for i, object := range mask.Bits {
		if object {
			out.SetNRGBA(i%size, i/size, Colors[colorID].NRGBA())
		}
	}
	return out, nil
}

// toNRGBA copies height x width x RGB bytes into an opaque image.
func toNRGBA(pixels []uint8, side int) *image.NRGBA {
	out := image.NewNRGBA(image.Rect(0, 0, side, side))
	for i := range side * side {
		copy(out.Pix[4*i:4*i+3], pixels[3*i:3*i+3])
		out.Pix[4*i+3] = 255
	}
	return out
}
