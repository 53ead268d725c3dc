package config

import (
	"fmt"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/moby/buildkit/frontend/dockerfile/parser"

	"github.com/org/slimfile/frontend/internal/problems"
	"github.com/org/slimfile/frontend/internal/spell"
	"github.com/org/slimfile/sensor/manifest"
)

// Error is one thing that is wrong with the configuration.
type Error struct {
	// Filename and Location say where; Location.Line is 0 for a value that
	// does not come from the Dockerfile.
	Filename string
	Location manifest.Location
	// Message is one sentence, with the remedy.
	Message string
	// Unsupported says that it is right, but cannot be done yet.
	Unsupported bool

	line string // the source line, to show
}

// maxShown bounds the source text shown in a message, in characters.
const maxShown = 160

// Error gives the message with its place and, below it, the source line with
// the words concerned underlined.
func (e *Error) Error() string {
	if e.Location.Line == 0 {
		return printable(e.Message)
	}
	text := printable(fmt.Sprintf("%s:%d: %s", e.Filename, e.Location.Line, e.Message))
	if e.line == "" {
		return text
	}
	shown, marks := underline(e.line, e.Location.Column, e.Location.EndColumn)
	return text + "\n   " + shown + "\n   " + marks
}

// underline returns the part of line around the bytes from start to end, and
// a second line that marks them. Tabs stay tabs so that both lines align.
func underline(line string, start, end int) (shown, marks string) {
	start = min(start, len(line))
	end = min(max(end, start), len(line))
	before, within, after := line[:start], line[start:end], line[end:]
	if utf8.RuneCountInString(line) > maxShown {
		before, within, after = lastRunes(before, maxShown/4), firstRunes(within, maxShown/2), firstRunes(after, maxShown/4)
	}
	pad := strings.Map(func(r rune) rune {
		if r == '\t' {
			return r
		}
		return ' '
	}, before)
	tail := max(utf8.RuneCountInString(within)-1, 0)
	return printable(before + within + after), pad + "^" + strings.Repeat("~", tail)
}

// printable keeps what a terminal shows as one cell or one tab, so that a
// hostile Dockerfile cannot send it escape sequences through a message.
func printable(s string) string {
	return strings.Map(func(r rune) rune {
		if r == '\t' || unicode.IsPrint(r) {
			return r
		}
		return unicode.ReplacementChar
	}, s)
}

func firstRunes(s string, n int) string {
	for i := range s {
		if n == 0 {
			return s[:i]
		}
		n--
	}
	return s
}

func lastRunes(s string, n int) string {
	i := len(s)
	for ; i > 0 && n > 0; n-- {
		_, size := utf8.DecodeLastRuneInString(s[:i])
		i -= size
	}
	return s[i:]
}

// Errors is all that is wrong, in the order of the file.
type Errors []*Error

// Error joins the messages, one below the other.
func (es Errors) Error() string { return problems.Text(es) }

// Unwrap makes the parts visible to errors.As.
func (es Errors) Unwrap() []error { return problems.Unwrap(es) }

// located gives es the form in which BuildKit's frontend looks for a source
// location: a *parser.LocationError around it, for the first line concerned.
// The message shows all of them. Nil when es is empty.
func (es Errors) located() error {
	if len(es) == 0 {
		return nil
	}
	for _, e := range es {
		if e.Location.Line > 0 {
			return parser.WithLocation(es, ranges(e.Location))
		}
	}
	return es
}

// ranges is loc in BuildKit's terms.
func ranges(loc manifest.Location) []parser.Range {
	return []parser.Range{{
		Start: parser.Position{Line: loc.Line, Character: loc.Column},
		End:   parser.Position{Line: max(loc.EndLine, loc.Line), Character: loc.EndColumn},
	}}
}

// file is the Dockerfile as messages show it.
type file struct {
	name  string
	lines []string
}

// fail makes an error about loc.
func (f file) fail(loc manifest.Location, format string, args ...any) *Error {
	e := &Error{Filename: f.name, Location: loc, Message: fmt.Sprintf(format, args...)}
	if loc.Line > 0 && loc.Line <= len(f.lines) {
		e.line = f.lines[loc.Line-1]
	}
	return e
}

// choose checks that value is one of values. Those in later are right, but
// not supported yet. Its error has no location.
func choose(what, value string, values, later []string) *Error {
	switch {
	case slices.Contains(values, value):
		return nil
	case slices.Contains(later, value):
		return &Error{Message: fmt.Sprintf("%s %q is not supported yet, want %s", what, value, spell.Alternatives(values)), Unsupported: true}
	default:
		return &Error{Message: fmt.Sprintf("unknown %s %q%s", what, value, spell.Hint(value, slices.Concat(values, later)))}
	}
}
