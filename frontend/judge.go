package frontend

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/distribution/reference"
	"github.com/moby/buildkit/client/llb"
	"github.com/moby/buildkit/client/llb/sourceresolver"
	"github.com/moby/buildkit/frontend/dockerfile/dockerfile2llb"
	"github.com/moby/buildkit/frontend/dockerfile/linter"
	"github.com/moby/buildkit/frontend/dockerfile/parser"
	gwclient "github.com/moby/buildkit/frontend/gateway/client"
	dockerspec "github.com/moby/docker-image-spec/specs-go/v1"
	ocispecs "github.com/opencontainers/image-spec/specs-go/v1"

	"github.com/org/slimfile/frontend/config"
	"github.com/org/slimfile/frontend/lint"
	"github.com/org/slimfile/frontend/lint/policy"
	"github.com/org/slimfile/llbgen"
	"github.com/org/slimfile/sensor/manifest"
)

// Lint judges a Dockerfile without a daemon: its own directives count, what only
// a build can know does not. settings are asked for with the policy file that the
// Dockerfile names, empty if it names none. An error is a Dockerfile that cannot
// be built, or not be judged; what was found in it nevertheless is returned too.
func Lint(ctx context.Context, in lint.Input, settings func(policy string) (lint.Settings, error)) ([]lint.Finding, error) {
	directives := config.Input{
		Filename: in.Filename, Dockerfile: lint.Complete(in.Data), Target: in.Target, BuildArgs: in.BuildArgs,
	}
	cfg, err := config.Parse(directives)
	if err != nil { // which is to be about the lines of the file as it is
		directives.Dockerfile = in.Data
		_, err = config.Parse(directives)
		return nil, err
	}
	set, err := settings(cfg.Policy)
	if err != nil {
		return nil, err
	}
	if set.Overrides, err = overrides(cfg, time.Now()); err != nil {
		return nil, err
	}
	var broken error
	in.Stock, broken = lint.StockFindings(ctx, in)
	found, err := lint.Check(in, set)
	if broken != nil {
		return found, broken
	}
	return found, err
}

// overrides are what the Dockerfile's rule directives say; one that names no
// rule, or that counts no more, is an error.
func overrides(cfg *config.Config, now time.Time) ([]lint.Override, error) {
	var list []lint.Override
	for _, o := range cfg.Overrides {
		rule, err := lint.Find(o.Rule)
		if err != nil {
			return nil, cfg.Fail(o.At, "%s", err)
		}
		if !o.Until.IsZero() && now.After(o.Until.AddDate(0, 0, 1)) {
			return nil, cfg.Fail(o.At, "this exception from %s ended with %s: mend what it is about, or set a new day",
				rule.Name, o.Until.Format(time.DateOnly))
		}
		list = append(list, lint.Override{Rule: o.Rule, Severity: severity(o.Severity), Reason: o.Reason, Stage: o.Stage})
	}
	return list, nil
}

// severity reads a name that config has checked.
func severity(name string) lint.Severity {
	var s lint.Severity
	if err := s.UnmarshalText([]byte(name)); err != nil {
		return lint.Error
	}
	return s
}

// RulesError is a Dockerfile that breaks rules.
type RulesError struct {
	Findings []lint.Finding // those that fail the build
	// warnings: they fail it too, so that a lower severity helps nobody.
	warnings bool
	// firm: a policy keeps SLIM_FAIL_ON from helping.
	firm bool
	// policed: the policy lets no comment speak for the first of them.
	policed bool
}

// maxShown bounds the findings of one message; one screen.
const maxShown = 15

