// Package lint judges Dockerfiles by the practices that slimfile enforces.
//
// The rules are one table (rules.go), made of one file per family. Check runs
// them over a Dockerfile beside the findings of BuildKit's own linter, gives
// each finding the severity that the settings say and leaves out what was
// ignored. Needs no daemon. Imported by frontend and cmd.
package lint

import (
	"cmp"
	"slices"
	"strings"

	"github.com/moby/buildkit/frontend/dockerfile/linter"
	"github.com/moby/buildkit/frontend/dockerfile/parser"
)

// Input is a Dockerfile with what the build knows beside it.
type Input struct {
	Filename string
	Data     []byte
	// Target is the stage to ship; empty for the last.
	Target    string
	BuildArgs map[string]string
	// Contexts are the named contexts, which take the place of images and
	// stages, by name: docker-image://debian:12, local:source.
	Contexts map[string]string
	// Ignore is the .dockerignore; empty if there is none. IgnoreKnown says
	// whether it was looked for.
	Ignore      string
	IgnoreKnown bool
	// Stock are the findings of BuildKit's own linter.
	Stock []StockFinding
	// User is USER of the image with what its base says; UserKnown says whether
	// that is known.
	User      string
	UserKnown bool
	// Check is the value of BUILDKIT_DOCKERFILE_CHECK, which overrules the
	// file's "# check=" line; empty if not given.
	Check string
}

// Settings say what counts.
type Settings struct {
	// Severity overrules the rules' defaults, by name.
	Severity map[string]Severity
	// Registries and Images are globs of what may stand in FROM; none allow
	// all. DigestRequired demands a digest as well.
	Registries, Images []string
	DigestRequired     bool
	// Labels are those that the image must have, with their type: text, url,
	// semver, rfc3339, spdx, email, hash; empty for any.
	Labels map[string]string
	// SizeBudget bounds the slim image, in bytes; 0 bounds nothing.
	SizeBudget int64
	// Vulnerabilities bounds how many may be known, by severity; nil bounds
	// nothing.
	Vulnerabilities map[string]int
	// IgnoresOff says that comments in the file ignore nothing.
	IgnoresOff bool
	// ReasonRequired says that a comment ignores nothing unless it says why.
	ReasonRequired bool
	// Locked are the rules that comments in the file do not ignore.
	Locked map[string]bool
	// Exempt tells whether violations of a rule in the stage named so ("" for
	// one without a name, and for the file as a whole) are excused; nil excuses
	// none.
	Exempt func(rule, stage string) bool
	// MaxSeverity bounds all severities; Off bounds none.
	MaxSeverity Severity
	// Overrides are what the file itself says; later ones count.
	Overrides []Override
}

// Override is a severity that a Dockerfile sets.
type Override struct {
	Rule     string // name or alias
	Severity Severity
	Reason   string
	// Stage is the number of the stage, from 0, that it holds for, with those
	// built from it; EveryStage is all and the file as a whole.
	Stage int
}

// EveryStage is the Stage of an Override that is not about one.
const EveryStage = -1

// Check judges a Dockerfile, or a part of one without its FROM. Findings are in
// the order of the file. An error is a Dockerfile that cannot be parsed.
func Check(in Input, set Settings) ([]Finding, error) {
	return judge(in, set, func(p *pass) {
		if p.rule.check != nil {
			p.rule.check(p)
		}
	})
}

// CheckImage judges the image that was built from a Dockerfile by the rules that
// need to see it, but not a run of it. Findings and errors are as Check's.
func CheckImage(in Input, built Built, set Settings) ([]Finding, error) {
	in.Stock = nil
	return judge(in, set, func(p *pass) {
		if p.rule.image != nil {
			p.rule.image(p, &built)
		}
	})
}

