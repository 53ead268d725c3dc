package lint

import (
	"bytes"
	"errors"
	"maps"
	"strings"

	"github.com/moby/buildkit/frontend/dockerfile/command"
	"github.com/moby/buildkit/frontend/dockerfile/instructions"
	"github.com/moby/buildkit/frontend/dockerfile/linter"
	"github.com/moby/buildkit/frontend/dockerfile/parser"
	dockershell "github.com/moby/buildkit/frontend/dockerfile/shell"
)

// document is a Dockerfile ready to be judged.
type document struct {
	Input
	lines  []string // the file's, without their ends
	escape rune
	// args are what a FROM can use: build arguments and the defaults of the
	// ARGs before the first FROM.
	args   map[string]string
	stages []*stage
	// shipped is the stage that becomes the image: the target, or the last.
	shipped *stage
}

// stage is one build stage.
type stage struct {
	instructions.Stage
	index int
	// base is BaseName with its variables replaced; known is false if one has
	// no value.
	base  string
	known bool
	// parent is the stage that this one is built FROM, nil for an image.
	parent       *stage
	instructions []*instruction
	// runs are the RUN instructions among them.
	runs []*run
	// end is the scope after the last instruction.
	end scope
	// at is where FROM stands.
	at []parser.Range
	// comments stand above FROM.
	comments []string
}

// instruction is one instruction of a stage. What ONBUILD triggers is an
// instruction of its own kind, which changes the scope of other triggers only.
type instruction struct {
	stage   *stage
	cmd     instructions.Command
	node    *parser.Node
	onbuild bool
	at      []parser.Range
	// before is the scope that the instruction sees.
	before scope
}

// scope is what earlier instructions of a stage, and of those that it is built
// from, left in effect.
type scope struct {
	// env are ENV and ARG variables with a known value. A variable that has no
	// entry may still be set by the base image.
	env     map[string]string
	user    string // "" if no USER was seen
	userAt  *instruction
	workdir string // "" if no WORKDIR was seen
	shell   []string
}

// errNoTarget says that the target is no stage.
var errNoTarget = errors.New("target stage not found")

// newDocument parses a Dockerfile. The error is the parser's, with its location.
func newDocument(in Input) (*document, error) {
	ast, err := parser.Parse(bytes.NewReader(in.Data))
	if err != nil {
		return nil, err
	}
	// Without a linter an inline "# check=" comment crashes the parser.
	stages, meta, err := instructions.Parse(ast.AST, linter.New(&linter.Config{}))
	if err != nil {
		return nil, err
	}
	if len(stages) == 0 {
		return nil, errors.New("dockerfile contains no stages to build")
	}
	doc := &document{Input: in, lines: splitLines(in.Data), escape: ast.EscapeToken}
	doc.args = doc.fromArgs(meta)
	nodes := ast.AST.Children
	for i := range stages {
		for !strings.EqualFold(nodes[0].Value, command.From) { // ARGs before the first FROM
			nodes = nodes[1:]
		}
		n := 1 + len(stages[i].Commands)
		if err := doc.addStage(stages[i], nodes[:n]); err != nil {
			return nil, err
		}
		nodes = nodes[n:]
	}
	doc.shipped = doc.stages[len(doc.stages)-1]
	if in.Target != "" {
		if doc.shipped = doc.stageNamed(in.Target, len(doc.stages)); doc.shipped == nil {
			return nil, errNoTarget
		}
	}
	return doc, nil
}

func splitLines(data []byte) []string {
	lines := strings.Split(string(data), "\n")
	for i, l := range lines {
		lines[i] = strings.TrimSuffix(l, "\r")
	}
	return lines
}

// fromArgs resolves the ARGs before the first FROM.
func (doc *document) fromArgs(meta []instructions.ArgCommand) map[string]string {
	args := map[string]string{}
	for _, cmd := range meta {
		for _, arg := range cmd.Args {
			doc.setArg(args, arg, doc.BuildArgs)
		}
	}
	return args
}

// setArg declares an ARG; given are the values that overrule its default.
func (doc *document) setArg(env map[string]string, arg instructions.KeyValuePairOptional, given map[string]string) {
	if value, ok := given[arg.Key]; ok {
		env[arg.Key] = value
		return
	}
	if arg.Value == nil {
		return
	}
	delete(env, arg.Key)
	if value, known := doc.expand(*arg.Value, env); known {
		env[arg.Key] = value
	}
}

// expand replaces the variables of a word. It returns false if one of them has
// no known value.
func (doc *document) expand(word string, env map[string]string) (string, bool) {
	lex := dockershell.NewLex(doc.escape)
	lex.SkipUnsetEnv = true
	res, err := lex.ProcessWordWithMatches(word, environment(env))
	if err != nil {
		return word, false
	}
	return res.Result, len(res.Unmatched) == 0
}

