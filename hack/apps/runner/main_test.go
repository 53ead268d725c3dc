package main

import (
	"strings"
	"testing"
)

func TestParseTAP(t *testing.T) {
	for _, tc := range []struct {
		name, out string
		checks    int
		what      string // empty: accepted
		detail    string
	}{
		{"all well", "ok 1 - a\nnoise\nok 2 - b\n1..2\n", 2, "", ""},
		{"a check failed", "ok 1 - a\nnot ok 2 - b\n#   got  nothing\nok 3 - c\n# a remark\n1..3\n# log\n", 3, "1 of 3", "not ok 2 - b\n#   got  nothing\n# log"},
		{"no end", "ok 1 - a\nlib.sh: line 3: syntax error\n", 1, "ended after 1 checks", "syntax error"},
		{"the end of fewer checks", "ok 1 - a\nok 2 - b\n1..1\n", 2, "ended after 2 checks", ""},
		{"no checks", "1..0\n", 0, "no checks", ""},
		{"no output", "", 0, "ended after 0 checks", ""},
	} {
		t.Run(tc.name, func(t *testing.T) {
			checks, failed := parseTAP(tc.out)
			what, detail := "", ""
			if failed != nil {
				what, detail = failed.What, failed.Detail
			}
			if checks != tc.checks || what != tc.what || !strings.Contains(detail, tc.detail) {
				t.Errorf("%d checks, failure %q %q, want %d, %q %q", checks, what, detail, tc.checks, tc.what, tc.detail)
			}
		})
	}
}

func TestMedian(t *testing.T) {
	for _, tc := range []struct {
		values []float64
		want   float64
	}{{nil, 0}, {[]float64{3}, 3}, {[]float64{9, 1, 5}, 5}, {[]float64{4, 1, 2, 9}, 3}} {
		if got := median(tc.values); got != tc.want {
			t.Errorf("median(%v) = %v, want %v", tc.values, got, tc.want)
		}
	}
}
