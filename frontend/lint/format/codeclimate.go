package format

import (
	"crypto/sha256"
	"encoding/hex"
	"io"

	"github.com/moby/buildkit/frontend/dockerfile/parser"

	"github.com/org/slimfile/frontend/lint"
)

// issue is one of a Code Climate report, with what GitLab needs of it:
// https://docs.gitlab.com/ci/testing/code_quality/#code-quality-report-format
// and https://github.com/codeclimate/platform/blob/master/spec/analyzers/SPEC.md
type issue struct {
	Type        string        `json:"type"`
	CheckName   string        `json:"check_name"`
	Description string        `json:"description"`
	Content     *content      `json:"content,omitempty"`
	Categories  []string      `json:"categories"`
	Severity    string        `json:"severity"`
	Fingerprint string        `json:"fingerprint"`
	Location    issueLocation `json:"location"`
}

type content struct {
	Body string `json:"body"`
}

type issueLocation struct {
	Path  string `json:"path"`
	Lines struct {
		Begin int `json:"begin"`
		End   int `json:"end"`
	} `json:"lines"`
}

func codeClimate(w io.Writer, files []source) error {
	issues := []issue{}
	for _, f := range files {
		prints := f.fingerprints()
		for n, finding := range f.Findings {
			severity := map[lint.Severity]string{lint.Error: "major", lint.Warn: "minor", lint.Info: "info"}[finding.Severity]
			one := f.issue(finding.Rule.Name, finding.Message, severity, prints[n], finding.Ranges)
			if finding.Rule.Remedy != "" {
				one.Content = &content{finding.Rule.Why + " " + finding.Rule.Remedy}
			}
			issues = append(issues, one)
		}
		if f.Err != nil {
			sum := sha256.Sum256([]byte(brokenRule + "\x00" + f.Filename))
			issues = append(issues, f.issue(brokenRule, f.Err.Error(), "blocker", hex.EncodeToString(sum[:16]), errorRanges(f.Err)))
		}
	}
	return encode(w, issues)
}

// issue is about the first line where the format wants a line and there is none.
func (f source) issue(name, message, severity, fingerprint string, ranges []parser.Range) issue {
	one := issue{
		Type: "issue", CheckName: name, Description: message, Categories: []string{"Bug Risk"},
		Severity: severity, Fingerprint: fingerprint, Location: issueLocation{Path: f.Filename},
	}
	s := f.spanOf(ranges)
	one.Location.Lines.Begin, one.Location.Lines.End = max(s.line, 1), max(s.endLine, 1)
	return one
}
