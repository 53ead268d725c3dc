package lint

import (
	_ "embed"
	"encoding/csv"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/moby/buildkit/frontend/dockerfile/instructions"
	"github.com/moby/buildkit/frontend/dockerfile/parser"
	dockerspec "github.com/moby/docker-image-spec/specs-go/v1"

	"github.com/org/slimfile/frontend/lint/osv"
	"github.com/org/slimfile/frontend/lint/shell"
	"github.com/org/slimfile/sensor/manifest"
)

// Built is what a build knows of the image beside its Dockerfile.
type Built struct {
	// Image is the image as the Dockerfile built it; Base the one that it
	// stands on, nil for none.
	Image, Base *dockerspec.DockerOCIImage
	// Facts are of its files. CheckImage needs no Summary, Run and Probed.
	Facts   manifest.Facts
	Summary manifest.Summary
	// Run is the traced run, or where a lock stands in for it, the verifying one.
	// Watched is false if there was neither.
	Run     manifest.RunReport
	Watched bool
	// Vulnerabilities are what advisories say of the packages that remain, nil if
	// they were not read; NoAdvisories is why that cannot be known.
	Vulnerabilities *osv.Result
	NoAdvisories    string
	// Probed are the TCP ports that probes connect to.
	Probed []int
	// Refresh is the age at which steps that apply updates run again; 0 for
	// never.
	Refresh time.Duration
	Now     time.Time
	// Digests are what the tags of the bases mean now, by reference.
	Digests map[string]string
	// Release says that the policy's profile is release; Pulled and Attested
	// that the build was asked to look for newer bases, and for attestations.
	Release, Pulled, Attested bool
}

// imageRules are about the image's config and what it is built on.
func imageRules() []*Rule {
	return []*Rule{
		{
			Name: "EffectiveUserIsRoot", Summary: "USER is a name that the image's accounts give the id 0",
			Why: "Whatever the name says, the program has all rights.", Remedy: "Give the user an id of its own.",
			Default: Error, image: checkEffectiveUser,
		},
		{
			Name: "BaseImageEOL", Summary: "The distribution gets no security updates any more",
			Why: "Holes that are found from now on stay open in the image.", Remedy: "Build on a release that is supported.",
			Default: Error, image: checkEndOfLife,
		},
		{
			Name: "BaseImageStale", Summary: "The base image is older than half a year",
			Why:    "A base that nobody has built anew lacks the fixes of that time, and may not be looked after any more.",
			Remedy: "Pull a newer base, or one that is still built.", Default: Warn, image: checkBaseAge,
		},
		{
			Name: "UpdateStepStale", Summary: "The cached step that applies updates is old and nothing runs it again",
			Why:    "The layer that once brought the updates now keeps them away.",
			Remedy: "Leave `refresh` on, or build with --no-cache-filter.", Default: Warn, image: checkStaleUpdates,
		},
		{
			Name: "SecretValuesInConfig", Summary: "A credential stands in the image's environment, labels or command",
			Why:    "Everybody who can pull the image can read its config.",
			Remedy: "Hand it over at run time, or to a RUN with --mount=type=secret; and revoke this one.", Default: Error, image: checkSecretValues,
		},
		{
			Name: "SizeBudget", Summary: "The slim image is larger than the policy allows", Why: "Large images start slowly and cost storage and transfer.",
			Remedy: "See in the report what keeps the largest files.", Default: Off, built: checkSize,
		},
		{
			Name: "VulnerabilityBudget", Summary: "More vulnerabilities are known of the packages that remain than the policy allows",
			Why:    "What is known can be exploited by anybody.",
			Remedy: "Apply updates, take a newer base, or leave the package out; `refresh` and --pull bring what is there already.", Default: Off, built: checkVulnerabilities,
		},
		{
			Name: "BaseTagMoved", Summary: "The tag of a base that is pinned by digest means another image now",
			Why: "The digest keeps newer fixes out.", Remedy: "Take the new digest.", Default: Info, image: checkMovedTags,
		},
		{
			Name: "ExactTagFix", Summary: "The base's tag names less than the version that the base has", Why: "The tag moves on with the next version.",
			Remedy: "Write the full version.", Default: Info, image: checkExactTag,
		},
		{
			Name: "PullNotForced", Summary: "A release was built without looking for newer bases", Why: "A builder's old copy of the base lacks its fixes.",
			Remedy: "Build with --pull.", Default: Info, image: checkPulled,
		},
		{
			Name: "AttestationsNotRequested", Summary: "A release was built without SBOM and provenance",
			Why: "Nobody can tell later what is in the image and where it comes from.", Remedy: "Build with --sbom=true --provenance=mode=max.",
			Default: Info, image: checkAttested,
		},
		{
			Name: "WorkdirIsSlash", Summary: "The program runs in the root directory", Why: "What it writes relative to it mixes with the system's files.",
			Remedy: "Set WORKDIR.", Default: Info, image: checkWorkdirSlash,
		},
		{
			Name: "InheritedEntrypoint", Summary: "The base image's ENTRYPOINT runs this image's CMD",
			Why: "What starts is not what the Dockerfile shows.", Remedy: "Write the ENTRYPOINT, or `ENTRYPOINT []`.", Default: Info, image: checkInheritedEntrypoint,
		},
	}
}

