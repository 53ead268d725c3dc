package lint

import (
	"bytes"
	"errors"
	"slices"
	"strings"

	"github.com/moby/buildkit/frontend/dockerfile/command"
	"github.com/moby/buildkit/frontend/dockerfile/parser"
)

// errNoFrom says that a Dockerfile has an instruction in front of its first FROM.
var errNoFrom = errors.New("no build stage: begin with FROM, only ARG may stand before it")

// fragment is a part of a Dockerfile whose FROM is missing: an example, or what
// an editor holds. It cannot be built, but what is there can be judged.
type fragment struct {
	// line is that of the first instruction, which needs a FROM in front.
	line int
	at   []parser.Range
}

// fragmentOf returns false for a whole Dockerfile, and for what cannot be parsed.
func fragmentOf(data []byte) (fragment, bool) {
	if beginsWithFrom(data) { // as nearly all do: no need to parse
		return fragment{}, false
	}
	ast, err := parser.Parse(bytes.NewReader(data))
	if err != nil {
		return fragment{}, false
	}
	nodes := ast.AST.Children
	is := func(name string) func(*parser.Node) bool {
		return func(n *parser.Node) bool { return strings.EqualFold(n.Value, name) }
	}
	first := 0
	if slices.ContainsFunc(nodes, is(command.From)) { // whose ARGs come before it
		for is(command.Arg)(nodes[first]) {
			first++
		}
	}
	if len(nodes) == 0 || is(command.From)(nodes[first]) {
		return fragment{}, false
	}
	// Comments above the instruction are about it, so they stay there.
	return fragment{nodes[first].StartLine - len(nodes[first].PrevComment), nodes[first].Location()}, true
}

// beginsWithFrom tells whether the first line that is no comment is a FROM.
func beginsWithFrom(data []byte) bool {
	for line := range bytes.Lines(data) {
		word, _, _ := bytes.Cut(bytes.TrimSpace(line), []byte(" "))
		if len(word) > 0 && word[0] != '#' {
			return bytes.EqualFold(word, []byte(command.From))
		}
	}
	return false
}

// Complete returns a Dockerfile as it is, and a part of one with the FROM that it
// lacks.
func Complete(data []byte) []byte {
	if f, ok := fragmentOf(data); ok {
		return f.complete(data)
	}
	return data
}

// complete puts a FROM, of which nothing is known, in front of the first
// instruction.
func (f fragment) complete(data []byte) []byte {
	lines := bytes.SplitAfter(data, []byte("\n"))
	return bytes.Join(slices.Insert(lines, f.line-1, []byte("FROM fragment:0\n")), nil)
}

// shift returns ranges by n lines further down, those above the fragment's FROM
// as they are.
func (f fragment) shift(at []parser.Range, n int) []parser.Range {
	at = slices.Clone(at)
	for i := range at {
		at[i] = f.shiftRange(at[i], n)
	}
	return at
}

func (f fragment) shiftRange(at parser.Range, n int) parser.Range {
	for _, p := range []*parser.Position{&at.Start, &at.End} {
		if p.Line >= f.line {
			p.Line += n
		}
	}
	return at
}

// restore gives the findings in the completed fragment their place in the file,
// without those about the FROM that is not there.
func (f fragment) restore(found []Finding) []Finding {
	found = slices.DeleteFunc(found, func(x Finding) bool { return x.Line() == f.line })
	for i, x := range found {
		found[i].Ranges = f.shift(x.Ranges, -1)
		found[i].Fix = slices.Clone(x.Fix)
		for j := range x.Fix {
			found[i].Fix[j].Range = f.shiftRange(x.Fix[j].Range, -1)
		}
	}
	return found
}
