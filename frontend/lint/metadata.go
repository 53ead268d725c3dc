package lint

import (
	_ "embed" // for the list of licences
	"fmt"
	"maps"
	"net/mail"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/moby/buildkit/frontend/dockerfile/instructions"
	"github.com/moby/buildkit/frontend/dockerfile/parser"
	dockershell "github.com/moby/buildkit/frontend/dockerfile/shell"
)

// metadataRules are about labels, variables and what comments say.
func metadataRules() []*Rule {
	return []*Rule{
		{
			Name:    "LabelSchema",
			Summary: "A label is missing that the policy demands, or its value or name is not valid",
			Why:     "Inventories, scanners and on-call engineers find an image's source, owner and licence by its labels.",
			Remedy:  "Set the label in the stage that is shipped, with a value of the type that the policy names.",
			Bad:     "FROM debian:12.9-slim\nLABEL team=web maintainer=\"Web Team\"\n",
			Good: "FROM debian:12.9-slim\n" +
				"LABEL team=web maintainer=web@example.com \\\n" +
				"    org.opencontainers.image.created=2026-01-31T12:00:00Z \\\n" +
				"    org.opencontainers.image.licenses=Apache-2.0 \\\n" +
				"    org.opencontainers.image.revision=0a1b2c3 \\\n" +
				"    org.opencontainers.image.url=https://example.com/app \\\n" +
				"    org.opencontainers.image.version=1.2.3\n",
			Default: Off,
			Aliases: []string{"DL3048", "DL3049", "DL3051", "DL3052", "DL3053", "DL3054", "DL3055", "DL3056", "DL3058"},
			check:   checkLabelSchema,
		},
		{
			Name:    "SelfReferencingEnv",
			Summary: "ENV uses a variable that the same instruction sets",
			Why:     "All values are those of before the instruction: the variable is still empty, or still the old one.",
			Remedy:  "Set the variable in an ENV instruction of its own, before.",
			Bad:     "FROM debian:12.9-slim\nENV APP_HOME=/srv/app PATH=$APP_HOME/bin:$PATH\n",
			Good:    "FROM debian:12.9-slim\nENV APP_HOME=/srv/app\nENV PATH=$APP_HOME/bin:$PATH\n",
			Default: Error,
			Aliases: []string{"DL3044"},
			check:   checkSelfReferencingEnv,
		},
		{
			Name:    "SyntaxDirectivePinned",
			Summary: "The syntax directive names no exact version of the frontend",
			Why:     "The frontend is the program that builds: another one may build another image.",
			Remedy:  "Write the full version, or the digest.",
			Bad:     "# syntax=docker/dockerfile:1\nFROM debian:12.9-slim\n",
			Good:    "# syntax=docker/dockerfile:1.12.1\nFROM debian:12.9-slim\n",
			Default: Info,
			check:   checkSyntaxDirectivePinned,
		},
		{
			Name:    "NoInlineIgnore",
			Summary: "A comment in the Dockerfile turns rules off",
			Why:     "Where the policy is another team's, its exemptions are too.",
			Remedy:  "Ask for an exemption in the policy.",
			Bad:     "FROM debian:12.9-slim\n# hadolint ignore=DL3004\nRUN sudo id\n",
			Good:    "FROM debian:12.9-slim\n# sudo is configured here\nRUN id\n",
			Default: Off,
			Aliases: []string{"DL1001"},
			check:   checkNoInlineIgnore,
		},
	}
}

// label is a label that the shipped image has.
type label struct {
	value string
	known bool
	at    []parser.Range
}

