package frontend

import (
	"cmp"
	"fmt"
	"path"
	"regexp"
	"slices"
	"strings"

	"github.com/bmatcuk/doublestar/v4"

	"github.com/org/slimfile/sensor/manifest"
)

// proof holds the run of the slim image against that of the image as built.
//
// Another status, exit code or media type is a failure; so is another body when
// the probe asked for something that slimming took away. Any other difference
// between bodies may be the app's own doing, and is a warning, as is a look-up of
// what was taken away that changed no answer, and a line of the log that speaks
// of something missing.
type proof struct {
	traced, verified manifest.RunReport
	probes           []manifest.Probe
	rules            []manifest.Rule
}

// failure is why the slim image is not as good as the one as built; nil if it is.
func (p proof) failure() error {
	f := p.otherAnswer()
	if f == nil {
		f = p.otherEnd()
	}
	if f == nil {
		return nil
	}
	blame(f, p.rules)
	return &StepError{Step: "verify", Failure: *f}
}

// otherEnd is for an app that ended well in the traced run and not in the
// verifying one: the probes are over by then, but something is missing.
func (p proof) otherEnd() *manifest.Failure {
	failed := func(r manifest.RunReport) bool { return r.Stop != nil && r.Stop.Failed }
	if failed(p.traced) || !failed(p.verified) {
		return nil
	}
	return &manifest.Failure{
		Message:  "the app failed when it was stopped",
		Expected: p.traced.Stopped + ", as in the image as built",
		Got:      p.verified.Stopped,
		Remedy:   "the slim image lacks something that the app needs to end; the step's log above may name it: add `# slim: keep GLOB`",
		Missing:  p.verified.Missing,
	}
}

// otherAnswer is for a probe whose answer is another one than the app's own
// moods explain.
func (p proof) otherAnswer() *manifest.Failure {
	for _, pair := range p.pairs() {
		expected, got := pair.mismatch()
		if expected == "" && !pair.same() && len(pair.missing) > 0 {
			expected, got = pair.excerpts()
		}
		if expected == "" {
			continue
		}
		return &manifest.Failure{
			Message:  pair.name + " has another answer than in the image as built",
			Probe:    pair.probe.Name,
			Expected: expected,
			Got:      got,
			Remedy:   "if both answers are right, say so: a probe's status= and match= are what counts",
			Source:   pair.probe.Source,
			Missing:  pair.missing,
		}
	}
	return nil
}

// pair is one question's two answers.
type pair struct {
	name    string // for messages
	phase   string
	probe   manifest.Probe // the zero one for the output of a tool
	was, is *manifest.Answer
	missing []manifest.Missing // that were asked for meanwhile
}

// pairs are the answers that can be compared.
func (p proof) pairs() (pairs []pair) {
	if p.traced.Output != nil && p.verified.Output != nil {
		pairs = append(pairs, pair{name: "the app's output", phase: "start", was: p.traced.Output, is: p.verified.Output})
	}
	for i, probe := range p.probes[:min(len(p.probes), len(p.traced.Probes), len(p.verified.Probes))] {
		was, is := p.traced.Probes[i].Answer, p.verified.Probes[i].Answer
		if was != nil && is != nil {
			phase := fmt.Sprintf("probe %d", i+1)
			pairs = append(pairs, pair{name: fmt.Sprintf("%s, %s,", phase, probe.Name), phase: phase, probe: probe, was: was, is: is})
		}
	}
	for i, pair := range pairs {
		for _, m := range p.verified.Missing {
			if slices.Contains(m.During, pair.phase) {
				pairs[i].missing = append(pairs[i].missing, m)
			}
		}
	}
	return pairs
}

