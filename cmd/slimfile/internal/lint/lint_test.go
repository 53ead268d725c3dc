package lint

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"go.yaml.in/yaml/v4"
)

// good breaks no rule that fails; bad breaks NonRootUser in line 1.
const (
	good = "FROM debian:12.9-slim\nRUN apt-get update && apt-get upgrade -y && rm -rf /var/lib/apt/lists/*\nWORKDIR /app\nCOPY app .\nUSER 65534:65534\nCMD [\"./app\"]\n"
	bad  = "FROM debian:12.9-slim\nWORKDIR /app\nCMD [\"./app\"]\n"
)

// inside writes files into a new folder and makes it the working folder.
func inside(t *testing.T, files map[string]string) {
	t.Helper()
	t.Chdir(t.TempDir())
	for name, text := range files {
		if err := os.MkdirAll(filepath.Dir(name), 0o777); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(name, []byte(text), 0o666); err != nil {
			t.Fatal(err)
		}
	}
}

// run runs with the defaults of the command line where o says nothing.
func run(t *testing.T, o Options, stdin string) (result Result, stdout, stderr string, err error) {
	t.Helper()
	if o.Format == "" {
		o.Format = "text"
	}
	if o.FailOn == "" {
		o.FailOn = "error"
	}
	var out, notes bytes.Buffer
	o.Stdin, o.Stdout, o.Stderr = strings.NewReader(stdin), &out, &notes
	result, err = Run(t.Context(), o)
	return result, out.String(), notes.String(), err
}

// filenames are the files that a run judged, in its order.
func filenames(t *testing.T, o Options) []string {
	t.Helper()
	o.Format = "json"
	_, out, _, err := run(t, o, good)
	if err != nil {
		t.Fatal(err)
	}
	var doc struct{ Sources []struct{ Filename string } }
	if err := json.Unmarshal([]byte(out), &doc); err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, s := range doc.Sources {
		names = append(names, s.Filename)
	}
	return names
}

func TestFind(t *testing.T) {
	inside(t, map[string]string{
		"Dockerfile": good, "Dockerfile.dev": good, "web.Dockerfile": good, "api.dockerfile": good, "sub/deep/Containerfile": good, "sub/dockerfile": good,
		"Dockerfile.dockerignore": "x", "dockerfile.go": "package x", "README": "x", ".hidden/Dockerfile": good, ".Dockerfile": good, "other": good,
	})
	if err := os.Symlink("Dockerfile", "Dockerfile.link"); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink("sub", "linked"); err != nil {
		t.Fatal(err)
	}
	wd, err := os.Getwd()
	if err != nil {
		t.Fatal(err)
	}
	for _, tc := range []struct {
		name  string
		paths []string
		want  []string
	}{
		{"working folder", nil, []string{"Dockerfile", "Dockerfile.dev", "api.dockerfile", "sub/deep/Containerfile", "sub/dockerfile", "web.Dockerfile"}},
		{"folder", []string{"sub"}, []string{"sub/deep/Containerfile", "sub/dockerfile"}},
		{"this folder", []string{"./"}, []string{"Dockerfile", "Dockerfile.dev", "api.dockerfile", "sub/deep/Containerfile", "sub/dockerfile", "web.Dockerfile"}},
		{"link to a folder, named", []string{"linked"}, []string{"linked/deep/Containerfile", "linked/dockerfile"}},
		{"hidden folder, named", []string{".hidden"}, []string{".hidden/Dockerfile"}},
		{"files, in their order", []string{"web.Dockerfile", "other"}, []string{"web.Dockerfile", "other"}},
		{"each once", []string{"./Dockerfile", "Dockerfile", filepath.Join(wd, "Dockerfile"), "sub", "sub/dockerfile"}, []string{"Dockerfile", "sub/deep/Containerfile", "sub/dockerfile"}},
		{"link, named", []string{"Dockerfile.link"}, []string{"Dockerfile.link"}},
		{"stdin", []string{"-", "other"}, []string{"-", "other"}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			if got := filenames(t, Options{Paths: tc.paths}); !slices.Equal(got, tc.want) {
				t.Errorf("got %q, want %q", got, tc.want)
			}
		})
	}
}

