package lint

import (
	"bytes"
	"context"
	"errors"
	"maps"
	"slices"
	"strings"

	"github.com/moby/buildkit/client/llb"
	"github.com/moby/buildkit/client/llb/sourceresolver"
	"github.com/moby/buildkit/frontend/dockerfile/dockerfile2llb"
	"github.com/moby/buildkit/frontend/dockerfile/linter"
	"github.com/moby/buildkit/frontend/dockerfile/parser"
	"github.com/moby/buildkit/frontend/dockerui"
	"github.com/moby/buildkit/frontend/subrequests/lint"
	"github.com/moby/buildkit/solver/pb"
	digest "github.com/opencontainers/go-digest"
)

// stockRules are those that BuildKit's own linter looks for.
func stockRules() []*Rule {
	return []*Rule{
		stock(&linter.RuleStageNameCasing, Warn),
		stock(&linter.RuleFromAsCasing, Warn),
		stock(&linter.RuleNoEmptyContinuation, Warn),
		stock(&linter.RuleConsistentInstructionCasing, Warn),
		stock(&linter.RuleDuplicateStageName, Error, "DL3024"),
		stock(&linter.RuleReservedStageName, Warn, "DL3063"),
		stock(&linter.RuleJSONArgsRecommended, Error, "DL3025", "ID.20012"),
		stock(&linter.RuleMaintainerDeprecated, Warn, "DL4000"),
		stock(&linter.RuleUndefinedArgInFrom, Warn),
		stock(&linter.RuleWorkdirRelativePath, Warn, "DL3000"),
		stock(&linter.RuleUndefinedVar, Warn),
		stock(&linter.RuleMultipleInstructionsDisallowed, Warn, "DL3012", "DL4003", "DL4004"),
		stock(&linter.RuleLegacyKeyValueFormat, Warn),
		stock(&linter.RuleInvalidBaseImagePlatform, Warn),
		stock(&linter.RuleRedundantTargetPlatform, Warn, "DL3065"),
		stock(&linter.RuleSecretsUsedInArgOrEnv, Error, "DL3064", "CIS-4.10", "DS-0031"),
		stock(&linter.RuleInvalidDefaultArgInFrom, Warn),
		stock(&linter.RuleFromPlatformFlagConstDisallowed, Warn, "DL3029"),
		stock(&linter.RuleCopyIgnoredFile, Warn),
		stock(&linter.RuleInvalidDefinitionDescription, Off),
		stock(&linter.RuleExposeProtoCasing, Warn),
		stock(&linter.RuleExposeInvalidFormat, Warn),
	}
}

func stock[F any](r *linter.LinterRule[F], severity Severity, aliases ...string) *Rule {
	return &Rule{Name: r.Name, Summary: r.Description, Default: severity, Aliases: aliases, Stock: true, url: r.URL}
}

// StockFinding is a warning of BuildKit's own linter.
type StockFinding struct {
	Rule, Description, URL, Message string
	Ranges                          []parser.Range
}

// finding gives a stock warning its rule. It returns false for what that linter
// flags and a good Dockerfile may have.
func (s StockFinding) finding(doc *document) (Finding, bool) {
	f := Finding{Message: s.Message, Ranges: s.Ranges}
	switch s.Rule {
	case "SecretsUsedInArgOrEnv":
		if isPublicKey(s.Message) {
			return f, false
		}
	case "WorkdirRelativePath":
		if line := f.Line(); line > 0 && strings.Contains(doc.lines[line-1], "$") {
			return f, false
		}
	}
	rules := Rules()
	i := slices.IndexFunc(rules, func(r *Rule) bool { return r.Stock && r.Name == s.Rule })
	if i >= 0 {
		f.Rule = rules[i]
		return f, true
	}
	// A newer BuildKit's.
	f.Rule = &Rule{Name: s.Rule, Summary: s.Description, Default: Warn, Stock: true, url: s.URL}
	return f, true
}

// isPublicKey tells whether the variable of a SecretsUsedInArgOrEnv message holds
// the id of a key that everybody may know.
func isPublicKey(message string) bool {
	upper := strings.ToUpper(message)
	for _, name := range []string{"GPG_KEY", "PGP_KEY", "PUBLIC_KEY", "PUBKEY", "KEYRING", "KEY_ID", "KEYID", "FINGERPRINT"} {
		if strings.Contains(upper, name) {
			return true
		}
	}
	return false
}

// StockFindings runs BuildKit's own linter with no daemon: nothing is known of
// the images that the Dockerfile is built from. The error is that of a Dockerfile
// which cannot be built.
func StockFindings(ctx context.Context, in Input) ([]StockFinding, error) {
	nothing := llb.Scratch()
	source := llb.NewSourceMap(nil, in.Filename, "Dockerfile", in.Data)
	source.Definition = &llb.Definition{} // DockerfileLint wants one
	opt := dockerfile2llb.ConvertOpt{
		Config:       dockerui.Config{BuildArgs: maps.Clone(in.BuildArgs), Target: in.Target},
		MainContext:  &nothing,
		MetaResolver: emptyImages{},
		SourceMap:    source,
	}
	results, err := dockerfile2llb.DockerfileLint(ctx, in.Data, opt)
	if err != nil {
		return nil, err
	}
	return FromStock(results)
}

// FromStock translates what BuildKit's linter returns. The error is that of a
// Dockerfile which cannot be built.
func FromStock(results *lint.LintResults) ([]StockFinding, error) {
	var found []StockFinding
	for _, w := range results.Warnings {
		found = append(found, StockFinding{
			Rule: w.RuleName, Description: w.Description, URL: w.URL, Message: w.Detail, Ranges: fromPB(w.Location.GetRanges()),
		})
	}
	if e := results.Error; e != nil {
		return found, parser.WithLocation(errors.New(e.Message), fromPB(e.Location.GetRanges()))
	}
	return found, nil
}

func fromPB(ranges []*pb.Range) []parser.Range {
	var out []parser.Range
	for _, r := range ranges {
		out = append(out, parser.Range{
			Start: parser.Position{Line: int(r.Start.Line), Character: int(r.Start.Character)},
			End:   parser.Position{Line: int(r.End.Line), Character: int(r.End.Character)},
		})
	}
	return out
}

// emptyImages stands in for a registry: every image exists, and nothing is known
// of it.
type emptyImages struct{}

// ResolveImageConfig implements llb.ImageMetaResolver.
func (emptyImages) ResolveImageConfig(_ context.Context, ref string, _ sourceresolver.Opt) (string, digest.Digest, []byte, error) {
	return ref, "", []byte("{}"), nil
}

// WithoutChecks empties the "# check=" comments of a Dockerfile that are not
// among the directives at its top.
func WithoutChecks(data []byte) []byte {
	var directives parser.DirectiveParser
	lines := bytes.SplitAfter(data, []byte("\n"))
	top := true
	for i, line := range lines {
		text := bytes.TrimSpace(line)
		if top {
			d, err := directives.ParseLine(text)
			if top = d != nil && err == nil; top {
				continue
			}
		}
		text, isComment := bytes.CutPrefix(text, []byte("#"))
		name, _, _ := bytes.Cut(bytes.TrimSpace(text), []byte("="))
		if isComment && strings.EqualFold(string(bytes.TrimSpace(name)), "check") {
			lines[i] = []byte("#\n")
		}
	}
	return bytes.Join(lines, nil)
}
