package config

import (
	"slices"
	"strings"

	"github.com/bmatcuk/doublestar/v4"

	"github.com/org/slimfile/sensor/manifest"
)

// globs reads GLOB… [reason=].
func globs(kind string) func(*directive) func(*Config) {
	return func(d *directive) func(*Config) {
		words, opts := d.split(kind, "reason")
		if len(words) == 0 {
			d.fail(d.verb.span, "%s wants a glob of absolute paths, such as /app/templates/**", kind)
		}
		for i, w := range words {
			words[i].text = w.glob()
			d.checkGlob(words[i])
		}
		return d.rule(kind, words, opts)
	}
}

// glob is the word's text as a glob, in which a character after an unquoted
// backslash stands for itself. Quotes keep blanks together, nothing more.
func (w word) glob() string {
	var b strings.Builder
	for i, r := range w.text {
		if _, ok := slices.BinarySearch(w.literal, i); ok && strings.ContainsRune(patterns+`]}\`, r) {
			b.WriteByte('\\')
		}
		b.WriteRune(r)
	}
	return b.String()
}

func (d *directive) checkGlob(w word) {
	switch {
	case !strings.HasPrefix(w.text, "/"):
		d.fail(w.span, "glob %q is not absolute: start it with / (/**/%s matches in every folder)", w.text, strings.TrimPrefix(w.text, "**/"))
	case slices.ContainsFunc(strings.Split(w.text, "/"), func(s string) bool { return s == "." || s == ".." }):
		d.fail(w.span, "glob %q has a . or .. in it, which no path in an image has", w.text)
	case !doublestar.ValidatePattern(w.text):
		d.fail(w.span, "bad glob %q: a [ or { is not closed (after a backslash it stands for itself)", w.text)
	}
}

// names reads NAME… [reason=], where each name must be valid.
func names(kind, example string, valid func(string) bool) func(*directive) func(*Config) {
	return func(d *directive) func(*Config) {
		words, opts := d.split(kind, "reason")
		if len(words) == 0 {
			d.fail(d.verb.span, "%s wants names such as %s", kind, example)
		}
		for _, w := range words {
			if !valid(w.text) {
				d.fail(w.span, "bad name %q for %s, want one such as %s (patterns belong to keep)", w.text, kind, example)
			}
		}
		return d.rule(kind, words, opts)
	}
}

// patterns are the characters that only a glob has.
const patterns = "*?[{"

// isProgram accepts a program's name, or its absolute path.
func isProgram(s string) bool {
	return s != "" && !strings.ContainsAny(s, patterns) && (strings.HasPrefix(s, "/") || !strings.Contains(s, "/"))
}

// isPackage accepts what package managers call a package: npm's has a slash,
// dpkg's a colon before the architecture.
func isPackage(s string) bool {
	return s != "" && !strings.ContainsAny(s, patterns+blanks) && !strings.HasPrefix(s, "/")
}

func (d *directive) keepShell() func(*Config) { return d.noNames(manifest.RuleKeepShell) }

func (d *directive) keepStageCopy() func(*Config) { return d.noNames(manifest.RuleKeepStageCopy) }

// noNames reads [reason=].
func (d *directive) noNames(kind string) func(*Config) {
	words, opts := d.split(kind, "reason")
	d.surplus(kind, words)
	return d.rule(kind, nil, opts)
}

func (d *directive) rule(kind string, words []word, opts options) func(*Config) {
	at := d.location(span{d.verb.start, len(strings.TrimRight(d.text, blanks))})
	rule := manifest.Rule{Kind: kind, Args: []string{}, Reason: opts.text("reason", ""), Source: &at}
	for _, w := range words {
		rule.Args = append(rule.Args, w.text)
	}
	return func(c *Config) { c.Rules = append(c.Rules, rule) }
}
