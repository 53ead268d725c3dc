package config

import (
	"encoding/json"
	"fmt"
	"strings"
	"unicode/utf8"

	"github.com/org/slimfile/sensor/manifest"
)

// span is a piece of a line, in bytes.
type span struct{ start, end int }

// to is the span from the start of s to the end of t.
func (s span) to(t span) span { return span{s.start, t.end} }

// word is one word of a directive.
type word struct {
	span
	text string // without quotes
	// key is the length of the NAME in an unquoted NAME= that the word starts
	// with; 0 if it does not.
	key int
	// operator is the first unquoted character that a shell would act on, as
	// the span of that character; empty when there is none.
	operator span
	// literal lists where in text a character stands that an unquoted
	// backslash precedes.
	literal []int
}

const (
	blanks    = " \t\r\v\f"
	operators = "|&;<>()"
)

// scanner splits one directive line into words by the quoting rules of a
// shell (POSIX, Shell Command Language, 2.2 Quoting and 2.3 Token
// Recognition), but expands nothing: what a shell would expand is an error,
// patterns (* ? [) are plain text, and so are operators, so that a URL's & or
// a regular expression's | need no quotes.
type scanner struct {
	file file
	line int    // of the file, from 1
	text string // the whole line
	pos  int    // of the next byte
	errs Errors
	// broken is set once words can no longer be told apart; later errors
	// would only follow from that one.
	broken bool
}

// location is s in the file.
func (sc *scanner) location(s span) manifest.Location {
	return manifest.Location{Line: sc.line, EndLine: sc.line, Column: s.start, EndColumn: s.end}
}

func (sc *scanner) fail(s span, format string, args ...any) {
	if !sc.broken {
		sc.errs = append(sc.errs, sc.file.fail(sc.location(s), format, args...))
	}
}

// report adds an error that has no location yet, if there is one.
func (sc *scanner) report(s span, err *Error) {
	if err != nil && !sc.broken {
		located := sc.file.fail(sc.location(s), "%s", err.Message)
		located.Unsupported = err.Unsupported
		sc.errs = append(sc.errs, located)
	}
}

func (sc *scanner) unsupported(s span, format string, args ...any) {
	sc.report(s, &Error{Message: fmt.Sprintf(format, args...) + " not supported yet", Unsupported: true})
}

func (sc *scanner) breakOff(s span, format string, args ...any) {
	sc.fail(s, format, args...)
	sc.broken, sc.pos = true, len(sc.text)
}

// skipBlanks moves to the next word. A # there starts a comment.
func (sc *scanner) skipBlanks() {
	rest := strings.TrimLeft(sc.text[sc.pos:], blanks)
	sc.pos = len(sc.text) - len(rest)
	if strings.HasPrefix(rest, "#") {
		sc.pos = len(sc.text)
	}
}

// next returns the next word, ok false at the end of the line.
func (sc *scanner) next() (w word, ok bool) {
	sc.skipBlanks()
	if sc.pos == len(sc.text) {
		return word{}, false
	}
	b := wordBuilder{scanner: sc, start: sc.pos}
	for sc.pos < len(sc.text) && !strings.ContainsRune(blanks, rune(sc.text[sc.pos])) {
		switch sc.text[sc.pos] {
		case '\'':
			b.singleQuoted()
		case '"':
			b.doubleQuoted()
		case '\\':
			b.escaped()
		default:
			b.plain()
		}
	}
	if sc.broken {
		return word{}, false
	}
	return b.word(), true
}

// rest returns all words that remain.
func (sc *scanner) rest() []word {
	var words []word
	for {
		w, ok := sc.next()
		if !ok {
			return words
		}
		words = append(words, w)
	}
}

// json reads a JSON list of strings if one starts here: a [ followed by a
// quote or a ]. Anything else ([ is also a program) is left alone.
func (sc *scanner) json() (list []string, at span, ok bool) {
	sc.skipBlanks()
	rest := sc.text[sc.pos:]
	inner, isList := strings.CutPrefix(rest, "[")
	inner = strings.TrimLeft(inner, blanks)
	if !isList || inner == "" || inner[0] != '"' && inner[0] != ']' {
		return nil, span{}, false
	}
	dec := json.NewDecoder(strings.NewReader(rest))
	at = span{sc.pos, len(sc.text)}
	if err := dec.Decode(&list); err != nil {
		sc.breakOff(at, `bad JSON, want a list of strings such as ["curl", "-f", "localhost"]: %s`, err)
		return nil, at, true
	}
	at.end = sc.pos + int(dec.InputOffset())
	sc.pos = at.end
	if sc.pos < len(sc.text) && !strings.ContainsRune(blanks, rune(sc.text[sc.pos])) {
		sc.breakOff(span{sc.pos, len(sc.text)}, "a blank must follow the list")
	}
	return list, at, true
}

