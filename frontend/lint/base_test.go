package lint

import (
	"slices"
	"testing"
)

// TestContexts: a named context takes the place of an image or a stage.
func TestContexts(t *testing.T) {
	for _, test := range []struct {
		name, file, rule string
		contexts         map[string]string
		want             []int
	}{
		{"no context", "FROM base\n", "PinBaseImageVersion", nil, []int{1}},
		{"folder", "FROM base\n", "PinBaseImageVersion", map[string]string{"base": "local:base"}, nil},
		{"layout under the full name", "FROM docker.io/library/debian\n", "PinBaseImageVersion", map[string]string{"debian": "oci-layout://debian"}, nil},
		{"tag", "FROM node:latest\nFROM node:22\n", "PinBaseImageMinor", map[string]string{"node:22": "local:node"}, nil},
		{"stage", "FROM debian AS base\nFROM base\n", "PinBaseImageVersion", map[string]string{"base": "local:base"}, nil},
		{"image", "FROM base\n", "PinBaseImageVersion", map[string]string{"base": "docker-image://debian:12.9"}, nil},
		{"image without version", "FROM base\n", "PinBaseImageVersion", map[string]string{"base": "docker-image://debian"}, []int{1}},
		{"copy", "FROM scratch\nCOPY --from=assets a b\nCOPY --from=other a b\n", "CopyFromUnknownStage", map[string]string{"assets": "docker-image://assets"}, []int{3}},
		{"image of another registry", "FROM debian:12.9\n", "TrustedBaseRegistry", map[string]string{"debian:12.9": "docker-image://example.org/debian:12.9"}, []int{1}},
		{"image of a good registry", "FROM example.org/debian:12.9\n", "TrustedBaseRegistry", map[string]string{"example.org/debian:12.9": "docker-image://debian:12.9"}, nil},
	} {
		t.Run(test.name, func(t *testing.T) {
			in := Input{Data: []byte(test.file), Contexts: test.contexts}
			if got := lines(t, in, test.rule); !slices.Equal(got, test.want) {
				t.Errorf("%s found in lines %v, want %v", test.rule, got, test.want)
			}
		})
	}
}

func TestDigestRequired(t *testing.T) {
	in := Input{Data: []byte("FROM debian:12.9\nFROM debian:12.9@sha256:9f8e0e8bb1b3e0a1e3a4fce9e4e93a0d9d1ee1d0f1fb35fa1b25c2a0cf6ac1f0\n")}
	found, err := Check(in, Settings{DigestRequired: true})
	if err != nil {
		t.Fatal(err)
	}
	var at []int
	for _, f := range found {
		if f.Rule.Name == "TrustedBaseRegistry" {
			at = append(at, f.Line())
		}
	}
	if !slices.Equal(at, []int{1}) {
		t.Errorf("found in lines %v, want 1", at)
	}
}
