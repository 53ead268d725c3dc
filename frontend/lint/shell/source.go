package shell

import (
	"encoding/json"
	"slices"
	"strings"
	"unicode"

	"github.com/moby/buildkit/frontend/dockerfile/parser"
)

// text is a string whose bytes know where in the instruction they stand.
type text struct {
	s  string
	at []int // offset of each byte of s in the instruction's lines, joined
}

func (t text) slice(from, to int) text { return text{t.s[from:to], t.at[from:to]} }

// trim cuts white space off both ends.
func (t text) trim() text {
	left := len(t.s) - len(strings.TrimLeftFunc(t.s, unicode.IsSpace))
	right := len(strings.TrimRightFunc(t.s, unicode.IsSpace))
	if left >= right {
		return text{}
	}
	return t.slice(left, right)
}

// add appends s, whose bytes stand at offset at and behind.
func (t *text) add(s string, at int) {
	t.s += s
	for i := range len(s) {
		t.at = append(t.at, at+i)
	}
}

// lines are an instruction's, joined by line feeds.
type lines struct {
	text   string
	starts []int // offset of each line
	first  int   // number of the first in the file
}

func joinLines(src Source) lines {
	l := lines{text: strings.Join(src.Lines, "\n"), first: src.Line}
	offset := 0
	for _, line := range src.Lines {
		l.starts = append(l.starts, offset)
		offset += len(line) + 1
	}
	return l
}

func (l lines) position(offset int) parser.Position {
	i, found := slices.BinarySearch(l.starts, offset)
	if !found {
		i--
	}
	return parser.Position{Line: l.first + i, Character: offset - l.starts[i]}
}

// span is the range of the bytes from to to (exclusive) of t.
func (l lines) span(t text, from, to int) parser.Range {
	to = min(to, len(t.at))
	from = min(from, to-1)
	if from < 0 {
		return parser.Range{}
	}
	return parser.Range{Start: l.position(t.at[from]), End: l.position(t.at[to-1] + 1)}
}

// body is an instruction without its keyword and flags.
type body struct {
	lines lines
	body  text
	shell shellState
	words []Word // of the exec form
}

// instruction takes an instruction apart as BuildKit's parser does.
func instruction(src Source) (body, error) {
	b := body{lines: joinLines(src)}
	if len(b.lines.text) > maxSize {
		return b, errTooLarge
	}
	if src.Escape == 0 {
		src.Escape = parser.DefaultEscapeToken
	}
	head, rest := joinContinuations(src, b.lines)
	args := arguments(head, src.Escape).trim()
	if words, ok := b.lines.execForm(args); ok && rest == len(src.Lines) {
		b.words = words
		return b, nil
	}
	state, err := shellOf(src.Shell)
	if err != nil {
		return b, err
	}
	b.shell, b.body = state, args
	if rest == len(src.Lines) {
		return b, nil
	}
	doc := text{}
	if heredoc, err := parser.ParseHeredoc(args.s); err != nil || heredoc == nil {
		// The shell reads the here-documents itself.
		doc = args
		doc.add("\n", b.lines.starts[rest]-1)
		doc.add(b.lines.text[b.lines.starts[rest]:], b.lines.starts[rest])
	} else if last := len(src.Lines) - 1; last > rest {
		doc.add(b.lines.text[b.lines.starts[rest]:b.lines.starts[last]], b.lines.starts[rest])
	}
	b.body = doc
	if strings.HasPrefix(args.s, "<<") {
		err = b.shebang()
	}
	return b, err
}

// shebang makes the interpreter of a here-document the shell.
func (b *body) shebang() error {
	line, _, _ := strings.Cut(strings.TrimLeft(b.body.s, "\t"), "\n")
	command, ok := strings.CutPrefix(line, "#!")
	if !ok {
		return nil
	}
	words := strings.Fields(command)
	if len(words) > 1 && baseName(words[0]) == "env" {
		words = words[1:]
		if words[0] == "-S" {
			words = words[1:]
		}
	}
	var err error
	b.shell, err = shellOf(words)
	return err
}

// joinContinuations is Join with the offset of each byte in l.
func joinContinuations(src Source, l lines) (text, int) {
	joined, places, n := Join(src.Lines, src.Escape)
	at := make([]int, len(places))
	for i, p := range places {
		at[i] = l.starts[p.Line] + p.Character
	}
	return text{joined, at}, n
}

