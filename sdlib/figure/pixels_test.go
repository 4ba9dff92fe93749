package figure_test

import (
	"image/color"
	"testing"

	"samediff/sdlib/figure"
)

func TestRGB(t *testing.T) {
	pixels := make([]uint8, 3*4*3) // [4 rows, 3 columns, 3]
	for i := range pixels {
		pixels[i] = uint8(i)
	}
	img, err := figure.RGB(pixels, 3, 4)
	if err != nil {
		t.Fatal(err)
	}
	if got, want := img.At(1, 2), (color.NRGBA{21, 22, 23, 255}); got != want { // row 2, column 1 starts at byte 3*(2*3+1)
		t.Errorf("the pixel is %v, expected %v", got, want)
	}
	if _, err := figure.RGB(pixels[1:], 3, 4); err == nil {
		t.Error("an image of broken length was taken")
	}
	if _, err := figure.RGB(nil, 0, 0); err == nil {
		t.Error("an image without pixels was taken")
	}
}

func TestSilhouette(t *testing.T) {
	img, err := figure.Silhouette([][]bool{{false, true}}, color.Black)
	if err != nil {
		t.Fatal(err)
	}
	white, _, _, _ := img.At(0, 0).RGBA()
	black, _, _, _ := img.At(1, 0).RGBA()
	if white != 0xffff || black != 0 {
		t.Errorf("pixels are %x and %x, expected white and black", white, black)
	}
	if _, err := figure.Silhouette([][]bool{{true}, {}}, color.Black); err == nil {
		t.Error("a ragged mask was taken")
	}
	if _, err := figure.Silhouette(nil, color.Black); err == nil {
		t.Error("an empty mask was taken")
	}
}
