package policy

import (
	"fmt"

	"github.com/org/slimfile/frontend/internal/problems"
)

// Error is one thing that is wrong with a policy file.
type Error struct {
	Filename string
	// Line and Column count from 1; 0 is the file as a whole.
	Line, Column int
	// Message is one sentence, with the remedy.
	Message string
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

// Error joins the messages, one below the other.
func (es Errors) Error() string { return problems.Text(es) }

// Unwrap makes the parts visible to errors.As.
func (es Errors) Unwrap() []error { return problems.Unwrap(es) }
