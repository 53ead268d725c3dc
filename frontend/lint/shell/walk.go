package shell

import (
	"slices"

	"github.com/moby/buildkit/frontend/dockerfile/parser"
	"mvdan.cc/sh/v3/syntax"
)

// walker goes through a script as the shell would, taking every branch.
type walker struct {
	out   *Script
	lines lines
	total *int
}

// frame is what a part of a script runs in.
type frame struct {
	*walker
	src       text
	env       env
	shell     shellState
	wrapper   *Command // that started the script
	redirects []Redirect
	nested    int  // how many shells are around
	loops     int  // how many loops and functions are around
	branch    bool // in a condition, loop or function
	exec      bool // not a script, but the exec form
	functions map[string]bool
}

// script reads a whole script.
func (f frame) script(src text) error {
	if *f.total += len(src.s) + 100; f.nested > maxNested || *f.total > maxTotal {
		return errTooLarge
	}
	file, err := parseText(src.s)
	if err != nil {
		return err
	}
	f.src, f.exec, f.functions = src, false, map[string]bool{}
	return f.stmts(file.Stmts)
}

func (f *frame) stmts(stmts []*syntax.Stmt) error {
	for _, s := range stmts {
		if err := f.stmt(s); err != nil {
			return err
		}
	}
	return nil
}

func (f *frame) stmt(s *syntax.Stmt) error {
	if s == nil {
		return nil
	}
	outer := len(f.redirects)
	var heredoc *text
	for _, r := range s.Redirs {
		doc, err := f.redirect(r)
		if err != nil {
			return err
		}
		if doc != nil {
			heredoc = doc
		}
	}
	err := f.command(s.Cmd, heredoc)
	f.redirects = f.redirects[:outer:outer]
	return err
}

// redirect notes a redirection and returns the here-document that it reads.
func (f *frame) redirect(r *syntax.Redirect) (*text, error) {
	if err := f.words(r.Word, r.Hdoc); err != nil {
		return nil, err
	}
	if r.Op == syntax.Hdoc || r.Op == syntax.DashHdoc {
		doc, err := f.heredoc(r)
		return &doc, err
	}
	words, err := f.expand(r.Word, f.src, f.env, false)
	if err != nil {
		return nil, err
	}
	if r.Op == syntax.WordHdoc {
		return &words[0].whole, nil
	}
	f.redirects = append(f.redirects, Redirect{Op: r.Op.String(), Target: words[0]})
	return nil, nil //nolint:nilnil // most redirections read no document
}

// command runs one command of any kind.
func (f *frame) command(cmd syntax.Command, heredoc *text) error {
	switch c := cmd.(type) {
	case *syntax.CallExpr:
		return f.call(c, heredoc)
	case *syntax.DeclClause:
		return f.declare(c)
	case *syntax.BinaryCmd:
		return f.binary(c)
	case *syntax.Block:
		return f.stmts(c.Stmts)
	case *syntax.Subshell:
		return f.apart(func() error { return f.stmts(c.Stmts) })
	case *syntax.IfClause, *syntax.WhileClause, *syntax.ForClause, *syntax.CaseClause, *syntax.FuncDecl:
		outer := f.branch
		f.branch = true
		err := f.branching(c)
		f.branch = outer
		return err
	case *syntax.TimeClause:
		return f.stmt(c.Stmt)
	case *syntax.CoprocClause:
		return f.apart(func() error { return f.stmt(c.Stmt) })
	case nil:
		return nil
	default: // tests and arithmetic
		return f.substitutions(c)
	}
}

// branching runs a command whose parts may run never, or many times.
func (f *frame) branching(cmd syntax.Command) error {
	switch c := cmd.(type) {
	case *syntax.IfClause:
		return f.conditional(c)
	case *syntax.WhileClause:
		return f.loop(c, func() error {
			if err := f.stmts(c.Cond); err != nil {
				return err
			}
			return f.stmts(c.Do)
		})
	case *syntax.ForClause:
		if iter, ok := c.Loop.(*syntax.WordIter); ok {
			if err := f.words(iter.Items...); err != nil {
				return err
			}
		}
		return f.loop(c, func() error { return f.stmts(c.Do) })
	case *syntax.CaseClause:
		return f.cases(c)
	case *syntax.FuncDecl:
		if c.Name != nil {
			f.functions[c.Name.Value] = true
		}
		return f.loop(c, func() error { return f.stmt(c.Body) })
	}
	return nil
}

// apart runs what cannot change the variables of this shell.
func (f *frame) apart(run func() error) error {
	e, shell := f.env, f.shell
	err := run()
	f.env, f.shell = e, shell
	return err
}

// maybe runs what may not happen.
func (f *frame) maybe(run func() error) error {
	before := f.env
	err := run()
	f.env = before.uncertain(f.env)
	return err
}

