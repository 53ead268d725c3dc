package main

import (
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/org/slimfile/frontend/lint"
)

// The pages in the repository are those of the table.
func TestCurrent(t *testing.T) {
	want, err := render(lint.Rules())
	if err != nil {
		t.Fatal(err)
	}
	files, err := filepath.Glob("../../docs/*.md")
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range files {
		text, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		if want[filepath.Base(name)] != string(text) {
			t.Errorf("%s is not current: run go generate ./frontend/lint", name)
		}
		delete(want, filepath.Base(name))
	}
	if len(want) > 0 {
		t.Errorf("no pages %q: run go generate ./frontend/lint", slices.Sorted(maps.Keys(want)))
	}
}

// Every finding's URL leads to a page, and each page says all.
func TestPages(t *testing.T) {
	pages, err := render(lint.Rules())
	if err != nil {
		t.Fatal(err)
	}
	for _, r := range lint.Rules() {
		if !strings.Contains(pages[indexName], "["+r.Name+"](") {
			t.Errorf("the index lacks %s", r.Name)
		}
		if r.Stock {
			continue
		}
		text, ok := pages[r.URL()[strings.LastIndex(r.URL(), "/")+1:]]
		if !ok {
			t.Errorf("no page at %s", r.URL())
		}
		wanted := append([]string{r.Summary, r.Why, r.Remedy, "rule " + r.Name + "=off"}, r.Aliases...)
		if r.Bad+r.Good != "" { // a Dockerfile shows it
			wanted = append(wanted, strings.TrimSpace(r.Bad), strings.TrimSpace(r.Good))
		}
		for _, want := range wanted {
			if want == "" || !strings.Contains(text, want) {
				t.Errorf("the page of %s lacks %q", r.Name, want)
			}
		}
	}
}

func TestRun(t *testing.T) {
	dir := t.TempDir()
	gone := filepath.Join(dir, "NoSuchRule.md")
	if err := os.WriteFile(gone, nil, 0o666); err != nil {
		t.Fatal(err)
	}
	if err := run([]string{dir}); err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(gone); !os.IsNotExist(err) {
		t.Errorf("the page of a rule that is gone stays: %v", err)
	}
	if _, err := os.Stat(filepath.Join(dir, "NonRootUser.md")); err != nil {
		t.Error(err)
	}
	if err := run(nil); err == nil {
		t.Error("no error without a folder")
	}
}
