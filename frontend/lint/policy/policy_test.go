package policy

import (
	"encoding/json"
	"errors"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/santhosh-tekuri/jsonschema/v6"
	"go.yaml.in/yaml/v4"

	"github.com/org/slimfile/frontend/lint"
)

// today is the day of all tests.
var today = time.Date(2026, 11, 22, 15, 0, 0, 0, time.UTC)

// table is a small table of rules.
func table() []*lint.Rule {
	return []*lint.Rule{
		{Name: "NonRootUser", Default: lint.Error, Aliases: []string{"DL3002"}},
		{Name: "SecretsUsedInArgOrEnv", Default: lint.Error},
		{Name: "JSONArgsRecommended", Default: lint.Error, Aliases: []string{"DL3025"}},
		{Name: "ExecFormStrict", Default: lint.Warn, Aliases: []string{"DL3025"}},
		{Name: "HealthcheckMissing", Default: lint.Info},
		{Name: "NoSSHPort", Default: lint.Warn},
		{Name: "WgetProgress", Default: lint.Off, Aliases: []string{"DL3047"}},
		{Name: "TrustedBaseRegistry", Default: lint.Off},
		{Name: "PinBaseImageDigest", Default: lint.Info},
		{Name: "LabelSchema", Default: lint.Off},
	}
}

// withBudgets is the table with the rules about budgets.
func withBudgets() []*lint.Rule {
	return append(table(), &lint.Rule{Name: "SizeBudget"}, &lint.Rule{Name: "VulnerabilityBudget"})
}

func parse(t *testing.T, text string) *Policy {
	t.Helper()
	p, err := Parse("policy.yaml", []byte(text), withBudgets(), today)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func TestExample(t *testing.T) {
	data, err := os.ReadFile("testdata/example.yaml")
	if err != nil {
		t.Fatal(err)
	}
	p, err := Parse("example.yaml", data, lint.Rules(), today)
	if err != nil {
		t.Fatal(err)
	}
	if p.Profile != Default || len(p.Labels) != 3 || len(p.Exemptions) != 1 || !p.BaseImages.Digest {
		t.Errorf("got %+v", p)
	}
	if err := schema(t).Validate(plain(t, string(data))); err != nil {
		t.Errorf("the schema refuses it: %v", err)
	}
}

func TestSeverity(t *testing.T) {
	for _, tc := range []struct {
		name, policy string
		profile      Profile
		want         map[string]lint.Severity
	}{
		{"defaults", "", "", map[string]lint.Severity{
			"NonRootUser": lint.Error, "NoSSHPort": lint.Warn, "HealthcheckMissing": lint.Info, "WgetProgress": lint.Off, "TrustedBaseRegistry": lint.Off,
		}},
		{"comments alone", "# nothing\n", "", map[string]lint.Severity{"NonRootUser": lint.Error}},
		{"release", "", Release, map[string]lint.Severity{"NoSSHPort": lint.Error, "HealthcheckMissing": lint.Info, "WgetProgress": lint.Off}},
		{"release by the policy", "profile: release", "", map[string]lint.Severity{"NoSSHPort": lint.Error}},
		{"release keeps what the policy says", "rules: {NoSSHPort: warn}", Release, map[string]lint.Severity{"NoSSHPort": lint.Warn, "ExecFormStrict": lint.Error}},
		{"alias", "rules: {DL3047: warn}", "", map[string]lint.Severity{"WgetProgress": lint.Warn}},
		{"alias of two", "rules: {DL3025: info}", "", map[string]lint.Severity{"JSONArgsRecommended": lint.Info, "ExecFormStrict": lint.Info}},
		{"name before alias", "rules: {ExecFormStrict: error, DL3025: off}", "", map[string]lint.Severity{"JSONArgsRecommended": lint.Off, "ExecFormStrict": lint.Error}},
		{"alias before name", "rules: {DL3025: off, ExecFormStrict: error}", "", map[string]lint.Severity{"JSONArgsRecommended": lint.Off, "ExecFormStrict": lint.Error}},
		{"registries", "base-images: {registries: [docker.io]}", "", map[string]lint.Severity{"TrustedBaseRegistry": lint.Error, "PinBaseImageDigest": lint.Info}},
		{"images, at first as a warning", "base-images: {allow: [a/*]}\nrules: {TrustedBaseRegistry: warn}", "", map[string]lint.Severity{"TrustedBaseRegistry": lint.Warn}},
		{"digest", "base-images: {digest: true}", "", map[string]lint.Severity{"PinBaseImageDigest": lint.Off, "TrustedBaseRegistry": lint.Error}},
		{"digest, and the rule", "base-images: {digest: true}\nrules: {PinBaseImageDigest: warn}", "", map[string]lint.Severity{"PinBaseImageDigest": lint.Warn}},
		{"no digest", "base-images: {digest: false}", "", map[string]lint.Severity{"PinBaseImageDigest": lint.Info, "TrustedBaseRegistry": lint.Off}},
		{"labels", "labels: {a: url}", "", map[string]lint.Severity{"LabelSchema": lint.Error}},
		{"budgets", "advisories: {path: x}\nbudgets: {size: 1MB, vulnerabilities: {critical: 0}}", "", map[string]lint.Severity{"SizeBudget": lint.Error, "VulnerabilityBudget": lint.Error}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			set, err := parse(t, tc.policy).Settings(tc.profile, "Dockerfile")
			if err != nil {
				t.Fatal(err)
			}
			for name, want := range tc.want {
				if got := set.Severity[name]; got != want {
					t.Errorf("%s is %s, want %s", name, got, want)
				}
			}
		})
	}
}

