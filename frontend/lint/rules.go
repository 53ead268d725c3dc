package lint

import (
	"fmt"
	"slices"

	"github.com/org/slimfile/frontend/internal/spell"
)

//go:generate go run ./internal/docgen docs

// Rules is the table of all rules, by family.
func Rules() []*Rule {
	return slices.Concat(
		baseRules(),
		copyRules(),
		metadataRules(),
		orderRules(),
		runtimeRules(),
		userRules(),
		packageRules(),
		cleanupRules(),
		pinRules(),
		commandRules(),
		imageRules(),
		startRules(),
		fileRules(),
		observedRules(),
		stockRules(),
	)
}

// Find finds a rule by its name or an alias.
func Find(name string) (*Rule, error) {
	rules := Rules()
	for _, exact := range []func(*Rule) bool{
		func(r *Rule) bool { return r.Name == name },
		func(r *Rule) bool { return r.Is(name) },
	} {
		if i := slices.IndexFunc(rules, exact); i >= 0 {
			return rules[i], nil
		}
	}
	var names []string
	for _, r := range rules {
		names = append(append(names, r.Name), r.Aliases...)
	}
	near := spell.Nearest(name, names)
	if near == "" {
		return nil, fmt.Errorf("no rule %q", name)
	}
	return nil, fmt.Errorf("no rule %q, did you mean %q?", name, near)
}