// Join joins the lines of an instruction up to its here-documents, leaving out
// comments and empty lines. It returns the place of each byte, with lines from 0,
// and the number of lines read.
func Join(lines []string, escape rune) (joined string, at []parser.Position, n int) {
	var out strings.Builder
	for i, line := range lines {
		if trimmed := strings.TrimSpace(line); i > 0 && (trimmed == "" || trimmed[0] == '#') {
			continue
		}
		line, continued := cutContinuation(line, escape)
		out.WriteString(line)
		for k := range len(line) {
			at = append(at, parser.Position{Line: i, Character: k})
		}
		if !continued {
			return out.String(), at, i + 1
		}
	}
	return out.String(), at, len(lines)
}

// cutContinuation cuts the escape character off a line that is continued: the
// last one, unless another precedes it.
func cutContinuation(line string, escape rune) (string, bool) {
	cut, ok := strings.CutSuffix(strings.TrimRight(line, " \t"), string(escape))
	if !ok || strings.HasSuffix(cut, string(escape)) {
		return line, false
	}
	return cut, true
}

// arguments is what follows the keywords and flags of an instruction.
func arguments(t text, escape rune) text {
	for {
		t = t.trim()
		end := strings.IndexFunc(t.s, unicode.IsSpace)
		if end < 0 {
			return text{}
		}
		keyword := strings.ToLower(t.s[:end])
		t = t.slice(end, len(t.s)).trim()
		for strings.HasPrefix(t.s, "--") {
			end := flagEnd(t.s, escape)
			done := t.s[:end] == "--"
			t = t.slice(end, len(t.s)).trim()
			if done {
				break
			}
		}
		if keyword != "onbuild" && keyword != "healthcheck" {
			return t
		}
	}
}

// flagEnd is where the flag at the start of s ends.
func flagEnd(s string, escape rune) int {
	quote := byte(0)
	for i := 0; i < len(s); i++ {
		switch c := s[i]; {
		case rune(c) == escape:
			i++
		case quote != 0:
			if c == quote {
				quote = 0
			}
		case c == '\'' || c == '"':
			quote = c
		case unicode.IsSpace(rune(c)):
			return i
		}
	}
	return len(s)
}

// execForm reads a JSON array of strings.
func (l lines) execForm(t text) ([]Word, bool) {
	var all []string
	if !strings.HasPrefix(t.s, "[") || json.Unmarshal([]byte(t.s), &all) != nil {
		return nil, false
	}
	dec := json.NewDecoder(strings.NewReader(t.s))
	if _, err := dec.Token(); err != nil { // the bracket
		return nil, false
	}
	words := make([]Word, 0, len(all))
	for _, s := range all {
		before := int(dec.InputOffset())
		if _, err := dec.Token(); err != nil {
			return nil, false
		}
		end := int(dec.InputOffset())
		start := before + strings.IndexByte(t.s[before:end], '"')
		words = append(words, Word{
			Text: s, Known: true, Range: l.span(t, start, end),
			Literal: t.s[start:end] == `"`+s+`"`, whole: decoded(s, t.slice(start, end)),
		})
	}
	return words, true
}

// decoded gives the bytes of a JSON string their place in its literal: the exact
// one if nothing is escaped, else the literal's start.
func decoded(s string, literal text) text {
	if literal.s == `"`+s+`"` {
		return literal.slice(1, len(literal.s)-1)
	}
	at := make([]int, len(s))
	for i := range at {
		at[i] = literal.at[0]
	}
	return text{s, at}
}

// shellState is the shell that reads a script, with what its options say.
type shellState struct {
	name     string
	pipefail bool
}

// shellOf reads SHELL, or the words of a script's first line.
func shellOf(words []string) (shellState, error) {
	if words == nil {
		return shellState{name: "sh"}, nil
	}
	if len(words) == 0 || !isShell(baseName(words[0])) {
		return shellState{}, errNotShell
	}
	s := shellState{name: baseName(words[0])}
	for i, w := range words {
		s.pipefail = s.pipefail || w == "pipefail" && i > 0 && strings.HasSuffix(words[i-1], "o")
	}
	return s, nil
}
