package policy

import (
	"fmt"
	"strings"
)

// Error is one thing that is wrong with a policy file.
type Error struct {
	Filename string
	// Line and Column count from 1; 0 is the file as a whole.
	Line, Column int
	// Message is one sentence, with the remedy.
	Message string
	// Unsupported says that it is right, but cannot be checked yet.
	Unsupported bool
}

// Error gives the message with its place.
func (e *Error) Error() string {
	if e.Line == 0 {
		return fmt.Sprintf("%s: %s", e.Filename, e.Message)
	}
	return fmt.Sprintf("%s:%d:%d: %s", e.Filename, e.Line, e.Column, e.Message)
}

// Errors is all that is wrong, in the order of the file.
type Errors []*Error

// maxErrors bounds how many are shown: the first ones are worth reading.
const maxErrors = 10

// Error joins the messages, one below the other.
func (es Errors) Error() string {
	var texts []string
	for _, e := range es[:min(len(es), maxErrors)] {
		texts = append(texts, e.Error())
	}
	if more := len(es) - maxErrors; more > 0 {
		texts = append(texts, fmt.Sprintf("and %d more", more))
	}
	return strings.Join(texts, "\n")
}

// Unwrap makes the parts visible to errors.As.
func (es Errors) Unwrap() []error {
	errs := make([]error, len(es))
	for i, e := range es {
		errs[i] = e
	}
	return errs
}
