package config

import (
	"regexp"
	"strings"
	"unicode"

	"github.com/moby/buildkit/frontend/dockerfile/parser"

	"github.com/org/slimfile/frontend/internal/spell"
	"github.com/org/slimfile/sensor/manifest"
)

const prefix = "slim:"

// maxDirectives bounds the directives of one file: far more than a person
// writes, far less than would hurt.
const maxDirectives = 10_000

// comment is a comment line: not in a heredoc, and not in an instruction
// unless inside is set.
type comment struct {
	line   int
	inside int // the line on which the instruction around it starts
}

// comments lists the comment lines of f that BuildKit's parser would take for
// such.
func comments(f file, ast *parser.Node) []comment {
	var list []comment
	line := 1 // the first that is not looked at yet
	take := func(end, inside int) {
		for ; line <= min(end, len(f.lines)); line++ {
			if strings.HasPrefix(strings.TrimLeftFunc(f.lines[line-1], unicode.IsSpace), "#") {
				list = append(list, comment{line, inside})
			}
		}
	}
	for _, node := range ast.Children {
		take(node.StartLine-1, 0)
		line = node.StartLine + 1
		take(continuationEnd(node), node.StartLine)
		line = node.EndLine + 1
	}
	take(len(f.lines), 0)
	return list
}

// continuationEnd is the last line of an instruction before its heredocs;
// each of those ends with a line of its own.
func continuationEnd(node *parser.Node) int {
	end := node.EndLine
	for _, h := range node.Heredocs {
		end -= strings.Count(h.Content, "\n") + 1
	}
	return end
}

// directiveStart is where the verb of a directive starts in a comment line,
// or -1 if it is none.
func directiveStart(text string) int {
	rest := strings.TrimLeftFunc(text, unicode.IsSpace)
	rest = strings.TrimLeftFunc(strings.TrimPrefix(rest, "#"), unicode.IsSpace)
	if !strings.HasPrefix(rest, prefix) {
		return -1
	}
	return len(text) - len(rest) + len(prefix)
}

// almost matches a comment that could be a misspelt directive: a word near
// "slim", a colon or = or only a blank, and what could be a verb.
var almost = regexp.MustCompile(`^\s*#+\s*([A-Za-z-]{3,9})(\s*[:=]\s*|[ \t]+)([a-z-]+)`)

// checkPlain fails if a comment that is no directive was surely meant as one.
// Prose that begins with "Slim:" or "slim image" must pass, so the rest of
// the comment has to be right, or at least name a kind of probe.
func (doc *document) checkPlain(line int) {
	text := doc.file.lines[line-1]
	m := almost.FindStringSubmatchIndex(text)
	if m == nil {
		return
	}
	name, sep, verb := text[m[2]:m[3]], strings.TrimSpace(text[m[4]:m[5]]), text[m[6]:m[7]]
	exact := strings.EqualFold(name, "slim")
	if !exact && (sep == "" || !looksSlim(name)) {
		return
	}
	// "on" and "start X" are English too.
	if verb == "start" && sep == "" || verb == "on" && !exact {
		return
	}
	if _, errs := readDirective(doc.file, line, m[6], text); len(errs) > 0 && !namesProbe(text[m[6]:]) {
		return
	}
	at := manifest.Location{Line: line, EndLine: line, Column: m[2], EndColumn: m[7]}
	doc.errs = append(doc.errs, doc.file.fail(at, "this comment has no effect, did you mean %q?", "# slim: "+verb+" …"))
}

func looksSlim(name string) bool {
	return name == "slimfile" || spell.Distance(name, "slim") <= 1
}

// namesProbe tells whether text is "probe" and one of its kinds.
func namesProbe(text string) bool {
	words := strings.Fields(firstRunes(text, maxShown))
	return len(words) > 1 && words[0] == "probe" &&
		choose("", words[1], probeKinds, nil) == nil
}
