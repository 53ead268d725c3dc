package lint

import (
	"slices"
	"strings"

	"github.com/moby/buildkit/frontend/dockerfile/linter"
	"github.com/moby/buildkit/frontend/dockerfile/parser"
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
