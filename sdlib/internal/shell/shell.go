// Package shell writes words of commands that are shown to be copied, or put into scripts.
package shell

import (
	"regexp"
	"strings"
)

var plain = regexp.MustCompile(`^[\w.,/+:@-]+$`)

// Quote writes a word so that a POSIX shell reads it as it is: in single quotes where it has anything but letters,
// digits and a few signs.
func Quote(word string) string {
	if plain.MatchString(word) {
		return word
	}
	return "'" + strings.ReplaceAll(word, "'", `'\''`) + "'"
}
