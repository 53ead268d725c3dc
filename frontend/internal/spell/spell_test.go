package spell

import "testing"

func TestHint(t *testing.T) {
	words := []string{"severity", "reason", "rule", "rules", "until"}
	for _, tc := range []struct {
		name, word string
		words      []string
		want       string
	}{
		{"missing letter", "sevrity", words, `, did you mean "severity"?`},
		{"letters swapped", "unitl", words, `, did you mean "until"?`},
		{"another case", "Reason", words, `, did you mean "reason"?`},
		{"two equally near", "rul", words, `, did you mean "rule"?`},
		{"nothing near", "profile", words, ", want severity, reason, rule, rules or until"},
		{"one to choose from", "x", []string{"only"}, ", want only"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			if got := Hint(tc.word, tc.words); got != tc.want {
				t.Errorf("got %q, want %q", got, tc.want)
			}
		})
	}
}
