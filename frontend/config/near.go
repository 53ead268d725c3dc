package config

import (
	"fmt"
	"slices"
	"strings"

	"github.com/agext/levenshtein"
)

// nearest returns the word of words that word is most likely a misspelling
// of, empty if none is near. Of two equally near ones, it is the one that
// starts more like it.
func nearest(word string, words []string) string {
	word = strings.ToLower(word)
	best, distance, common := "", max(1, len(word)/3), -1
	for _, w := range words {
		d, c := editDistance(word, strings.ToLower(w)), commonPrefix(word, w)
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

// editDistance counts inserted, deleted and changed letters; two letters in
// the wrong order count once.
func editDistance(a, b string) int {
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

// hint is what follows "unknown … ": the nearest of words, or all of them.
func hint(word string, words []string) string {
	if w := nearest(word, words); w != "" {
		return fmt.Sprintf(", did you mean %q?", w)
	}
	return ", want " + alternatives(words)
}

// alternatives joins words as in "a, b or c".
func alternatives(words []string) string {
	if len(words) < 2 {
		return strings.Join(words, "")
	}
	last := len(words) - 1
	return strings.Join(words[:last], ", ") + " or " + words[last]
}

// choose checks that value is one of values. Those in later are right, but
// not supported yet. Its error has no location.
func choose(what, value string, values, later []string) *Error {
	switch {
	case slices.Contains(values, value):
		return nil
	case slices.Contains(later, value):
		return &Error{Message: fmt.Sprintf("%s %q is not supported yet, want %s", what, value, alternatives(values)), Unsupported: true}
	default:
		return &Error{Message: fmt.Sprintf("unknown %s %q%s", what, value, hint(value, slices.Concat(values, later)))}
	}
}
