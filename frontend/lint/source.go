package lint

import (
	"slices"
	"strings"
	"unicode"

	"github.com/moby/buildkit/frontend/dockerfile/parser"

	"github.com/org/slimfile/frontend/lint/shell"
)

// source is an instruction's text up to its here-documents, with continuation
// lines joined and comments left out, that knows where each byte stands.
type source struct {
	text string
	at   []parser.Position
}

// source reads the text of the instruction that stands in these lines.
func (doc *document) source(at []parser.Range) source {
	first, last := at[0].Start.Line-1, min(at[len(at)-1].End.Line, len(doc.lines))
	text, places, _ := shell.Join(doc.lines[first:last], doc.escape)
	for i := range places {
		places[i].Line += first + 1
	}
	return source{text, places}
}

// span is where the bytes from to to (exclusive, not empty) stand.
func (s source) span(from, to int) parser.Range {
	end := s.at[to-1]
	end.Character++
	return parser.Range{Start: s.at[from], End: end}
}

// before is the empty range in front of a byte, for insertions.
func (s source) before(i int) parser.Range {
	return parser.Range{Start: s.at[i], End: s.at[i]}
}

// keyword is the place of the n-th keyword (ONBUILD COPY has two), from 0.
func (s source) keyword(n int) (from, to int) {
	for ; ; n-- {
		from = to + len(s.text[to:]) - len(strings.TrimLeftFunc(s.text[to:], unicode.IsSpace))
		to = from + strings.IndexFunc(s.text[from:]+" ", unicode.IsSpace)
		if n == 0 {
			return from, to
		}
	}
}

// find is where the first argument stands that is word, or has it behind a "="
// or within quotes.
func (s source) find(word string) (from, to int, ok bool) {
	_, start := s.keyword(0)
	for from = start; word != ""; from++ {
		i := strings.Index(s.text[from:], word)
		if i < 0 {
			break
		}
		from += i
		to = from + len(word)
		if delimited(s.text[from-1]) && (to == len(s.text) || delimited(s.text[to])) {
			return from, to, true
		}
	}
	return 0, 0, false
}

// findLast is where the last such argument stands.
func (s source) findLast(word string) (from, to int, ok bool) {
	_, start := s.keyword(0)
	for to = len(s.text); word != ""; to-- {
		i := strings.LastIndex(s.text[start:to], word)
		if i < 0 {
			break
		}
		from, to = start+i, start+i+len(word)
		if delimited(s.text[from-1]) && (to == len(s.text) || delimited(s.text[to])) {
			return from, to, true
		}
	}
	return 0, 0, false
}

func delimited(c byte) bool { return unicode.IsSpace(rune(c)) || strings.IndexByte(`"'=,[]`, c) >= 0 }

// locate narrows an instruction's place down to one of its arguments if that
// is found as it is.
func (doc *document) locate(at []parser.Range, word string) []parser.Range {
	src := doc.source(at)
	if from, to, ok := src.find(word); ok {
		return []parser.Range{src.span(from, to)}
	}
	return at
}

// locateLast is locate for the last such argument.
func (doc *document) locateLast(at []parser.Range, word string) []parser.Range {
	src := doc.source(at)
	if from, to, ok := src.findLast(word); ok {
		return []parser.Range{src.span(from, to)}
	}
	return at
}

// keyword is the place of an instruction's own keyword, behind ONBUILD
// if that triggers it.
func (in *instruction) keyword(src source) (from, to int) {
	if in.onbuild {
		return src.keyword(1)
	}
	return src.keyword(0)
}

// plainWords splits a command line that a shell would only split, because it
// has no operator, variable, pattern or anything else to interpret.
func plainWords(line string) ([]string, bool) {
	var words []string
	var word strings.Builder
	inWord, quote := false, rune(0)
	for _, c := range line {
		switch {
		case strings.ContainsRune("$`\\!\n", c):
			return nil, false
		case quote != 0 && c == quote:
			quote = 0
		case quote != 0:
			word.WriteRune(c)
		case c == '"' || c == '\'':
			quote, inWord = c, true
		case c == ' ' || c == '\t':
			if inWord {
				words = append(words, word.String())
				word.Reset()
			}
			inWord = false
		case strings.ContainsRune("|&;<>()*?[]{}~#", c):
			return nil, false
		default:
			word.WriteRune(c)
			inWord = true
		}
	}
	if inWord {
		words = append(words, word.String())
	}
	if quote != 0 || len(words) == 0 {
		return nil, false
	}
	if words[0] == "exec" { // the exec form does the same
		words = words[1:]
	}
	if len(words) == 0 || words[0] == "" || strings.HasPrefix(words[0], "-") || strings.Contains(words[0], "=") || slices.Contains(shellBuiltins(), words[0]) {
		return nil, false
	}
	return words, true
}

// shellBuiltins are the commands that only a shell has (POSIX.1-2024, 2.15
// special built-ins and 1.6 intrinsic utilities).
func shellBuiltins() []string {
	return []string{
		".", ":", "alias", "bg", "break", "builtin", "case", "cd", "command", "continue", "declare", "eval", "exec", "exit", "export",
		"fc", "fg", "for", "function", "getopts", "hash", "if", "jobs", "let", "local", "read", "readonly", "return", "set", "shift",
		"shopt", "source", "time", "times", "trap", "type", "typeset", "ulimit", "umask", "unalias", "unset", "until", "wait", "while",
	}
}
