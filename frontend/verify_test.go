package frontend_test

import (
	"slices"
	"strings"
	"testing"

	gwclient "github.com/moby/buildkit/frontend/gateway/client"

	"github.com/org/slimfile/frontend/internal/testenv"
	"github.com/org/slimfile/sensor/manifest"
)

// branching are the lines of a Dockerfile whose app takes another way in the slim
// image: a folder that it lists has lost its entries there. On that way it asks
// for /other, which the traced run never did.
func branching(mode string, more ...string) []string {
	return append([]string{
		`COPY fixture /other`, `RUN ["/fixture", "make-files", "/listed", "1", "3"]`, `EXPOSE 8080`,
		`CMD ["branch", "` + mode + `", "/listed/0", "3", "/other"]`,
	}, more...)
}

// testProof: the slim image is held against the image as built.
func testProof(t *testing.T, s suite) {
	const probe = "# slim: probe http /"
	line := fixtureLine + len(branching(""))
	t.Run("answers with an error", func(t *testing.T) {
		eachClient(t, func(t *testing.T, build gwclient.BuildFunc) {
			checkError(t, s.refused(t, s.app(build, branching("fail", probe)...)), line,
				"slim verify failed: the slim image lacks /other: probe", "/other, asked for by /fixture in probe 1",
				"500 Internal Server Error", "# slim: keep /other")
		})
	})
	t.Run("answers with another status", func(t *testing.T) {
		checkError(t, s.refused(t, s.app(nil, branching("redirect", probe)...)), line,
			"slim verify failed: the slim image lacks /other: probe 1, http /, has another answer", "status 200", "303", "# slim: keep /other")
	})
	t.Run("is kept", func(t *testing.T) {
		image := s.env.BuildImage(t, s.app(nil, branching("fail", `COPY <<-EOT /other`, `fine, 3 of 2`, `EOT`, probe, "# slim: keep /other")...))
		if len(image.Warnings) > 0 {
			t.Errorf("warnings %q", image.Warnings)
		}
	})
	t.Run("answers with another body", func(t *testing.T) {
		image := s.env.BuildImage(t, s.app(nil, branching("fail", `COPY <<-EOT /other`, `fair`, `EOT`, probe, "# slim: keep /other")...))
		checkWarnings(t, image, `probe 1, http /, differs from the image as built: there "# of #", "fine"; here "fair"`)
	})
	t.Run("says in its log what is missing", func(t *testing.T) {
		image := s.env.BuildImage(t, s.app(nil, branching("log", probe)...))
		checkWarnings(t, image, "/other, asked for by /fixture in probe 1. To keep it: # slim: keep /other", "open /other: no such file or directory")
	})
	t.Run("reports what is missing", func(t *testing.T) {
		b := s.app(nil, branching("quiet", probe)...)
		dir, res := s.export(t, args(b, "SLIM_OUTPUT=report"))
		var report manifest.Report
		readJSON(t, dir, "report.json", &report)
		want := []manifest.Missing{{Path: "/other", Type: "file", During: []string{"probe 1"}, Program: "/fixture"}}
		if got := report.Verified.Missing; len(got) != 1 || got[0].Path != want[0].Path || !slices.Equal(got[0].During, want[0].During) || got[0].Program != want[0].Program {
			t.Errorf("missing %+v, want %+v", got, want)
		}
		if len(res.Warnings) != 1 || !strings.Contains(res.Warnings[0], "/other") {
			t.Errorf("warnings %q", res.Warnings)
		}
	})
	t.Run("drops what it needs", func(t *testing.T) {
		b := s.app(nil, `COPY fixture /srv/needed`, `EXPOSE 8080`, `CMD ["serve"]`, `# slim: probe http /srv/needed`, `# slim: drop /srv`)
		checkError(t, s.refused(t, b), fixtureLine+3,
			"the slim image lacks /srv/needed: probe", "404", "/srv/needed is dropped in line 9")
	})
	t.Run("Python module that nothing looks up", func(t *testing.T) {
		b := testenv.Build{Dockerfile: `# syntax=org/slimfile
FROM python:3.11-slim-bookworm
RUN mkdir -p /opt/lib /opt/data && touch /opt/data/a /opt/data/b && echo 'print("lazy")' > /opt/lib/lazy.py
ENV PYTHONPATH=/opt/lib
ENTRYPOINT ["python3", "-c", "import os, importlib; len(os.listdir('/opt/data')) > 1 or importlib.import_module('la' + 'zy')"]
`}
		checkError(t, s.refused(t, b), 0, "the slim image lacks /opt/lib/lazy.py: the app failed", "as the log says: ModuleNotFoundError: No module named 'lazy'",
			"# slim: keep /opt/lib/lazy.py")
	})
}

// checkWarnings wants one warning with each of the texts, and no other.
func checkWarnings(t *testing.T, image *testenv.Image, want ...string) {
	t.Helper()
	if len(image.Warnings) != len(want) {
		t.Errorf("warnings %q, want %q", image.Warnings, want)
		return
	}
	for i, text := range want {
		if !strings.Contains(image.Warnings[i], text) {
			t.Errorf("warning %q lacks %q", image.Warnings[i], text)
		}
	}
}