// loop runs what may happen many times: nothing that it sets is certain, from
// its start on.
func (f *frame) loop(node syntax.Node, run func() error) error {
	if f.loops++; f.loops > maxLoops {
		return errTooLarge
	}
	defer func() { f.loops-- }()
	syntax.Walk(node, func(n syntax.Node) bool {
		switch n := n.(type) {
		case *syntax.Assign:
			if n.Name != nil {
				f.env = f.env.set(assignment{name: n.Name.Value})
			}
		case *syntax.WordIter:
			f.env = f.env.set(assignment{name: n.Name.Value})
		}
		return true
	})
	return f.maybe(run)
}

func (f *frame) conditional(c *syntax.IfClause) error {
	if err := f.stmts(c.Cond); err != nil {
		return err
	}
	before := f.env
	if err := f.stmts(c.Then); err != nil {
		return err
	}
	then := f.env
	f.env = before
	if c.Else != nil {
		if err := f.conditional(c.Else); err != nil {
			return err
		}
	}
	f.env = before.uncertain(then, f.env)
	return nil
}

func (f *frame) cases(c *syntax.CaseClause) error {
	if err := f.words(c.Word); err != nil {
		return err
	}
	before := f.env
	var after []env
	for _, item := range c.Items {
		f.env = before
		if err := f.words(item.Patterns...); err != nil {
			return err
		}
		if err := f.stmts(item.Stmts); err != nil {
			return err
		}
		after = append(after, f.env)
	}
	f.env = before.uncertain(after...)
	return nil
}

func (f *frame) binary(c *syntax.BinaryCmd) error {
	switch c.Op {
	case syntax.Pipe, syntax.PipeAll:
		stages := pipeline(c)
		pipe := Pipe{Range: f.span(c), Shell: f.shell.name, Pipefail: f.shell.pipefail}
		for _, s := range stages {
			pipe.Stages = append(pipe.Stages, f.span(s))
		}
		f.out.Pipes = append(f.out.Pipes, pipe)
		for _, s := range stages { // each in a shell of its own
			if err := f.apart(func() error { return f.stmt(s) }); err != nil {
				return err
			}
		}
		return nil
	case syntax.OrStmt:
		if err := f.stmt(c.X); err != nil {
			return err
		}
		return f.maybe(func() error { return f.stmt(c.Y) })
	default:
		return f.and(c)
	}
}

// and runs a chain of &&. Along it all is certain; behind it only what its
// first command set.
func (f *frame) and(c *syntax.BinaryCmd) error {
	var chain []*syntax.Stmt
	x := c.X
	for {
		chain = append(chain, c.Y)
		left, ok := x.Cmd.(*syntax.BinaryCmd)
		if !ok || left.Op != syntax.AndStmt || len(x.Redirs) > 0 {
			break
		}
		c, x = left, left.X
	}
	if err := f.stmt(x); err != nil {
		return err
	}
	return f.maybe(func() error {
		slices.Reverse(chain)
		return f.stmts(chain)
	})
}

// pipeline are the commands of a pipeline, which the parser nests to the left.
func pipeline(c *syntax.BinaryCmd) []*syntax.Stmt {
	stages := []*syntax.Stmt{c.Y}
	for {
		left, ok := c.X.Cmd.(*syntax.BinaryCmd)
		if !ok || left.Op != syntax.Pipe && left.Op != syntax.PipeAll || len(c.X.Redirs) > 0 {
			stages = append(stages, c.X)
			slices.Reverse(stages)
			return stages
		}
		c = left
		stages = append(stages, c.Y)
	}
}

// span is where a node stands.
func (f *frame) span(node syntax.Node) parser.Range {
	return f.lines.span(f.src, offset(node.Pos()), offset(node.End()))
}

// words runs the commands inside of words.
func (f *frame) words(words ...*syntax.Word) error {
	for _, w := range words {
		if w == nil {
			continue
		}
		if err := f.substitutions(w); err != nil {
			return err
		}
	}
	return nil
}

// substitutions runs the commands inside of a node that is no command itself.
func (f *frame) substitutions(node syntax.Node) error {
	var err error
	syntax.Walk(node, func(n syntax.Node) bool {
		if err != nil {
			return false
		}
		switch n := n.(type) {
		case *syntax.CmdSubst:
			err = f.apart(func() error { return f.stmts(n.Stmts) })
			return false
		case *syntax.ProcSubst:
			err = f.apart(func() error { return f.stmts(n.Stmts) })
			return false
		case *syntax.ParamExp: // ${X:=default}
			if n.Param != nil && n.Exp != nil && (n.Exp.Op == syntax.AssignUnset || n.Exp.Op == syntax.AssignUnsetOrNull) {
				f.env = f.env.set(assignment{name: n.Param.Value})
			}
		}
		return true
	})
	return err
}