// mismatch says what must not differ and does. A status that the probe asks for
// is right, whichever it is.
func (p pair) mismatch() (was, is string) {
	declared := p.probe.HTTP != nil && p.probe.HTTP.Status != ""
	switch {
	case p.was.Code != p.is.Code && !declared:
		return fmt.Sprintf("%s %d, as in the image as built", p.codeName(), p.was.Code), fmt.Sprint(p.is.Code)
	case p.was.Code == p.is.Code && p.was.Type != p.is.Type:
		return fmt.Sprintf("a body of type %q, as in the image as built", p.was.Type), fmt.Sprintf("%q", p.is.Type)
	}
	return "", ""
}

func (p pair) codeName() string {
	if p.probe.HTTP != nil {
		return "status"
	}
	return "exit code"
}

func (p pair) same() bool { return p.was.Code == p.is.Code && p.was.Digest == p.is.Digest }

const (
	maxExcerpts = 3
	maxExcerpt  = 160 // bytes
)

// excerpts show in what two bodies differ.
func (p pair) excerpts() (was, is string) {
	was, is = onlyIn(p.was, p.is), onlyIn(p.is, p.was)
	if was == "" && is == "" {
		return "the same body as in the image as built", "a difference behind the part that is kept for comparison"
	}
	if was == "" {
		was = "nothing but what the slim image answers too"
	}
	if is == "" {
		is = "nothing else"
	}
	return was, is
}

// onlyIn lists the first pieces of a that b has not.
func onlyIn(a, b *manifest.Answer) string {
	var found []string
	for _, piece := range a.Pieces {
		if slices.Contains(b.Pieces, piece) || b.Cut && (len(b.Pieces) == 0 || piece > b.Pieces[len(b.Pieces)-1]) {
			continue
		}
		if len(found) == maxExcerpts {
			found = append(found, "…")
			break
		}
		if len(piece) > maxExcerpt {
			piece = strings.ToValidUTF8(piece[:maxExcerpt], "") + "…"
		}
		found = append(found, fmt.Sprintf("%q", piece))
	}
	return strings.Join(found, ", ")
}

// warnings are sentences about differences that fail nothing.
func (p proof) warnings() (list []string) {
	for _, pair := range p.pairs() {
		if !pair.same() {
			was, is := pair.excerpts()
			list = append(list, fmt.Sprintf("%s differs from the image as built: there %s; here %s", pair.name, was, is))
		}
	}
	return append(append(list, p.lookups()...), p.complaints()...)
}

// lookups warns of what was asked for in vain without harm to an answer. What
// the user drops is meant.
func (p proof) lookups() []string {
	taken := slices.DeleteFunc(slices.Clone(p.verified.Missing), func(m manifest.Missing) bool { return dropping(p.rules, m) != nil })
	if len(taken) == 0 {
		return nil
	}
	var rows []string
	for _, m := range taken[:min(len(taken), maxExcerpts)] {
		rows = append(rows, describeMissing(m))
	}
	if more := len(taken) - len(rows); more > 0 {
		rows = append(rows, fmt.Sprintf("%d more", more))
	}
	return []string{fmt.Sprintf("the app asked for what slimming took away, and the probes passed without it: %s. To keep it: %s",
		strings.Join(rows, "; "), strings.Join(keepDirectives(taken), " and "))}
}

// complaints warns of lines of the log that only the slim image has.
func (p proof) complaints() []string {
	var fresh []string
	for _, c := range p.verified.Complaints {
		known := func(old manifest.Complaint) bool { return old.Form == c.Form }
		if !slices.ContainsFunc(p.traced.Complaints, known) {
			fresh = append(fresh, c.Line)
		}
	}
	if len(fresh) == 0 {
		return nil
	}
	text := "the log of the slim image speaks of something missing, that of the image as built does not: " +
		strings.Join(fresh[:min(len(fresh), maxExcerpts)], " | ")
	if more := len(fresh) - maxExcerpts; more > 0 {
		text += fmt.Sprintf(" | and %d more lines", more)
	}
	return []string{text}
}