// instructionOf is where the last instruction of a kind stands among those that
// made the shipped stage; its FROM if there is none.
func instructionOf[T instructions.Command](p *pass) []parser.Range {
	at := p.shipped.at
	for _, st := range p.shipped.chain() {
		for _, in := range st.instructions {
			if _, ok := in.cmd.(T); ok && !in.onbuild {
				at = in.at
			}
		}
	}
	return at
}

func checkEffectiveUser(p *pass, b *Built) {
	name, _, _ := strings.Cut(b.Image.Config.User, ":")
	if uid := b.Facts.UID; uid != nil && *uid == 0 && name != "" && name != "root" && name != "0" {
		p.report(instructionOf[*instructions.UserCommand](p), fmt.Sprintf("USER %s has the id 0, which is root: use one of its own", name))
	}
}

// endOfLife lists when releases of distributions stop getting free security
// updates: distribution (os-release's ID), version, day. Made by hack/eol.sh.
//
//go:embed eol.csv
var endOfLife string

func checkEndOfLife(p *pass, b *Built) {
	r := csv.NewReader(strings.NewReader(endOfLife))
	r.Comment = '#'
	rows, err := r.ReadAll()
	if err != nil {
		return // a test reads it
	}
	for _, row := range rows {
		day, err := time.Parse(time.DateOnly, row[2])
		if err != nil || row[0] != b.Facts.OS.ID || row[1] != b.Facts.OS.VersionID {
			continue
		}
		if b.Now.After(day) {
			p.report(p.shipped.chain()[0].at, fmt.Sprintf("%s gets no security updates since %s: build on a newer release", b.Facts.OS.Name, row[2]))
		}
	}
}

const staleAfter = 183 * 24 * time.Hour

func checkBaseAge(p *pass, b *Built) {
	if b.Base == nil {
		return
	}
	// 1970 and the year 1 stand for "not known"; the package database tells more.
	created := time.Unix(b.Facts.PackagesAt, 0)
	if c := b.Base.Created; c != nil && c.Year() > 1980 {
		created = *c
	}
	if created.Year() > 1980 && b.Now.Sub(created) > staleAfter {
		p.report(p.shipped.chain()[0].at, fmt.Sprintf("the base image is from %s: look for a newer one", created.UTC().Format(time.DateOnly)))
	}
}

func checkStaleUpdates(p *pass, b *Built) {
	const old = 7 * 24 * time.Hour
	at := time.Unix(b.Facts.PackagesAt, 0)
	if b.Refresh > 0 || b.Facts.PackagesAt == 0 || b.Now.Sub(at) < old {
		return
	}
	for _, in := range p.shippedInstructions() {
		if _, ok := in.cmd.(*instructions.RunCommand); !ok {
			continue
		}
		script := shell.Parse(shell.Source{
			Lines: p.lines[in.node.StartLine-1 : in.node.EndLine], Line: in.node.StartLine, Escape: p.escape,
			Shell: in.before.shell, Env: in.before.env,
		})
		if slices.ContainsFunc(script.Commands, (*shell.Command).UpdatesOS) {
			p.report(in.at, fmt.Sprintf("the packages were last changed on %s, and refresh is off: build with --no-cache-filter, or turn it on",
				at.UTC().Format(time.DateOnly)))
		}
	}
}

// tokens match credentials by the forms that their issuers gave them.
func tokens() []struct {
	kind string
	form *regexp.Regexp
} {
	return []struct {
		kind string
		form *regexp.Regexp
	}{
		{"AWS access key", regexp.MustCompile(`\b(AKIA|ASIA)[0-9A-Z]{16}\b`)},
		{"GitHub token", regexp.MustCompile(`\b(gh[pousr]_[A-Za-z0-9]{36,}|github_pat_[A-Za-z0-9_]{60,})\b`)},
		{"GitLab token", regexp.MustCompile(`\bglpat-[A-Za-z0-9_-]{20,}`)},
		{"Slack token", regexp.MustCompile(`\bxox[abprs]-[A-Za-z0-9-]{20,}`)},
		{"Stripe key", regexp.MustCompile(`\b[sr]k_live_[A-Za-z0-9]{20,}`)},
		{"Google API key", regexp.MustCompile(`\bAIza[0-9A-Za-z_-]{35}\b`)},
		{"npm token", regexp.MustCompile(`\bnpm_[A-Za-z0-9]{36}\b`)},
		{"PyPI token", regexp.MustCompile(`\bpypi-[A-Za-z0-9_-]{50,}`)},
		{"private key", regexp.MustCompile(`-----BEGIN [A-Z ]*PRIVATE KEY`)},
		{"password in an address", regexp.MustCompile(`\b[a-z][a-z0-9+.-]*://[^/\s:@$]+:[^/\s:@$]{3,}@`)},
	}
}