func TestResult(t *testing.T) {
	inside(t, map[string]string{
		"good": good, "bad": bad, "broken": "FROM a\nRUM b\n", "unknown-rule": good + "# slim: rule NoSuchRule=off\n", "expired": bad + "# slim: rule NonRootUser=off reason=r until=2020-01-01\n",
		"excused": bad + "# slim: rule NonRootUser=off reason=r\n", "release.yaml": "profile: release\n", "locked.yaml": "locked: [NonRootUser]\n",
		"typo.yaml": "profil: dev\n", "named": "# slim: policy locked.yaml\n" + bad + "# slim: rule NonRootUser=off\n",
		"missing": "# slim: policy none.yaml\n" + good, "empty/README": "", "fragment": "RUN sudo a\n",
		"exempt.yaml": "exemptions: [{rule: DL3002, path: ba*, reason: r}]\n",
	})
	if err := os.WriteFile("large", make([]byte, maxFile+1), 0o666); err != nil {
		t.Fatal(err)
	}
	for _, tc := range []struct {
		name string
		o    Options
		want Result
		text string // of what is printed, or of the error
	}{
		{"good", Options{Paths: []string{"good"}}, Passed, ""},
		{"bad", Options{Paths: []string{"bad"}}, Failed, "ERROR: NonRootUser - https://"},
		{"one of two bad", Options{Paths: []string{"good", "bad"}}, Failed, "in 2 files"},
		{"never", Options{Paths: []string{"bad"}, FailOn: "never"}, Passed, "ERROR: NonRootUser"},
		{"dev", Options{Paths: []string{"bad"}, Profile: "dev"}, Passed, "WARNING: NonRootUser"},
		{"warnings count", Options{Paths: []string{"bad"}, Profile: "dev", FailOn: "warn"}, Failed, ""},
		{"rule off", Options{Paths: []string{"bad"}, Rules: []string{"DL3002=off"}}, Passed, ""},
		{"rule on", Options{Paths: []string{"good"}, Rules: []string{"PinBaseImageDigest=error"}}, Failed, "ERROR: PinBaseImageDigest"},
		{"excused", Options{Paths: []string{"excused"}}, Passed, ""},
		{"excused, locked", Options{Paths: []string{"excused"}, Policy: "locked.yaml"}, Failed, "NonRootUser"},
		{"exempt", Options{Paths: []string{"bad"}, Policy: "exempt.yaml"}, Passed, ""},
		{"the file's own policy", Options{Paths: []string{"named"}}, Failed, "NonRootUser"},
		{"another policy", Options{Paths: []string{"named"}, Policy: "exempt.yaml"}, Passed, ""},
		{"broken", Options{Paths: []string{"good", "broken"}}, Broken, "unknown instruction: RUM"},
		{"broken, never", Options{Paths: []string{"broken"}, FailOn: "never"}, Broken, "broken:2"},
		{"fragment", Options{Paths: []string{"fragment"}}, Broken, "ERROR: NoSudo"},
		{"fragment, why it is broken", Options{Paths: []string{"fragment"}}, Broken, "begin with FROM"},
		{"no such rule", Options{Paths: []string{"unknown-rule"}}, Broken, "NoSuchRule"},
		{"expired", Options{Paths: []string{"expired"}}, Broken, "2020-01-01"},
		{"policy missing", Options{Paths: []string{"missing"}}, Broken, "none.yaml"},
		{"too large", Options{Paths: []string{"large"}}, Broken, "larger than 16 MiB"},

		{"file missing", Options{Paths: []string{"nope"}}, Broken, "nope: no such file"},
		{"no Dockerfile", Options{Paths: []string{"empty"}}, Broken, "no Dockerfile below empty"},
		{"format", Options{Format: "yaml"}, Broken, `unknown format "yaml"`},
		{"fail-on", Options{FailOn: "info"}, Broken, `unknown severity "info" for --fail-on`},
		{"profile", Options{Profile: "prod"}, Broken, `unknown profile "prod"`},
		{"profile too lax", Options{Paths: []string{"good"}, Policy: "release.yaml", Profile: "default"}, Broken, "demands the profile release"},
		{"rule unknown", Options{Rules: []string{"NonRootUsr=off"}}, Broken, `did you mean "NonRootUser"?`},
		{"rule locked", Options{Policy: "locked.yaml", Rules: []string{"NonRootUser=warn"}}, Broken, "the policy locks it"},
		{"policy typo", Options{Policy: "typo.yaml"}, Broken, `typo.yaml:1:1: unknown key "profil"`},
		{"no policy", Options{Policy: "none.yaml"}, Broken, "read the policy: open none.yaml"},
		{"fix stdin", Options{Paths: []string{"-"}, Fix: true}, Broken, "--fix mends files"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			got, out, _, err := run(t, tc.o, good)
			if err != nil {
				out = err.Error()
			}
			if got != tc.want || !strings.Contains(out, tc.text) {
				t.Errorf("result %d, want %d:\n%s", got, tc.want, out)
			}
		})
	}
}