// Error lists the violations, one a line.
func (e *RulesError) Error() string {
	var out strings.Builder
	rules := "rules are"
	if len(e.Findings) == 1 {
		rules = "rule is"
	}
	fmt.Fprintf(&out, "%d %s broken:", len(e.Findings), rules)
	for i, f := range e.Findings {
		if i == maxShown {
			fmt.Fprintf(&out, "\n  and %d more", len(e.Findings)-i)
			break
		}
		fmt.Fprintf(&out, "\n  %s", linter.LintFormatShort(f.Rule.Name, f.Message, f.Line()))
	}
	fmt.Fprintf(&out, "\nWhy: %s\nTo accept it for a reason: %s", e.Findings[0].Rule.URL(), e.remedy())
	if !e.firm {
		fmt.Fprintf(&out, "; to build whatever the rules say: --build-arg SLIM_FAIL_ON=%s", failNever)
	}
	return out.String()
}

// remedy is what makes the first violation acceptable.
func (e *RulesError) remedy() string {
	name := e.Findings[0].Rule.Name
	if e.policed {
		return fmt.Sprintf("an exemption in the policy (exemptions: with rule: %s and reason:), which lets no comment do it", name)
	}
	accepted := lint.Warn
	if e.warnings {
		accepted = lint.Off
	}
	return fmt.Sprintf("# slim: rule %s=%s reason=\"…\"", name, accepted)
}

// judge holds the Dockerfile against the rules: warns of what the user should
// know, fails if it must not be built. image is the fat image's config.
func (b *build) judge(ctx context.Context, image *dockerspec.DockerOCIImage) error {
	b.input.Stock = b.stock
	b.input.User, b.input.UserKnown = image.Config.User, true
	found, err := lint.Check(b.input, b.settings)
	if err != nil {
		return err
	}
	return b.verdict(ctx, found)
}

// judgeBuilt holds the image that was built and run against the rules.
func (b *build) judgeBuilt(ctx context.Context, s *slimmed) error {
	built, err := b.built(ctx, s.fat, s.facts)
	if err != nil {
		return err
	}
	built.Summary, built.Run, built.Watched = s.summary, s.judged(), s.traced != nil || s.verified != nil
	for _, p := range s.probes {
		switch {
		case p.HTTP != nil:
			built.Probed = append(built.Probed, p.HTTP.Port)
		case p.TCP != nil:
			built.Probed = append(built.Probed, p.TCP.Port)
		}
	}
	if err := b.advise(ctx, &built, s.packages); err != nil {
		return err
	}
	s.vulnerabilities = built.Vulnerabilities
	found, err := lint.CheckBuilt(b.input, built, b.settings)
	if err != nil {
		return err
	}
	return b.verdict(ctx, found)
}

// built is what is known of an image whose files were looked at.
func (b *build) built(ctx context.Context, fat *dockerfile2llb.Result, facts manifest.Facts) (lint.Built, error) {
	built := lint.Built{
		Image: fat.Image, Base: fat.BaseImage, Facts: facts,
		Refresh: b.cfg.Refresh, Now: time.Now(), Release: b.profile == policy.Release,
		Pulled: b.bc.ImageResolveMode == llb.ResolveModeForcePull,
	}
	for key := range b.client.BuildOpts().Opts {
		built.Attested = built.Attested || strings.HasPrefix(key, "attest:")
	}
	var err error
	built.Digests, err = b.digests(ctx)
	return built, err
}

// explain says of a run that failed which lines of the Dockerfile are to blame,
// if that is known: err is the failure.
func (b *build) explain(ctx context.Context, s *slimmed, err error) error {
	var step *StepError
	if !errors.As(err, &step) || step.Step != "trace" {
		return err
	}
	facts, inspectErr := b.inspect(ctx, s.steps, s.ranState, s.packing)
	if inspectErr != nil {
		return err // the run's own words remain
	}
	command := map[string]string{"": manifest.CommandMain, config.HealthProbe: manifest.CommandHealthcheck}[step.Failure.Probe]
	facts.Obstacles = slices.DeleteFunc(facts.Obstacles, func(o manifest.Obstacle) bool { return o.Command != command })
	if step.Causes, inspectErr = lint.Obstructions(b.input, lint.Built{Image: s.fat.Image, Facts: facts}); inspectErr != nil {
		return err
	}
	return step
}

