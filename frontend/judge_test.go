package frontend

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/org/slimfile/frontend/lint"
)

// TestExamplesKeepTheRules: what users copy from is an example in this too.
func TestExamplesKeepTheRules(t *testing.T) {
	files, err := filepath.Glob("../examples/*/Dockerfile")
	if err != nil || len(files) == 0 {
		t.Fatalf("no examples: %v", err)
	}
	for _, file := range files {
		t.Run(filepath.Base(filepath.Dir(file)), func(t *testing.T) {
			data, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			found, err := Lint(t.Context(), lint.Input{Filename: file, Data: data}, func(string) (lint.Settings, error) { return lint.Settings{}, nil })
			if err != nil {
				t.Fatal(err)
			}
			for _, f := range found {
				if f.Severity == lint.Error {
					t.Errorf("%s:%d: %s: %s", f.Severity, f.Line(), f.Rule.Name, f.Message)
				}
			}
		})
	}
}
