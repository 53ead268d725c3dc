package probe

import (
	"fmt"
	"strconv"
	"strings"
)

// defaultStatus is what an HTTP probe accepts when it names no status.
const defaultStatus = "2xx,3xx"

// StatusSet is a set of HTTP status codes.
type StatusSet struct {
	text  string
	spans []statusSpan
}

// statusSpan is a range of codes, both ends included.
type statusSpan struct{ first, last int }

// ParseStatus parses "200", "2xx", "200-299", or several joined by commas;
// empty means 2xx and 3xx. Codes have three digits, the first not 0 (RFC 9110,
// section 15).
func ParseStatus(text string) (StatusSet, error) {
	if text == "" {
		text = defaultStatus
	}
	set := StatusSet{text: text}
	for word := range strings.SplitSeq(text, ",") {
		span, err := parseSpan(strings.ToLower(strings.TrimSpace(word)))
		if err != nil {
			return StatusSet{}, fmt.Errorf("status %q: %w", text, err)
		}
		set.spans = append(set.spans, span)
	}
	return set, nil
}

func parseSpan(word string) (statusSpan, error) {
	if class, ok := strings.CutSuffix(word, "xx"); ok {
		first, err := parseCode(class + "00")
		return statusSpan{first, first + 99}, err
	}
	from, to, ranged := strings.Cut(word, "-")
	first, err := parseCode(from)
	if err != nil || !ranged {
		return statusSpan{first, first}, err
	}
	last, err := parseCode(to)
	if err != nil {
		return statusSpan{}, err
	}
	if last < first {
		return statusSpan{}, fmt.Errorf("range %q is backwards", word)
	}
	return statusSpan{first, last}, nil
}

func parseCode(word string) (int, error) {
	code, err := strconv.ParseUint(word, 10, 16)
	if err != nil || len(word) != 3 || code < 100 {
		return 0, fmt.Errorf("bad code %q, want 200, 2xx or 200-299", word)
	}
	return int(code), nil
}

// Contains tells whether code is in the set.
func (s StatusSet) Contains(code int) bool {
	for _, span := range s.spans {
		if span.first <= code && code <= span.last {
			return true
		}
	}
	return false
}

// String is the set as it was written.
func (s StatusSet) String() string { return s.text }
