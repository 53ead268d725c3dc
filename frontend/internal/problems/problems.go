// Package problems puts all that is wrong with an input into one error. Imported
// by the packages of frontend.
package problems

import (
	"fmt"
	"strings"
)

// MaxShown bounds how many are shown: the first ones are worth reading.
const MaxShown = 10

// Text joins the messages, one below the other.
func Text[E error](list []E) string {
	var texts []string
	for _, e := range list[:min(len(list), MaxShown)] {
		texts = append(texts, e.Error())
	}
	if more := len(list) - MaxShown; more > 0 {
		texts = append(texts, fmt.Sprintf("and %d more", more))
	}
	return strings.Join(texts, "\n")
}

// Unwrap makes the parts visible to errors.As.
func Unwrap[E error](list []E) []error {
	errs := make([]error, len(list))
	for i, e := range list {
		errs[i] = e
	}
	return errs
}
