// Package spell helps messages about words that a user may have misspelled.
// Imported by the packages of frontend.
package spell

import (
	"fmt"
	"slices"
	"strings"

	"github.com/agext/levenshtein"
)

// Nearest returns the word of words that word is most likely a misspelling
// of, empty if none is near. Of two equally near ones, it is the one that
// starts more like it.
func Nearest(word string, words []string) string {
	word = strings.ToLower(word)
	best, distance, common := "", max(1, len(word)/3), -1
	for _, w := range words {
		d, c := Distance(word, strings.ToLower(w)), commonPrefix(word, w)
		if d < distance || d == distance && c > common {
			best, distance, common = w, d, c
		}
	}
	return best
}

func commonPrefix(a, b string) int {
	n := 0
	for n < min(len(a), len(b)) && a[n] == b[n] {
		n++
	}
	return n
}

// Distance counts inserted, deleted and changed letters; two letters in
// the wrong order count once.
func Distance(a, b string) int {
	if max(len(a), len(b)) > 64 { // no word of ours is that long
		return max(len(a), len(b))
	}
	d := levenshtein.Distance(a, b, nil)
	if d == 2 && len(a) == len(b) && sortLetters(a) == sortLetters(b) {
		return 1
	}
	return d
}

func sortLetters(s string) string {
	letters := []byte(s)
	slices.Sort(letters)
	return string(letters)
}

// Hint is what follows "unknown … ": the nearest of words, or all of them.
func Hint(word string, words []string) string {
	if w := Nearest(word, words); w != "" {
		return fmt.Sprintf(", did you mean %q?", w)
	}
	return ", want " + Alternatives(words)
}

// Alternatives joins words as in "a, b or c".
func Alternatives(words []string) string {
	if len(words) < 2 {
		return strings.Join(words, "")
	}
	last := len(words) - 1
	return strings.Join(words[:last], ", ") + " or " + words[last]
}
