package frontend

import (
	"maps"
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

// TestNamedContexts: what is for another platform than the one that is judged
// does not count.
func TestNamedContexts(t *testing.T) {
	opts := map[string]string{
		"context:base": "local:base", "context:base::linux/amd64": "docker-image://amd", "context:base::linux/arm64": "docker-image://arm",
		"context:arm::linux/arm64": "local:arm", "context:node:22": "local:node", "target": "x",
	}
	for platform, want := range map[string]map[string]string{
		"linux/amd64": {"base": "docker-image://amd", "node:22": "local:node"},
		"linux/arm64": {"base": "docker-image://arm", "arm": "local:arm", "node:22": "local:node"},
		"linux/s390x": {"base": "local:base", "node:22": "local:node"},
	} {
		if got := namedContexts(opts, platform); !maps.Equal(got, want) {
			t.Errorf("%s: got %v, want %v", platform, got, want)
		}
	}
}
