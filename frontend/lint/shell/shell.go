// Package shell says what the shell of a RUN instruction does: which programs
// it starts, with which words, and where each word stands in the Dockerfile.
//
// A word counts as known only if it is literal or made of variables whose value
// is certain; what is not understood is marked so and never guessed. Used by the
// rules of package lint, and to find the steps that apply updates; imported by
// lint and frontend.
package shell

import (
	"errors"
	"fmt"
	"path"
	"slices"
	"strings"

	"github.com/moby/buildkit/frontend/dockerfile/parser"
	"mvdan.cc/sh/v3/syntax"
)

// Bounds on hostile Dockerfiles: they keep the parser's stack, and time and
// memory of everything here, small. What is beyond is not understood.
const (
	maxSize    = 64 << 10  // bytes of one script
	maxOpen    = 4096      // opening parentheses of one script
	maxNested  = 8         // shells started by shells
	maxLoops   = 100       // loops in loops
	maxTotal   = 512 << 10 // bytes of all words and nested scripts
	maxAssigns = 1000      // assignments that are followed
)

// Source is an instruction that runs commands (RUN, CMD, ENTRYPOINT, HEALTHCHECK
// CMD, each behind ONBUILD too) as it stands in the Dockerfile.
type Source struct {
	// Lines are the instruction's, heredocs included, without line ends.
	Lines []string
	// Line is the number of the first, from 1.
	Line int
	// Escape is the Dockerfile's escape character; 0 for a backslash.
	Escape rune
	// Shell is what SHELL says; nil for the default of Linux.
	Shell []string
	// Env are the variables with a known value: ENV and ARG in effect.
	Env map[string]string
}

// Script is what an instruction runs.
type Script struct {
	// Err says why the script was not understood; then nothing else is set.
	Err error
	// Shell is the name of the program that runs it ("sh", "bash", ...); ""
	// for the exec form.
	Shell string
	// Text is what that shell gets to read.
	Text string
	// Commands are all, those of branches that may not be taken and those that
	// other commands start included, in the order of the text.
	Commands []*Command
	// Pipes are the pipelines of two or more commands.
	Pipes []Pipe
	// Assigns are the variables that are set, in the order of the text.
	Assigns []Assign
}

// Command is a program, or a builtin of the shell, with its words.
type Command struct {
	// Name is the program's base name; "" if it is not known.
	Name string
	// Args are the words behind the name.
	Args []Word
	// Wrapper is the command that starts this one: sudo, env, xargs, a shell
	// with -c, find -exec and so on. Nil if the script itself does.
	Wrapper *Command
	// Redirects are the command's and those of the groups that it is in.
	Redirects []Redirect
	// Branch says that the command is part of a condition, a loop or a function:
	// it may run never, or many times.
	Branch bool
	// Exec says that this is the exec form: words are JSON strings.
	Exec bool
	// Range is from the name to the last word.
	Range parser.Range
	// Word is the name as written.
	Word Word

	env env
	// heredoc is what the command reads as a here-document or -string.
	heredoc *text
}

// Word is one argument.
type Word struct {
	// Text is the word after expansion. If it is not Known, it is the part
	// before the first unknown one.
	Text  string
	Known bool
	// Many says that the word may become any number of words, or none.
	Many bool
	// Range is where it stands; words out of one variable share it.
	Range parser.Range
	// Literal says that the file has exactly Text there.
	Literal bool

	// whole is the word as a script: unknown parts are a variable there.
	whole text
}

// MayBeOption tells whether the word may begin with a dash.
func (w Word) MayBeOption() bool {
	return !w.Known && w.Text == "" || strings.HasPrefix(w.Text, "-")
}

// Redirect is one redirection.
type Redirect struct {
	Op     string // ">", ">>", "<", "&>", ...
	Target Word
}

// Writes tells whether the file named by Target is written.
func (r Redirect) Writes() bool { return strings.Contains(r.Op, ">") && r.Op != ">&" }

// Pipe is a pipeline.
type Pipe struct {
	Range parser.Range
	// Stages are its commands.
	Stages []parser.Range
	// Shell is the name of the shell that it runs in.
	Shell string
	// Pipefail says that the failure of any of its commands is seen.
	Pipefail bool
}

// Assign is one assignment to a variable.
type Assign struct {
	Name  string
	Value Word
	Range parser.Range // of name and value
}

// errTooLarge says that a bound was met.
var errTooLarge = errors.New("script is too large")

// errNotShell says that something else than a POSIX shell runs the script.
var errNotShell = errors.New("not a script of a POSIX shell")

// Parse reads what an instruction runs.
func Parse(src Source) Script {
	in, err := instruction(src)
	if err != nil {
		return Script{Err: err}
	}
	w := &walker{out: &Script{Shell: in.shell.name, Text: in.body.s}, lines: in.lines, total: new(int)}
	f := frame{walker: w, env: env{base: src.Env}, shell: in.shell, exec: in.words != nil}
	if f.exec {
		err = f.run(in.words, f.env, nil, nil)
	} else {
		err = f.script(in.body)
	}
	if err != nil {
		return Script{Err: err}
	}
	slices.SortStableFunc(w.out.Commands, func(a, b *Command) int { return compare(a.Range.Start, b.Range.Start) })
	return *w.out
}

func compare(a, b parser.Position) int {
	if a.Line != b.Line {
		return a.Line - b.Line
	}
	return a.Character - b.Character
}

// parseText parses a script.
func parseText(s string) (*syntax.File, error) {
	if len(s) > maxSize || strings.Count(s, "(") > maxOpen {
		return nil, errTooLarge
	}
	file, err := syntax.NewParser(syntax.Variant(syntax.LangBash)).Parse(strings.NewReader(s), "")
	if err != nil {
		return nil, fmt.Errorf("parse shell script: %w", err)
	}
	return file, nil
}

// isShell tells whether a program's base name is that of a POSIX shell.
func isShell(name string) bool {
	return slices.Contains([]string{"sh", "bash", "dash", "ash", "ksh", "mksh", "zsh"}, name)
}

func baseName(program string) string {
	if program == "" {
		return ""
	}
	return path.Base(program)
}
