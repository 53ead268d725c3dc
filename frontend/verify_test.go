package frontend_test

import (
	"fmt"
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

// testRepair: what the slim image lacks is added until it lacks nothing.
func testRepair(t *testing.T, s suite) {
	const repair = "# slim: verify repair"
	for _, tc := range []struct {
		name   string
		mode   string
		other  string // content of the file
		more   []string
		rounds [][]string
	}{
		{"one round", "fail", "fine, 3 of 2", nil, [][]string{{"/other"}}},
		{"two rounds", "fail", "/third", []string{`COPY <<-EOT /third`, `fine, 4 of 2`, `EOT`}, [][]string{{"/other"}, {"/third"}}},
		{"of what does no harm", "quiet", "fine, 3 of 2", nil, [][]string{{"/other"}}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			b := s.app(nil, slices.Concat(branching(tc.mode), []string{`COPY <<-EOT /other`, tc.other, `EOT`}, tc.more, []string{"# slim: probe http /", repair})...)
			dir, res := s.export(t, args(b, "SLIM_OUTPUT=report"))
			var report manifest.Report
			readJSON(t, dir, "report.json", &report)
			var added []string
			for _, k := range report.Kept {
				if slices.Contains(k.Reasons, "verify") {
					added = append(added, string(k.Path))
				}
			}
			if want := slices.Concat(tc.rounds...); !slices.Equal(added, want) {
				t.Errorf("added %q, want %q", added, want)
			}
			if report.Verified.Missing != nil || report.Verified.Failure != nil {
				t.Errorf("still missing %+v, failure %+v", report.Verified.Missing, report.Verified.Failure)
			}
			var want []string
			for i, round := range tc.rounds {
				want = append(want, fmt.Sprintf("verify repair, round %d: added %s", i+1, strings.Join(round, " ")))
			}
			if len(res.Warnings) != len(want) {
				t.Fatalf("warnings %q, want %q", res.Warnings, want)
			}
			for i, text := range want {
				if !strings.Contains(res.Warnings[i], text) {
					t.Errorf("warning %q, want %q", res.Warnings[i], text)
				}
			}
			_, again := s.export(t, args(b, "SLIM_OUTPUT=report"))
			for step, hit := range cached(again.Log) {
				if !hit {
					t.Errorf("ran again: %s", step)
				}
			}
		})
	}
	t.Run("of what is dropped", func(t *testing.T) {
		b := s.app(nil, branching("fail", "# slim: probe http /", repair, "# slim: drop /other")...)
		checkError(t, s.refused(t, b), fixtureLine+len(branching("")), "slim verify failed: the slim image lacks /other", "dropped in line")
	})
	t.Run("without end", func(t *testing.T) {
		lines := branching("fail")
		for i := range 8 {
			lines = append(lines, `COPY <<-EOT /f`+fmt.Sprint(i), `/f`+fmt.Sprint(i+1), `EOT`)
		}
		lines = append(lines, `COPY <<-EOT /other`, `/f0`, `EOT`, `COPY fixture /f8`, "# slim: probe http /", repair)
		checkError(t, s.refused(t, s.app(nil, lines...)), 0, "after 5 rounds of repair", "/f4")
	})
}

// testReadOnly: the slim image runs with a read-only root if the app writes only
// where a read-only container lets it.
func testReadOnly(t *testing.T, s suite) {
	for _, tc := range []struct {
		name  string
		lines []string
		want  bool
	}{
		{"writes nothing", []string{`CMD ["read", "/fixture"]`}, true},
		{"writes to declared folders", []string{
			`RUN ["/fixture", "write", "/data/old", "/tmp/old", "/run/app/old"]`, `VOLUME /data`,
			`CMD ["write", "/data/x", "/data/sub/y", "/tmp/x", "/run/app/x"]`,
		}, true},
		{"writes to a volume that the image lacks", []string{`VOLUME /none/data`, `CMD ["write", "/none/data/x"]`}, true},
		{"makes a folder for it", []string{`CMD ["write", "/tmp/x"]`}, false},
		{"writes elsewhere", []string{`CMD ["write", "/srv/x"]`}, false},
		{"writes only once it is slim", branching("write", `COPY <<-EOT /other`, `fine, 3 of 2`, `EOT`, `# slim: probe http /`, `# slim: keep /other`), true},
		{"writes elsewhere only once it is slim", branching("write", `# slim: probe http /`, `# slim: drop /other`), false},
	} {
		t.Run(tc.name, func(t *testing.T) {
			image := s.env.BuildImage(t, s.app(nil, tc.lines...))
			if got := config(t, image).Config.Labels["org.slimfile.readonly"]; got != fmt.Sprint(tc.want) {
				t.Errorf("read-only root: %s, want %t", got, tc.want)
			}
			if line := image.Metadata["frontend.result.inlinemessage"]; strings.Contains(line, "verified with a read-only root") != tc.want {
				t.Errorf("summary %q", line)
			}
		})
	}
}