func checkLabelSchema(p *pass) {
	labels := map[string]label{}
	for _, in := range p.shippedInstructions() {
		cmd, ok := in.cmd.(*instructions.LabelCommand)
		if !ok {
			continue
		}
		for _, kv := range cmd.Labels {
			key, _ := p.expand(kv.Key, in.before.env)
			value, known := p.expand(kv.Value, in.before.env)
			labels[key] = label{value, known, p.locate(in.at, kv.Key)}
		}
	}
	for _, key := range slices.Sorted(maps.Keys(labels)) {
		l := labels[key]
		kind, wanted := p.set.Labels[key]
		if !wanted {
			if reason := badLabelKey(key); reason != "" {
				p.report(l.at, "the label "+key+" "+reason)
			}
			continue
		}
		if l.known {
			if reason := badLabelValue(kind, l.value); reason != "" {
				p.report(l.at, "the label "+key+" "+reason)
			}
		}
	}
	for _, key := range slices.Sorted(maps.Keys(p.set.Labels)) {
		if _, ok := labels[key]; !ok {
			p.report(p.shipped.at, "the policy demands the label "+key+": add LABEL "+key+"=...")
		}
	}
}

// labelKey matches names as Docker's guidelines on labels want them: lower-case
// letters, digits, and single dots and dashes within, a letter first.
var labelKey = regexp.MustCompile(`^[a-z][a-z0-9]*([.-][a-z0-9]+)*$`)

// badLabelKey says what is wrong with a label's name.
func badLabelKey(key string) string {
	for _, reserved := range []string{"com.docker.", "io.docker.", "org.dockerproject."} {
		if strings.HasPrefix(key, reserved) {
			return "is in Docker's own namespace: use the reverse of a domain of yours"
		}
	}
	if !strings.Contains(key, "$") && !labelKey.MatchString(key) {
		return "is not a valid name: use lower-case letters and digits, and single dots and dashes between them"
	}
	return ""
}

var (
	// semver is the grammar of semver.org, version 2.0.0; numeric parts have no
	// leading zero.
	semver = regexp.MustCompile(`^(0|[1-9]\d*)\.(0|[1-9]\d*)\.(0|[1-9]\d*)` +
		`(-(0|[1-9]\d*|\d*[A-Za-z-][0-9A-Za-z-]*)(\.(0|[1-9]\d*|\d*[A-Za-z-][0-9A-Za-z-]*))*)?` +
		`(\+[0-9A-Za-z-]+(\.[0-9A-Za-z-]+)*)?$`)
	// gitHash is a commit: seven digits and more of SHA-1, or all of SHA-256.
	gitHash = regexp.MustCompile(`^([0-9a-f]{7,40}|[0-9a-f]{64})$`)
)

// badLabelValue says what is wrong with a value of that type.
func badLabelValue(kind, value string) string {
	if strings.TrimSpace(value) == "" {
		return "is empty: give it a value"
	}
	valid := true
	switch kind {
	case "url":
		u, err := url.Parse(value)
		valid = err == nil && u.Scheme != "" && u.Host != ""
	case "semver":
		valid = semver.MatchString(value)
	case "rfc3339":
		_, err := time.Parse(time.RFC3339, value)
		valid = err == nil
	case "spdx":
		valid = isLicense(value)
	case "email":
		addr, err := mail.ParseAddress(value)
		valid = err == nil && addr.Address == value
	case "hash":
		valid = gitHash.MatchString(value)
	}
	if valid {
		return ""
	}
	return fmt.Sprintf("is %q: the policy demands %s", value, map[string]string{
		"url": "a URL", "semver": "a semantic version such as 1.2.3", "rfc3339": "a time such as 2026-01-31T12:00:00Z",
		"spdx": "a licence of the SPDX list such as Apache-2.0", "email": "an e-mail address", "hash": "a Git commit's hash",
	}[kind])
}

//go:embed spdx.txt
var spdxList string

// isLicense tells whether a text is a licence expression (SPDX 2.3, annex D)
// of licences that are on the list or the author's own.
func isLicense(text string) bool {
	text = strings.NewReplacer("(", " ( ", ")", " ) ").Replace(text)
	depth, operand := 0, true // whether an operand comes next
	for word := range strings.FieldsSeq(text) {
		switch {
		case operand && word == "(":
			depth++
		case operand:
			if !isLicenseID(strings.TrimSuffix(word, "+")) {
				return false
			}
			operand = false
		case word == ")":
			depth--
		default:
			if !slices.Contains([]string{"AND", "OR", "WITH"}, word) {
				return false
			}
			operand = true
		}
		if depth < 0 {
			return false
		}
	}
	return depth == 0 && !operand
}

