package format

import (
	"bytes"
	stdjson "encoding/json"
	"encoding/xml"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/moby/buildkit/frontend/dockerfile/parser"
	stock "github.com/moby/buildkit/frontend/subrequests/lint"
	"github.com/santhosh-tekuri/jsonschema/v6"

	"github.com/org/slimfile/frontend/lint"
)

var update = flag.Bool("update", false, "write the golden files anew")

// at is a range within lines, of whole lines if both characters are 0.
func at(line, character, endLine, endCharacter int) []parser.Range {
	return []parser.Range{{
		Start: parser.Position{Line: line, Character: character},
		End:   parser.Position{Line: endLine, Character: endCharacter},
	}}
}

// example has one of everything: severities, places, a fix, files that could not
// be judged, and text that each format has to escape.
func example() []File {
	pin := &lint.Rule{
		Name: "PinBaseImageVersion", Summary: "The base image has no tag, or latest", Why: "Tomorrow's build is of something else.",
		Remedy: "Name a version.", Default: lint.Error, Aliases: []string{"DL3006", "DL3007"},
	}
	recommends := &lint.Rule{
		Name: "AptNoInstallRecommends", Summary: "apt-get install without --no-install-recommends", Why: "Packages that nobody asked for.",
		Remedy: "Add --no-install-recommends.", Default: lint.Error, Safe: true,
	}
	health := &lint.Rule{Name: "HealthcheckMissing", Summary: "No HEALTHCHECK", Default: lint.Info}
	casing := &lint.Rule{Name: "FromAsCasing", Summary: "The 'as' keyword should match the case of the 'from' keyword", Default: lint.Warn, Stock: true}
	return []File{
		{
			Filename: "app/Dockerfile",
			Data:     []byte("FROM debian as app\nRUN echo é && apt-get install -y \\\n    curl\nRUN x\nCMD [\"x\"]\n"),
			Findings: []lint.Finding{
				{Rule: health, Severity: lint.Info, Message: "Say how to tell that the app is well."},
				{Rule: casing, Severity: lint.Warn, Message: "'as' and 'FROM' keywords' casing do not match", Ranges: at(1, 0, 1, 0)},
				{Rule: pin, Severity: lint.Error, Message: `Name a version of "debian", such as debian:13.`, Ranges: at(1, 5, 1, 11)},
				{
					Rule: recommends, Severity: lint.Error, Message: "Add --no-install-recommends, 100% of the time: <always> & everywhere.",
					Ranges: at(2, 15, 3, 8),
					Fix:    []lint.Edit{{Range: at(2, 30, 2, 30)[0], Text: " --no-install-recommends"}},
				},
			},
		},
		{Filename: "good/Dockerfile", Data: []byte("FROM scratch\n")},
		{
			Filename: "odd: name,100%.Dockerfile",
			Data:     []byte("FROM a\x1b[31m\nRUN b\n"),
			Findings: []lint.Finding{{Rule: pin, Severity: lint.Error, Message: "Name a version of \"a\x1b[31m\"\nin a second line.", Ranges: at(1, 5, 1, 11)}},
		},
		{Filename: "broken/Dockerfile", Data: []byte("FROM a\nRUM b\n"), Err: parser.WithLocation(errors.New("unknown instruction: RUM"), at(2, 0, 2, 0))},
		{Filename: "none/Dockerfile", Err: errors.New("open none/Dockerfile: no such file or directory")},
	}
}

func write(t *testing.T, name string, files []File) []byte {
	t.Helper()
	var out bytes.Buffer
	if err := Write(&out, name, files); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

func TestGolden(t *testing.T) {
	for _, name := range Names() {
		t.Run(name, func(t *testing.T) {
			got := write(t, name, example())
			path := filepath.Join("testdata", name+".golden")
			if *update {
				if err := os.WriteFile(path, got, 0o666); err != nil {
					t.Fatal(err)
				}
			}
			want, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			if !bytes.Equal(got, want) {
				t.Errorf("%s differs (run the test with -update, then read the difference):\n%s", path, got)
			}
		})
	}
}

// Nothing found is a document too, but for people and for GitHub.
func TestNothingFound(t *testing.T) {
	for _, name := range Names() {
		t.Run(name, func(t *testing.T) {
			got := write(t, name, []File{{Filename: "Dockerfile", Data: []byte("FROM scratch\n")}})
			if empty := name == "text" || name == "github"; empty != (len(got) == 0) {
				t.Errorf("got %q", got)
			}
		})
	}
}

func TestUnknownFormat(t *testing.T) {
	if err := Write(io.Discard, "yaml", nil); err == nil || !strings.Contains(err.Error(), "want text, json, sarif") {
		t.Errorf("got %v", err)
	}
}

// The official schema accepts the documents.
func TestSARIFSchema(t *testing.T) {
	compiler := jsonschema.NewCompiler()
	compiler.AssertFormat()
	schema, err := compiler.Compile("testdata/sarif-schema-2.1.0.json")
	if err != nil {
		t.Fatal(err)
	}
	for name, files := range map[string][]File{"everything": example(), "no file": nil, "nothing found": example()[1:2]} {
		t.Run(name, func(t *testing.T) {
			doc, err := jsonschema.UnmarshalJSON(bytes.NewReader(write(t, "sarif", files)))
			if err != nil {
				t.Fatal(err)
			}
			if err := schema.Validate(doc); err != nil {
				t.Error(err)
			}
		})
	}
	bad, err := jsonschema.UnmarshalJSON(strings.NewReader(`{"version": "2.1.0", "runs": [{"results": []}]}`))
	if err != nil {
		t.Fatal(err)
	}
	if schema.Validate(bad) == nil {
		t.Error("the schema accepts a run without a tool")
	}
}

// What reads BuildKit's documents reads ours.
func TestJSONIsBuildKits(t *testing.T) {
	data := write(t, "json", example())
	var results stock.LintResults
	if err := stdjson.Unmarshal(data, &results); err != nil {
		t.Fatal(err)
	}
	var out bytes.Buffer
	if err := stock.PrintLintViolations(data, &out, nil); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"WARNING: PinBaseImageVersion - https://", "app/Dockerfile:1\n", ">>> FROM debian as app"} {
		if !strings.Contains(out.String(), want) {
			t.Errorf("no %q in\n%s", want, out.String())
		}
	}
	out.Reset()
	results.PrintErrorTo(&out, nil)
	if want := "unknown instruction: RUM\nbroken/Dockerfile:2\n"; !strings.HasPrefix(out.String(), want) {
		t.Errorf("got %q, want %q", out.String(), want)
	}
	for i, w := range results.Warnings {
		if w.Location == nil || results.Sources[w.Location.SourceIndex].Filename == "" {
			t.Errorf("warning %d has no place", i)
		}
	}
}

