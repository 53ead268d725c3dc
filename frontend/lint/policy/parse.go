package policy

import (
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"path"
	"slices"
	"time"

	"github.com/bmatcuk/doublestar/v4"
	"github.com/docker/go-units"
	"go.yaml.in/yaml/v4"

	"github.com/org/slimfile/frontend/internal/spell"
	"github.com/org/slimfile/frontend/lint"
	"github.com/org/slimfile/frontend/lint/osv"
)

// MaxSize bounds a policy file, in bytes: it is parsed into memory.
const MaxSize = 1 << 20

// Parse reads a policy file about the rules of a table. today is the day by
// which exemptions end. Its error is Errors.
func Parse(filename string, data []byte, rules []*lint.Rule, today time.Time) (*Policy, error) {
	root, err := load(filename, data)
	if err != nil {
		return nil, err
	}
	p := &parser{
		decoder: decoder{filename: filename},
		policy:  New(rules),
		today:   today,
		at:      map[string]place{},
	}
	if root != nil {
		p.parse(root)
	}
	if len(p.errs) > 0 {
		slices.SortStableFunc(p.errs, func(a, b *Error) int {
			return cmp.Or(cmp.Compare(a.Line, b.Line), cmp.Compare(a.Column, b.Column))
		})
		return nil, p.errs
	}
	return p.policy, nil
}

// load returns the root of the one document in data, nil if it is empty.
func load(filename string, data []byte) (*yaml.Node, error) {
	if len(data) > MaxSize {
		return nil, Errors{{Filename: filename, Message: fmt.Sprintf("the policy is larger than %d bytes", MaxSize)}}
	}
	loader, err := yaml.NewLoader(bytes.NewReader(data))
	if err != nil {
		return nil, fmt.Errorf("%s: %w", filename, err)
	}
	first, second := yaml.Node{}, yaml.Node{}
	if err := loader.Load(&first); errors.Is(err, io.EOF) {
		return nil, nil
	} else if err != nil {
		return nil, syntaxError(filename, err)
	}
	if err := loader.Load(&second); err == nil {
		return nil, Errors{{Filename: filename, Line: second.Line, Column: second.Column, Message: "the policy has a second document: take it out"}}
	} else if !errors.Is(err, io.EOF) {
		return nil, syntaxError(filename, err)
	}
	return first.Content[0], nil
}

func syntaxError(filename string, err error) error {
	e := &Error{Filename: filename, Message: err.Error()}
	var at *yaml.LoadError
	if errors.As(err, &at) {
		e.Line, e.Column, e.Message = at.Mark.Line, at.Mark.Column, at.Message
	}
	return Errors{e}
}

// parser fills a policy.
type parser struct {
	decoder
	policy *Policy
	today  time.Time
	at     map[string]place // of each rule whose severity is set
}

// place says where and as what a rule was named.
type place struct {
	line  int
	alias bool
}

func (p *parser) parse(root *yaml.Node) {
	policy := p.policy
	var locked *yaml.Node
	p.fields(root, "the policy", map[string]func(*yaml.Node){
		"profile":        func(n *yaml.Node) { policy.Profile = choose(&p.decoder, n, "profile", Profiles()) },
		"rules":          p.severities,
		"locked":         func(n *yaml.Node) { locked = n },
		"inline-ignores": func(n *yaml.Node) { policy.InlineIgnores = choose(&p.decoder, n, "inline-ignores", inlineIgnores()) },
		"base-images":    p.baseImages,
		"labels":         p.labels,
		"budgets":        p.budgets,
		"advisories":     p.advisories,
		"exemptions":     p.exemptions,
	})
	if locked != nil {
		p.locked(locked)
	}
	switch bounded := policy.Budgets.Vulnerabilities != nil; {
	case bounded && policy.Advisories == nil:
		p.fail(root, "the budget of vulnerabilities needs advisories: say where they are, advisories: {path: DIR} or {context: NAME}")
	case !bounded && policy.Advisories != nil:
		p.fail(root, "nothing asks for advisories: give budgets a number of vulnerabilities, or leave advisories out")
	}
}

// named gives the rules that a name or an id of another linter stands for.
func (p *Policy) named(name string) ([]*lint.Rule, error) {
	var found []*lint.Rule
	var known []string
	for _, r := range p.rules {
		if r.Name == name {
			return []*lint.Rule{r}, nil
		}
		if r.Is(name) {
			found = append(found, r)
		}
		known = append(append(known, r.Name), r.Aliases...)
	}
	if len(found) > 0 {
		return found, nil
	}
	if near := spell.Nearest(name, known); near != "" {
		return nil, fmt.Errorf("unknown rule %q, did you mean %q?", name, near)
	}
	return nil, fmt.Errorf("unknown rule %q", name)
}

// rules reads a rule's name.
func (p *parser) rules(n *yaml.Node) []*lint.Rule {
	name := p.text(n, "a rule")
	if name == "" {
		return nil
	}
	rules, err := p.policy.named(name)
	if err != nil {
		p.fail(n, "%s", err)
	}
	return rules
}

// severities reads RULE: SEVERITY. A rule's own name counts more than an id
// that it shares with others.
func (p *parser) severities(n *yaml.Node) {
	p.entries(n, "rules", func(key, value *yaml.Node) {
		severity := p.severity(value)
		for _, rule := range p.rules(key) {
			name := rule.Name
			this := place{key.Line, name != key.Value}
			before, twice := p.at[name]
			switch {
			case twice && before.alias == this.alias && p.policy.severities[name] != severity:
				p.fail(key, "%s sets rule %s, to which line %d gives another severity", key.Value, name, before.line)
			case !twice || before.alias:
				p.at[name], p.policy.severities[name] = this, severity
			}
		}
	})
}