// inspect looks at an image that is not run.
func (b *build) inspect(ctx context.Context, steps llbgen.Steps, fat llb.State, pack manifest.Pack) (facts manifest.Facts, err error) {
	st, err := steps.Inspect(fat, pack)
	if err != nil {
		return facts, err
	}
	ref, err := solve(ctx, b.client, st, gwclient.SolveRequest{Evaluate: true, CacheImports: b.bc.CacheImports})
	if err != nil {
		return facts, b.failed(ctx, err)
	}
	return facts, readJSON(ctx, ref, manifest.FactsFile, &facts)
}

// digests are what the tags of bases that are pinned by digest mean now. A
// registry that does not answer tells nothing. It costs a request each, so only a
// policy that wants to know has them made.
func (b *build) digests(ctx context.Context) (map[string]string, error) {
	if b.settings.Severity["BaseTagMoved"] < lint.Warn {
		return nil, nil
	}
	names, err := lint.MovableTags(b.input)
	if err != nil {
		return nil, err
	}
	digests := map[string]string{}
	for _, name := range names {
		ref, err := reference.ParseNormalizedNamed(name)
		if err != nil {
			continue
		}
		if _, dgst, _, err := b.client.ResolveImageConfig(ctx, ref.String(), sourceresolver.Opt{
			LogName: "[internal] look where " + name + " is now", ImageOpt: &sourceresolver.ResolveImageOpt{ResolveMode: llb.ResolveModeForcePull.String()},
		}); err == nil {
			digests[name] = dgst.String()
		}
	}
	return digests, nil
}

// lintOnly judges for a stock build, which prints what BuildKit's own linter
// says: the Dockerfile, and if that may be built, the image without a run.
func (b *build) lintOnly(ctx context.Context) error {
	found, err := b.findings(ctx)
	if err != nil {
		return err
	}
	if err := b.verdict(ctx, slices.DeleteFunc(found, func(f lint.Finding) bool { return f.Rule.Stock && f.Severity == lint.Warn })); err != nil {
		return err
	}
	if err := checkCaps(b.client.BuildOpts()); err != nil {
		return err
	}
	if b.tools, err = findTools(b.client, b.bc.BuildPlatforms[0]); err != nil {
		return err
	}
	p := b.judged()
	fat, err := b.convert(ctx, p, 0)
	if err != nil {
		return err
	}
	facts, err := b.inspect(ctx, llbgen.Steps{Tools: b.tools, IgnoreCache: fat.IsIgnoreCache}, fat.State, b.cfg.Pack(fat.Image.Config, platformID(p)))
	if err != nil {
		return err
	}
	built, err := b.built(ctx, fat, facts)
	if err != nil {
		return err
	}
	b.input.User, b.input.UserKnown = fat.Image.Config.User, true
	if found, err = lint.CheckImage(b.input, built, b.settings); err != nil {
		return err
	}
	return b.verdict(ctx, found)
}

// findings judges a Dockerfile that is not built.
func (b *build) findings(ctx context.Context) (found []lint.Finding, err error) {
	if b.input, b.settings, err = b.lintInput(ctx); err != nil {
		return nil, err
	}
	opt := b.convertOpt(ctx, nil, 1)
	results, err := dockerfile2llb.DockerfileLint(ctx, b.src.Data, opt)
	if err != nil {
		return nil, err
	}
	if b.input.Stock, err = lint.FromStock(results); err != nil {
		return nil, err
	}
	return lint.Check(b.input, b.settings)
}

// lintInput is what is known of the Dockerfile before it is built.
func (b *build) lintInput(ctx context.Context) (lint.Input, lint.Settings, error) {
	in := lint.Input{
		Filename: b.src.Filename, Data: b.src.Data, Target: b.bc.Target, BuildArgs: b.bc.BuildArgs,
		Contexts: namedContexts(b.client.BuildOpts().Opts, platformID(b.judged())), Check: b.bc.BuildArgs["BUILDKIT_DOCKERFILE_CHECK"],
	}
	patterns, err := b.bc.DockerIgnorePatterns(ctx)
	if err != nil {
		return in, lint.Settings{}, err
	}
	in.Ignore, in.IgnoreKnown = strings.Join(patterns, "\n"), true
	set, err := b.policySettings(ctx)
	if err != nil {
		return in, set, err
	}
	set.Overrides, err = overrides(b.cfg, time.Now())
	return in, set, err
}

