package lint

import (
	"encoding/json"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// TestRules holds every rule against the Dockerfiles in testdata/RULE: a bad one
// says in its last line where the rule has to find something ("# want: 3,7"), a
// good one says nothing. A file beside it with the suffix .dockerignore is its
// .dockerignore. testdata/RULE/settings.json are the Settings that the rule needs.
func TestRules(t *testing.T) {
	files, err := filepath.Glob("testdata/*/*.Dockerfile")
	if err != nil || len(files) == 0 {
		t.Fatalf("no test data: %v", err)
	}
	for _, file := range files {
		rule := filepath.Base(filepath.Dir(file))
		if rule == "corpus" { // TestCorpus's
			continue
		}
		t.Run(rule+"/"+strings.TrimSuffix(filepath.Base(file), ".Dockerfile"), func(t *testing.T) {
			in := read(t, file)
			want := wanted(t, in.Data)
			if bad := strings.HasPrefix(filepath.Base(file), "bad"); bad != (len(want) > 0) {
				t.Fatalf("a file is bad exactly if it wants findings; it wants %v", want)
			}
			if got := lines(t, in, rule); !slices.Equal(got, want) {
				t.Errorf("%s found in lines %v, want %v", rule, got, want)
			}
		})
	}
}

func read(t *testing.T, file string) Input {
	t.Helper()
	data, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	in := Input{Filename: file, Data: data, IgnoreKnown: true}
	if ignore, err := os.ReadFile(file + ".dockerignore"); err == nil {
		in.Ignore = string(ignore)
	}
	return in
}

// lines are where a rule finds something.
func lines(t *testing.T, in Input, rule string) []int {
	t.Helper()
	var at []int
	for _, f := range of(t, in, rule) {
		at = append(at, f.Line())
	}
	return at
}

// of are a rule's findings.
func of(t *testing.T, in Input, rule string) []Finding {
	t.Helper()
	r, err := Find(rule)
	if err != nil {
		t.Fatal(err)
	}
	if r.Stock { // what stops the linter early is no matter of the rules
		in.Stock, _ = StockFindings(t.Context(), in)
	}
	found, err := Check(in, settings(t, rule))
	if err != nil {
		t.Fatal(err)
	}
	return slices.DeleteFunc(found, func(f Finding) bool { return f.Rule.Name != rule })
}

// settings turn a rule on; testdata/RULE/settings.json says what else it needs.
func settings(t *testing.T, rule string) Settings {
	t.Helper()
	var set Settings
	data, err := os.ReadFile(filepath.Join("testdata", rule, "settings.json"))
	if err == nil {
		err = json.Unmarshal(data, &set)
	}
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		t.Fatal(err)
	}
	set.Severity = map[string]Severity{rule: Error}
	return set
}

func wanted(t *testing.T, data []byte) []int {
	t.Helper()
	_, list, ok := strings.Cut(string(data), "# want: ")
	if !ok {
		return nil
	}
	var want []int
	for n := range strings.SplitSeq(strings.TrimSpace(list), ",") {
		line, err := strconv.Atoi(n)
		if err != nil {
			t.Fatal(err)
		}
		want = append(want, line)
	}
	return want
}

// TestExamples holds the documentation's own examples against their rules.
func TestExamples(t *testing.T) {
	for _, rule := range Rules() {
		if rule.check == nil || rule.Stock {
			continue
		}
		t.Run(rule.Name, func(t *testing.T) {
			if rule.Summary == "" || rule.Why == "" || rule.Remedy == "" {
				t.Error("the rule is not explained")
			}
			if at := lines(t, Input{Data: []byte(rule.Bad), IgnoreKnown: true}, rule.Name); len(at) == 0 {
				t.Errorf("nothing found in the bad example:\n%s", rule.Bad)
			}
			if at := lines(t, Input{Data: []byte(rule.Good), IgnoreKnown: true}, rule.Name); len(at) > 0 {
				t.Errorf("found in the good example in lines %v:\n%s", at, rule.Good)
			}
		})
	}
}

// TestNamesAreUnique: a name or alias means one rule, but for hadolint's ids that
// stand for several.
func TestNamesAreUnique(t *testing.T) {
	seen := map[string]string{}
	for _, rule := range Rules() {
		if other, ok := seen[rule.Name]; ok {
			t.Errorf("%s is also %s", rule.Name, other)
		}
		seen[rule.Name] = rule.Name
	}
}

func FuzzCheck(f *testing.F) {
	files, err := filepath.Glob("testdata/*/*.Dockerfile")
	if err != nil {
		f.Fatal(err)
	}
	for _, file := range files {
		data, err := os.ReadFile(file)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(data)
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		found, err := Check(Input{Filename: "Dockerfile", Data: data, IgnoreKnown: true}, Settings{})
		if err != nil {
			return
		}
		n := strings.Count(string(data), "\n") + 1
		for _, f := range found {
			if f.Message == "" || f.Line() < 0 || f.Line() > n {
				t.Errorf("%s in line %d of %d: %q", f.Rule.Name, f.Line(), n, f.Message)
			}
		}
	})
}
