package format

import (
	"fmt"
	"io"
	"strings"

	"github.com/moby/buildkit/frontend/dockerfile/parser"

	"github.com/org/slimfile/frontend/lint"
)

// github prints the workflow commands that make annotations:
// https://docs.github.com/actions/reference/workflow-commands-for-github-actions
func github(w io.Writer, files []source) error {
	// As in escapeData and escapeProperty of actions/toolkit, which the runner
	// reverses.
	a := annotations{
		data:     strings.NewReplacer("%", "%25", "\r", "%0D", "\n", "%0A"),
		property: strings.NewReplacer("%", "%25", "\r", "%0D", "\n", "%0A", ":", "%3A", ",", "%2C"),
	}
	for _, f := range files {
		for _, finding := range f.Findings {
			command := map[lint.Severity]string{lint.Error: "error", lint.Warn: "warning", lint.Info: "notice"}[finding.Severity]
			message := finding.Message
			if url := finding.Rule.URL(); url != "" {
				message += "\n" + url
			}
			a.add(f, command, finding.Ranges, finding.Rule.Name, message)
		}
		if f.Err != nil {
			a.add(f, "error", errorRanges(f.Err), brokenRule, f.Err.Error())
		}
	}
	_, err := io.WriteString(w, a.out.String())
	return err
}

type annotations struct {
	out            strings.Builder
	data, property *strings.Replacer
}

// add prints one command. GitHub takes columns only within one line.
func (a *annotations) add(f source, command string, ranges []parser.Range, title, message string) {
	fmt.Fprintf(&a.out, "::%s file=%s", command, a.property.Replace(f.Filename))
	if s := f.spanOf(ranges); !s.whole() {
		fmt.Fprintf(&a.out, ",line=%d,endLine=%d", s.line, s.endLine)
		if s.column > 0 && s.line == s.endLine {
			fmt.Fprintf(&a.out, ",col=%d,endColumn=%d", s.column, s.endColumn)
		}
	}
	fmt.Fprintf(&a.out, ",title=%s::%s\n", a.property.Replace(title), a.data.Replace(printable(message)))
}