// wordBuilder collects one word.
type wordBuilder struct {
	*scanner
	start    int
	text     strings.Builder
	quoted   bool // some of it was, so that no NAME= can follow
	key      int
	operator span
	literal  []int
}

func (b *wordBuilder) word() word {
	return word{span: span{b.start, b.pos}, text: b.text.String(), key: b.key, operator: b.operator, literal: b.literal}
}

// plain takes one unquoted character.
func (b *wordBuilder) plain() {
	r, size := utf8.DecodeRuneInString(b.ahead())
	at := span{b.pos, b.pos + size}
	switch {
	case r == '`', r == '$' && expands(b.ahead()[size:]):
		b.refuseExpansion(at)
		return
	case r == '=' && b.key == 0 && !b.quoted && isKey(b.text.String()):
		b.key = b.text.Len()
	case b.operator == span{} && strings.ContainsRune(operators, r):
		b.operator = at
	}
	b.text.WriteRune(r)
	b.pos += size
}

// ahead is the line from the current position on.
func (b *wordBuilder) ahead() string { return b.scanner.text[b.pos:] }

// refuseExpansion fails at a $ or a backquote that a shell would act on.
func (b *wordBuilder) refuseExpansion(at span) {
	b.breakOff(at, "a directive expands no variables and commands: put %s in single quotes to mean it literally",
		b.scanner.text[at.start:at.end])
}

// expands tells whether a shell would expand a $ that is followed by rest
// (POSIX, Shell Command Language, 2.6 Word Expansions).
func expands(rest string) bool {
	if rest == "" {
		return false
	}
	c := rest[0]
	return c == '_' || c == '{' || c == '(' || isAlphanumeric(c)
}

func isAlphanumeric(c byte) bool {
	return 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || '0' <= c && c <= '9'
}

// isKey tells whether s can be the NAME of an option.
func isKey(s string) bool {
	for i := range len(s) {
		if c := s[i]; !isAlphanumeric(c) && c != '_' && c != '.' && c != '-' {
			return false
		}
	}
	return s != "" && isAlphanumeric(s[0])
}

func (b *wordBuilder) singleQuoted() {
	b.quoted = true
	body, _, closed := strings.Cut(b.ahead()[1:], "'")
	if !closed {
		b.breakOff(span{b.pos, len(b.scanner.text)}, "the quote is not closed")
		return
	}
	b.text.WriteString(body)
	b.pos += len(body) + 2
}

func (b *wordBuilder) doubleQuoted() {
	b.quoted = true
	open := b.pos
	for b.pos++; b.pos < len(b.scanner.text); {
		rest := b.ahead()
		switch c := rest[0]; {
		case c == '"':
			b.pos++
			return
		case c == '\\' && len(rest) > 1 && quotable(rest[1]):
			b.text.WriteByte(rest[1])
			b.pos += 2
		case c == '`', c == '$' && expands(rest[1:]):
			b.refuseExpansion(span{b.pos, b.pos + 1})
			return
		default:
			b.text.WriteByte(c)
			b.pos++
		}
	}
	b.breakOff(span{open, len(b.scanner.text)}, "the quote is not closed")
}

// quotable tells whether a backslash within double quotes quotes c.
func quotable(c byte) bool { return c == '$' || c == '`' || c == '"' || c == '\\' }

// escaped takes a backslash outside quotes and the character that it quotes.
// A shell drops the backslash of \n or \d without a word; those who write
// them want to keep it, so that is an error.
func (b *wordBuilder) escaped() {
	b.quoted = true
	rest := b.ahead()[1:]
	r, size := utf8.DecodeRuneInString(rest)
	at := span{b.pos, b.pos + 1 + size}
	switch {
	case strings.TrimLeft(rest, blanks) == "":
		b.breakOff(at, "a directive is one line and cannot be continued: repeat the verb in another one")
	case r < utf8.RuneSelf && isAlphanumeric(byte(r)):
		b.breakOff(at, `the shell would drop this backslash: put the word in single quotes to keep it`)
	default:
		b.literal = append(b.literal, b.text.Len())
		b.text.WriteRune(r)
		b.pos = at.end
	}
}
