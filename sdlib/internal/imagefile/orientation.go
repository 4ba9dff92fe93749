package imagefile

import (
	"bytes"
	"encoding/binary"
)

// Orientation returns the EXIF orientation of a PNG, JPEG or WebP file, 1 to 8; 1, as it is, where the file does not say.
func Orientation(data []byte) int {
	switch {
	case bytes.HasPrefix(data, []byte("\xff\xd8")):
		for rest := data[2:]; len(rest) >= 4 && rest[0] == 0xff; {
			marker, size := rest[1], int(binary.BigEndian.Uint16(rest[2:]))
			if marker == 0xff { // a filling byte
				rest = rest[1:]
				continue
			}
			if marker == 0xda || size < 2 || len(rest) < 2+size { // the image begins
				return 1
			}
			if exif, ok := bytes.CutPrefix(rest[4:2+size], []byte("Exif\x00\x00")); ok && marker == 0xe1 {
				return orientationOf(exif)
			}
			rest = rest[2+size:]
		}
	case bytes.HasPrefix(data, []byte("\x89PNG\r\n\x1a\n")):
		for rest := data[8:]; len(rest) >= 12; {
			size := int(binary.BigEndian.Uint32(rest))
			if size < 0 || size > len(rest)-12 {
				return 1
			}
			if string(rest[4:8]) == "eXIf" {
				return orientationOf(rest[8 : 8+size])
			}
			rest = rest[12+size:]
		}
	case len(data) > 12 && string(data[:4]) == "RIFF" && string(data[8:12]) == "WEBP":
		for rest := data[12:]; len(rest) >= 8; {
			size := int(binary.LittleEndian.Uint32(rest[4:]))
			if size < 0 || size > len(rest)-8 {
				return 1
			}
			if string(rest[:4]) == "EXIF" {
				return orientationOf(bytes.TrimPrefix(rest[8:8+size], []byte("Exif\x00\x00")))
			}
			rest = rest[min(8+size+size%2, len(rest)):]
		}
	}
	return 1
}

// orientationOf reads tag 274 of the first directory of a TIFF structure.
func orientationOf(tiff []byte) int {
	var order binary.ByteOrder
	switch {
	case bytes.HasPrefix(tiff, []byte("II*\x00")):
		order = binary.LittleEndian
	case bytes.HasPrefix(tiff, []byte("MM\x00*")):
		order = binary.BigEndian
	default:
		return 1
	}
	if len(tiff) < 8 {
		return 1
	}
	at := int64(order.Uint32(tiff[4:]))
	if at+2 > int64(len(tiff)) {
		return 1
	}
	entries := tiff[at+2:]
	for range order.Uint16(tiff[at:]) {
		if len(entries) < 12 {
			return 1
		}
		if order.Uint16(entries) == 274 {
			if o := int(order.Uint16(entries[8:])); 1 <= o && o <= 8 {
				return o
			}
			return 1
		}
		entries = entries[12:]
	}
	return 1
}
