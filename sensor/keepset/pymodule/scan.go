// Package pymodule reads what a Python module may import: the modules that it
// names, in functions and branches that no run took too, and the files that
// those names lead to.
//
// It knows a file tree only by the interface Files. keepset imports it.
package pymodule

import (
	"bytes"
	"slices"
	"strings"
)

// Import is a name by which a module imports another.
type Import struct {
	Module string   // dotted; may be empty in "from . import x"
	Level  int      // leading dots: 1 is the module's own package
	Names  []string // of "from m import a, b": attributes, or modules in m
	// Lazy says that it stands in a function: importing the module does not
	// import it yet.
	Lazy bool
}

// Source is what a module's text says.
type Source struct {
	Imports []Import
	// Texts are the string literals that could name a file or a module.
	Texts []string
}

// Scan reads a module. What is only for type checkers, or for a module that is
// run as a program, is left out. It needs no valid module: text that is none
// says nothing, or something that is not there.
func Scan(module []byte) Source {
	s := scanner{rest: module, function: -1, skipped: -1}
	for s.line() {
		s.statements()
	}
	return s.source
}

// token is a word, a string or one other character.
type token struct {
	kind  kind
	text  []byte // of a string, its content; empty if that is computed or has escapes
	depth int    // of brackets around it
}

type kind uint8

const (
	word kind = iota
	str
	other
)

func (t token) is(text string) bool { return t.kind != str && string(t.text) == text }

// scanner reads logical lines (docs.python.org/3/reference/lexical_analysis).
type scanner struct {
	rest   []byte
	indent int
	tokens []token // of the line
	source Source
	// function is the indentation of the def that the line is in, skipped that
	// of the block that does not count; -1 for none.
	function, skipped int
}

// line reads the next logical line that has tokens. It returns false at the end.
func (s *scanner) line() bool {
	s.tokens = s.tokens[:0]
	for len(s.rest) > 0 {
		s.indent = s.blanks()
		depth := 0
		for len(s.rest) > 0 {
			if c := s.rest[0]; c == '\n' {
				s.rest = s.rest[1:]
				if depth == 0 {
					break
				}
			} else {
				depth = s.token(c, depth)
			}
		}
		if len(s.tokens) > 0 {
			return true
		}
	}
	return false
}

// blanks skips the indentation and returns its columns.
func (s *scanner) blanks() int {
	columns := 0
	for i, c := range s.rest {
		switch c {
		case ' ':
			columns++
		case '\t':
			columns += 8 - columns%8
		case '\f', '\r':
			columns = 0
		default:
			s.rest = s.rest[i:]
			return columns
		}
	}
	s.rest = nil
	return columns
}

// token reads what begins with c, and returns the depth after it.
func (s *scanner) token(c byte, depth int) int {
	switch {
	case c == ' ' || c == '\t' || c == '\r' || c == '\f':
		s.rest = s.rest[1:]
		return depth
	case c == '#':
		end := bytes.IndexByte(s.rest, '\n')
		if end < 0 {
			end = len(s.rest)
		}
		s.rest = s.rest[end:]
		return depth
	case c == '\\':
		s.rest = bytes.TrimPrefix(bytes.TrimPrefix(s.rest[1:], []byte("\r")), []byte("\n"))
		return depth
	case c == '"' || c == '\'':
		s.str("", depth)
		return depth
	case isWord(c):
		end := 1
		for end < len(s.rest) && isWord(s.rest[end]) {
			end++
		}
		text := s.rest[:end]
		s.rest = s.rest[end:]
		if len(s.rest) > 0 && (s.rest[0] == '"' || s.rest[0] == '\'') && isPrefix(text) {
			s.str(strings.ToLower(string(text)), depth)
			return depth
		}
		s.tokens = append(s.tokens, token{word, text, depth})
		return depth
	}
	text := s.rest[:1]
	s.rest = s.rest[1:]
	if c == ')' || c == ']' || c == '}' {
		depth = max(0, depth-1)
	}
	s.tokens = append(s.tokens, token{other, text, depth})
	if c == '(' || c == '[' || c == '{' {
		depth++
	}
	return depth
}

func isWord(c byte) bool {
	return c == '_' || '0' <= c && c <= '9' || 'a' <= c|0x20 && c|0x20 <= 'z' || c >= 0x80
}

// isPrefix says whether a word before a quote belongs to the string.
func isPrefix(text []byte) bool {
	return len(text) <= 2 && strings.Trim(strings.ToLower(string(text)), "rbuft") == ""
}

// str reads a string from its opening quote on.
func (s *scanner) str(prefix string, depth int) {
	quote := s.rest[:1]
	if len(s.rest) >= 3 && s.rest[1] == quote[0] && s.rest[2] == quote[0] {
		quote = s.rest[:3]
	}
	body := s.rest[len(quote):]
	end := 0
	for ; end < len(body) && !bytes.HasPrefix(body[end:], quote); end++ {
		if body[end] == '\\' {
			end++
		} else if body[end] == '\n' && len(quote) == 1 {
			break
		}
	}
	end = min(end, len(body))
	text := body[:end]
	s.rest = bytes.TrimPrefix(body[end:], quote)
	if strings.ContainsAny(prefix, "bft") || bytes.IndexByte(text, '\\') >= 0 {
		text = nil
	}
	s.tokens = append(s.tokens, token{str, text, depth})
}

