package config

import (
	"bytes"
	"fmt"
	"slices"

	"github.com/moby/buildkit/frontend/dockerfile/instructions"
	"github.com/moby/buildkit/frontend/dockerfile/linter"
	"github.com/moby/buildkit/frontend/dockerfile/parser"

	"github.com/org/slimfile/sensor/manifest"
)

// document is the Dockerfile as far as it matters here.
type document struct {
	file     file
	stages   []instructions.Stage
	metaArgs []instructions.ArgCommand
	// scopes holds the directives before the first FROM, then each stage's.
	scopes [][]statement
	// decided holds, for each scope, the line on which something was decided.
	decided []map[string]int
	// chain lists the stages whose directives count, by number: the target
	// last, before it the stages that it is built FROM.
	chain []int
	errs  Errors
	warns Errors
}

func parseDockerfile(in Input, f file) (*document, error) {
	parsed, err := parser.Parse(bytes.NewReader(in.Dockerfile))
	if err != nil {
		return nil, err
	}
	// A nil linter would panic on an inline `# check=` comment.
	stages, metaArgs, err := instructions.Parse(parsed.AST, linter.New(&linter.Config{}))
	if err != nil {
		return nil, err
	}
	if len(stages) == 0 {
		return nil, fmt.Errorf("%s has no stage: it needs a FROM", in.Filename)
	}
	doc := &document{
		file: f, stages: stages, metaArgs: metaArgs,
		scopes: make([][]statement, len(stages)+1), decided: make([]map[string]int, len(stages)+1),
	}
	doc.readDirectives(parsed.AST)
	err = doc.resolve(in, parsed.EscapeToken)
	return doc, err
}

// declares tells whether the Dockerfile has an ARG of that name: then the
// build argument is the Dockerfile's own.
func (doc *document) declares(name string) bool {
	declared := func(a instructions.ArgCommand) bool {
		return slices.ContainsFunc(a.Args, func(kv instructions.KeyValuePairOptional) bool { return kv.Key == name })
	}
	if slices.ContainsFunc(doc.metaArgs, declared) {
		return true
	}
	for _, stage := range doc.stages {
		for _, cmd := range stage.Commands {
			if arg, ok := cmd.(*instructions.ArgCommand); ok && declared(*arg) {
				return true
			}
		}
	}
	return false
}

// readDirectives fills scopes.
func (doc *document) readDirectives(ast *parser.Node) {
	scope, count := 0, 0
	for _, c := range comments(doc.file, ast) {
		for scope < len(doc.stages) && doc.stages[scope].Location[0].Start.Line < c.line {
			scope++
		}
		text := doc.file.lines[c.line-1]
		start := directiveStart(text)
		if start < 0 {
			if c.inside == 0 {
				doc.checkPlain(c.line)
			}
			continue
		}
		at := manifest.Location{Line: c.line, EndLine: c.line, Column: start - len(prefix), EndColumn: len(text)}
		if c.inside > 0 {
			doc.warns = append(doc.warns, doc.file.fail(at, "this is part of the instruction on line %d and no directive: "+
				"put it on a line of its own, behind one that does not end in a continuation", c.inside))
			continue
		}
		if count++; count > maxDirectives {
			doc.errs = append(doc.errs, doc.file.fail(at, "more than %d directives", maxDirectives))
			return
		}
		st, errs := readDirective(doc.file, c.line, start, text)
		doc.errs = append(doc.errs, errs...)
		if len(errs) == 0 {
			doc.add(scope, st)
		}
	}
}

// add puts st into a scope, unless something there has decided the same.
func (doc *document) add(scope int, st statement) {
	if scope == 0 && st.verb == "on" {
		doc.errs = append(doc.errs, doc.file.fail(st.at, "on belongs to one stage: put it below that stage's FROM"))
		return
	}
	if doc.decided[scope] == nil {
		doc.decided[scope] = map[string]int{}
	}
	for _, what := range st.sets {
		if line, ok := doc.decided[scope][what]; ok {
			doc.errs = append(doc.errs, doc.file.fail(st.at, "%s is given twice, first on line %d", what, line))
			return
		}
		doc.decided[scope][what] = st.at.Line
	}
	doc.scopes[scope] = append(doc.scopes[scope], st)
}

// apply puts the directives that count for the target into c, and what all
// stages say of rules.
func (doc *document) apply(c *Config) Errors {
	if len(doc.errs) > 0 {
		return doc.errs
	}
	for i, scope := range doc.scopes {
		c.stage = i - 1
		for _, st := range scope {
			if c.stage < 0 || st.verb == "rule" {
				st.apply(c)
				c.places[st.verb] = st.at
			}
		}
	}
	for _, stage := range doc.chain {
		for _, st := range doc.scopes[stage+1] {
			if st.verb != "rule" {
				st.apply(c)
				c.places[st.verb] = st.at
			}
		}
	}
	target := doc.chain[len(doc.chain)-1]
	c.Slim = target == len(doc.stages)-1 ||
		slices.ContainsFunc(doc.scopes[target+1], func(st statement) bool { return st.verb == "on" })
	c.Warnings = doc.warns
	c.from = doc.fromOf(target)
	return nil
}
