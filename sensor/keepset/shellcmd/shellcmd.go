// Package shellcmd lists the programs that a shell script may start: every
// command word, in branches that are not taken too.
//
// Only words that are literal count; what a variable holds is never guessed.
// keepset imports it.
package shellcmd

import (
	"bytes"
	"fmt"
	"path"
	"slices"
	"strings"

	"mvdan.cc/sh/v3/syntax"
)

// MaxSize is the size in bytes of the largest script that is parsed. With
// maxOpen it bounds how deep a hostile script can nest, and so the parser's
// stack and time.
const MaxSize = 64 << 10

// maxOpen bounds the opening parentheses of a script.
const maxOpen = 4096

// Script is what a script names.
type Script struct {
	Commands []string // programs, sorted, each once
	Sourced  []string // files read with "." or source, sorted, each once
	// Paths are the absolute paths among its words and redirections, sorted,
	// each once. Of a word that is not literal, or a pattern, it is the folder
	// that its literal begin tells: /etc/conf.d of /etc/conf.d/*.sh and of
	// "/etc/conf.d/$name".
	Paths []string
}

// Parse reads a script of sh, dash, bash or ksh. name is for errors.
func Parse(name string, script []byte) (Script, error) {
	file, err := parse(name, script)
	if err != nil {
		return Script{}, err
	}
	var s Script
	functions := map[string]bool{}
	syntax.Walk(file, func(n syntax.Node) bool {
		switch n := n.(type) {
		case *syntax.FuncDecl:
			functions[n.Name.Value] = true
		case *syntax.CallExpr:
			s.call(literals(n.Args))
		case *syntax.Word:
			s.path(n)
		}
		return true
	})
	s.Commands = slices.DeleteFunc(s.Commands, func(c string) bool { return functions[c] || isBuiltin(c) })
	s.Commands, s.Sourced, s.Paths = unique(s.Commands), unique(s.Sourced), unique(s.Paths)
	return s, nil
}

// Chain splits a command line into the command lines of the programs that it
// starts one after the other: "tini -- run x" starts "run x".
func Chain(words []string) [][]string {
	var chain [][]string
	for len(words) > 0 && words[0] != "" {
		chain = append(chain, words)
		w, ok := wrappers[path.Base(words[0])]
		if !ok {
			break
		}
		words = w.rest(words[1:])
	}
	return chain
}

// path records the absolute path that a word begins with.
func (s *Script) path(w *syntax.Word) {
	word, whole := literal(w.Parts)
	if !strings.HasPrefix(word, "/") {
		return
	}
	if i := strings.IndexAny(word, "*?["); i >= 0 {
		word, whole = word[:i], false
	}
	if !whole {
		word = word[:strings.LastIndexByte(word, '/')+1]
	}
	if word = path.Clean(word); word != "/" {
		s.Paths = append(s.Paths, word)
	}
}

func parse(name string, script []byte) (*syntax.File, error) {
	if len(script) > MaxSize {
		return nil, fmt.Errorf("script %s is larger than %d bytes", name, MaxSize)
	}
	if bytes.Count(script, []byte("(")) > maxOpen {
		return nil, fmt.Errorf("script %s has more than %d opening parentheses", name, maxOpen)
	}
	return syntax.NewParser(syntax.Variant(syntax.LangBash)).Parse(bytes.NewReader(script), name)
}

// First returns the programs that a script starts first whatever happens, and
// that those start in turn: of "exec env x", env and x. It is nil where that
// depends on something, or is not literal. name is for errors.
func First(name string, script []byte) ([]string, error) {
	file, err := parse(name, script)
	if err != nil {
		return nil, err
	}
	for _, st := range file.Stmts {
		cmd := st.Cmd
		for list, ok := cmd.(*syntax.BinaryCmd); ok; list, ok = cmd.(*syntax.BinaryCmd) {
			cmd = list.X.Cmd
		}
		switch cmd := cmd.(type) {
		case *syntax.DeclClause: // export
		case *syntax.CallExpr:
			words := literals(cmd.Args)
			if len(words) == 0 || st.Cmd == cmd && slices.Contains([]string{"set", "cd", "umask", "ulimit"}, words[0]) {
				continue // it goes on whatever comes of it
			}
			var s Script
			s.call(words)
			return slices.DeleteFunc(s.Commands, isBuiltin), nil
		default:
			return nil, nil
		}
	}
	return nil, nil
}

