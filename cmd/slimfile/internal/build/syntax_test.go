package build

import "testing"

func TestRepository(t *testing.T) {
	for ref, want := range map[string]string{
		"org/slimfile": "slimfile",
		"registry.example.com:5000/slimfile:1@sha256:0000000000000000000000000000000000000000000000000000000000000000": "slimfile",
		"slimfile":                          "slimfile",
		"docker/dockerfile:1":               "dockerfile",
		"docker/dockerfile-upstream:master": "dockerfile-upstream",
		"org/slimfile/other":                "other",
		"Not A Reference":                   "",
	} {
		if got := repository(ref); got != want {
			t.Errorf("repository(%q) = %q, want %q", ref, got, want)
		}
	}
}
