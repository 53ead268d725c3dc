package format

import (
	"io"
	"net/url"
	"slices"
	"strings"

	"github.com/moby/buildkit/frontend/dockerfile/parser"

	"github.com/org/slimfile/frontend/lint"
)

// The parts of SARIF 2.1.0 that are needed, named as in the standard:
// https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/sarif-v2.1.0-errata01-os-complete.html
type (
	sarifLog struct {
		Schema  string     `json:"$schema"`
		Version string     `json:"version"`
		Runs    []sarifRun `json:"runs"`
	}
	sarifRun struct {
		Tool struct {
			Driver sarifDriver `json:"driver"`
		} `json:"tool"`
		Invocations []sarifInvocation `json:"invocations"`
		ColumnKind  string            `json:"columnKind"`
		Results     []sarifResult     `json:"results"`
	}
	sarifDriver struct {
		Name           string      `json:"name"`
		InformationURI string      `json:"informationUri"`
		Rules          []sarifRule `json:"rules"`
	}
	sarifRule struct {
		ID                   string       `json:"id"`
		Name                 string       `json:"name"`
		ShortDescription     sarifText    `json:"shortDescription"`
		FullDescription      *sarifText   `json:"fullDescription,omitempty"`
		Help                 *sarifText   `json:"help,omitempty"`
		HelpURI              string       `json:"helpUri,omitempty"`
		DefaultConfiguration sarifDefault `json:"defaultConfiguration"`
		Properties           *sarifTags   `json:"properties,omitempty"`
	}
	sarifDefault struct {
		Enabled bool   `json:"enabled"`
		Level   string `json:"level"`
	}
	sarifTags struct {
		Tags []string `json:"tags"`
	}
	sarifText struct {
		Text string `json:"text"`
	}
	sarifInvocation struct {
		ExecutionSuccessful        bool                `json:"executionSuccessful"`
		ToolExecutionNotifications []sarifNotification `json:"toolExecutionNotifications,omitempty"`
	}
	sarifNotification struct {
		Level     string          `json:"level"`
		Message   sarifText       `json:"message"`
		Locations []sarifLocation `json:"locations"`
	}
	sarifResult struct {
		RuleID              string            `json:"ruleId"`
		RuleIndex           int               `json:"ruleIndex"`
		Level               string            `json:"level"`
		Message             sarifText         `json:"message"`
		Locations           []sarifLocation   `json:"locations"`
		PartialFingerprints map[string]string `json:"partialFingerprints"`
		Fixes               []sarifFix        `json:"fixes,omitempty"`
	}
	sarifLocation struct {
		PhysicalLocation struct {
			ArtifactLocation sarifArtifact `json:"artifactLocation"`
			Region           *sarifRegion  `json:"region,omitempty"`
		} `json:"physicalLocation"`
	}
	sarifArtifact struct {
		URI string `json:"uri"`
	}
	// sarifRegion counts from 1 and ends before EndColumn; without columns, it
	// is whole lines.
	sarifRegion struct {
		StartLine   int `json:"startLine"`
		StartColumn int `json:"startColumn,omitempty"`
		EndLine     int `json:"endLine"`
		EndColumn   int `json:"endColumn,omitempty"`
	}
	sarifFix struct {
		Description     sarifText     `json:"description"`
		ArtifactChanges []sarifChange `json:"artifactChanges"`
	}
	sarifChange struct {
		ArtifactLocation sarifArtifact      `json:"artifactLocation"`
		Replacements     []sarifReplacement `json:"replacements"`
	}
	sarifReplacement struct {
		DeletedRegion   sarifRegion `json:"deletedRegion"`
		InsertedContent sarifText   `json:"insertedContent"`
	}
)

const (
	sarifSchema = "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json"
	projectURL  = "https://github.com/org/slimfile"
	// fingerprintKey is ours: GitHub computes primaryLocationLineHash itself and
	// complains of another value.
	fingerprintKey = "slimfileFinding/v1"
)

