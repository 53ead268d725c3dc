package lint

import (
	"bytes"
	"context"
	"errors"
	"maps"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/containerd/platforms"
	"github.com/moby/buildkit/client/llb"
	"github.com/moby/buildkit/client/llb/sourceresolver"
	"github.com/moby/buildkit/frontend/dockerfile/dockerfile2llb"
	"github.com/moby/buildkit/frontend/dockerfile/instructions"
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
		stock(&linter.RuleDuplicateStageName, Error, "DL3024", "DS-0012", "CKV_DOCKER_11"),
		stock(&linter.RuleReservedStageName, Warn, "DL3063"),
		safe(stock(&linter.RuleJSONArgsRecommended, Error, "DL3025", "ID.20012")),
		stock(&linter.RuleMaintainerDeprecated, Warn, "DL4000", "DS-0022", "CKV_DOCKER_6"),
		stock(&linter.RuleUndefinedArgInFrom, Warn),
		stock(&linter.RuleWorkdirRelativePath, Warn, "DL3000", "DS-0009", "CKV_DOCKER_10"),
		stock(&linter.RuleUndefinedVar, Warn),
		stock(&linter.RuleMultipleInstructionsDisallowed, Warn, "DL3012", "DL4003", "DL4004", "DS-0007", "DS-0016", "DS-0023"),
		stock(&linter.RuleLegacyKeyValueFormat, Warn),
		stock(&linter.RuleInvalidBaseImagePlatform, Warn),
		stock(&linter.RuleRedundantTargetPlatform, Warn, "DL3065"),
		with(checkSecretTriggers, stock(&linter.RuleSecretsUsedInArgOrEnv, Error, "DL3064", "CIS-4.10", "CIS-DI-0010", "DS-0031")),
		stock(&linter.RuleInvalidDefaultArgInFrom, Warn),
		with(checkPlatformUnknown, stock(&linter.RuleFromPlatformFlagConstDisallowed, Warn, "DL3029")),
		with(checkIgnored, stock(&linter.RuleCopyIgnoredFile, Warn)),
		stock(&linter.RuleInvalidDefinitionDescription, Off),
		stock(&linter.RuleExposeProtoCasing, Warn),
		with(checkPortOutOfRange, stock(&linter.RuleExposeInvalidFormat, Warn, "DL3011", "DS-0008")),
	}
}

func stock[F any](r *linter.LinterRule[F], severity Severity, aliases ...string) *Rule {
	return &Rule{Name: r.Name, Summary: r.Description, Default: severity, Aliases: aliases, Stock: true, url: r.URL}
}

// with adds to a rule what BuildKit's linter does not get to look for.
func with(check func(*pass), r *Rule) *Rule {
	r.check = check
	return r
}

// checkPlatformUnknown reports platforms that stop BuildKit before its linter.
func checkPlatformUnknown(p *pass) {
	for _, st := range p.stages {
		if _, err := platforms.Parse(st.Platform); err != nil && st.Platform != "" && !strings.Contains(st.Platform, "$") {
			p.report(p.locate(st.at, st.Platform), "FROM --platform="+st.Platform+" is no platform: leave it to who builds, or write one such as linux/amd64")
		}
	}
}

// checkPortOutOfRange reports ports that stop BuildKit before its linter.
func checkPortOutOfRange(p *pass) {
	for _, in := range p.all() {
		cmd, ok := in.cmd.(*instructions.ExposeCommand)
		if !ok {
			continue
		}
		for _, raw := range cmd.Ports {
			port, _ := p.expand(raw, in.before.env)
			m := exposed.FindStringSubmatch(port)
			if m != nil && slices.ContainsFunc(m[1:], func(number string) bool {
				_, err := strconv.ParseUint(number, 10, 16)
				return number != "" && err != nil
			}) {
				p.report(p.locate(in.at, raw), port+" is no port: they go up to 65535")
			}
		}
	}
}

// secretName matches the variables that BuildKit's linter takes for secrets.
var secretName = regexp.MustCompile(`(?i)(?:_|^)(?:apikey|auth|credentials?|key|password|pword|passwd|secret|token)(?:_|$)`)

// checkSecretTriggers reports secrets behind ONBUILD, which BuildKit's linter does
// not look at.
func checkSecretTriggers(p *pass) {
	for _, in := range p.all() {
		for _, kv := range variables(in.cmd) {
			if in.onbuild && secretName.MatchString(kv.Key) && !isNoSecret(kv.Key, in) {
				p.report(in.at, "the value of "+kv.Key+" stays in the image of whoever builds on this one: use RUN --mount=type=secret")
			}
		}
	}
}