func TestSettings(t *testing.T) {
	p := parse(t, `
locked: [DL3002]
base-images: {registries: [docker.io, "*.example.com"], allow: ["docker.io/library/{debian,alpine}:*"], digest: true}
labels: {source: url, team: any}
budgets: {size: 1.5GB, vulnerabilities: {critical: 0, high: 5}}
advisories: {path: x}
`)
	set, err := p.Settings("", "Dockerfile")
	if err != nil {
		t.Fatal(err)
	}
	if len(set.Registries) != 2 || len(set.Images) != 1 || !set.DigestRequired || set.Labels["source"] != "url" || set.Labels["team"] != "" ||
		!set.Locked["NonRootUser"] || set.IgnoresOff || set.MaxSeverity != lint.Off {
		t.Errorf("got %+v", set)
	}
	if *p.Budgets.Size != 1_500_000_000 || p.Budgets.Vulnerabilities["high"] != 5 || len(p.Budgets.Vulnerabilities) != 2 {
		t.Errorf("got %+v", p.Budgets)
	}
	if set, err := p.Settings(Dev, "Dockerfile"); err != nil || set.MaxSeverity != lint.Warn {
		t.Errorf("under dev: %+v, %v", set, err)
	}
}

func TestProfiles(t *testing.T) {
	for _, tc := range []struct {
		policy  string
		profile Profile
		err     string
	}{
		{"", Dev, ""},
		{"profile: dev", Release, ""},
		{"profile: release", Release, ""},
		{"profile: release", Default, "stricter than default"},
		{"profile: default", Dev, "demands the profile default"},
		{"", "relaese", `unknown profile "relaese"`},
	} {
		t.Run(tc.policy+" "+string(tc.profile), func(t *testing.T) {
			_, err := parse(t, tc.policy).Settings(tc.profile, "Dockerfile")
			if tc.err == "" && err != nil || tc.err != "" && (err == nil || !strings.Contains(err.Error(), tc.err)) {
				t.Errorf("got %v, want %q", err, tc.err)
			}
		})
	}
}

func TestInlineIgnores(t *testing.T) {
	for _, tc := range []struct {
		policy      string
		profile     Profile
		off, reason bool
	}{
		{"", "", false, false},
		{"", Release, false, true},
		{"inline-ignores: with-reason", Dev, false, true},
		{"inline-ignores: forbidden", "", true, false},
		{"inline-ignores: allowed", Release, false, false},
	} {
		t.Run(tc.policy+" "+string(tc.profile), func(t *testing.T) {
			set, err := parse(t, tc.policy).Settings(tc.profile, "Dockerfile")
			if err != nil || set.IgnoresOff != tc.off || set.ReasonRequired != tc.reason {
				t.Errorf("off %v, reason %v, %v", set.IgnoresOff, set.ReasonRequired, err)
			}
		})
	}
}