// environment makes a map usable as BuildKit's dockershell.EnvGetter.
type environment map[string]string

// Get implements dockershell.EnvGetter.
func (e environment) Get(key string) (string, bool) { v, ok := e[key]; return v, ok }

// Keys implements dockershell.EnvGetter.
func (e environment) Keys() []string {
	var keys []string
	for k := range e {
		keys = append(keys, k)
	}
	return keys
}

// stageNamed finds the stage of that name among the first n; nil if there is
// none.
func (doc *document) stageNamed(name string, n int) *stage {
	for i := min(n, len(doc.stages)) - 1; i >= 0; i-- {
		if doc.stages[i].Name != "" && strings.EqualFold(doc.stages[i].Name, name) {
			return doc.stages[i]
		}
	}
	return nil
}

// stageAt is the stage that a line belongs to; nil above the first FROM.
func (doc *document) stageAt(line int) *stage {
	var at *stage
	for _, st := range doc.stages {
		if st.at[0].Start.Line <= line {
			at = st
		}
	}
	return at
}

// addStage adds a stage; nodes are FROM's and its instructions'.
func (doc *document) addStage(st instructions.Stage, nodes []*parser.Node) error {
	s := &stage{Stage: st, index: len(doc.stages), at: st.Location, comments: nodes[0].PrevComment}
	s.base, s.known = doc.expand(st.BaseName, doc.args)
	now := scope{env: map[string]string{}}
	if s.parent = doc.stageNamed(s.base, s.index); s.parent != nil {
		now = s.parent.end
	}
	later := now // what triggers see: earlier triggers count, ARG does not outlive the stage
	for i, cmd := range st.Commands {
		in := &instruction{stage: s, cmd: cmd, node: nodes[i+1], at: cmd.Location(), before: now}
		s.instructions = append(s.instructions, in)
		if trigger, ok := cmd.(*instructions.OnbuildCommand); ok {
			inner, err := triggered(trigger, nodes[i+1])
			if err != nil {
				return err
			}
			in.cmd, in.onbuild, in.before = inner, true, later
			later = doc.after(later, in)
			continue
		}
		now = doc.after(now, in)
		if _, ok := cmd.(*instructions.ArgCommand); !ok {
			later = doc.after(later, in)
		}
	}
	s.end = now
	doc.readRuns(s)
	doc.stages = append(doc.stages, s)
	return nil
}

// triggered parses what an ONBUILD runs later.
func triggered(cmd *instructions.OnbuildCommand, node *parser.Node) (instructions.Command, error) {
	ast, err := parser.Parse(strings.NewReader(cmd.Expression))
	if err != nil || len(ast.AST.Children) != 1 {
		return cmd, nil //nolint:nilerr // the build fails with it, and BuildKit words it better
	}
	inner := ast.AST.Children[0]
	inner.StartLine, inner.EndLine = node.StartLine, node.EndLine
	parsed, err := instructions.ParseInstructionWithLinter(inner, linter.New(&linter.Config{}))
	if err != nil {
		return nil, parser.WithLocation(err, node.Location())
	}
	if c, ok := parsed.(instructions.Command); ok {
		return c, nil
	}
	return cmd, nil
}

// after is the scope that an instruction leaves.
func (doc *document) after(now scope, in *instruction) scope {
	switch cmd := in.cmd.(type) {
	case *instructions.EnvCommand:
		env := maps.Clone(now.env)
		for _, kv := range cmd.Env {
			delete(env, kv.Key)
			if value, known := doc.expand(kv.Value, now.env); known {
				env[kv.Key] = value
			}
		}
		now.env = env
	case *instructions.ArgCommand:
		env := maps.Clone(now.env)
		given := maps.Clone(doc.args) // an ARG without a value takes that from above the first FROM
		maps.Copy(given, doc.BuildArgs)
		for _, arg := range cmd.Args {
			if arg.Value != nil { // its own default hides that one
				doc.setArg(env, arg, doc.BuildArgs)
			} else {
				doc.setArg(env, arg, given)
			}
		}
		now.env = env
	case *instructions.UserCommand:
		now.user, _ = doc.expand(cmd.User, now.env)
		now.userAt = in
	case *instructions.WorkdirCommand:
		now.workdir, _ = doc.expand(cmd.Path, now.env)
	case *instructions.ShellCommand:
		now.shell = cmd.Shell
	}
	return now
}

// chain are the stages that a stage is made of, the first base first.
func (s *stage) chain() []*stage {
	if s == nil {
		return nil
	}
	return append(s.parent.chain(), s)
}

// image is the image that the stage is built on in the end: a name, "scratch",
// or what a variable hides.
func (s *stage) image() (name string, known bool) {
	root := s.chain()[0]
	return root.base, root.known
}