func TestStdin(t *testing.T) {
	inside(t, nil)
	result, out, _, err := run(t, Options{Paths: []string{"-"}}, bad)
	if err != nil || result != Failed || !strings.Contains(out, "\n-:1\n") {
		t.Errorf("result %d, %v:\n%s", result, err, out)
	}
}

// A Dockerfile's .dockerignore is its own, or its build context's.
func TestDockerignore(t *testing.T) {
	inside(t, map[string]string{
		".dockerignore": "top", "a/.dockerignore": "a", "a/Dockerfile": good, "a/own": good, "a/own.dockerignore": "own", "b/c/Dockerfile": good,
	})
	for path, want := range map[string]string{"a/Dockerfile": "a", "a/own": "own", "b/c/Dockerfile": "top", "Dockerfile": "top"} {
		if text, known, err := dockerignore(path); text != want || !known || err != nil {
			t.Errorf("%s has %q, %v, %v, want %q", path, text, known, err, want)
		}
	}
	if err := os.Remove(".dockerignore"); err != nil {
		t.Fatal(err)
	}
	if text, known, err := dockerignore("b/c/Dockerfile"); text != "" || !known || err != nil {
		t.Errorf("without one: %q, %v, %v", text, known, err)
	}
	if _, known, _ := dockerignore(stdin); known {
		t.Error("stdin has an ignore file")
	}
}

// Output does not depend on which file is judged first.
func TestOrder(t *testing.T) {
	files := map[string]string{}
	for i := range 40 {
		files[fmt.Sprintf("%02d/Dockerfile", i)] = bad
	}
	inside(t, files)
	_, first, _, err := run(t, Options{}, "")
	if err != nil {
		t.Fatal(err)
	}
	for range 3 {
		if _, again, _, err := run(t, Options{}, ""); err != nil || again != first {
			t.Fatalf("the output differs, %v", err)
		}
	}
}

// The hooks for pre-commit take the files that a folder is searched for.
func TestPreCommitHooks(t *testing.T) {
	data, err := os.ReadFile("../../../../.pre-commit-hooks.yaml")
	if err != nil {
		t.Fatal(err)
	}
	var hooks []struct{ ID, Entry, Files, Exclude string }
	if err := yaml.Load(data, &hooks); err != nil {
		t.Fatal(err)
	}
	if len(hooks) != 2 {
		t.Fatalf("%d hooks", len(hooks))
	}
	for _, h := range hooks {
		files, exclude := regexp.MustCompile(h.Files), regexp.MustCompile(h.Exclude)
		if !strings.HasPrefix(h.Entry, "slimfile lint") {
			t.Errorf("%s runs %s", h.ID, h.Entry)
		}
		for _, name := range []string{
			"Dockerfile", "dockerfile", "Containerfile", "containerfile", "Dockerfile.dev", "web.Dockerfile", "web.dockerfile",
			"Dockerfile.dockerignore", "web.Dockerfile.dockerignore", "dockerfile.go", "Dockerfiles", "xDockerfile", "README.md", "Dockerfile.d.dockerignore",
		} {
			if got, want := files.MatchString("a/"+name) && !exclude.MatchString("a/"+name), isDockerfile(name); got != want {
				t.Errorf("%s takes %s: %v, want %v", h.ID, name, got, want)
			}
		}
	}
}

// corpus writes n Dockerfiles, taken in turn from the rules' test data.
func corpus(tb testing.TB, n int) {
	tb.Helper()
	wd, err := os.Getwd()
	if err != nil {
		tb.Fatal(err)
	}
	data := filepath.Join(wd, "../../../../frontend/lint/testdata")
	samples, err := filepath.Glob(filepath.Join(data, "*", "*.Dockerfile"))
	if err != nil || len(samples) == 0 {
		tb.Fatalf("no test data: %v", err)
	}
	tb.Chdir(tb.TempDir())
	for i := range n {
		text, err := os.ReadFile(samples[i%len(samples)])
		if err != nil {
			tb.Fatal(err)
		}
		if err := os.WriteFile(fmt.Sprintf("Dockerfile.%d", i), text, 0o666); err != nil {
			tb.Fatal(err)
		}
	}
}

func BenchmarkRun(b *testing.B) {
	for _, n := range []int{1, 400} {
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			corpus(b, n)
			for b.Loop() {
				if _, err := Run(b.Context(), Options{Format: "text", FailOn: "error", Stdout: io.Discard, Stderr: io.Discard}); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
