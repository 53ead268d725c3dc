// Package spawn finds in the sources of an app the programs that they start: by
// the functions of their language, and by functions of the app that hand their
// argument on to one of those.
//
// It reads sources by patterns, not by grammar, and only what is literal in
// them. keepset imports it.
package spawn

import (
	"bytes"
	"maps"
	"regexp"
	"slices"
	"strings"
)

// Start is a program that a source starts: as a command line for a shell, or
// else as the literal words that its arguments begin with.
type Start struct {
	Script string
	Words  []string
}

// Wrappers are functions that start the program that their first argument names,
// with whether a shell reads it.
type Wrappers map[string]bool

// Bounds of one source, of one command and of one app.
const (
	maxStarts    = 1024 // of each kind
	maxWords     = 64
	maxFunctions = 1 << 14
	maxNested    = 8 // wrappers of wrappers
	MaxWrappers  = 64
)

// Parse returns what a source starts, with its own wrappers and with others that
// are known, and its own.
func (l *Language) Parse(source []byte, known Wrappers) ([]Start, Wrappers) {
	may := func(text string) bool { return bytes.Contains(source, []byte(text)) }
	source = commentLine.ReplaceAll(source, nil)
	p := parser{Language: l, source: source, defined: l.define.FindAllSubmatchIndex(source, maxFunctions), own: Wrappers{}}
	if len(l.needs) == 0 || slices.ContainsFunc(l.needs, may) {
		p.names()
		p.calls(l.call)
		p.quotes()
	}
	done := Wrappers{}
	for range maxNested {
		fresh := maps.Clone(p.own)
		maps.Copy(fresh, known)
		maps.DeleteFunc(fresh, func(name string, _ bool) bool { _, ok := done[name]; return ok })
		p.wrapped(fresh, false)
		p.wrapped(fresh, true)
		maps.Copy(done, fresh)
	}
	return p.starts, p.own
}

// parser reads one source.
type parser struct {
	*Language
	source  []byte
	defined [][]int // functions, as define matches them
	starts  []Start
	own     Wrappers
}

// add records a wrapper.
func (p *parser) add(name string, shell bool) {
	if _, ok := p.own[name]; !ok && len(p.own) < MaxWrappers && !keyword[name] && !p.call.MatchString(name+"(") {
		p.own[name] = shell
	}
}

// keyword are words that stand before a parenthesis and a block as functions do.
var keyword = map[string]bool{"if": true, "for": true, "while": true, "switch": true, "catch": true, "with": true, "function": true}

// names records what the source calls the functions of its language's library.
func (p *parser) names() {
	if p.imports != nil {
		for _, m := range p.imports.FindAllSubmatch(p.source, maxStarts) {
			for _, item := range imported.FindAllSubmatch(bytes.Join(m[1:], nil), maxStarts) {
				name := string(item[1])
				shell, ok := p.functions[name]
				if alias := string(item[2]); ok && alias != "" {
					p.add(alias, shell)
				} else if ok {
					p.add(name, shell)
				}
			}
		}
	}
	if p.assigned != nil {
		for _, m := range p.assigned.FindAllSubmatch(p.source, maxStarts) {
			p.add(string(m[1]), p.functions[string(m[2])])
		}
	}
}

// imported matches a name in a list, and what it is called instead.
var imported = regexp.MustCompile(`(\w+)(?:\s*(?:\bas\b|:)\s*(\w+))?`)

// wrapped records what the source starts by wrappers.
func (p *parser) wrapped(wrappers Wrappers, shell bool) {
	var names []string
	for name, with := range wrappers {
		if with == shell {
			names = append(names, regexp.QuoteMeta(name))
		}
	}
	if len(names) == 0 {
		return
	}
	slices.Sort(names)
	group := "(?:"
	if shell {
		group = "("
	}
	p.calls(regexp.MustCompile(`\b` + group + strings.Join(names, "|") + `)` + p.open))
}

// calls records what the calls that a pattern matches start, and the functions
// that hand their parameter on to them.
func (p *parser) calls(call *regexp.Regexp) {
	for _, m := range call.FindAllSubmatchIndex(p.source, maxStarts) {
		shell, args := len(m) > 2 && m[2] >= 0, p.source[m[1]:]
		if s, ok := p.started(args, shell); ok {
			p.starts = append(p.starts, s)
			continue
		}
		if arg := handedOn.FindSubmatch(args); arg != nil {
			if name := p.function(m[0], string(arg[1])); name != "" {
				p.add(name, shell || shellOption.Match(args))
			}
		}
	}
}

