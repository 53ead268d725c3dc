package lint

import (
	"path"
	"slices"
	"strings"

	"github.com/moby/buildkit/frontend/dockerfile/linter"
	"github.com/moby/patternmatcher"
	"github.com/moby/patternmatcher/ignorefile"
)

// checkIgnored looks for what .dockerignore keeps out of the context, as
// BuildKit's linter does where there is a daemon (dockerfile2llb,
// validateCopySourcePath).
func checkIgnored(p *pass) {
	isStock := func(s StockFinding) bool { return s.Rule == linter.RuleCopyIgnoredFile.Name }
	if p.Ignore == "" || slices.ContainsFunc(p.Stock, isStock) {
		return
	}
	patterns, err := ignorefile.ReadAll(strings.NewReader(p.Ignore))
	if err != nil {
		return
	}
	ignored, err := patternmatcher.New(patterns)
	if err != nil || ignored.Exclusions() { // a folder may be left out but for some of it
		return
	}
	for _, t := range p.transfers() {
		if t.from != "" {
			continue
		}
		for _, source := range t.SourcePaths {
			name, known := p.expand(source, t.before.env)
			name = path.Clean(strings.TrimPrefix(name, "/"))
			if !known || name == "." || t.add && t.originOf(p.document, source) != localFile {
				continue
			}
			if hit, err := ignored.MatchesOrParentMatches(name); err == nil && hit {
				p.report(p.locate(t.at, source), "Attempting to copy "+source+", which .dockerignore excludes")
			}
		}
	}
}