func safe(r *Rule) *Rule {
	r.Safe = true
	return r
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
	in := doc.instructionAt(f.Line())
	switch s.Rule {
	case "SecretsUsedInArgOrEnv":
		if noSecret(s.Message, in) {
			return f, false
		}
	case "WorkdirRelativePath":
		if dir, ok := in.cmdWorkdir(); ok {
			if plain := strings.Trim(dir, `"'`); strings.HasPrefix(plain, "$") || windowsPath.MatchString(plain) {
				return f, false
			}
			f.Ranges = doc.locate(in.at, dir)
			f.Fix = doc.absolute(in, dir)
		}
	case "JSONArgsRecommended":
		if in != nil {
			f.Fix = doc.execForm(in)
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

// instructionAt is the instruction that a line belongs to; nil if none does.
func (doc *document) instructionAt(line int) *instruction {
	for _, in := range doc.all() {
		if in.at[0].Start.Line <= line && line <= in.at[len(in.at)-1].End.Line {
			return in
		}
	}
	return nil
}

// cmdWorkdir is the path of a WORKDIR.
func (in *instruction) cmdWorkdir() (string, bool) {
	if in == nil {
		return "", false
	}
	cmd, ok := in.cmd.(*instructions.WorkdirCommand)
	if !ok {
		return "", false
	}
	return cmd.Path, true
}

// absolute puts the slash before a relative WORKDIR that it has with most base
// images: they start in the root directory.
func (doc *document) absolute(in *instruction, dir string) []Edit {
	src := doc.source(in.at)
	from, _, ok := src.find(dir)
	if !ok || dir[0] == '.' {
		return nil
	}
	return []Edit{{src.before(from), "/"}}
}

// secretMessage takes the variable out of a SecretsUsedInArgOrEnv message.
var secretMessage = regexp.MustCompile(`\((?:ARG|ENV) "([^"]*)"\)`)

var (
	// publicKey matches variables with the id of a key that everybody may know.
	publicKey = regexp.MustCompile(`GPG_KEY|PGP_KEY|PUBLIC_KEY|PUBKEY|KEYRING|KEY_?ID$|FINGERPRINT|^KEY_SHA`)
	// aboutSecret matches variables that say something of a secret: where it is,
	// how long it is valid.
	aboutSecret = regexp.MustCompile(`_(FILE|PATH|DIR|URL|URI|HOST|PORT|SOCK|TTL|EXPIRY|EXPIRES|TIMEOUT|LIFETIME|LENGTH|SIZE|NAME|TYPE|METHOD|MODE|ALGORITHM|ENABLED|DISABLED|REQUIRED|VERSION|HEADER|ISSUER)$`)
)

// noSecret tells whether the variable that a message is about holds none: by its
// name, or because ENV sets it to nothing.
func noSecret(message string, in *instruction) bool {
	m := secretMessage.FindStringSubmatch(message)
	return m != nil && isNoSecret(m[1], in)
}

// isNoSecret is the same for the variable itself.
func isNoSecret(variable string, in *instruction) bool {
	name := strings.ToUpper(variable)
	if strings.HasPrefix(name, "AWS_") {
		return false
	}
	if publicKey.MatchString(name) || aboutSecret.MatchString(name) {
		return true
	}
	if in == nil {
		return false
	}
	env, ok := in.cmd.(*instructions.EnvCommand)
	return ok && slices.ContainsFunc(env.Env, func(kv instructions.KeyValuePair) bool {
		return kv.Key == variable && strings.Trim(kv.Value, `"'`) == ""
	})
}

// StockFindings runs BuildKit's own linter with no daemon: nothing is known of
// the images that the Dockerfile is built from. The error is that of a Dockerfile
// which cannot be built; there may be findings nevertheless.
func StockFindings(ctx context.Context, in Input) ([]StockFinding, error) {
	part, ok := fragmentOf(in.Data)
	if !ok {
		return stockFindings(ctx, in)
	}
	whole := in
	whole.Data = part.complete(in.Data)
	found, err := stockFindings(ctx, whole)
	for i := range found {
		found[i].Ranges = part.shift(found[i].Ranges, -1)
	}
	if err != nil { // said about the lines of the file as it is
		_, err = stockFindings(ctx, in)
		return found, err
	}
	return found, parser.WithLocation(errNoFrom, part.at)
}

// stockFindings are those in a whole Dockerfile.
func stockFindings(ctx context.Context, in Input) ([]StockFinding, error) {
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
	found, err := FromStock(results)
	return withoutInherited(in, found), err
}

// withoutInherited leaves out what is said of variables that the base image may
// set. One that is close to a known name is a slip nevertheless.
func withoutInherited(in Input, found []StockFinding) []StockFinding {
	undefined := func(f StockFinding) bool {
		return f.Rule == linter.RuleUndefinedVar.Name && len(f.Ranges) > 0 && !strings.Contains(f.Message, "did you mean")
	}
	if !slices.ContainsFunc(found, undefined) {
		return found
	}
	doc, err := newDocument(in)
	if err != nil {
		return found
	}
	return slices.DeleteFunc(found, func(f StockFinding) bool {
		if !undefined(f) {
			return false
		}
		st := doc.stageAt(f.Ranges[0].Start.Line)
		return st != nil && st.chain()[0].base != "scratch"
	})
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
