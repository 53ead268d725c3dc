package frontend_test

import (
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"

	"github.com/org/slimfile/frontend"
	"github.com/org/slimfile/frontend/internal/testenv"
	"github.com/org/slimfile/frontend/lint"
)

// fixable breaks every rule that lint --fix mends on a Debian base, around
// examples/flask. fixableUID is one whose log files would be huge.
const (
	fixable = `# syntax=org/slimfile
from python:3.11-slim-bookworm
MAINTAINER ann@example.com
ENV PYTHONUNBUFFERED 1
RUN apt update && apt upgrade
RUN apt-get update && \
    # for another day
    apt-get install \
      netcat-openbsd
RUN useradd --uid 4000000 app
WORKDIR work
ADD requirements.txt ./
RUN --mount=type=bind,source=wheels,target=/wheels \
    cd /work && pip install --no-index --find-links /wheels -r requirements.txt
ADD app.py requirements.txt /srv/app
RUN chown -R app:app /srv/app
WORKDIR /srv/app
USER app
EXPOSE 8008
HEALTHCHECK CMD python3 -c 'import app'
ENTRYPOINT python3 app.py
`
	fixableUID = 4000000
)

// fixedRules are those that fixable breaks and whose fix is safe.
var fixedRules = []string{
	"AptGetNotApt", "AptNoInstallRecommends", "AptRemoveLists", "AssumeYes", "CopyChown", "CopyMultiSourceSlash",
	"CopyNotAdd", "ExecFormStrict", "JSONArgsRecommended", "PipNoCacheDir", "UseraddNoLogInit",
}

// testFixes: what lint --fix makes of a Dockerfile that breaks the rules keeps
// them, builds, and its image works.
func testFixes(t *testing.T, s suite) {
	b := args(testenv.Build{
		InProcess: frontend.Frontend{}.Build, Context: "../examples/flask", Dockerfile: fixable, Rules: true,
	}, "SLIM=lint")
	err := s.refused(t, b)
	for _, want := range []string{"AptNoInstallRecommends", "AptRemoveLists", "AssumeYes", "CopyMultiSourceSlash", "CopyNotAdd", "JSONArgsRecommended", "PipNoCacheDir"} {
		if !strings.Contains(err.Error(), want) {
			t.Errorf("no %q in:\n%v", want, err)
		}
	}

	b.Dockerfile = fixAll(t, fixable)
	image := s.env.BuildImage(t, b)
	warnings := strings.Join(image.Warnings, "\n")
	if !strings.Contains(warnings, "WorkdirRelativePath") || slices.ContainsFunc(fixedRules, func(rule string) bool { return strings.Contains(warnings, rule) }) {
		t.Errorf("warnings %q", image.Warnings)
	}
	root, config := image.Unpack(t, ""), image.Config(t, "").Config
	if want := []string{"python3", "app.py"}; !slices.Equal(config.Entrypoint, want) {
		t.Errorf("entry point %q, want %q", config.Entrypoint, want)
	}
	for name, want := range map[string]bool{"bin/nc.openbsd": true, "root/.cache/pip": false} {
		if _, err := os.Lstat(filepath.Join(root, name)); (err == nil) != want {
			t.Errorf("%s: %v, is it to be there: %t", name, err, want)
		}
	}
	if lists, err := filepath.Glob(filepath.Join(root, "var/lib/apt/lists/*_*")); err != nil || len(lists) > 0 {
		t.Errorf("package lists are left: %q, %v", lists, err)
	}
	for _, name := range []string{"srv/app", "srv/app/app.py"} {
		info, err := os.Lstat(filepath.Join(root, name))
		if err != nil {
			t.Fatal(err)
		}
		if stat, ok := info.Sys().(*syscall.Stat_t); !ok || stat.Uid != fixableUID || stat.Gid == 0 {
			t.Errorf("%s belongs to %d:%d", name, stat.Uid, stat.Gid)
		}
	}
	c := testenv.Run(t, root, config, testenv.RunOptions{})
	c.WaitListen(t, 8008)
	useFlask(t, c)
}

// fixAll applies the safe fixes until none is left, and wants them to be of all
// fixedRules.
func fixAll(t *testing.T, text string) string {
	t.Helper()
	mended := map[string]bool{}
	for range strings.Count(text, "\n") {
		found, err := frontend.Lint(t.Context(), lint.Input{Filename: "Dockerfile", Data: []byte(text)}, func(string) (lint.Settings, error) { return lint.Settings{}, nil })
		if err != nil {
			t.Fatalf("%v\n%s", err, text)
		}
		fixed, n := lint.Fix([]byte(text), found)
		for _, f := range found {
			if n == 0 && slices.Contains(fixedRules, f.Rule.Name) {
				t.Errorf("line %d of the fixed file breaks %s", f.Line(), f.Rule.Name)
			}
			if f.Rule.Safe && len(f.Fix) > 0 {
				mended[f.Rule.Name] = true
			}
		}
		if n == 0 {
			if got := slices.Sorted(maps.Keys(mended)); !slices.Equal(got, fixedRules) {
				t.Errorf("fixes of %q, want of %q", got, fixedRules)
			}
			return text
		}
		text = string(fixed)
	}
	t.Fatalf("the fixes do not end:\n%s", text)
	return ""
}
