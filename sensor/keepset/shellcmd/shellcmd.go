// Package shellcmd lists the programs that a shell script may start: every
// command word, in branches that are not taken too, and in scripts within the
// script.
//
// Words count that are literal, and variables that a literal is assigned to;
// what else a variable holds is never guessed. keepset and program import it.
package shellcmd

import (
	"bytes"
	"fmt"
	"path"
	"regexp"
	"slices"
	"strings"

	"mvdan.cc/sh/v3/syntax"
)

// MaxSize is the size in bytes of the largest script that is parsed. With
// maxOpen it bounds how deep a hostile script can nest, and so the parser's
// stack and time.
const MaxSize = 64 << 10

// Bounds of one script.
const (
	maxOpen   = 4096 // opening parentheses
	maxNested = 4    // scripts within scripts, programs that start programs
	maxValues = 64   // of a variable
	maxCalls  = 1 << 16
)

// Script is what a script names.
type Script struct {
	// Commands are programs, sorted, each once. The commands of git are among
	// them by the names of its helpers: git-clone(1).
	Commands []string
	Sourced  []string // files read with "." or source, sorted, each once
	// Paths are the absolute paths among its words and redirections, sorted,
	// each once. Of a word that is not literal, or a pattern, it is the folder
	// that its literal begin tells: /etc/conf.d of /etc/conf.d/*.sh and of
	// "/etc/conf.d/$name".
	Paths []string
}

// Parse reads a script of sh, dash, bash or ksh. name is for errors.
func Parse(name string, script []byte) (Script, error) {
	r := newReader()
	if err := r.read(name, script); err != nil {
		return Script{}, err
	}
	return r.sorted(), nil
}

// Line is what a command line names that no shell reads, so that even a builtin
// is a program.
func Line(words []string) Script {
	r := newReader()
	r.call(words)
	return r.sorted()
}

// reader reads a script.
type reader struct {
	Script
	shell     bool // that reads the command line
	functions map[string]bool
	values    map[string][][]string // words that a variable may hold
	depth     int
	calls     int
}

func newReader() *reader {
	return &reader{functions: map[string]bool{}, values: map[string][][]string{}}
}

func (r *reader) sorted() Script {
	return Script{Commands: unique(r.Commands), Sourced: unique(r.Sourced), Paths: unique(r.Paths)}
}

func (r *reader) read(name string, script []byte) error {
	file, err := parse(name, script)
	if err != nil {
		return err
	}
	defer func(before bool) { r.shell = before }(r.shell)
	r.shell = true
	syntax.Walk(file, func(n syntax.Node) bool {
		r.define(n)
		return true
	})
	syntax.Walk(file, func(n syntax.Node) bool {
		switch n := n.(type) {
		case *syntax.CallExpr:
			r.call(texts(n.Args))
		case *syntax.Word:
			r.path(n)
		}
		return true
	})
	return nil
}

// deeper does what leads from one command line to others, within bounds.
func (r *reader) deeper(do func()) {
	if r.calls++; r.depth >= maxNested || r.calls > maxCalls {
		return
	}
	r.depth++
	do()
	r.depth--
}

// nested reads a script that is a word of the script. What no shell can read
// names nothing.
func (r *reader) nested(script string) {
	r.deeper(func() { _ = r.read("", []byte(expansion.ReplaceAllString(script, "$$x"))) })
}

// define records functions, and the literals that variables may hold.
func (r *reader) define(n syntax.Node) {
	switch n := n.(type) {
	case *syntax.FuncDecl:
		r.functions[n.Name.Value] = true
	case *syntax.Assign:
		switch {
		case n.Name == nil:
		case n.Value != nil:
			r.assign(n.Name.Value, strings.Fields(text(n.Value.Parts)))
		case n.Array != nil:
			var words []string
			for _, e := range n.Array.Elems {
				if e.Value != nil {
					words = append(words, text(e.Value.Parts))
				}
			}
			r.assign(n.Name.Value, words)
		}
	case *syntax.WordIter:
		for _, word := range texts(n.Items) {
			r.assign(n.Name.Value, []string{word})
		}
	case *syntax.ParamExp: // ${X:-y}, ${X:=y}
		if n.Param != nil && n.Exp != nil && n.Exp.Word != nil && isDefault(n.Exp.Op) {
			r.assign(n.Param.Value, strings.Fields(text(n.Exp.Word.Parts)))
		}
	}
}