// CheckBuilt judges the image, its run and the slim image by all rules that need
// to see them. Findings and errors are as Check's.
func CheckBuilt(in Input, built Built, set Settings) ([]Finding, error) {
	in.Stock = nil
	return judge(in, set, func(p *pass) {
		if p.rule.image != nil {
			p.rule.image(p, &built)
		}
		if p.rule.built != nil {
			p.rule.built(p, &built)
		}
		if p.rule.run != nil && built.Watched {
			p.rule.run(p, &built)
		}
	})
}

// judge judges a Dockerfile or a part of one.
func judge(in Input, set Settings, run func(*pass)) ([]Finding, error) {
	part, ok := fragmentOf(in.Data)
	if !ok {
		return judgeWhole(in, set, run)
	}
	whole := in
	whole.Data = part.complete(in.Data)
	whole.Stock = slices.Clone(in.Stock)
	for i := range whole.Stock {
		whole.Stock[i].Ranges = part.shift(whole.Stock[i].Ranges, 1)
	}
	found, err := judgeWhole(whole, set, run)
	if err != nil { // said about the lines of the file as it is
		return judgeWhole(in, set, run)
	}
	return part.restore(found), nil
}

// judgeWhole runs every rule and says what the findings count for.
func judgeWhole(in Input, set Settings, run func(*pass)) ([]Finding, error) {
	doc, err := newDocument(in)
	if err != nil {
		return nil, err
	}
	ign, err := doc.ignores()
	if err != nil {
		return nil, err
	}
	var found []Finding
	add := func(f Finding) {
		if f, counts := set.weigh(f, doc.stageAt(f.Line()), ign); counts {
			found = append(found, f)
		}
	}
	for _, rule := range Rules() {
		run(&pass{document: doc, rule: rule, set: set, add: add})
	}
	for _, s := range in.Stock {
		if f, ok := s.finding(doc); ok {
			add(f)
		}
	}
	slices.SortStableFunc(found, func(a, b Finding) int {
		return cmp.Or(cmp.Compare(a.Line(), b.Line()), strings.Compare(a.Rule.Name, b.Rule.Name), strings.Compare(a.Message, b.Message))
	})
	return found, nil
}

// weigh gives a finding its severity. It returns false for one that does not
// count.
func (s Settings) weigh(f Finding, st *stage, ign *ignores) (Finding, bool) {
	f.Severity = s.severity(f.Rule)
	if s.exempts(f.Rule, st) {
		return f, false
	}
	if !s.IgnoresOff && !s.Locked[f.Rule.Name] {
		severity, lacking := s.overridden(f, st)
		ignored, reason := ign.covers(f, st)
		if ignored && (reason || !s.ReasonRequired) {
			return f, false
		}
		f.Severity = severity
		if lacking || ignored {
			f.Message += " (the comment that ignores it gives no reason, so it does not count)"
		}
	}
	if f.Severity == Warn && ign.warningsAreErrors {
		f.Severity = Error
	}
	return f, f.Severity != Off
}

func (s Settings) severity(r *Rule) Severity {
	severity := r.Default
	if given, ok := s.Severity[r.Name]; ok {
		severity = given
	}
	if s.MaxSeverity != Off {
		severity = min(severity, s.MaxSeverity)
	}
	return severity
}

func (s Settings) exempts(r *Rule, st *stage) bool {
	if s.Exempt == nil {
		return false
	}
	name := ""
	if st != nil {
		name = st.Name
	}
	return s.Exempt(r.Name, name)
}

// overridden is a finding's severity after what the file says of its rule;
// lacking tells whether something that it says lacks its reason.
func (s Settings) overridden(f Finding, st *stage) (severity Severity, lacking bool) {
	severity = f.Severity
	for _, o := range s.Overrides {
		if !f.Rule.Is(o.Rule) || o.Stage != EveryStage && !slices.ContainsFunc(st.chain(), func(st *stage) bool { return st.index == o.Stage }) {
			continue
		}
		if s.ReasonRequired && o.Reason == "" && o.Severity < severity {
			lacking = true
			continue
		}
		severity = o.Severity
	}
	if s.MaxSeverity != Off {
		severity = min(severity, s.MaxSeverity)
	}
	return severity, lacking
}

