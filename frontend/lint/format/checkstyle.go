package format

import (
	"encoding/xml"
	"io"

	"github.com/moby/buildkit/frontend/dockerfile/parser"

	"github.com/org/slimfile/frontend/lint"
)

// checkstyleReport is what Checkstyle's XMLLogger writes:
// https://github.com/checkstyle/checkstyle/blob/master/src/main/java/com/puppycrawl/tools/checkstyle/XMLLogger.java
type checkstyleReport struct {
	XMLName xml.Name         `xml:"checkstyle"`
	Version string           `xml:"version,attr"`
	Files   []checkstyleFile `xml:"file"`
}

type checkstyleFile struct {
	Name   string            `xml:"name,attr"`
	Errors []checkstyleError `xml:"error"`
}

type checkstyleError struct {
	Line     int    `xml:"line,attr"`
	Column   int    `xml:"column,attr,omitempty"`
	Severity string `xml:"severity,attr"`
	Message  string `xml:"message,attr"`
	Source   string `xml:"source,attr"`
}

func checkstyle(w io.Writer, files []source) error {
	report := checkstyleReport{Version: "10.0"}
	for _, f := range files {
		out := checkstyleFile{Name: f.Filename}
		for _, finding := range f.Findings {
			severity := map[lint.Severity]string{lint.Error: "error", lint.Warn: "warning", lint.Info: "info"}[finding.Severity]
			out.Errors = append(out.Errors, f.checkstyle(severity, finding.Rule.Name, finding.Message, finding.Ranges))
		}
		if f.Err != nil {
			out.Errors = append(out.Errors, f.checkstyle("error", brokenRule, f.Err.Error(), errorRanges(f.Err)))
		}
		report.Files = append(report.Files, out)
	}
	if _, err := io.WriteString(w, xml.Header); err != nil {
		return err
	}
	e := xml.NewEncoder(w)
	e.Indent("", "  ")
	if err := e.Encode(report); err != nil {
		return err
	}
	_, err := io.WriteString(w, "\n")
	return err
}

// checkstyle is about line 0 where it is about the file as a whole.
func (f source) checkstyle(severity, rule, message string, ranges []parser.Range) checkstyleError {
	s := f.spanOf(ranges)
	return checkstyleError{Line: s.line, Column: s.column, Severity: severity, Message: message, Source: "slimfile." + rule}
}
