package lint

import "slices"

// Rules is the table of all rules, by family.
func Rules() []*Rule {
	return slices.Concat(
		userRules(),
		stockRules(),
	)
}