func TestOverride(t *testing.T) {
	const text = "rules: {NoSSHPort: error}\nlocked: [NoSSHPort, NonRootUser]"
	for _, tc := range []struct {
		flag string
		want map[string]lint.Severity
		err  string
	}{
		{"HealthcheckMissing=warn", map[string]lint.Severity{"HealthcheckMissing": lint.Warn}, ""},
		{"DL3025=off", map[string]lint.Severity{"JSONArgsRecommended": lint.Off, "ExecFormStrict": lint.Off}, ""},
		{"NonRootUser=error", map[string]lint.Severity{"NonRootUser": lint.Error}, ""},
		{"NoSSHPort=warn", nil, "the policy locks it"},
		{"DL3002=off", nil, "rule NonRootUser: the policy locks it"},
		{"NoSSHport=off", nil, `did you mean "NoSSHPort"?`},
		{"Nothing", nil, `unknown rule "Nothing"`},
		{"HealthcheckMissing", nil, "want off, info, warn or error"},
		{"HealthcheckMissing=warning", nil, `unknown severity "warning"`},
	} {
		t.Run(tc.flag, func(t *testing.T) {
			p := parse(t, text)
			err := p.Override(tc.flag)
			if tc.err != "" {
				if err == nil || !strings.Contains(err.Error(), tc.err) {
					t.Errorf("got %v, want %q", err, tc.err)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			settings, err := p.Settings("", "Dockerfile")
			if err != nil {
				t.Fatal(err)
			}
			for name, want := range tc.want {
				if settings.Severity[name] != want {
					t.Errorf("%s is %s, want %s", name, settings.Severity[name], want)
				}
			}
		})
	}
	if err := New(table()).Override("NoSSHPort=off"); err != nil {
		t.Errorf("without a policy: %v", err)
	}
}

func TestExempt(t *testing.T) {
	p := parse(t, `
exemptions:
- {rule: DL3025, path: "legacy/**/*Dockerfile", reason: r, until: 2026-11-22}
- {rule: NonRootUser, stage: Build, reason: r}
- {rule: NoSSHPort, reason: r}
`)
	for _, tc := range []struct {
		rule, path, stage string
		want              bool
	}{
		{"ExecFormStrict", "legacy/a/b/Dockerfile", "", true},
		{"JSONArgsRecommended", "legacy/Dockerfile", "x", true},
		{"JSONArgsRecommended", "new/Dockerfile", "", false},
		{"NonRootUser", "Dockerfile", "build", true},
		{"NonRootUser", "Dockerfile", "", false},
		{"NoSSHPort", "Dockerfile", "", true},
		{"HealthcheckMissing", "legacy/Dockerfile", "build", false},
	} {
		set, err := p.Settings("", tc.path)
		if err != nil {
			t.Fatal(err)
		}
		if got := set.Exempt(tc.rule, tc.stage); got != tc.want {
			t.Errorf("%s in %s, stage %q: %v, want %v", tc.rule, tc.path, tc.stage, got, tc.want)
		}
	}
}

// Each bad policy is refused at a place, with a remedy.
func TestErrors(t *testing.T) {
	for _, tc := range []struct {
		name, policy string
		want         []string // the lines of the message, without the file's name
		schema       bool     // whether the schema takes it
	}{
		{"unknown key", "profil: dev", []string{`1:1: unknown key "profil" in the policy, did you mean "profile"?`}, false},
		{"nothing near", "x: 1", []string{`1:1: unknown key "x" in the policy, want advisories, base-images, budgets, exemptions, inline-ignores, labels, locked, profile or rules`}, false},
		{"two errors", "labels:\n  a: ur\nprofile: x", []string{
			`2:6: unknown type of label "ur", did you mean "url"?`, `3:10: unknown profile "x", want dev, default or release`}, false},
		{"no mapping", "- a", []string{"1:1: the policy wants keys with values, got a list"}, false},
		{"empty section", "rules:\nprofile: dev", []string{"1:7: rules wants keys with values, got nothing"}, false},
		{"key twice", "profile: dev\nprofile: release", []string{`2:1: key "profile" is given twice, first in line 1`}, true},
		{"severity", "rules:\n  NoSSHPort: warning", []string{`2:14: unknown severity "warning": want off, info, warn or error`}, false},
		{"severity is a list", "rules: {NoSSHPort: [off]}", []string{`1:20: a rule's severity wants a text, got a list`}, false},
		{"rule", "rules: {NoSshPort: off}", []string{`1:9: unknown rule "NoSshPort", did you mean "NoSSHPort"?`}, true},
		{"rule of nobody", "rules: {xyz: off}", []string{`1:9: unknown rule "xyz"`}, true},
		{"two ids of a rule differ", "rules:\n  DL3002: off\n  DL3002: warn", []string{`3:3: key "DL3002" is given twice, first in line 2`}, true},
		{"locked yet off", "rules: {DL3002: off}\nlocked: [NonRootUser]", []string{"2:10: rule NonRootUser is off: give it a severity below rules, or do not lock it"}, true},
		{"locked, off by default", "locked: [WgetProgress]", []string{"1:10: rule WgetProgress is off: give it a severity below rules, or do not lock it"}, true},
		{"locked is no list", "locked: NonRootUser", []string{`1:9: locked wants a list, got "NonRootUser"`}, false},
		{"ignores", "inline-ignores: true", []string{`1:17: unknown inline-ignores "true", want allowed, with-reason or forbidden`}, false},
		{"glob", "base-images: {allow: ['a[']}", []string{`1:23: bad glob "a[": a [ or { is not closed`}, true},
		{"no registry", "base-images: {registries: []}", []string{"1:27: registries is empty: name what is allowed, or leave it out to allow all"}, false},
		{"digest", "base-images: {digest: yes}", []string{`1:23: digest wants true or false, got "yes"`}, false},
		{"size", "budgets: {size: big}", []string{`1:17: size wants bytes such as 120MB, got "big"`}, false},
		{"no size", "budgets: {size: 0}", []string{`1:17: size wants bytes such as 120MB, got "0"`}, false},
		{"vulnerabilities", "advisories: {path: x}\nbudgets: {vulnerabilities: {hihg: 1, low: -1}}", []string{
			`2:29: unknown key "hihg" in vulnerabilities, did you mean "high"?`, `2:43: low wants a number, 0 or more, got "-1"`}, false},
		{"vulnerabilities without advisories", "budgets: {vulnerabilities: {high: 0}}", []string{
			"1:1: the budget of vulnerabilities needs advisories: say where they are, advisories: {path: DIR} or {context: NAME}"}, true},
		{"advisories for nothing", "advisories: {path: x}", []string{"1:1: nothing asks for advisories: give budgets a number of vulnerabilities, or leave advisories out"}, true},
		{"advisories nowhere", "budgets: {vulnerabilities: {high: 0}}\nadvisories: {}", []string{"2:13: advisories names no place: add path, or context"}, false},
		{"advisories above", "budgets: {vulnerabilities: {high: 0}}\nadvisories: {path: ../x}", []string{`2:20: path wants a path below the policy's folder, got "../x"`}, true},
		{"exemption expired", "exemptions:\n- rule: NoSSHPort\n  reason: r\n  until: 2026-11-21", []string{
			"4:10: the exemption ended on 2026-11-21: mend what it covers and take it out, or give it a later date"}, true},
		{"exemption without reason", "exemptions: [{rule: NoSSHPort}]", []string{"1:14: the exemption from NoSSHPort gives no reason: add reason"}, false},
		{"exemption without rule", "exemptions: [{reason: r}]", []string{"1:14: the exemption names no rule: add rule"}, false},
		{"exemption of nothing", "exemptions: [{rule: X, reason: r}]", []string{`1:21: unknown rule "X"`}, true},
		{"exemption key", "exemptions: [{rule: NoSSHPort, reason: r, unitl: 2027-01-01}]", []string{`1:43: unknown key "unitl" in an exemption, did you mean "until"?`}, false},
		{"date", "exemptions: [{rule: NoSSHPort, reason: r, until: 2027-02-30}]", []string{`1:50: until wants a date such as 2027-01-31, got "2027-02-30"`}, true},
		{"alias", "labels: &a {x: *a}", []string{`1:16: type of label wants a text, got an alias, which a policy cannot have: write the value out`}, false},
		{"merge key", "rules: {<<: {NoSSHPort: off}}", []string{`1:9: unknown rule "<<"`, "1:13: a rule's severity wants a text, got keys with values"}, true},
		{"two documents", "profile: dev\n---\nprofile: release\n", []string{"2:1: the policy has a second document: take it out"}, false},
		{"syntax", "rules:\n\tNoSSHPort: off", []string{"2:1: found character that cannot start any token"}, false},
		{"flow not closed", "rules: {", []string{"2:1: did not find expected node content"}, false},
	} {
		t.Run(tc.name, func(t *testing.T) {
			_, err := Parse("policy.yaml", []byte(tc.policy), withBudgets(), today)
			var errs Errors
			if !errors.As(err, &errs) {
				t.Fatalf("got %v", err)
			}
			want := "policy.yaml:" + strings.Join(tc.want, "\npolicy.yaml:")
			if err.Error() != want {
				t.Errorf("got\n%s\nwant\n%s", err, want)
			}
		})
		var v any
		if yaml.Load([]byte(tc.policy), &v) != nil {
			continue // no schema sees what YAML itself refuses
		}
		t.Run(tc.name+", by the schema", func(t *testing.T) {
			if err := schema(t).Validate(plain(t, tc.policy)); (err == nil) != tc.schema {
				t.Errorf("the schema says: %v", err)
			}
		})
	}
}

func TestTooLarge(t *testing.T) {
	_, err := Parse("p", make([]byte, MaxSize+1), table(), today)
	if err == nil || !strings.Contains(err.Error(), "larger than") {
		t.Errorf("got %v", err)
	}
}

// The schema must know just the keys that Parse knows. An unknown key that is
// near none makes Parse list those that it knows.
func TestSchemaKeys(t *testing.T) {
	data, err := os.ReadFile("schema.json")
	if err != nil {
		t.Fatal(err)
	}
	type object struct {
		Properties map[string]*object
		Items      *object
	}
	var root object
	if err := json.Unmarshal(data, &root); err != nil {
		t.Fatal(err)
	}
	for _, tc := range []struct {
		what, policy string
		object       *object
	}{
		{"the policy", "@: 1", &root},
		{"base-images", "base-images: {'@': 1}", root.Properties["base-images"]},
		{"budgets", "budgets: {'@': 1}", root.Properties["budgets"]},
		{"vulnerabilities", "budgets: {vulnerabilities: {'@': 1}}", root.Properties["budgets"].Properties["vulnerabilities"]},
		{"advisories", "advisories: {'@': 1}", root.Properties["advisories"]},
		{"an exemption", "exemptions: [{'@': 1}]", root.Properties["exemptions"].Items},
	} {
		t.Run(tc.what, func(t *testing.T) {
			_, err := Parse("p", []byte(strings.Replace(tc.policy, "@:", "'@':", 1)), withBudgets(), today)
			if err == nil {
				t.Fatal("no error")
			}
			_, list, _ := strings.Cut(err.Error(), ", want ")
			got := strings.Split(strings.Replace(list, " or ", ", ", 1), ", ")
			if want := sortedKeys(tc.object.Properties); strings.Join(got, " ") != strings.Join(want, " ") {
				t.Errorf("Parse knows %q, the schema %q", got, want)
			}
		})
	}
}

func schema(t *testing.T) *jsonschema.Schema {
	t.Helper()
	s, err := jsonschema.NewCompiler().Compile("schema.json")
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// plain is a YAML text as a validator of JSON takes it.
func plain(t *testing.T, text string) any {
	t.Helper()
	var v any
	if err := yaml.Load([]byte(text), &v); err != nil {
		t.Fatal(err)
	}
	data, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	v, err = jsonschema.UnmarshalJSON(strings.NewReader(string(data)))
	if err != nil {
		t.Fatal(err)
	}
	return dates(v)
}

// dates gives the dates that YAML reads as times the form that the file has.
func dates(v any) any {
	switch v := v.(type) {
	case map[string]any:
		for k := range v {
			v[k] = dates(v[k])
		}
	case []any:
		for i := range v {
			v[i] = dates(v[i])
		}
	case string:
		return strings.TrimSuffix(v, "T00:00:00Z")
	}
	return v
}

func FuzzParse(f *testing.F) {
	data, err := os.ReadFile("testdata/example.yaml")
	if err != nil {
		f.Fatal(err)
	}
	f.Add(data)
	for _, text := range []string{"", "a: &a [*a]", "rules: {? [x] : off}", "exemptions: [{until: 2020-01-01}]", "--- a\n--- b", "budgets: {size: 1e400}"} {
		f.Add([]byte(text))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		p, err := Parse("p", data, withBudgets(), today)
		if (p == nil) == (err == nil) {
			t.Fatalf("%v, %v", p, err)
		}
		if p != nil {
			if _, err := p.Settings(Release, "Dockerfile"); err != nil {
				t.Error(err)
			}
		}
	})
}
