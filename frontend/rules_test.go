package frontend_test

import (
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	gwclient "github.com/moby/buildkit/frontend/gateway/client"
	"github.com/moby/buildkit/frontend/subrequests"
	"github.com/moby/buildkit/frontend/subrequests/lint"
	"github.com/moby/buildkit/frontend/subrequests/targets"
	"github.com/moby/buildkit/solver/errdefs"

	"github.com/org/slimfile/frontend/internal/testenv"
)

// testRules: a Dockerfile that breaks the rules does not build, and its author
// learns of all that is wrong.
func testRules(t *testing.T, s suite) {
	eachClient(t, func(t *testing.T, build gwclient.BuildFunc) {
		judged := func(lines ...string) testenv.Build {
			b := s.app(build, lines...)
			b.Rules = true
			return b
		}
		t.Run("all violations in one error", func(t *testing.T) {
			res, err := s.env.Build(t, judged("USER root", "CMD read"))
			if err == nil {
				t.Fatal("no error")
			}
			for _, want := range []string{"2 rules are broken", "NonRootUser", "(line 5)", "JSONArgsRecommended", "(line 6)", "SLIM_FAIL_ON=never"} {
				if !strings.Contains(err.Error(), want) {
					t.Errorf("no %q in:\n%v", want, err)
				}
			}
			if n := len(errdefs.Sources(err)); n < 2 {
				t.Errorf("%d places of the Dockerfile are shown, want 2", n)
			}
			if strings.Contains(res.Log, "[slim 1/3]") {
				t.Error("the image was run all the same")
			}
		})
		for _, test := range []struct {
			name, line string
			args       []string
			warned     bool // of NonRootUser
			fails      string
		}{
			{"directive", "# slim: rule NonRootUser=warn reason=test", nil, true, ""},
			{"directive by another linter's id", "# slim: rule DL3002=off", nil, false, ""},
			{"never fail", "", []string{"SLIM_FAIL_ON=never"}, true, ""},
			{"warnings fail", "# slim: rule NonRootUser=warn", []string{"SLIM_FAIL_ON=warn"}, false, "NonRootUser"},
			{"unknown rule", "# slim: rule NonRotUser=off", nil, false, `did you mean "NonRootUser"?`},
			{"exception that ended", "# slim: rule NonRootUser=off until=2020-01-31", nil, false, "ended with 2020-01-31"},
			{"warnings are errors", "MAINTAINER x", []string{"BUILDKIT_DOCKERFILE_CHECK=error=true"}, false, "MaintainerDeprecated: "},
			{"check directive", "", []string{"BUILDKIT_DOCKERFILE_CHECK=skip=NonRootUser"}, false, ""},
		} {
			t.Run(test.name, func(t *testing.T) {
				res, err := s.env.Build(t, args(judged(`CMD ["read", "/fixture"]`, test.line), test.args...))
				switch {
				case test.fails == "" && err != nil:
					t.Fatalf("%v\n%s", err, res.Log)
				case test.fails != "" && (err == nil || !strings.Contains(err.Error(), test.fails)):
					t.Fatalf("the error is %v, want one with %q", err, test.fails)
				}
				if warned := strings.Contains(strings.Join(res.Warnings, "\n"), "NonRootUser"); warned != test.warned {
					t.Errorf("warnings %q", res.Warnings)
				}
			})
		}
		t.Run("rules alone", func(t *testing.T) {
			if _, err := s.env.Build(t, args(judged("CMD read"), "SLIM=lint")); err == nil || !strings.Contains(err.Error(), "JSONArgsRecommended") {
				t.Errorf("the error is %v", err)
			}
			b := args(judged(`CMD ["read", "/fixture"]`, "# slim: rule NonRootUser=off"), "SLIM=lint")
			if config := s.env.BuildImage(t, b).Config(t, "").Config; len(config.Labels) > 0 {
				t.Errorf("the image was slimmed: %v", config.Labels)
			}
		})
		t.Run("check", func(t *testing.T) {
			answer := s.ask(t, judged("CMD read"), lint.RequestLint)
			var results lint.LintResults
			if err := json.Unmarshal(answer["result.json"], &results); err != nil {
				t.Fatal(err)
			}
			var names []string
			for _, w := range results.Warnings {
				names = append(names, w.RuleName)
			}
			text := strings.Join(names, " ")
			if !strings.Contains(text, "NonRootUser") || !strings.Contains(text, "JSONArgsRecommended") {
				t.Errorf("rules %q", names)
			}
			if string(answer["result.statuscode"]) != "1" || !strings.Contains(string(answer["result.txt"]), "NonRootUser") {
				t.Errorf("status %s, text:\n%s", answer["result.statuscode"], answer["result.txt"])
			}
		})
		t.Run("formats", func(t *testing.T) {
			for name, want := range map[string]string{"sarif": `"ruleId"`, "github": "::error", "codeclimate": `"check_name"`, "checkstyle": "<checkstyle"} {
				if text := string(s.ask(t, judged("CMD read"), "frontend.slim."+name)["result.txt"]); !strings.Contains(text, want) || !strings.Contains(text, "NonRootUser") {
					t.Errorf("%s:\n%s", name, text)
				}
			}
		})
		t.Run("policy", func(t *testing.T) {
			dir := t.TempDir()
			write := func(name, text string) {
				if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o644); err != nil {
					t.Fatal(err)
				}
			}
			write("policy.yaml", "rules:\n  NonRootUser: warn\n  NoSSHPort: error\nlocked: [NoSSHPort]\n")
			write("broken.yaml", "rulez: {}\n")
			write("release.yaml", "profile: release\n")
			b := judged("EXPOSE 22", `CMD ["read", "/fixture"]`, "# slim: rule NoSSHPort=off reason=test")
			for _, test := range []struct {
				name  string
				b     testenv.Build
				fails string
			}{
				{"a named context's", namedContext(t, b, "policy", dir), "an exemption in the policy (exemptions: with rule: NoSSHPort"},
				{"with a mistake", args(namedContext(t, b, "policy", dir), "SLIM_POLICY=broken.yaml"), "rulez"},
				{"that is not there", args(b, "SLIM_POLICY=nowhere.yaml"), "read the policy nowhere.yaml"},
			} {
				t.Run(test.name, func(t *testing.T) {
					res, err := s.env.Build(t, test.b)
					if err == nil || !strings.Contains(err.Error(), test.fails) {
						t.Fatalf("the error is %v, want one with %q\n%s", err, test.fails, res.Log)
					}
					if strings.Contains(err.Error(), "NonRootUser") {
						t.Errorf("the policy made it a warning: %v", err)
					}
				})
			}
			t.Run("that no argument softens", func(t *testing.T) {
				err := s.refused(t, args(namedContext(t, b, "policy", dir), "SLIM_POLICY=release.yaml"))
				if !strings.Contains(err.Error(), "=warn reason=") || strings.Contains(err.Error(), "SLIM_FAIL_ON") {
					t.Errorf("what would help is wrong: %v", err)
				}
			})
		})
		t.Run("built image", func(t *testing.T) {
			b := judged("EXPOSE 8080 8081", `CMD ["serve"]`, "# slim: rule NonRootUser=off", "# slim: ready tcp:8080")
			res, err := s.env.Build(t, b)
			if err != nil {
				t.Fatalf("%v\n%s", err, res.Log)
			}
			if text := strings.Join(res.Warnings, "\n"); !strings.Contains(text, "ExposeVsListen") || !strings.Contains(text, "RuntimeUserIsRoot") {
				t.Errorf("warnings %q", res.Warnings)
			}
			if _, err := s.env.Build(t, args(b, "SLIM_FAIL_ON=warn")); err == nil || !strings.Contains(err.Error(), "ExposeVsListen") {
				t.Errorf("the error is %v", err)
			}
		})
		t.Run("vulnerabilities", func(t *testing.T) { testVulnerabilities(t, s, judged) })
		t.Run("program that cannot start", func(t *testing.T) { testObstacles(t, s, judged) })
		t.Run("describe", func(t *testing.T) {
			answer := s.ask(t, judged(), subrequests.RequestSubrequestsDescribe)
			if !strings.Contains(string(answer["result.json"]), lint.RequestLint) {
				t.Errorf("lint is not in:\n%s", answer["result.txt"])
			}
		})
		t.Run("targets", func(t *testing.T) {
			answer := s.ask(t, judged("# check=skip=NonRootUser", "FROM scratch AS second"), targets.RequestTargets)
			if !strings.Contains(string(answer["result.json"]), "second") {
				t.Errorf("got:\n%s", answer["result.txt"])
			}
		})
	})
}