// policySettings are what the policy says, if there is one.
func (b *build) policySettings(ctx context.Context) (lint.Settings, error) {
	src, err := b.readPolicy(ctx)
	if err != nil || src.name == "" {
		return lint.Settings{}, err
	}
	p, err := policy.Parse(src.name, src.data, lint.Rules(), time.Now())
	if err != nil {
		return lint.Settings{}, err
	}
	if p.Profile == policy.Release && b.cfg.FailOn == failNever {
		return lint.Settings{}, fmt.Errorf("SLIM_FAIL_ON=%s is less than the profile %s that the policy %s demands: leave it out", failNever, p.Profile, src.name)
	}
	b.policy, b.profile = src, p.Profile
	if p.Advisories != nil {
		b.advisories = *p.Advisories
	}
	return p.Settings("", b.src.Filename)
}

// failNever is the value of SLIM_FAIL_ON with which no rule fails a build.
const failNever = "never"

// namedContexts are the values of --build-context by name: for the platform those
// that name it, "name::linux/arm64", before those for all (dockerui,
// Client.namedContext).
func namedContexts(opts map[string]string, platform string) map[string]string {
	contexts := map[string]string{}
	for _, key := range slices.Sorted(maps.Keys(opts)) { // the plain name comes first
		name, ok := strings.CutPrefix(key, "context:")
		if !ok {
			continue
		}
		if name, only, limited := strings.Cut(name, "::"); !limited || only == platform {
			contexts[name] = opts[key]
		}
	}
	return contexts
}

// judged is the platform that the rules judge; nil is the worker's own.
func (b *build) judged() *ocispecs.Platform {
	if len(b.bc.TargetPlatforms) == 0 {
		return nil
	}
	return &b.bc.TargetPlatforms[0]
}

// takeCheckErrors leaves it to the judge to fail where "check=error=true" makes
// warnings errors: conversion would name the stock rules alone, and no lines.
func (b *build) takeCheckErrors() (err error) {
	config := b.bc.LinterConfig // of BUILDKIT_DOCKERFILE_CHECK
	if config == nil {
		text, _, _, _ := parser.ParseDirective("check", b.src.Data)
		if config, err = linter.ParseLintOptions(text); err != nil {
			return fmt.Errorf("read # check=%s: %w", text, err)
		}
	}
	if b.checkErrors = config.ReturnAsError; b.checkErrors {
		config.ReturnAsError = false
		b.bc.LinterConfig = config
	}
	return nil
}

// verdict prints the warnings and fails with the errors.
func (b *build) verdict(ctx context.Context, found []lint.Finding) error {
	var failing []lint.Finding
	for _, f := range found {
		switch {
		case b.cfg.FailOn == "error" && f.Severity == lint.Error, b.cfg.FailOn == "warn" && f.Severity >= lint.Warn:
			failing = append(failing, f)
		case f.Severity >= lint.Warn:
			b.src.Warn(ctx, linter.LintFormatShort(f.Rule.Name, f.Message, f.Line()), gwclient.WarnOpts{
				Level: 1, Detail: [][]byte{[]byte(f.Rule.Summary)}, URL: f.Rule.URL(), Range: ranges(f.Ranges),
			})
		}
	}
	if len(failing) == 0 {
		return nil
	}
	return &RulesError{
		Findings: failing,
		warnings: b.cfg.FailOn == "warn" || b.checkErrors,
		firm:     b.profile == policy.Release,
		policed:  b.settings.IgnoresOff || b.settings.Locked[failing[0].Rule.Name],
	}
}