// statements looks at the statements of the line.
func (s *scanner) statements() {
	if s.indent <= s.function {
		s.function = -1
	}
	if s.indent <= s.skipped {
		s.skipped = -1
	}
	if s.skipped >= 0 {
		return
	}
	line := s.tokens
	if isUncounted(line) {
		if line[len(line)-1].is(":") {
			s.skipped = s.indent
		}
		return
	}
	lazy := s.function >= 0
	if line[0].is("def") || line[0].is("async") && len(line) > 1 && line[1].is("def") {
		if line[len(line)-1].is(":") && !lazy {
			s.function = s.indent
		}
		lazy = true
	}
	start := true
	for i, t := range line {
		switch {
		case start && t.is("import"):
			s.importNames(line[i+1:], lazy)
		case start && t.is("from"):
			s.importFrom(line[i+1:], lazy)
		case t.kind == str:
			s.text(line[:i], t.text, lazy)
		}
		start = t.depth == 0 && (t.is(":") || t.is(";"))
	}
}

// elsewhere are words and strings of a condition that does not hold where
// Linux runs a module that something else imports.
var elsewhere = []string{
	"TYPE_CHECKING", "__name__", "WIN", "WINDOWS", "IS_WINDOWS", "win", "win32", "nt", "darwin", "cygwin", "java",
}

// isProgram are functions that only a module run as a program calls.
var isProgram = []string{"main", "_main", "test", "_test", "_demo"}

// isUncounted says whether a line begins a block that is for type checkers, for
// other systems, or for a program of the module's own.
func isUncounted(line []token) bool {
	if line[0].is("def") {
		return len(line) > 1 && slices.Contains(isProgram, string(line[1].text))
	}
	if !line[0].is("if") && !line[0].is("elif") {
		return false
	}
	holds := func(t token) bool { return t.is("or") || t.is("not") || t.is("!") }
	return slices.ContainsFunc(line, func(t token) bool { return t.kind != other && slices.Contains(elsewhere, string(t.text)) }) &&
		!slices.ContainsFunc(line, holds)
}

// importNames reads a.b as c, d.
func (s *scanner) importNames(line []token, lazy bool) {
	for len(line) > 0 {
		var module string
		module, line = dotted(line)
		if module == "" {
			return
		}
		s.source.Imports = append(s.source.Imports, Import{Module: module, Lazy: lazy})
		line = afterComma(line)
	}
}

// importFrom reads ..a.b import (c as d, e).
func (s *scanner) importFrom(line []token, lazy bool) {
	imp := Import{Lazy: lazy}
	for len(line) > 0 && line[0].is(".") {
		imp.Level++
		line = line[1:]
	}
	if len(line) > 0 && !line[0].is("import") {
		imp.Module, line = dotted(line)
	}
	if len(line) == 0 || !line[0].is("import") || imp.Module == "" && imp.Level == 0 {
		return
	}
	line = line[1:]
	if len(line) > 0 && line[0].is("(") {
		line = line[1:]
	}
	for len(line) > 0 && line[0].kind == word {
		imp.Names = append(imp.Names, string(line[0].text))
		line = afterComma(line)
	}
	s.source.Imports = append(s.source.Imports, imp)
}

// dotted reads a.b.c and returns what follows.
func dotted(line []token) (string, []token) {
	var parts []string
	for len(line) > 0 && line[0].kind == word {
		parts = append(parts, string(line[0].text))
		if line = line[1:]; len(line) == 0 || !line[0].is(".") {
			break
		}
		line = line[1:]
	}
	return strings.Join(parts, "."), line
}

// afterComma is what follows the next comma of the statement.
func afterComma(line []token) []token {
	for i, t := range line {
		switch {
		case t.is(","):
			return line[i+1:]
		case t.is(";"):
			return nil
		}
	}
	return nil
}

// maxText is the longest path that a literal is taken for.
const maxText = 255

// text looks at a string: the argument of import_module, or data; before is
// the line up to it.
func (s *scanner) text(before []token, quoted []byte, lazy bool) {
	if len(quoted) == 0 || len(quoted) > maxText || bytes.ContainsAny(quoted, " \n\t\x00<>{}*|") {
		return
	}
	text := string(quoted)
	if n := len(before); n >= 2 && before[n-1].is("(") && (before[n-2].is("import_module") || before[n-2].is("__import__")) {
		module := strings.TrimLeft(text, ".")
		s.source.Imports = append(s.source.Imports, Import{Module: module, Level: len(text) - len(module), Lazy: lazy})
		return
	}
	s.source.Texts = append(s.source.Texts, text)
}
