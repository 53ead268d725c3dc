package keepset

import (
	"math"
	"testing"
)

func TestFamiliesAreNumberedAndNamed(t *testing.T) {
	if len(families) > math.MaxUint8 {
		t.Fatalf("%d families do not fit into ruleID", len(families))
	}
	for i, f := range families {
		if f.rule == "" || f.name == nil || f.keep == nil {
			t.Errorf("family %d (%q) is incomplete", i, f.rule)
		}
		if got := ruleID(i + 1).name(); got != f.rule {
			t.Errorf("rule %d is %q, want %q", i+1, got, f.rule)
		}
	}
}
