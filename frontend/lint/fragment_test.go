package lint

import (
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/moby/buildkit/frontend/dockerfile/parser"
)

// TestFragment: what has no FROM is judged as far as it goes, with the findings,
// the fixes and the error at their lines of the file.
func TestFragment(t *testing.T) {
	for _, test := range []struct {
		name, text, rule string
		want             []int
		fixed            string
		broken           int // the line of the error, 0 for none
	}{
		{"one instruction", "RUN apt-get install -y x\n", "AptNoInstallRecommends", []int{1}, "RUN apt-get install --no-install-recommends -y x\n", 1},
		{"the stock linter's", "# about it\nWORKDIR x\n", "WorkdirRelativePath", []int{2}, "# about it\nWORKDIR /x\n", 2},
		{"of several lines", "ENV a=b\n\nRUN a &&\\\n apt-get install -y x\n", "AptNoInstallRecommends", []int{4}, "ENV a=b\n\nRUN a &&\\\n apt-get install --no-install-recommends -y x\n", 1},
		{"directives stay on top", "# escape=`\n\nRUN a `\n && sudo b\n", "NoSudo", []int{4}, "", 3},
		{"a comment above it counts", "# hadolint ignore=DL3004\nRUN sudo b\n", "NoSudo", nil, "", 2},
		{"ARG alone", "ARG PIP_TRUSTED_HOST=x\n", "NoDisabledTLSVerify", []int{1}, "", 1},
		{"ARG before FROM", "ARG A=b\nFROM a:$A\nRUN sudo b\n", "NoSudo", []int{3}, "", 0},
		{"FROM too late", "ARG A=b\nRUN sudo a\nFROM a:1\nRUN sudo b\n", "NoSudo", []int{2, 4}, "", 2},
		{"no word of the FROM that is missing", "EXPOSE 80\n", "NonRootUser", nil, "", 1},
	} {
		t.Run(test.name, func(t *testing.T) {
			in := Input{Data: []byte(test.text), IgnoreKnown: true}
			var broken error
			in.Stock, broken = StockFindings(t.Context(), in)
			var at *parser.LocationError
			if located := errors.As(broken, &at); located != (test.broken > 0) || located && at.Locations[0][0].Start.Line != test.broken {
				t.Errorf("error %v, want one in line %d", broken, test.broken)
			}
			found, err := Check(in, Settings{Severity: map[string]Severity{test.rule: Error}})
			if err != nil {
				t.Fatal(err)
			}
			found = slices.DeleteFunc(found, func(f Finding) bool { return f.Rule.Name != test.rule })
			var lines []int
			for _, f := range found {
				lines = append(lines, f.Line())
			}
			if !slices.Equal(lines, test.want) {
				t.Errorf("found in lines %v, want %v", lines, test.want)
			}
			for i := range found {
				found[i].Rule = &Rule{Safe: true}
			}
			if fixed, n := Fix(in.Data, found); test.fixed != "" && (n != 1 || string(fixed) != test.fixed) {
				t.Errorf("fixed to %q", fixed)
			}
		})
	}
}

// What is more wrong with a fragment than its FROM is said of the file's lines.
func TestBrokenFragment(t *testing.T) {
	for text, want := range map[string]string{
		"# a\nONBUILD ONBUILD RUN x\n": "line 2: Chaining ONBUILD",
		"FRM debian:12\nRUN x\n":       "line 1: unknown instruction: FRM",
	} {
		_, err := Check(Input{Data: []byte(text)}, Settings{})
		_, stock := StockFindings(t.Context(), Input{Data: []byte(text)})
		for _, err := range []error{err, stock} {
			if err == nil || !strings.Contains(err.Error(), want) {
				t.Errorf("%q: %v, want %q", text, err, want)
			}
		}
	}
}
