package lint

import (
	"encoding"
	"fmt"
	"slices"

	"github.com/moby/buildkit/frontend/dockerfile/parser"
)

// Severity says what a finding does to a build.
type Severity uint8

// Severities, from the least to the most.
const (
	Off   Severity = iota // not looked for
	Info                  // in `--call=check` and reports only
	Warn                  // printed
	Error                 // fails the build
)

var _ encoding.TextUnmarshaler = (*Severity)(nil)

func severityNames() []string { return []string{"off", "info", "warn", "error"} }

// String is the name that directives and policies use.
func (s Severity) String() string { return severityNames()[s] }

// MarshalText implements encoding.TextMarshaler.
func (s Severity) MarshalText() ([]byte, error) { return []byte(s.String()), nil }

// UnmarshalText implements encoding.TextUnmarshaler.
func (s *Severity) UnmarshalText(text []byte) error {
	i := slices.Index(severityNames(), string(text))
	if i < 0 {
		return fmt.Errorf("unknown severity %q: want off, info, warn or error", text)
	}
	*s = Severity(i)
	return nil
}

// Rule is one practice. The rules are data: the engine, the policy, the printed
// formats and the documentation all read this.
type Rule struct {
	// Name is PascalCase, as BuildKit's own rules.
	Name string
	// Summary is one sentence without a full stop: what is flagged.
	Summary string
	// Why says what goes wrong in an image that breaks the rule, in a few
	// sentences; Remedy what to write instead.
	Why, Remedy string
	// Bad and Good are Dockerfiles for the documentation, which the tests hold
	// against the rule.
	Bad, Good string
	// Default is the severity without a policy.
	Default Severity
	// Aliases are the names of the same rule in other linters.
	Aliases []string
	// Stock says that BuildKit's own linter looks for it, which documents it too.
	Stock bool
	// Safe says that the fix never changes what the image does, so that
	// `lint --fix` may apply it.
	Safe bool
	// These look for the rule's violations; none for stock rules, unless there is
	// more to find than BuildKit's linter gets to.
	check func(*pass)         // in the Dockerfile
	image func(*pass, *Built) // in the image that was built, without a run
	built func(*pass, *Built) // in the slim image
	run   func(*pass, *Built) // in what the app was seen to do
	// url is a stock rule's page.
	url string
}

// URL is the rule's page.
func (r *Rule) URL() string {
	if r.Stock {
		return r.url
	}
	return docsURL + r.Name + ".md"
}

// Is tells whether name is the rule's name or one of its aliases.
func (r *Rule) Is(name string) bool { return r.Name == name || slices.Contains(r.Aliases, name) }

const docsURL = "https://github.com/org/slimfile/blob/main/frontend/lint/docs/"

// Finding is one violation.
type Finding struct {
	Rule     *Rule
	Severity Severity
	// Message says what to do about this one, in a sentence.
	Message string
	// Ranges are where: lines from 1, characters from 0, the end exclusive.
	// None means the file as a whole.
	Ranges []parser.Range
	// Fix are edits of the file that remove the violation; they do not
	// overlap. None if nothing can be derived.
	Fix []Edit
}

// Line is the first line of the finding, 0 for the whole file.
func (f *Finding) Line() int {
	if len(f.Ranges) == 0 {
		return 0
	}
	return f.Ranges[0].Start.Line
}

// Edit replaces a range of the file by a text.
type Edit struct {
	Range parser.Range
	Text  string
}