func unique(words []string) []string {
	slices.Sort(words)
	return slices.Compact(words)
}

// call records the program that a command line starts, and the one that this
// program starts in turn. An empty word stands for one that is not literal.
func (s *Script) call(words []string) {
	for _, line := range Chain(words) {
		if command := line[0]; command != "." && command != "source" {
			s.Commands = append(s.Commands, command)
			continue
		}
		if len(line) > 1 && line[1] != "" {
			s.Sourced = append(s.Sourced, line[1])
		}
	}
}

// wrapper describes a program that starts the program named by its arguments.
type wrapper struct {
	operands int    // that come before the program
	values   string // letters of options that take a value
}

// wrappers are the usual ones of entrypoint scripts.
var wrappers = map[string]wrapper{
	"exec":      {values: "a"},
	"command":   {},
	"env":       {values: "uCS"},
	"nice":      {values: "n"},
	"nohup":     {},
	"time":      {values: "fo"},
	"timeout":   {operands: 1, values: "ks"},
	"xargs":     {values: "adEILnPs"},
	"gosu":      {operands: 1},
	"su-exec":   {operands: 1},
	"setpriv":   {},
	"chroot":    {operands: 1},
	"stdbuf":    {values: "ioe"},
	"tini":      {values: "egp"},
	"dumb-init": {values: "r"},
}

// rest returns the words from the wrapped program on.
func (w wrapper) rest(words []string) []string {
	operands := w.operands
	for i := 0; i < len(words); i++ {
		word := words[i]
		switch {
		case word == "--":
			continue
		case len(word) == 2 && word[0] == '-' && strings.Contains(w.values, word[1:]):
			i++
		case strings.HasPrefix(word, "-"), isAssignment(word):
		case operands > 0:
			operands--
		default:
			return words[i:]
		}
	}
	return nil
}

func isAssignment(word string) bool {
	name, _, ok := strings.Cut(word, "=")
	return ok && syntax.ValidName(name)
}

// literals returns the value of each word, "" for one that is not literal.
func literals(words []*syntax.Word) []string {
	out := make([]string, len(words))
	for i, w := range words {
		if word, whole := literal(w.Parts); whole {
			out[i] = word
		}
	}
	return out
}

// literal returns the text of a word, or as far as it is literal.
func literal(parts []syntax.WordPart) (text string, whole bool) {
	var b strings.Builder
	for _, p := range parts {
		switch p := p.(type) {
		case *syntax.Lit:
			b.WriteString(unescape(p.Value))
		case *syntax.SglQuoted:
			b.WriteString(p.Value)
		case *syntax.DblQuoted:
			inner, ok := literal(p.Parts)
			b.WriteString(inner)
			if !ok {
				return b.String(), false
			}
		default:
			return b.String(), false
		}
	}
	return b.String(), true
}

func unescape(s string) string {
	return strings.ReplaceAll(s, `\`, "")
}

// isBuiltin says whether every POSIX shell runs the command itself (POSIX 2.14
// and 1.7, dash(1), bash(1)).
func isBuiltin(command string) bool {
	const builtins = " . : [ alias bg break cd command continue declare echo eval exec exit" +
		" export false fg getopts hash help history jobs kill let local mapfile popd" +
		" printf pushd pwd read readarray readonly return set shift shopt source test" +
		" times trap true type typeset ulimit umask unalias unset wait "
	return strings.Contains(builtins, " "+command+" ")
}