// describeMissing says what is missing and who asked for it when.
func describeMissing(m manifest.Missing) string {
	text := quotePath(m.Path)
	if m.Package != "" {
		text += " of package " + m.Package
	}
	if m.Line != "" {
		return text + fmt.Sprintf(", as the log says: %s", m.Line)
	}
	text += ", asked for"
	if m.Program != "" {
		text += " by " + quotePath(m.Program)
	}
	if len(m.During) > 0 {
		text += " in " + strings.Join(m.During, ", ")
	}
	return text
}

// plainWord needs no quotes in a directive.
var plainWord = regexp.MustCompile(`^[A-Za-z0-9_./+@%,-]+$`)

func quotePath(p manifest.Path) string {
	if plainWord.MatchString(string(p)) {
		return string(p)
	}
	return fmt.Sprintf("%q", string(p))
}

// keepWord is a path as a word of a keep directive, which takes globs.
func keepWord(p manifest.Path) string {
	if plainWord.MatchString(string(p)) {
		return string(p)
	}
	glob := regexp.MustCompile(`[][*?{}\\]`).ReplaceAllString(string(p), `\$0`)
	return "'" + strings.ReplaceAll(glob, "'", `'\''`) + "'"
}

// wholePackage is how many files of a package have to be missing for keeping all
// of it to be the better advice.
const wholePackage = 3

// maxKeeps bounds the paths of a directive that is proposed.
const maxKeeps = 6

// keepDirectives are those that keep what is missing.
func keepDirectives(missing []manifest.Missing) (directives []string) {
	count := map[string]int{}
	for _, m := range missing {
		count[m.Package]++
	}
	var paths, packages []string
	for _, m := range missing {
		if m.Package != "" && count[m.Package] >= wholePackage {
			packages = append(packages, m.Package)
		} else {
			paths = append(paths, keepWord(m.Path))
		}
	}
	slices.Sort(packages)
	if packages = slices.Compact(packages); len(packages) > 0 {
		directives = append(directives, "# slim: keep-package "+strings.Join(packages, " "))
	}
	if len(paths) > maxKeeps {
		paths = append(paths[:maxKeeps], "…")
	}
	if len(paths) > 0 {
		directives = append(directives, "# slim: keep "+strings.Join(paths, " "))
	}
	return directives
}

// blame names what is missing as the reason of a failure, and the directives
// that would keep it.
func blame(f *manifest.Failure, rules []manifest.Rule) {
	if len(f.Missing) == 0 {
		return
	}
	what := quotePath(f.Missing[0].Path)
	if more := len(f.Missing) - 1; more > 0 {
		what += fmt.Sprintf(" and %d more", more)
	}
	f.Message = fmt.Sprintf("the slim image lacks %s: %s", what, f.Message)
	var taken []manifest.Missing
	var remedies []string
	for _, m := range f.Missing {
		if r := dropping(rules, m); r != nil {
			f.Source = cmp.Or(f.Source, r.Source)
			remedies = append(remedies, fmt.Sprintf("%s is dropped in line %d", quotePath(m.Path), r.Source.Line))
		} else {
			taken = append(taken, m)
		}
	}
	remedies = append(remedies[:min(len(remedies), maxExcerpts)], keepDirectives(taken)...)
	if len(taken) > 0 {
		remedies = append(remedies, "or a probe that makes the traced run ask for it")
	}
	f.Remedy = strings.Join(remedies, "\n")
}

// dropping is the drop directive that takes something away.
func dropping(rules []manifest.Rule, m manifest.Missing) *manifest.Rule {
	for i, r := range rules {
		if r.Kind != manifest.RuleDrop || r.Source == nil {
			continue
		}
		for _, glob := range r.Args {
			for at := string(m.Path); ; at = path.Dir(at) {
				if ok, err := doublestar.Match(strings.TrimRight(glob, "/"), at); ok && err == nil {
					return &rules[i]
				}
				if at == "/" || at == "." {
					break
				}
			}
		}
	}
	return nil
}