func (p *parser) severity(n *yaml.Node) lint.Severity {
	var s lint.Severity
	text := p.text(n, "a rule's severity")
	if err := s.UnmarshalText([]byte(text)); err != nil && text != "" {
		p.fail(n, "%s", err)
	}
	return s
}

// locked comes after the rules' severities.
func (p *parser) locked(n *yaml.Node) {
	p.policy.locked = map[string]bool{}
	p.items(n, "locked", func(item *yaml.Node) {
		for _, rule := range p.rules(item) {
			p.policy.locked[rule.Name] = true
			if p.policy.severity(rule, Default) == lint.Off {
				p.fail(item, "rule %s is off: give it a severity below rules, or do not lock it", rule.Name)
			}
		}
	})
}

func (p *parser) baseImages(n *yaml.Node) {
	images := &p.policy.BaseImages
	p.fields(n, "base-images", map[string]func(*yaml.Node){
		"registries": func(n *yaml.Node) { images.Registries = p.globs(n, "registries") },
		"allow":      func(n *yaml.Node) { images.Allow = p.globs(n, "allow") },
		"digest":     func(n *yaml.Node) { images.Digest = p.bool(n, "digest") },
	})
}

// globs reads a list of globs, of which there must be one: an empty list could
// mean all or nothing.
func (p *parser) globs(n *yaml.Node, what string) []string {
	var globs []string
	p.items(n, what, func(item *yaml.Node) {
		globs = append(globs, p.glob(item, what))
	})
	if n.Kind == yaml.SequenceNode && len(globs) == 0 {
		p.fail(n, "%s is empty: name what is allowed, or leave it out to allow all", what)
	}
	return globs
}

func (p *parser) glob(n *yaml.Node, what string) string {
	text := p.text(n, what)
	if !doublestar.ValidatePattern(text) {
		p.fail(n, "bad glob %q: a [ or { is not closed", text)
	}
	return text
}

// labelTypes are what a label's value can be; any takes every text.
func labelTypes() []string {
	return []string{"any", "text", "url", "semver", "rfc3339", "spdx", "email", "hash"}
}

func (p *parser) labels(n *yaml.Node) {
	p.policy.Labels = map[string]string{}
	p.entries(n, "labels", func(key, value *yaml.Node) {
		kind := choose(&p.decoder, value, "type of label", labelTypes())
		if kind == "any" {
			kind = ""
		}
		p.policy.Labels[key.Value] = kind
	})
}

func (p *parser) budgets(n *yaml.Node) {
	budgets := &p.policy.Budgets
	p.fields(n, "budgets", map[string]func(*yaml.Node){
		"size": func(n *yaml.Node) {
			text := p.text(n, "size")
			size, err := units.FromHumanSize(text)
			if text != "" && (err != nil || size <= 0) {
				p.fail(n, "size wants bytes such as 120MB, got %q", text)
			}
			budgets.Size = &size
		},
		"vulnerabilities": func(n *yaml.Node) {
			budgets.Vulnerabilities = map[string]int{}
			fields := map[string]func(*yaml.Node){}
			for _, severity := range osv.Severities() {
				fields[severity] = func(n *yaml.Node) { budgets.Vulnerabilities[severity] = p.count(n, severity) }
			}
			p.fields(n, "vulnerabilities", fields)
		},
	})
}

func (p *parser) advisories(n *yaml.Node) {
	a := &Advisories{}
	p.fields(n, "advisories", map[string]func(*yaml.Node){
		"context": func(n *yaml.Node) { a.Context = p.text(n, "context") },
		"path":    func(n *yaml.Node) { a.Path = p.path(n, "path") },
	})
	if n.Kind == yaml.MappingNode && len(n.Content) == 0 {
		p.fail(n, "advisories names no place: add path, or context")
	}
	p.policy.Advisories = a
}

// path reads a path that leads to nowhere above.
func (p *parser) path(n *yaml.Node, what string) string {
	text := p.text(n, what)
	if clean := path.Clean(text); text != "" && !fs.ValidPath(clean) {
		p.fail(n, "%s wants a path below the policy's folder, got %q", what, text)
	}
	return path.Clean(text)
}

func (p *parser) exemptions(n *yaml.Node) {
	p.items(n, "exemptions", func(item *yaml.Node) {
		p.policy.Exemptions = append(p.policy.Exemptions, p.exemption(item))
	})
}

func (p *parser) exemption(n *yaml.Node) Exemption {
	var e Exemption
	before := len(p.errs)
	p.fields(n, "an exemption", map[string]func(*yaml.Node){
		"rule": func(n *yaml.Node) {
			for _, rule := range p.rules(n) {
				e.Rules = append(e.Rules, rule.Name)
			}
		},
		"path":   func(n *yaml.Node) { e.Path = p.glob(n, "path") },
		"stage":  func(n *yaml.Node) { e.Stage = p.text(n, "stage") },
		"reason": func(n *yaml.Node) { e.Reason = p.text(n, "reason") },
		"until":  func(n *yaml.Node) { e.Until = p.until(n) },
	})
	switch {
	case len(p.errs) > before:
	case e.Rules == nil:
		p.fail(n, "the exemption names no rule: add rule")
	case e.Reason == "":
		p.fail(n, "the exemption from %s gives no reason: add reason", spell.Alternatives(e.Rules))
	}
	return e
}

func (p *parser) until(n *yaml.Node) time.Time {
	until := p.date(n, "until")
	if !until.IsZero() && !p.today.Before(until.AddDate(0, 0, 1)) {
		p.fail(n, "the exemption ended on %s: mend what it covers and take it out, or give it a later date", n.Value)
	}
	return until
}

func sortedKeys[V any](m map[string]V) []string { return slices.Sorted(maps.Keys(m)) }
