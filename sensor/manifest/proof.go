package manifest

// What proves that the slim image does what the image as built does: the
// answers of both runs, in a form in which they can be compared, and what the
// verifying run asked for in vain. Part of RunReport; none of it feeds a cache
// key.

// Answer is what a probe got, without what differs from one run to the next of
// the same image: numbers, dates, identifiers.
type Answer struct {
	// Code is the HTTP status or the exit code.
	Code int `json:"code"`
	// Type is the media type of an HTTP body, without parameters.
	Type string `json:"type,omitempty"`
	// Digest is that of all pieces of the body or output: equal digests, equal
	// answers.
	Digest string `json:"digest"`
	// Pieces are the different pieces of the text, sorted, as far as there was
	// room; Cut says that some are left out. Of what is no text there is one
	// piece, its kind.
	Pieces []string `json:"pieces,omitempty"`
	Cut    bool     `json:"cut,omitempty"`
}

// Complaint is a line of the log that speaks of something missing.
type Complaint struct {
	Line string `json:"line"`
	// Form is the line without what differs from run to run.
	Form string `json:"form"`
}

// Missing is something that a run of the slim image asked for in vain and that
// the image as built has: slimming took it away.
type Missing struct {
	// Path is what was asked for, as in an Entry of the trace.
	Path Path `json:"path"`
	// Type is what the image as built has there: file, dir, link, …
	Type string `json:"type"`
	// Package is the OS package that owns it.
	Package string `json:"package,omitempty"`
	// During names the phases in which it was asked for; see Phase.Name. Empty
	// for what a line speaks of.
	During []string `json:"during,omitempty"`
	// Program is the one that asked first, empty if that is not known.
	Program Path `json:"program,omitempty"`
	// Line is set for what nothing looked up by name, but a folder that was
	// listed has lost, and a line of the log or of an answer speaks of.
	Line string `json:"line,omitempty"`
}
