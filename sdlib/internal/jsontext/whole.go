package jsontext

import "regexp"

// wholeNumber is a number such as 3.0.
var wholeNumber = regexp.MustCompile(`([:\[,\s]-?\d+)\.0+([\s,\]}]|$)`)

// WholeNumbers writes whole numbers without a fraction of zeros, which programs that know only one kind of number write. It is for
// files whose texts have no numbers in them, such as recipes.
func WholeNumbers(text []byte) []byte {
	for range 2 { // a match takes the comma in front of the next
		text = wholeNumber.ReplaceAll(text, []byte("$1$2"))
	}
	return text
}
