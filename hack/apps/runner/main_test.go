package main

import (
	"os"
	"path/filepath"
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

func TestExcerpt(t *testing.T) {
	for _, tc := range []struct{ name, detail, want string }{
		{"output", "exit status 1\nline\n", "exit status 1\nline"},
		{
			"later checks by their names", "not ok 1\n#   got  a\nnot ok 2\n#   got  b\nnot ok 4\n#   got  c\nnot ok 9\n#   got  d\n#        e\n# the end:\n#   log",
			"not ok 1\n#   got  a\nnot ok 2\n#   got  b\nnot ok 4\n#   got  c\nnot ok 9\n# the end:\n#   log",
		},
	} {
		t.Run(tc.name, func(t *testing.T) {
			if got := (&failure{Detail: tc.detail}).excerpt(); got != tc.want {
				t.Errorf("got\n%s\nwant\n%s", got, tc.want)
			}
		})
	}
}

func TestBaseImage(t *testing.T) {
	for _, tc := range []struct{ name, dockerfile, want string }{
		{"one stage", "FROM debian:bookworm", "debian:bookworm"},
		{"the last stage's", "FROM golang:1 AS build\nFROM debian:bookworm", "debian:bookworm"},
		{"by way of stages", "FROM node:18 AS a\nFROM a AS b\nFROM debian AS c\nFROM B", "node:18"},
		{"a stage called as its image", "FROM node AS node\nFROM node", "node"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "Dockerfile")
			if err := os.WriteFile(path, []byte(tc.dockerfile), 0o644); err != nil {
				t.Fatal(err)
			}
			if got, err := baseImage(path); err != nil || got != tc.want {
				t.Errorf("%q, error %v, want %q", got, err, tc.want)
			}
		})
	}
}

func TestSlimWarnings(t *testing.T) {
	got := slimWarnings("#3 [slim 1/3] trace\n\nWARNING: slim: one\nWARNING: NonRootUser: two\nmore\n\nWARNING: slim: three\n")
	if want := "one|three"; strings.Join(got, "|") != want {
		t.Errorf("%q, want %q", got, want)
	}
}

func TestMarkdown(t *testing.T) {
	got := markdown([]result{
		{App: "a", Base: "debian", Granularity: "file", FatBytes: 90e6, SlimBytes: 10e6, StrictBytes: 8e6, Ratio: 9, Seconds: 4, KeptPackages: 1, TotalPackages: 20, Probes: 1, Verified: true, Checks: 7},
		{App: "b", Base: "node:18", Granularity: "file", Warnings: []string{"w"}, Failure: &failure{What: "build"}},
	})
	want := `| app | base | granularity | fat MB | slim MB | strict MB | ratio | seconds | packages | probes | verified | warnings | acceptance |
| -- | -- | -- | --: | --: | --: | --: | --: | --: | --: | --: | --: | -- |
| a | debian | file | 90.0 | 10.0 | 8.0 | 9.0 | 4.0 | 1/20 | 1 | true | 0 | 7 checks |
| b | node:18 | file | 0.0 | 0.0 | 0.0 | 0.0 | 0.0 | 0/0 | 0 | false | 1 | FAILED: build |

file: 1 of 2 accepted, median ratio 9.0x, median seconds 4.0, 1 warnings
`
	if got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
}