// testVulnerabilities: the policy bounds what advisories tell of the packages
// that remain, wherever they come from.
func testVulnerabilities(t *testing.T, s suite, judged func(...string) testenv.Build) {
	dir := t.TempDir()
	write := func(name, text string) {
		t.Helper()
		name = filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(name), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(name, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	advisory := func(id, source, fixed string) string {
		return fmt.Sprintf(`{"id":%q,"modified":"2026-11-20T00:00:00Z","database_specific":{"severity":"HIGH"},"affected":[{"package":{"ecosystem":"Debian:12","name":%q},"ranges":[{"type":"ECOSYSTEM","events":[{"introduced":"0"},{"fixed":%q}]}]}]}`, id, source, fixed)
	}
	write("root/etc/os-release", "ID=debian\nVERSION_ID=12\n")
	write("root/var/lib/dpkg/status", "Package: libapp1\nVersion: 1.0-1+b1\nSource: app (1.0-1)\nArchitecture: amd64\n\nPackage: gone\nVersion: 1.0-1\nArchitecture: amd64\n")
	write("root/var/lib/dpkg/info/libapp1.list", "/usr/lib/kept\n")
	write("root/var/lib/dpkg/info/gone.list", "/usr/lib/gone\n")
	write("root/usr/lib/kept", "1")
	write("root/usr/lib/gone", "1")
	write("policy/policy.yaml", "rules: {NonRootUser: off}\nbudgets: {vulnerabilities: {high: 0}}\nadvisories: {path: osv}\n")
	write("policy/osv/list.json", "["+advisory("DSA-1-1", "app", "1.0-1+deb12u1")+","+advisory("DSA-2-1", "gone", "9")+"]")
	write("policy/named.yaml", "rules: {NonRootUser: off}\nbudgets: {vulnerabilities: {high: 0}}\nadvisories: {context: advisories}\n")
	write("fixed/one.json", advisory("DSA-1-1", "app", "1.0-1"))
	write("fixed/README", "no advisory")
	// More than a message of BuildKit's can hold, at once and in one file.
	write("large/"+strings.Repeat("x", 100)+".json", "["+strings.Repeat(" ", 9<<20)+advisory("DSA-1-1", "app", "2")+"]")
	write("other/one.json", strings.ReplaceAll(advisory("DSA-1-1", "app", "2"), "Debian:12", "Debian:13"))
	write("empty/README", "")
	write("broken/one.json", "{")

	b := namedContext(t, namedContext(t, judged("COPY --from=more root /", `CMD ["read", "/usr/lib/kept"]`), "more", dir), "policy", filepath.Join(dir, "policy"))
	advised := func(name string) testenv.Build {
		return args(namedContext(t, b, "advisories", filepath.Join(dir, name)), "SLIM_POLICY=named.yaml")
	}
	for _, test := range []struct {
		name  string
		b     testenv.Build
		fails []string // none: it builds
	}{
		{"in the policy's place", b, []string{
			"VulnerabilityBudget: known vulnerabilities of severity high in the packages that remain: 1, and the policy allows 0 (advisories of 2026-11-20,",
			"libapp1 1.0-1 (app): DSA-1-1, high, fixed in 1.0-1+deb12u1"}},
		{"large", advised("large"), []string{"fixed in 2"}},
		{"fixed", advised("fixed"), nil},
		{"for another release", advised("other"), []string{"none of the 1 advisories is about Debian:12"}},
		{"none", advised("empty"), []string{"has no file that ends in .json"}},
		{"broken", advised("broken"), []string{"one.json: unexpected EOF"}},
		{"no context", args(b, "SLIM_POLICY=named.yaml"), []string{"add --build-context advisories=DIR"}},
	} {
		t.Run(test.name, func(t *testing.T) {
			if test.fails == nil {
				if res, err := s.env.Build(t, test.b); err != nil || !strings.Contains(res.Metadata["frontend.result.inlinemessage"], "0 known vulnerabilities (advisories of 2026-11-20") {
					t.Errorf("%v\n%s", err, res.Log)
				}
				return
			}
			err := s.refused(t, test.b)
			for _, want := range test.fails {
				if !strings.Contains(err.Error(), want) {
					t.Errorf("no %q in\n%v", want, err)
				}
			}
			if strings.Contains(err.Error(), "DSA-2-1") {
				t.Errorf("a package that is not kept counts: %v", err)
			}
		})
	}
}

// testObstacles: an app that cannot start is explained by the line that is to
// blame, before it is run and after.
func testObstacles(t *testing.T, s suite, judged func(...string) testenv.Build) {
	dir := t.TempDir()
	cmd := exec.Command("go", "build", "-o", filepath.Join(dir, "musl"), "-buildmode=pie", "-ldflags=-s -w -I /lib/ld-musl-x86_64.so.1", "./testdata/fixture")
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0", "GOARCH=amd64")
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("compile the fixture: %v\n%s", err, out)
	}
	if err := os.WriteFile(filepath.Join(dir, "windows.sh"), []byte("#!/fixture read\r\n"), 0o755); err != nil {
		t.Fatal(err)
	}
	for _, test := range []struct {
		name  string
		lines []string
		want  string // rule
		line  int
	}{
		{"missing", []string{`ENTRYPOINT ["/nothing"]`}, "EntrypointMissing", 6},
		{"Windows line ends", []string{`COPY --from=more windows.sh /`, `ENTRYPOINT ["/windows.sh"]`}, "EntrypointMissing", 6},
		{"musl", []string{`COPY --from=more musl /`, `ENTRYPOINT ["/musl"]`}, "LoaderOrLibMissing", 6},
		{"health check", []string{`CMD ["serve"]`, `EXPOSE 8080`, `HEALTHCHECK CMD ["/curl", "-f"]`}, "HealthcheckBinaryMissing", 8},
	} {
		t.Run(test.name, func(t *testing.T) {
			b := namedContext(t, judged(append([]string{"USER 65534:65534"}, test.lines...)...), "more", dir)
			for _, mode := range []string{"SLIM=on", "SLIM=lint"} {
				err := s.refused(t, args(b, mode))
				checkError(t, err, test.line, test.want)
			}
		})
	}
}

// testBuildx: what users see of the rules, through the program that they use.
func testBuildx(t *testing.T, s suite) {
	dir := t.TempDir()
	for name, text := range map[string]string{
		"Dockerfile":  "# syntax=org/slimfile\nFROM scratch AS first\n# check=skip=X\nFROM scratch\nUSER 1\nWORKDIR /\nCMD /app\n",
		"Dockerfile2": "# syntax=org/slimfile\nFROM scratch\nUSER 1\nWORKDIR /app\nCMD [\"/app\"]\n",
		"Dockerfile3": "# syntax=org/slimfile\n# check=error=true\nFROM scratch\nMAINTAINER x\nUSER 1\nWORKDIR /app\nCMD [\"/app\"]\n",
	} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	for _, test := range []struct {
		name           string
		args           []string
		stdout, stderr string
		code           int
	}{
		{"check", []string{"--call=check"}, "JSONArgsRecommended", "", 1},
		{"check as JSON", []string{"--call=check,format=json"}, `"ruleName": "JSONArgsRecommended"`, "", 1},
		{"check of a good file", []string{"--call=check", "-f", "Dockerfile2"}, "", "", 0},
		{"SARIF", []string{"--call=slim.sarif"}, `"version": "2.1.0"`, "", 1},
		{"targets", []string{"--call=targets"}, "first", "", 0},
		{"outline", []string{"--call=outline"}, "", "", 0},
		{"build", nil, "", "JSONArgsRecommended", 1},
		{"build where warnings are errors", []string{"-f", "Dockerfile3"}, "", "rule MaintainerDeprecated=off reason=", 1},
	} {
		t.Run(test.name, func(t *testing.T) {
			out, errs, code := s.env.Buildx(t, dir, append(test.args, ".")...)
			if code != test.code || !strings.Contains(out, test.stdout) || !strings.Contains(errs, test.stderr) {
				t.Errorf("exit code %d, want %d\n%s\n%s", code, test.code, out, errs)
			}
		})
	}
}
