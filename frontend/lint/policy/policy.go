// Package policy reads the policy file: what a team demands of its Dockerfiles
// beyond the rules' defaults. schema.json describes the file, testdata/example.yaml
// shows all of it.
//
// It comes before the linter: Parse checks the file, Policy.Settings gives
// frontend/lint what it needs. It is pure: it reads no file and no clock.
// Imported by frontend and cmd.
package policy

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/bmatcuk/doublestar/v4"

	"github.com/org/slimfile/frontend/lint"
)

// Profile says how strictly the rules are taken.
type Profile string

// Profiles, from the least to the most strict.
const (
	Dev     Profile = "dev"     // nothing fails: errors are warnings
	Default Profile = "default" // the rules' own severities
	Release Profile = "release" // warnings fail, an ignore must give its reason
)

// Profiles lists them, the least strict one first.
func Profiles() []Profile { return []Profile{Dev, Default, Release} }

// InlineIgnores says what comments in a Dockerfile may do about rules.
type InlineIgnores string

// What an inline ignore is.
const (
	IgnoresAllowed    InlineIgnores = "allowed"
	IgnoresWithReason InlineIgnores = "with-reason"
	IgnoresForbidden  InlineIgnores = "forbidden" // it does nothing
)

func inlineIgnores() []InlineIgnores {
	return []InlineIgnores{IgnoresAllowed, IgnoresWithReason, IgnoresForbidden}
}

// Policy is the file's content, valid. New makes that of no file.
type Policy struct {
	// Profile is the one that the policy demands at least; empty demands none.
	Profile Profile
	// InlineIgnores is empty where the profile decides.
	InlineIgnores InlineIgnores
	BaseImages    BaseImages
	// Labels are those that an image must have, with the type of their value.
	Labels  map[string]string
	Budgets Budgets
	// Advisories is where those are that Budgets.Vulnerabilities counts; nil
	// without that.
	Advisories *Advisories
	Exemptions []Exemption

	rules      []*lint.Rule
	severities map[string]lint.Severity // as the file says
	locked     map[string]bool
}

// BaseImages says what may stand in FROM.
type BaseImages struct {
	// Registries and Allow are globs of registries and of whole references; no
	// globs allow all.
	Registries, Allow []string
	// Digest demands one in each reference.
	Digest bool
}

// Budgets bound the built image. A nil one was not given.
type Budgets struct {
	// Size is in bytes.
	Size *int64
	// Vulnerabilities is how many there may be, by severity.
	Vulnerabilities map[string]int
}

// Advisories is a place: a file, or a folder with files.
type Advisories struct {
	// Context is a named build context; empty for the policy file's own folder.
	Context string
	// Path is below it; empty for all of it.
	Path string
}

// Exemption excuses violations of a rule.
type Exemption struct {
	// Rules are those that the name, or the other linter's id, stands for.
	Rules []string
	// Path is a glob of Dockerfiles, Stage a stage's name; empty for all.
	Path, Stage string
	Reason      string
	// Until is the last day, in UTC; zero for no end.
	Until time.Time
}

// New is the policy of no file.
func New(rules []*lint.Rule) *Policy {
	return &Policy{rules: rules, severities: map[string]lint.Severity{}}
}

// The rules that a section of the file turns on.
const (
	ruleImages  = "TrustedBaseRegistry"
	ruleLabels  = "LabelSchema"
	ruleSize    = "SizeBudget"
	ruleVulners = "VulnerabilityBudget"
	// ruleDigest says less than ruleImages where a digest is demanded.
	ruleDigest = "PinBaseImageDigest"
)

// demands tells whether a section of the file asks for what a rule checks.
func (p *Policy) demands(rule string) bool {
	switch rule {
	case ruleImages:
		return len(p.BaseImages.Registries)+len(p.BaseImages.Allow) > 0 || p.BaseImages.Digest
	case ruleLabels:
		return len(p.Labels) > 0
	case ruleSize:
		return p.Budgets.Size != nil
	case ruleVulners:
		return p.Budgets.Vulnerabilities != nil
	}
	return false
}

// Override sets a rule's severity as the user's word on it, NAME=SEVERITY. NAME
// may be another linter's id. It fails where the policy locks the rule.
func (p *Policy) Override(text string) error {
	name, value, _ := strings.Cut(text, "=")
	named, err := p.named(name)
	if err != nil {
		return err
	}
	var severity lint.Severity
	if err := severity.UnmarshalText([]byte(value)); err != nil {
		return fmt.Errorf("rule %s: %w", name, err)
	}
	for _, rule := range named {
		if p.locked[rule.Name] && severity < p.severity(rule, Default) {
			return fmt.Errorf("rule %s: the policy locks it, so it cannot be lowered to %s", rule.Name, severity)
		}
		p.severities[rule.Name] = severity
	}
	return nil
}

// Settings is the policy under a profile, the empty one for the policy's own,
// as the linter takes it for the Dockerfile at path (separated by slashes). It
// fails if the profile is less strict than the policy allows.
func (p *Policy) Settings(profile Profile, path string) (lint.Settings, error) {
	least := slices.Index(Profiles(), p.Profile)
	chosen := slices.Index(Profiles(), profile)
	switch {
	case profile == "" && p.Profile == "":
		profile = Default
	case profile == "":
		profile = p.Profile
	case chosen < 0:
		return lint.Settings{}, fmt.Errorf("unknown profile %q, want dev, default or release", profile)
	case chosen < least:
		return lint.Settings{}, fmt.Errorf("the policy demands the profile %s, which is stricter than %s: leave the profile out", p.Profile, profile)
	}
	set := lint.Settings{
		Severity:        map[string]lint.Severity{},
		Registries:      p.BaseImages.Registries,
		Images:          p.BaseImages.Allow,
		DigestRequired:  p.BaseImages.Digest,
		Labels:          p.Labels,
		Locked:          p.locked,
		SizeBudget:      p.budget(),
		Vulnerabilities: p.Budgets.Vulnerabilities,
		IgnoresOff:      p.InlineIgnores == IgnoresForbidden,
		ReasonRequired:  p.InlineIgnores == IgnoresWithReason || p.InlineIgnores == "" && profile == Release,
		Exempt:          func(rule, stage string) bool { return p.exempts(rule, path, stage) },
	}
	for _, r := range p.rules {
		set.Severity[r.Name] = p.severity(r, profile)
	}
	if profile == Dev {
		set.MaxSeverity = lint.Warn
	}
	return set, nil
}

// budget is the size that the slim image may have, in bytes; 0 for any.
func (p *Policy) budget() int64 {
	if p.Budgets.Size == nil {
		return 0
	}
	return *p.Budgets.Size
}

// severity is what a rule has under a profile.
func (p *Policy) severity(r *lint.Rule, profile Profile) lint.Severity {
	given, ok := p.severities[r.Name]
	switch {
	case ok:
		return given
	case p.demands(r.Name):
		return lint.Error
	case r.Name == ruleDigest && p.BaseImages.Digest:
		return lint.Off
	case r.Default == lint.Warn && profile == Release:
		return lint.Error
	}
	return r.Default
}

// exempts tells whether an exemption covers a violation of rule in the
// Dockerfile at path and in the stage named so.
func (p *Policy) exempts(rule, path, stage string) bool {
	return slices.ContainsFunc(p.Exemptions, func(e Exemption) bool {
		return slices.Contains(e.Rules, rule) &&
			(e.Path == "" || doublestar.MatchUnvalidated(e.Path, path)) &&
			(e.Stage == "" || strings.EqualFold(e.Stage, stage))
	})
}