func TestCheckstyleIsXML(t *testing.T) {
	var report checkstyleReport
	if err := xml.Unmarshal(write(t, "checkstyle", example()), &report); err != nil {
		t.Fatal(err)
	}
	if len(report.Files) != 5 || report.Files[0].Errors[3].Line != 2 || report.Files[0].Errors[3].Column != 15 {
		t.Errorf("got %+v", report)
	}
}

func TestFingerprints(t *testing.T) {
	rule, other := &lint.Rule{Name: "One"}, &lint.Rule{Name: "Two"}
	prints := func(filename, data string, rule *lint.Rule, lines ...int) []string {
		var f File
		f.Filename, f.Data = filename, []byte(data)
		for _, n := range lines {
			f.Findings = append(f.Findings, lint.Finding{Rule: rule, Ranges: at(n, 0, n, 0)})
		}
		return source{f, strings.Split(data, "\n")}.fingerprints()
	}
	base := prints("a", "FROM x\nRUN y\nRUN y\n", rule, 2, 3)
	if base[0] == base[1] {
		t.Error("two findings have one fingerprint")
	}
	if moved := prints("a", "# new\nFROM x\n\nUSER 1\nRUN   y\nRUN y\n", rule, 5, 6); !slices.Equal(moved, base) {
		t.Error("a fingerprint changes with the place")
	}
	for name, changed := range map[string][]string{
		"the line": prints("a", "FROM x\nRUN z\n", rule, 2),
		"the rule": prints("a", "FROM x\nRUN y\n", other, 2),
		"the file": prints("b", "FROM x\nRUN y\n", rule, 2),
	} {
		if slices.Contains(base, changed[0]) {
			t.Errorf("a fingerprint does not change with %s", name)
		}
	}
}

// Whatever a finding says, no format fails, and none lets a workflow command, an
// escape sequence or a second document through.
func FuzzWrite(f *testing.F) {
	f.Add("Dockerfile", []byte("FROM a\n"), "message", 1, 0, 1, 4)
	f.Add("a\n::error::b", []byte("\x1b[1m\xff"), "x\n::warning::\x00", -1, 9, 5, -3)
	f.Fuzz(func(t *testing.T, filename string, data []byte, message string, line, character, endLine, endCharacter int) {
		rule := &lint.Rule{Name: "Rule", Summary: "s", Default: lint.Warn}
		ranges := at(line%1000, character%1000, endLine%1000, endCharacter%1000)
		files := []File{{
			Filename: filename, Data: data,
			Findings: []lint.Finding{{Rule: rule, Severity: lint.Warn, Message: message, Ranges: ranges}},
			Err:      parser.WithLocation(errors.New(message), ranges),
		}}
		for _, name := range Names() {
			out := write(t, name, files)
			switch name {
			case "text":
				if bytes.ContainsAny(out, "\x1b\x00\r") {
					t.Errorf("control characters in %q", out)
				}
			case "json", "sarif", "codeclimate":
				if !stdjson.Valid(out) {
					t.Errorf("%s is no JSON: %q", name, out)
				}
			case "github":
				if n := bytes.Count(out, []byte("\n")); n != 2 {
					t.Errorf("%d lines: %q", n, out)
				}
			case "checkstyle":
				if err := xml.Unmarshal(out, &checkstyleReport{}); err != nil {
					t.Errorf("%v: %q", err, out)
				}
			}
		}
	})
}

func BenchmarkWrite(b *testing.B) {
	var files []File
	for i := range 400 {
		f := example()[0]
		f.Filename = fmt.Sprintf("%d/Dockerfile", i)
		files = append(files, f)
	}
	for _, name := range Names() {
		b.Run(name, func(b *testing.B) {
			for b.Loop() {
				if err := Write(io.Discard, name, files); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
