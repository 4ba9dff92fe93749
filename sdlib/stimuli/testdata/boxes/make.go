// Make paints the images of metadata.jsonl, each object as a rectangle that fills its box:
//
//	go run ./sdlib/stimuli/testdata/boxes/make.go
//
// As a set of 64-pixel images in patches of 16 they have what drawn sets lack: objects of
// one to eight patches, an image with a third object, in no pair, and patches that two
// objects share.
package main

import (
	"encoding/json"
	"errors"
	"image"
	"image/color"
	"image/draw"
	"image/png"
	"io"
	"log"
	"os"
	"path/filepath"

	"samediff/sdlib/stimuli"
)

const dir = "sdlib/stimuli/testdata/boxes"

func main() {
	lines, err := os.Open(filepath.Join(dir, "metadata.jsonl"))
	check(err)
	for from := json.NewDecoder(lines); ; {
		var record struct {
			FileName string `json:"file_name"`
			Objects  []struct {
				Box   [4]int
				Color int
			}
		}
		err := from.Decode(&record)
		if errors.Is(err, io.EOF) {
			return
		}
		check(err)
		picture := image.NewRGBA(image.Rect(0, 0, 64, 64))
		draw.Draw(picture, picture.Rect, image.White, image.Point{}, draw.Src)
		for _, o := range record.Objects {
			c := stimuli.Colors[o.Color]
			fill := image.NewUniform(color.RGBA{c.R, c.G, c.B, 255})
			draw.Draw(picture, image.Rect(o.Box[0], o.Box[1], o.Box[2], o.Box[3]), fill, image.Point{}, draw.Src)
		}
		file, err := os.Create(filepath.Join(dir, record.FileName))
		check(err)
		check(png.Encode(file, picture))
		check(file.Close())
	}
}

func check(err error) {
	if err != nil {
		log.Fatal(err)
	}
}
