package shell

import (
	"strings"

	"mvdan.cc/sh/v3/syntax"
)

// expander turns the words of a script into those that a program gets.
type expander struct {
	w   *walker
	src text
	env env

	cur   field
	words []Word
	word  *syntax.Word
}

// field is the word in the making.
type field struct {
	s       []byte
	at      []int
	known   int // length of the known prefix; -1 while all is known
	many    bool
	started bool // it is a word, even if it is empty
}

// unknownVariable stands for what is not known, in a word that is read as a
// script: nothing sets it, and it may be any number of words.
const unknownVariable = "$*"

// expand expands a word; split says whether unquoted values make several.
func (w *walker) expand(word *syntax.Word, src text, e env, split bool) ([]Word, error) {
	if word == nil {
		return []Word{{Known: true}}, nil
	}
	x := &expander{w: w, src: src, env: e, word: word, cur: field{known: -1}}
	x.parts(word.Parts, !split, unquoted)
	x.finish()
	if len(x.words) == 0 && !split {
		x.words = []Word{{Known: true}}
	}
	for _, f := range x.words {
		*w.total += len(f.whole.s) + 1
	}
	if *w.total > maxTotal {
		return nil, errTooLarge
	}
	return x.words, nil
}

// Characters that a backslash quotes.
const (
	unquoted  = "any"
	inQuotes  = "$`\"\\"
	inHeredoc = "$`\\"
	rawText   = "" // a backslash is a backslash
)

// heredoc is the text of a here-document, as a script.
func (f *frame) heredoc(r *syntax.Redirect) (text, error) {
	if r.Hdoc == nil {
		return text{}, nil
	}
	escapes := inHeredoc
	for _, p := range r.Word.Parts {
		if lit, ok := p.(*syntax.Lit); !ok || strings.Contains(lit.Value, `\`) {
			escapes = rawText
		}
	}
	x := &expander{w: f.walker, src: f.src, env: f.env, word: r.Hdoc, cur: field{known: -1}}
	x.parts(r.Hdoc.Parts, true, escapes)
	if *f.total += len(x.cur.s); *f.total > maxTotal {
		return text{}, errTooLarge
	}
	return text{string(x.cur.s), x.cur.at}, nil
}

// parts adds the parts of a word. quoted says that values are not split,
// escapes which characters a backslash quotes.
func (x *expander) parts(parts []syntax.WordPart, quoted bool, escapes string) {
	for _, p := range parts {
		if len(x.cur.s) > maxSize {
			x.unknown(p, quoted)
			return
		}
		switch p := p.(type) {
		case *syntax.Lit:
			x.literal(offset(p.Pos()), x.end(p, escapes), escapes)
		case *syntax.SglQuoted:
			x.cur.started = true
			if p.Dollar && strings.Contains(p.Value, `\`) {
				x.unknown(p, true)
				continue
			}
			from := offset(p.Left) + 1
			if p.Dollar {
				from++
			}
			x.copy(from, offset(p.Right))
		case *syntax.DblQuoted:
			x.cur.started = true
			x.parts(p.Parts, true, inQuotes)
		case *syntax.ParamExp:
			value, known := x.param(p)
			if !known {
				x.unknown(p, quoted)
				continue
			}
			x.value(value, offset(p.Pos()), quoted)
		default:
			x.unknown(p, quoted)
		}
	}
}

func offset(p syntax.Pos) int { return int(p.Offset()) }

// end is where a literal ends. That of a here-document is said to reach over
// the line that ends the document: its value says better.
func (x *expander) end(lit *syntax.Lit, escapes string) int {
	end := offset(lit.Pos())
	if escapes == unquoted || escapes == inQuotes {
		return offset(lit.End())
	}
	for n := 0; n < len(lit.Value) && end < len(x.src.s); n++ {
		if escapes == inHeredoc && strings.HasPrefix(x.src.s[end:], "\\\n") { // not in the value
			end += 2
		}
		end++
	}
	return end
}

// literal adds script text in which backslashes quote.
func (x *expander) literal(from, to int, escapes string) {
	to = min(to, len(x.src.s))
	for i := from; i < to; i++ {
		c := x.src.s[i]
		if c == '\\' && i+1 < to && escapes != rawText {
			next := x.src.s[i+1]
			if next == '\n' {
				i++
				continue
			}
			if escapes == unquoted || strings.IndexByte(escapes, next) >= 0 {
				i++
				c = next
			}
		}
		x.cur.s = append(x.cur.s, c)
		x.cur.at = append(x.cur.at, x.src.at[i])
		x.cur.started = true
	}
}

// copy adds script text as it is.
func (x *expander) copy(from, to int) {
	to = min(to, len(x.src.s))
	if from < to {
		x.cur.s = append(x.cur.s, x.src.s[from:to]...)
		x.cur.at = append(x.cur.at, x.src.at[from:to]...)
	}
}

// value adds a variable's value, whose expansion stands at offset at.
func (x *expander) value(value string, at int, quoted bool) {
	for i := range len(value) {
		c := value[i]
		if !quoted && strings.IndexByte(" \t\n", c) >= 0 {
			x.finish()
			continue
		}
		x.cur.s = append(x.cur.s, c)
		x.cur.at = append(x.cur.at, x.src.at[min(at, len(x.src.at)-1)])
		x.cur.started = true
	}
}

// unknown adds something that could be anything.
func (x *expander) unknown(p syntax.Node, quoted bool) {
	if x.cur.known < 0 {
		x.cur.known = len(x.cur.s)
	}
	x.cur.started = true
	x.cur.many = x.cur.many || !quoted
	for i := range len(unknownVariable) {
		x.cur.s = append(x.cur.s, unknownVariable[i])
		x.cur.at = append(x.cur.at, x.src.at[min(offset(p.Pos()), len(x.src.at)-1)])
	}
}

// finish ends the current word.
func (x *expander) finish() {
	f := x.cur
	x.cur = field{known: -1}
	if !f.started {
		return
	}
	from, to := offset(x.word.Pos()), min(offset(x.word.End()), len(x.src.s))
	w := Word{
		Known: f.known < 0, Many: f.many, whole: text{string(f.s), f.at},
		Range: x.w.lines.span(x.src, from, to),
	}
	w.Text = w.whole.s
	if !w.Known {
		w.Text = w.Text[:f.known]
	}
	w.Literal = w.Known && from < to && x.src.s[from:to] == w.Text && x.src.at[to-1]-x.src.at[from] == to-1-from
	x.words = append(x.words, w)
}

// param is the value of a variable.
func (x *expander) param(p *syntax.ParamExp) (string, bool) {
	if p.Param == nil || p.Excl || p.Length || p.Width || p.Index != nil || p.Slice != nil || p.Repl != nil || p.Names != 0 {
		return "", false
	}
	if a, certain := x.env.find("IFS"); a != nil || !certain {
		return "", false
	}
	value, known := x.env.value(p.Param.Value)
	if p.Exp == nil || !known {
		return value, known
	}
	// ${X:-default} and ${X-default} of a variable that has a value.
	isDefault := p.Exp.Op == syntax.DefaultUnset || p.Exp.Op == syntax.DefaultUnsetOrNull
	return value, isDefault && value != ""
}
