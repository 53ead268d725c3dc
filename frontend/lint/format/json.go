package format

import (
	encoding "encoding/json"
	"io"

	"github.com/moby/buildkit/frontend/dockerfile/parser"
	stock "github.com/moby/buildkit/frontend/subrequests/lint"
	"github.com/moby/buildkit/solver/pb"

	"github.com/org/slimfile/frontend/lint"
)

// results is BuildKit's lint.LintResults with more keys. A finding about a file
// as a whole has a location without ranges.
type results struct {
	Warnings []warning        `json:"warnings"`
	Sources  []*pb.SourceInfo `json:"sources"`
	// Error is the first of Errors: BuildKit knows one Dockerfile only.
	Error  *stock.BuildError  `json:"buildError,omitempty"`
	Errors []stock.BuildError `json:"buildErrors,omitempty"`
}

type warning struct {
	stock.Warning
	Severity lint.Severity `json:"severity"`
	Aliases  []string      `json:"aliases,omitempty"`
	Remedy   string        `json:"remedy,omitempty"`
	Fix      *fix          `json:"fix,omitempty"`
}

// fix removes the violation. A safe one changes nothing that the image does.
type fix struct {
	Safe  bool   `json:"safe"`
	Edits []edit `json:"edits"`
}

type edit struct {
	Range *pb.Range `json:"range"`
	Text  string    `json:"text"`
}

func json(w io.Writer, files []source) error {
	all := results{Warnings: []warning{}, Sources: []*pb.SourceInfo{}}
	for i, f := range files {
		all.Sources = append(all.Sources, &pb.SourceInfo{Filename: f.Filename, Language: "Dockerfile", Data: f.Data})
		at := func(ranges []parser.Range) *pb.Location {
			return &pb.Location{SourceIndex: int32(i), Ranges: toPB(ranges)}
		}
		for _, finding := range f.Findings {
			all.Warnings = append(all.Warnings, warning{
				Warning: stock.Warning{
					RuleName:    finding.Rule.Name,
					Description: finding.Rule.Summary,
					URL:         finding.Rule.URL(),
					Detail:      finding.Message,
					Location:    at(finding.Ranges),
				},
				Severity: finding.Severity,
				Aliases:  finding.Rule.Aliases,
				Remedy:   finding.Rule.Remedy,
				Fix:      fixOf(finding),
			})
		}
		if f.Err != nil {
			place := at(errorRanges(f.Err))
			all.Errors = append(all.Errors, stock.BuildError{
				Message:  f.Err.Error(),
				Location: pb.Location{SourceIndex: place.SourceIndex, Ranges: place.Ranges},
			})
		}
	}
	if len(all.Errors) > 0 {
		all.Error = &all.Errors[0]
	}
	return encode(w, all)
}

func fixOf(finding lint.Finding) *fix {
	if len(finding.Fix) == 0 {
		return nil
	}
	out := &fix{Safe: finding.Rule.Safe}
	for _, e := range finding.Fix {
		out.Edits = append(out.Edits, edit{toPB([]parser.Range{e.Range})[0], e.Text})
	}
	return out
}

func encode(w io.Writer, v any) error {
	e := encoding.NewEncoder(w)
	e.SetIndent("", "  ")
	e.SetEscapeHTML(false)
	return e.Encode(v)
}