// pass is one rule's run over one Dockerfile.
type pass struct {
	*document
	rule *Rule
	set  Settings
	add  func(Finding)
}

// report notes a violation. message says what to do, in a sentence.
func (p *pass) report(at []parser.Range, message string, fix ...Edit) {
	p.add(Finding{Rule: p.rule, Message: message, Ranges: at, Fix: fix})
}

// ignores are the comments of a file that turn rules off.
type ignores struct {
	doc *document
	// file is the linter as the file's "# check=" line sets it, stages the same
	// with what each stage's comments add.
	file   *linter.Linter
	stages []*linter.Linter
	// hadolint are the ids that comments ignore: of the whole file, by the line
	// of an instruction. The value tells whether a reason is given.
	everywhere map[string]bool
	byLine     map[int]map[string]bool

	warningsAreErrors bool
}

// ignores reads a file's "# check=" and "# hadolint ignore=" comments.
func (doc *document) ignores() (*ignores, error) {
	text := doc.Check
	if text == "" {
		text, _, _, _ = parser.ParseDirective("check", doc.Data)
	}
	config, err := linter.ParseLintOptions(text)
	if err != nil {
		return nil, err
	}
	config.ExperimentalAll = true
	ign := &ignores{
		doc: doc, file: linter.New(config), warningsAreErrors: config.ReturnAsError,
		everywhere: map[string]bool{}, byLine: map[int]map[string]bool{},
	}
	for _, st := range doc.stages {
		ign.stages = append(ign.stages, ign.file.WithMergedConfigFromComments(st.comments))
		ign.hadolint(st.at, st.comments)
		for _, in := range st.instructions {
			ign.hadolint(in.at, in.node.PrevComment)
		}
	}
	for _, line := range doc.lines {
		ids, reason := hadolintIDs(line, "global ignore=")
		for _, id := range ids {
			ign.everywhere[id] = reason
		}
	}
	return ign, nil
}

func (ign *ignores) hadolint(at []parser.Range, comments []string) {
	for _, c := range comments {
		ids, reason := hadolintIDs("#"+c, "ignore=")
		for _, r := range at {
			if ign.byLine[r.Start.Line] == nil {
				ign.byLine[r.Start.Line] = map[string]bool{}
			}
			for _, id := range ids {
				ign.byLine[r.Start.Line][id] = reason
			}
		}
	}
}

// hadolintIDs reads "# hadolint ignore=DL3008,DL3009 # the reason".
func hadolintIDs(line, what string) (ids []string, reason bool) {
	text := strings.TrimSpace(line)
	for _, prefix := range []string{"#", "hadolint", what} {
		var ok bool
		if text, ok = strings.CutPrefix(text, prefix); !ok {
			return nil, false
		}
		text = strings.TrimSpace(text)
	}
	text, remark, _ := strings.Cut(text, "#")
	ids = strings.FieldsFunc(text, func(r rune) bool { return r == ',' || r == ' ' || r == '\t' })
	return ids, strings.TrimSpace(remark) != ""
}

// covers tells whether a comment turns the finding off, and whether it gives a
// reason. "# check=skip=" has no room for one.
func (ign *ignores) covers(f Finding, st *stage) (ignored, reason bool) {
	check := ign.file
	if st != nil {
		check = ign.stages[st.index]
	}
	_, skipped := check.SkippedRules[f.Rule.Name]
	ignored = skipped || check.SkipAll
	for _, id := range append([]string{f.Rule.Name}, f.Rule.Aliases...) {
		for _, ids := range []map[string]bool{ign.everywhere, ign.byLine[f.Line()]} {
			why, found := ids[id]
			ignored, reason = ignored || found, reason || why
		}
	}
	return ignored, reason
}