func sarif(w io.Writer, files []source) error {
	run := sarifRun{ColumnKind: "unicodeCodePoints", Results: []sarifResult{}}
	rules := rulesOf(files)
	run.Tool.Driver = sarifDriver{Name: "slimfile", InformationURI: projectURL, Rules: []sarifRule{}}
	for _, r := range rules {
		run.Tool.Driver.Rules = append(run.Tool.Driver.Rules, sarifRuleOf(r))
	}
	invocation := sarifInvocation{ExecutionSuccessful: true}
	for _, f := range files {
		prints := f.fingerprints()
		for n, finding := range f.Findings {
			run.Results = append(run.Results, sarifResult{
				RuleID:              finding.Rule.Name,
				RuleIndex:           slices.IndexFunc(rules, func(r *lint.Rule) bool { return r.Name == finding.Rule.Name }),
				Level:               sarifLevel(finding.Severity),
				Message:             sarifText{finding.Message},
				Locations:           []sarifLocation{f.sarifLocation(finding.Ranges)},
				PartialFingerprints: map[string]string{fingerprintKey: prints[n]},
				Fixes:               f.sarifFixes(finding),
			})
		}
		if f.Err != nil {
			invocation.ExecutionSuccessful = false
			invocation.ToolExecutionNotifications = append(invocation.ToolExecutionNotifications, sarifNotification{
				Level: "error", Message: sarifText{f.Err.Error()}, Locations: []sarifLocation{f.sarifLocation(errorRanges(f.Err))},
			})
		}
	}
	run.Invocations = []sarifInvocation{invocation}
	return encode(w, sarifLog{Schema: sarifSchema, Version: "2.1.0", Runs: []sarifRun{run}})
}

// rulesOf are the rules that the findings are of, by name.
func rulesOf(files []source) []*lint.Rule {
	byName := map[string]*lint.Rule{}
	for _, f := range files {
		for _, finding := range f.Findings {
			byName[finding.Rule.Name] = finding.Rule
		}
	}
	var rules []*lint.Rule
	for _, r := range byName {
		rules = append(rules, r)
	}
	slices.SortFunc(rules, func(a, b *lint.Rule) int { return strings.Compare(a.Name, b.Name) })
	return rules
}

func sarifRuleOf(r *lint.Rule) sarifRule {
	rule := sarifRule{
		ID:                   r.Name,
		Name:                 r.Name,
		ShortDescription:     sarifText{r.Summary},
		HelpURI:              r.URL(),
		DefaultConfiguration: sarifDefault{r.Default != lint.Off, sarifLevel(r.Default)},
	}
	if r.Why != "" {
		rule.FullDescription = &sarifText{r.Why}
	}
	if r.Remedy != "" {
		rule.Help = &sarifText{r.Remedy}
	}
	if len(r.Aliases) > 0 {
		rule.Properties = &sarifTags{r.Aliases}
	}
	return rule
}

func sarifLevel(s lint.Severity) string {
	return map[lint.Severity]string{lint.Off: "none", lint.Info: "note", lint.Warn: "warning", lint.Error: "error"}[s]
}

func (f source) sarifLocation(ranges []parser.Range) sarifLocation {
	var loc sarifLocation
	loc.PhysicalLocation.ArtifactLocation = f.sarifArtifact()
	if s := f.spanOf(ranges); !s.whole() {
		region := sarifRegion{StartLine: s.line, EndLine: s.endLine}
		if s.column > 0 {
			region.StartColumn, region.EndColumn = s.column, s.endColumn+1
		}
		loc.PhysicalLocation.Region = &region
	}
	return loc
}

func (f source) sarifArtifact() sarifArtifact {
	return sarifArtifact{(&url.URL{Path: f.Filename}).String()}
}

func (f source) sarifFixes(finding lint.Finding) []sarifFix {
	if len(finding.Fix) == 0 {
		return nil
	}
	change := sarifChange{ArtifactLocation: f.sarifArtifact()}
	for _, e := range finding.Fix {
		change.Replacements = append(change.Replacements, sarifReplacement{
			DeletedRegion: sarifRegion{
				StartLine: e.Range.Start.Line, StartColumn: f.column(e.Range.Start),
				EndLine: e.Range.End.Line, EndColumn: f.column(e.Range.End),
			},
			InsertedContent: sarifText{e.Text},
		})
	}
	return []sarifFix{{Description: sarifText{finding.Message}, ArtifactChanges: []sarifChange{change}}}
}