// assign records what a variable may hold.
func (r *reader) assign(name string, words []string) {
	if len(words) > 0 && words[0] != "" && len(r.values[name]) < maxValues {
		r.values[name] = append(r.values[name], words)
	}
}

// Chain splits a command line into the command lines of the programs that it
// starts one after the other: "tini -- run x" starts "run x".
func Chain(words []string) [][]string {
	var chain [][]string
	for len(words) > 0 && words[0] != "" && isLiteral(words[0]) {
		chain = append(chain, words)
		words = rest(words)
	}
	return chain
}

// path records the absolute path that a word begins with.
func (r *reader) path(w *syntax.Word) {
	word, _, more := strings.Cut(text(w.Parts), mark)
	whole := !more
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
		r.Paths = append(r.Paths, word)
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
			words := texts(cmd.Args)
			if len(words) == 0 || st.Cmd == cmd && slices.Contains([]string{"set", "cd", "umask", "ulimit"}, words[0]) {
				continue // it goes on whatever comes of it
			}
			return first(words), nil
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

// first returns the programs that a command line starts, one by the other.
func first(words []string) []string {
	var names []string
	for _, line := range Chain(words) {
		if !isBuiltin(line[0]) {
			names = append(names, line[0])
		}
	}
	return names
}

// call records the program that a command line starts, and the one that this
// program starts in turn.
func (r *reader) call(words []string) {
	for _, line := range Chain(words) {
		if command := line[0]; !r.shell || !r.functions[command] && !isBuiltin(command) {
			r.Commands = append(r.Commands, command)
		}
		r.deeper(func() { r.arguments(path.Base(line[0]), line[1:]) })
		words = rest(line)
	}
	if len(words) == 0 {
		return
	}
	for _, value := range r.held(words[0]) {
		r.deeper(func() { r.call(slices.Concat(value, words[1:])) })
	}
}

// held are the words that a word may stand for that is a variable.
func (r *reader) held(word string) [][]string {
	if m := expansion.FindStringSubmatch(word); m != nil && m[0] == word {
		return r.values[m[1]]
	}
	return nil
}

// arguments records what the arguments of a command name, by what the command
// is known to do with them.
func (r *reader) arguments(command string, args []string) {
	script := ""
	switch {
	case len(args) == 0:
	case command == "." || command == "source":
		r.source(args[0])
	case command == "eval":
		script = strings.Join(args, " ")
	case command == "trap":
		script = args[0]
	case command == "su" || command == "runuser":
		_, after, _ := cut(args, "-c", "--command")
		script = strings.Join(after[:min(len(after), 1)], "")
	case IsShell(command):
		script, _ = Arguments(args)
	case command == "git":
		if words := (wrapper{values: "Cc"}).rest(args); len(words) > 0 && isLiteral(words[0]) {
			r.Commands = append(r.Commands, "git-"+words[0])
		}
	case command == "find":
		r.find(args)
	}
	if script != "" {
		r.nested(script)
	}
}

// find records the programs that find(1) starts.
func (r *reader) find(args []string) {
	for {
		_, after, ok := cut(args, "-exec", "-execdir", "-ok", "-okdir")
		if !ok {
			return
		}
		line, more, _ := cut(after, ";", "+")
		r.call(line)
		args = more
	}
}

// cut splits words around the first that is one of at.
func cut(words []string, at ...string) (before, after []string, ok bool) {
	i := slices.IndexFunc(words, func(word string) bool { return slices.Contains(at, word) })
	if i < 0 {
		return words, nil, false
	}
	return words[:i], words[i+1:], true
}

// source records a file that is read.
func (r *reader) source(file string) {
	if isLiteral(file) {
		r.Sourced = append(r.Sourced, file)
	}
	for _, value := range r.held(file) {
		if len(value) == 1 && isLiteral(value[0]) {
			r.Sourced = append(r.Sourced, value[0])
		}
	}
}

// IsShell says whether a program is a shell whose scripts are read here.
func IsShell(program string) bool {
	return slices.Contains([]string{"sh", "ash", "dash", "bash", "ksh", "mksh"}, path.Base(program))
}

// Arguments returns the script of sh -c, or else the file to run (sh(1)).
func Arguments(args []string) (script, file string) {
	for i, arg := range args {
		switch {
		case strings.HasPrefix(arg, "-") && !strings.HasPrefix(arg, "--") && strings.Contains(arg, "c"):
			if i+1 < len(args) {
				return args[i+1], ""
			}
			return "", ""
		case !strings.HasPrefix(arg, "-") && !strings.HasPrefix(arg, "+"):
			return "", arg
		}
	}
	return "", ""
}

// wrapper describes a program that starts the program named by its arguments.
type wrapper struct {
	operands int    // that come before the program
	values   string // letters of options that take a value
}

// wrappers are the usual ones of entrypoint scripts.
var wrappers = map[string]wrapper{
	"catatonit":    {},
	"chpst":        {values: "bcdefklmnoprstu/"},
	"chroot":       {operands: 1},
	"chrt":         {operands: 1, values: "DPT"},
	"command":      {},
	"dumb-init":    {values: "r"},
	"env":          {values: "uCS"},
	"exec":         {values: "a"},
	"flock":        {operands: 1, values: "wE"},
	"gosu":         {operands: 1},
	"ionice":       {values: "cn"},
	"nice":         {values: "n"},
	"nohup":        {},
	"runuser":      {values: "u"},
	"s6-setuidgid": {operands: 1},
	"set":          {},
	"setpriv":      {},
	"setsid":       {},
	"stdbuf":       {values: "ioe"},
	"su-exec":      {operands: 1},
	"sudo":         {values: "CDghpRrTtuU"},
	"time":         {values: "fo"},
	"timeout":      {operands: 1, values: "ks"},
	"tini":         {values: "egp"},
	"xargs":        {values: "adEILnPs"},
}

// rest returns the command line of the program that a command line starts, if it
// is known to start one.
func rest(words []string) []string {
	w, ok := wrappers[path.Base(words[0])]
	if !ok {
		return nil
	}
	return w.rest(words[1:])
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

// mark encloses the name of a parameter in the text of a word, where what it
// expands to would stand; no name, for expansions of other kinds. Words of
// scripts have no such byte.
const mark = "\x00"

// expansion matches one that text has marked.
var expansion = regexp.MustCompile(`\x00([^\x00]*)\x00`)

// isLiteral says whether a word stands for itself.
func isLiteral(word string) bool { return !strings.Contains(word, mark) }

// texts returns the text of each word.
func texts(words []*syntax.Word) []string {
	out := make([]string, len(words))
	for i, w := range words {
		out[i] = text(w.Parts)
	}
	return out
}

// text returns the text of a word, with its expansions marked.
func text(parts []syntax.WordPart) string {
	var b strings.Builder
	for _, p := range parts {
		switch p := p.(type) {
		case *syntax.Lit:
			b.WriteString(unescape(p.Value))
		case *syntax.SglQuoted:
			b.WriteString(p.Value)
		case *syntax.DblQuoted:
			b.WriteString(text(p.Parts))
		case *syntax.ParamExp:
			b.WriteString(mark + parameter(p) + mark)
		default:
			b.WriteString(mark + mark)
		}
	}
	return b.String()
}

// parameter is the name of the parameter of which an expansion is the value, or
// that or another; empty for lengths, parts and the like.
func parameter(p *syntax.ParamExp) string {
	if p.Param == nil || p.Length || p.Excl || p.Slice != nil || p.Repl != nil || p.Exp != nil && !isDefault(p.Exp.Op) {
		return ""
	}
	return p.Param.Value
}

// isDefault says whether an expansion is the parameter's value or a word.
func isDefault(op syntax.ParExpOperator) bool {
	switch op {
	case syntax.DefaultUnset, syntax.DefaultUnsetOrNull, syntax.AssignUnset, syntax.AssignUnsetOrNull:
		return true
	}
	return false
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