// ownLicense matches references to licences that are not on the list.
var ownLicense = regexp.MustCompile(`^(DocumentRef-[A-Za-z0-9.-]+:)?(LicenseRef|AdditionRef)-[A-Za-z0-9.-]+$`)

func isLicenseID(word string) bool {
	if ownLicense.MatchString(word) {
		return true
	}
	for id := range strings.Lines(spdxList) {
		if strings.EqualFold(strings.TrimSpace(id), word) {
			return true
		}
	}
	return false
}

func checkSelfReferencingEnv(p *pass) {
	for _, st := range p.stages {
		declared := st.parent.declared()
		for _, name := range []string{"PATH", "HOME", "HOSTNAME"} { // every container has them
			declared[name] = true
		}
		for _, in := range st.instructions {
			if cmd, ok := in.cmd.(*instructions.EnvCommand); ok {
				p.judgeEnv(in, cmd, declared)
			}
			in.declare(declared)
		}
	}
}

// judgeEnv looks for values that use what an instruction itself sets: variables
// that had no value before, and values that a later one of the same name drops.
func (p *pass) judgeEnv(in *instruction, cmd *instructions.EnvCommand, declared map[string]bool) {
	count := map[string]int{}
	for _, kv := range cmd.Env {
		count[kv.Key]++
	}
	for _, kv := range cmd.Env {
		for _, name := range p.variables(kv.Value) {
			fresh := count[name] > 0 && name != kv.Key && !declared[name]
			if fresh || count[kv.Key] > 1 && name == kv.Key {
				p.report(p.locate(in.at, kv.Key), "$"+name+" in "+kv.Key+" is the value from before this ENV: set "+name+" in an ENV of its own")
				return
			}
		}
	}
}

// variables are the names that a word uses, sorted.
func (doc *document) variables(word string) []string {
	res, err := dockershell.NewLex(doc.escape).ProcessWordWithMatches(word, environment(nil))
	if err != nil {
		return nil
	}
	return slices.Sorted(maps.Keys(res.Unmatched))
}

// declared are the variables that a stage and those before it set.
func (s *stage) declared() map[string]bool {
	names := map[string]bool{}
	for _, st := range s.chain() {
		for _, in := range st.instructions {
			in.declare(names)
		}
	}
	return names
}

// declare adds the variables that an instruction sets.
func (in *instruction) declare(names map[string]bool) {
	switch cmd := in.cmd.(type) {
	case *instructions.EnvCommand:
		for _, kv := range cmd.Env {
			names[kv.Key] = true
		}
	case *instructions.ArgCommand:
		for _, arg := range cmd.Args {
			names[arg.Key] = true
		}
	}
}

// fullVersion matches tags that do not move.
var fullVersion = regexp.MustCompile(`^v?\d+\.\d+\.\d+`)

func checkSyntaxDirectivePinned(p *pass) {
	ref, _, at, ok := parser.DetectSyntax(p.Data)
	if !ok {
		return
	}
	if img := parseImage(ref); img.digest == "" && !fullVersion.MatchString(img.tag) {
		p.report(at, "the frontend "+ref+" changes on its own: write its full version or digest")
	}
}

// inlineIgnore matches the comments of linters that turn rules off.
var inlineIgnore = regexp.MustCompile(`(?i)^\s*#\s*(check\s*=.*skip\s*=|hadolint\s+(global\s+)?ignore\s*=|checkov:skip=|trivy:ignore:|slim:\s*rule\s.*=\s*(off|info|warn)\b)`)

func checkNoInlineIgnore(p *pass) {
	for i, line := range p.lines {
		if inlineIgnore.MatchString(line) {
			n := i + 1
			p.report([]parser.Range{{
				Start: parser.Position{Line: n, Character: len(line) - len(strings.TrimLeft(line, " \t"))},
				End:   parser.Position{Line: n, Character: len(line)},
			}}, "rules are turned off here: ask for an exemption in the policy")
		}
	}
}