func checkSecretValues(p *pass, b *Built) {
	c := b.Image.Config
	look := func(what, value string, at []parser.Range) {
		for _, token := range tokens() {
			if token.form.MatchString(value) {
				p.report(at, fmt.Sprintf("%s holds a %s: hand it over at run time, and revoke this one", what, token.kind))
			}
		}
	}
	for _, kv := range c.Env {
		name, value, _ := strings.Cut(kv, "=")
		look("ENV "+name, value, instructionOf[*instructions.EnvCommand](p))
	}
	for name, value := range c.Labels {
		look("LABEL "+name, value, instructionOf[*instructions.LabelCommand](p))
	}
	look("ENTRYPOINT", strings.Join(c.Entrypoint, " "), instructionOf[*instructions.EntrypointCommand](p))
	look("CMD", strings.Join(c.Cmd, " "), instructionOf[*instructions.CmdCommand](p))
}

func checkWorkdirSlash(p *pass, b *Built) {
	if dir := b.Image.Config.WorkingDir; dir == "" || dir == "/" {
		p.report(instructionOf[*instructions.WorkdirCommand](p), "the program runs in /: set WORKDIR")
	}
}

func checkInheritedEntrypoint(p *pass, b *Built) {
	own := slices.ContainsFunc(p.shipped.chain(), func(st *stage) bool {
		return slices.ContainsFunc(st.instructions, func(in *instruction) bool {
			_, ok := in.cmd.(*instructions.EntrypointCommand)
			return ok
		})
	})
	if entry := b.Image.Config.Entrypoint; !own && len(entry) > 0 {
		p.report(instructionOf[*instructions.CmdCommand](p), fmt.Sprintf("the base image's ENTRYPOINT %q runs it: say so with an ENTRYPOINT of your own", entry))
	}
}

func checkSize(p *pass, b *Built) {
	if budget := p.set.SizeBudget; budget > 0 && b.Summary.KeptBytes > budget {
		p.report(p.shipped.at, fmt.Sprintf("the slim image has %.1f MB, the policy allows %.1f MB", float64(b.Summary.KeptBytes)/1e6, float64(budget)/1e6))
	}
}

// maxVulnerabilities bounds those of a severity that are named.
const maxVulnerabilities = 50

func checkVulnerabilities(p *pass, b *Built) {
	switch {
	case p.set.Vulnerabilities == nil:
		return
	case b.NoAdvisories != "":
		p.report(p.shipped.at, "the policy bounds vulnerabilities, which cannot be counted: "+b.NoAdvisories)
		return
	case b.Vulnerabilities == nil:
		return
	}
	for severity := osv.Critical + 1; severity > osv.Unknown; {
		severity--
		known := slices.DeleteFunc(slices.Clone(b.Vulnerabilities.Found), func(v osv.Vulnerability) bool { return v.Severity != severity })
		budget, bounded := p.set.Vulnerabilities[severity.String()]
		if !bounded || len(known) <= budget {
			continue
		}
		p.report(p.shipped.at, fmt.Sprintf("known vulnerabilities of severity %s in the packages that remain: %d, and the policy allows %d (%s)",
			severity, len(known), budget, b.Vulnerabilities.Age(b.Now)))
		for _, v := range known[:min(len(known), maxVulnerabilities)] {
			p.report(p.shipped.at, v.String())
		}
	}
}

func checkMovedTags(p *pass, b *Built) {
	for _, base := range p.bases() {
		name, pinned, _ := strings.Cut(base.ref, "@")
		if now, ok := b.Digests[name]; ok && now != pinned {
			p.report(base.at, fmt.Sprintf("%s is %s now", name, now))
		}
	}
}

// MovableTags are the references of a Dockerfile's bases that have a tag and a
// digest, without the digest.
func MovableTags(in Input) ([]string, error) {
	doc, err := newDocument(in)
	if err != nil {
		return nil, err
	}
	var names []string
	for _, base := range doc.bases() {
		if name, _, pinned := strings.Cut(base.ref, "@"); pinned && base.tag != "" {
			names = append(names, name)
		}
	}
	return names, nil
}

// checkExactTag knows the version of a base by the variable that official images
// set.
func checkExactTag(p *pass, b *Built) {
	base, ok := p.shippedBase()
	if !ok || b.Base == nil || base.tag == "" {
		return
	}
	for _, kv := range b.Base.Config.Env {
		name, version, _ := strings.Cut(kv, "=")
		language, isVersion := strings.CutSuffix(strings.ToLower(name), "_version")
		written, rest, _ := strings.Cut(base.tag, "-")
		if !isVersion || language != base.name() || !strings.HasPrefix(version, written+".") {
			continue
		}
		if rest != "" {
			rest = "-" + rest
		}
		p.report(base.at, fmt.Sprintf("the tag %s is version %s now: write %s%s", base.tag, version, version, rest))
	}
}

func checkPulled(p *pass, b *Built) {
	if b.Release && !b.Pulled {
		p.report(nil, "build releases with --pull")
	}
}

func checkAttested(p *pass, b *Built) {
	if b.Release && !b.Attested {
		p.report(nil, "build releases with --sbom=true --provenance=mode=max")
	}
}
