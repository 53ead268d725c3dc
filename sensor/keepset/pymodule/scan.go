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
	// Attribute says that the function is the one that importing names from the
	// module calls for those that it does not have (PEP 562).
	Attribute bool
}

// Source is what a module's text says.
type Source struct {
	Imports []Import
	// Texts are the string literals that could name a file or a module.
	Texts []string
	// Patterns are the dotted names that are computed, with an asterisk for
	// what is not literal; one that begins with a dot starts in the module's own
	// package. Only a module that imports by name has them.
	Patterns []string
	// Walks says that the module lists what modules a folder has (pkgutil).
	Walks bool
}

// Scan reads a module. What is only for type checkers, or for a module that is
// run as a program, is left out. It needs no valid module: text that is none
// says nothing, or something that is not there.
func Scan(module []byte) Source {
	s := scanner{rest: module, function: -1, skipped: -1}
	s.byName = bytes.Contains(module, []byte("import_")) || bytes.Contains(module, []byte("__import__("))
	s.source.Walks = bytes.Contains(module, []byte("iter_modules")) || bytes.Contains(module, []byte("walk_packages"))
	for s.line() {
		s.statements()
	}
	return s.source
}

// token is a word, a string or one other character.
type token struct {
	kind   kind
	format bool   // a string with expressions in braces
	text   []byte // of a string, its content; empty if that has escapes
	depth  int    // of brackets around it
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
	byName bool // modules are imported by strings
	// function is the indentation of the def that the line is in, skipped that
	// of the block that does not count; -1 for none.
	function, skipped int
	name              string           // of the def, where nothing is around it
	lazy              map[string][]int // of such functions, their imports
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
		s.tokens = append(s.tokens, token{kind: word, text: text, depth: depth})
		return depth
	}
	text := s.rest[:1]
	s.rest = s.rest[1:]
	if c == ')' || c == ']' || c == '}' {
		depth = max(0, depth-1)
	}
	s.tokens = append(s.tokens, token{kind: other, text: text, depth: depth})
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
	end := closing(body, quote)
	text := body[:end]
	s.rest = bytes.TrimPrefix(body[end:], quote)
	format := strings.Contains(prefix, "f")
	if strings.ContainsAny(prefix, "bt") || len(quote) > 1 && format || len(text) > maxText || bytes.IndexByte(text, '\\') >= 0 {
		text = nil
	}
	s.tokens = append(s.tokens, token{str, format, text, depth})
}

// closing is where in body the string with that quote ends.
func closing(body, quote []byte) int {
	if len(quote) > 1 { // most are documentation
		end := bytes.Index(body, quote)
		if end < 0 {
			return len(body)
		}
		if bytes.IndexByte(body[:end], '\\') < 0 {
			return end
		}
	}
	for i := 0; i < len(body); i++ {
		switch c := body[i]; {
		case c == '\\':
			i++
		case c == '\n' && len(quote) == 1, c == quote[0] && bytes.HasPrefix(body[i:], quote):
			return i
		}
	}
	return len(body)
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
	if def := line[min(1, len(line)-1)]; line[0].is("def") || line[0].is("async") && def.is("def") {
		if !lazy {
			s.define(string(def.text), line[len(line)-1].is(":"))
		}
		lazy = true
	} else if !lazy && s.lazy != nil {
		s.called(line)
	}
	start := true
	for i, t := range line {
		switch {
		case start && t.is("import"):
			s.importNames(line[i+1:], lazy)
		case start && t.is("from"):
			s.importFrom(line[i+1:], lazy)
		case t.kind == str && len(t.text) > 0:
			s.text(line, i, lazy)
		}
		start = t.depth == 0 && (t.is(":") || t.is(";"))
	}
}

// define notes that a function begins, in lines that follow if open.
func (s *scanner) define(name string, open bool) {
	s.name = ""
	if s.indent == 0 {
		s.name = name
	}
	if open {
		s.function = s.indent
	}
}

// called takes the imports of the functions that a line calls, which is no part
// of a function itself, for those of the module.
func (s *scanner) called(line []token) {
	for i, t := range line[:len(line)-1] {
		if t.kind != word || !line[i+1].is("(") {
			continue
		}
		for _, n := range s.lazy[string(t.text)] {
			s.source.Imports[n].Lazy = false
		}
	}
}

// add adds an import.
func (s *scanner) add(imp Import) {
	imp.Attribute = imp.Lazy && s.name == "__getattr__"
	if imp.Lazy && s.name != "" {
		if s.lazy == nil {
			s.lazy = map[string][]int{}
		}
		s.lazy[s.name] = append(s.lazy[s.name], len(s.source.Imports))
	}
	s.source.Imports = append(s.source.Imports, imp)
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
		s.add(Import{Module: module, Lazy: lazy})
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
	s.add(imp)
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

// text looks at the string that is one of the line's tokens: a name to import, or
// data.
func (s *scanner) text(line []token, at int, lazy bool) {
	if s.byName {
		if pattern := computed(line, at); pattern != "" {
			s.source.Patterns = append(s.source.Patterns, pattern)
			return
		}
	}
	quoted := line[at].text
	if line[at].format || bytes.ContainsAny(quoted, " \n\t\x00<>{}*|") {
		return
	}
	text := string(quoted)
	if isImport(line[:at]) {
		module := strings.TrimLeft(text, ".")
		if module != "" {
			s.add(Import{Module: module, Level: len(text) - len(module), Lazy: lazy})
		}
		return
	}
	s.source.Texts = append(s.source.Texts, text)
}

// isImport says whether what follows in a line is the name of a module.
func isImport(before []token) bool {
	n := len(before)
	return n >= 2 && before[n-1].is("(") && (before[n-2].is("import_module") || before[n-2].is("__import__"))
}

// computed is the pattern of dotted names that a string is part of; empty if it
// is none. A part of it has to be literal.
func computed(line []token, at int) string {
	t := line[at]
	name := string(t.text)
	if !t.format {
		name = strings.ReplaceAll(name, "%s", "{}")
	}
	var pattern []byte
	if at > 0 && line[at-1].is("+") && name[0] == '.' {
		pattern = append(pattern, '*')
	}
	for name != "" {
		switch c := name[0]; {
		case c == '{':
			end := strings.IndexByte(name, '}')
			if end < 0 {
				return ""
			}
			pattern = append(bytes.TrimRight(pattern, "*"), '*')
			name = name[end+1:]
			continue
		case c != '.' && !isWord(c):
			return ""
		}
		pattern = append(pattern, name[0])
		name = name[1:]
	}
	if at+1 < len(line) && line[at+1].is("+") {
		pattern = append(bytes.TrimRight(pattern, "*"), '*')
	}
	parts := strings.Split(string(pattern), ".")
	if !bytes.ContainsRune(pattern, '*') || slices.Contains(parts[1:], "") {
		return ""
	}
	literal := func(part string) bool { return !strings.Contains(part, "*") }
	switch {
	case len(parts) == 1: // _sysconfigdata_*
		if parts[0][0] != '_' {
			return ""
		}
	case parts[0] == "": // .x of the module's own package
		if len(parts) > 2 || !isImport(line[:at]) {
			return ""
		}
	case !slices.ContainsFunc(parts, literal):
		return ""
	}
	return string(pattern)
}
