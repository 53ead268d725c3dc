package shell

import (
	"slices"
	"strings"

	"mvdan.cc/sh/v3/syntax"
)

// call runs a simple command.
func (f *frame) call(c *syntax.CallExpr, heredoc *text) error {
	e := f.env
	for _, a := range c.Assigns {
		set, err := f.assign(a, e)
		if err != nil {
			return err
		}
		set.exported = len(c.Args) > 0
		e = e.set(set)
	}
	if len(c.Args) == 0 {
		f.env = e
		return nil
	}
	if err := f.words(c.Args...); err != nil {
		return err
	}
	var words []Word
	for _, arg := range c.Args {
		expanded, err := f.expand(arg, f.src, f.env, true)
		if err != nil {
			return err
		}
		words = append(words, expanded...)
	}
	if err := f.run(words, e, f.wrapper, heredoc); err != nil {
		return err
	}
	f.builtin(words)
	return nil
}

// assign evaluates one assignment.
func (f *frame) assign(a *syntax.Assign, e env) (assignment, error) {
	if a.Name == nil {
		return assignment{}, nil
	}
	set := assignment{name: a.Name.Value}
	if a.Array != nil || a.Index != nil {
		return set, f.substitutions(a)
	}
	if err := f.words(a.Value); err != nil {
		return set, err
	}
	words, err := f.expand(a.Value, f.src, e, false)
	if err != nil {
		return set, err
	}
	value := words[0]
	f.out.Assigns = append(f.out.Assigns, Assign{
		Name: set.name, Value: value, Range: f.span(a),
	})
	set.value, set.known = value.Text, value.Known
	if a.Append {
		before, known := e.value(set.name)
		set.value, set.known = before+value.Text, known && value.Known && len(before) < maxSize
	}
	if !set.known {
		set.value = ""
	}
	return set, nil
}

// declare runs export, declare, local and their kind.
func (f *frame) declare(c *syntax.DeclClause) error {
	export := c.Variant.Value == "export"
	for _, a := range c.Args {
		if a.Name == nil { // an option, or a name that is not literal
			export = export || a.Value != nil && strings.HasPrefix(a.Value.Lit(), "-") && strings.Contains(a.Value.Lit(), "x")
			continue
		}
		if a.Naked {
			if export {
				f.env = f.env.export(a.Name.Value)
			}
			continue
		}
		set, err := f.assign(a, f.env)
		if err != nil {
			return err
		}
		set.exported = export
		f.env = f.env.set(set)
	}
	return nil
}

// builtin follows what a builtin does to the variables and options.
func (f *frame) builtin(words []Word) {
	if len(words) == 0 || !words[0].Known {
		return
	}
	switch words[0].Text {
	case "set":
		f.options(words[1:])
	case ".", "source", "eval":
		f.env = f.env.set(assignment{})
	case "unset":
		for _, w := range words[1:] {
			if w.Known && validName(w.Text) {
				f.env = f.env.set(assignment{name: w.Text, unset: true})
			}
		}
	case "read", "getopts", "mapfile", "readarray", "printf":
		for _, w := range words[1:] {
			if w.Known && validName(w.Text) {
				f.env = f.env.set(assignment{name: w.Text})
			}
		}
	}
}

// options runs the set builtin.
func (f *frame) options(args []Word) {
	for i, w := range args {
		if i > 0 && w.Text == "pipefail" && strings.HasSuffix(args[i-1].Text, "o") {
			f.shell.pipefail = strings.HasPrefix(args[i-1].Text, "-")
		}
	}
}

// run notes a command, and those that it starts.
func (f *frame) run(words []Word, e env, wrapper *Command, heredoc *text) error {
	if len(words) == 0 {
		return nil
	}
	c := &Command{
		Word: words[0], Args: words[1:], Wrapper: wrapper, Branch: f.branch, Exec: f.exec, env: e, heredoc: heredoc,
		Redirects: slices.Clip(f.redirects),
	}
	c.Range = words[0].Range
	c.Range.End = words[len(words)-1].Range.End
	if words[0].Known && !f.functions[words[0].Text] {
		c.Name = baseName(words[0].Text)
	}
	f.out.Commands = append(f.out.Commands, c)
	return f.started(c)
}