// handedOn matches an argument that is a variable, or a list that begins with
// one.
var handedOn = regexp.MustCompile(`^\s*(?:shlex\.split\()?[\[(]?\s*[*&@$.\\]*([A-Za-z_]\w*)(?:[^\w(]|$)`)

// maxBack bounds how many functions back the one is sought that a call is in.
const maxBack = 16

// function is the name of the one before a place in the source of which a
// variable is the first parameter.
func (p *parser) function(at int, variable string) string {
	next, _ := slices.BinarySearchFunc(p.defined, at, func(m []int, at int) int { return m[0] - at })
	for _, m := range slices.Backward(p.defined[max(0, next-maxBack):next]) {
		var texts []string
		for i := 2; i < len(m); i += 2 {
			if m[i] < m[i+1] {
				texts = append(texts, string(p.source[m[i]:m[i+1]]))
			}
		}
		if variable == "_" || len(texts) > 1 && parameter(texts[1]) == variable { // Perl's @_
			return texts[0]
		}
	}
	return ""
}

// quotes records the commands in quotes of their own.
func (p *parser) quotes() {
	if p.quoted == nil {
		return
	}
	for _, m := range p.quoted.FindAllSubmatch(p.source, maxStarts) {
		if s, ok := p.command(string(bytes.Join(m[1:], nil)), true); ok {
			p.starts = append(p.starts, s)
		}
	}
}

var (
	// commentLine matches lines that are comments in one of the languages.
	commentLine = regexp.MustCompile(`(?m)^[ \t]*(?:#|//|\*).*$`)
	// beforeLiteral is what may stand before the first literal: a list's begin,
	// how os.spawnl starts the program, the environment.
	beforeLiteral = regexp.MustCompile(`^\s*(?:os\.P_\w+,\s*|\{[^{}\n]*\},\s*)?(\[|array\(|\()?\s*`)
	literalText   = regexp.MustCompile("^[bfru]{0,2}(?:\"((?:[^\"\\\\\\n]|\\\\.)*)\"|'((?:[^'\\\\\\n]|\\\\.)*)'|`([^`\\n]*)`)")
	nextLiteral   = regexp.MustCompile(`^\s*,\s*\[?\s*`)
	inserted      = regexp.MustCompile(`[#$]?\{[^{}]*\}`) // a value in a literal
	shellOption   = regexp.MustCompile(`^[^;]{0,200}?\bshell\s*[:=]\s*[Tt]rue\b`)
)

// shellCharacters make Ruby and Perl leave a command to the shell.
const shellCharacters = "*?{}[]<>()~&|\\$;'`\"\n"

// started reads the literals that the arguments of a call begin with.
func (l *Language) started(args []byte, shell bool) (Start, bool) {
	before := beforeLiteral.FindSubmatch(args)
	list := len(before[1]) > 0 && before[1][0] != '('
	args = args[len(before[0]):]
	var words []string
	for len(words) < maxWords {
		m := literalText.FindSubmatch(args)
		if m == nil {
			break
		}
		words = append(words, string(bytes.Join(m[1:], nil)))
		args = args[len(m[0]):]
		next := nextLiteral.Find(args)
		if next == nil {
			break
		}
		args = args[len(next):]
	}
	switch {
	case len(words) == 0 || words[0] == "":
		return Start{}, false
	case list || len(words) > 1 && !shell && !strings.Contains(words[0], " "):
		return Start{Words: words}, true
	}
	return l.command(words[0], shell || shellOption.Match(args))
}

// command reads a command line in one literal. Without a shell even its builtins
// are programs.
func (l *Language) command(line string, shell bool) (Start, bool) {
	if l.simple {
		shell = strings.ContainsAny(line, shellCharacters)
	}
	words := strings.Fields(line)
	switch {
	case len(words) == 0:
		return Start{}, false
	case shell:
		return Start{Script: inserted.ReplaceAllString(line, "$$x")}, true
	}
	return Start{Words: words[:min(len(words), maxWords)]}, true
}
