package frontend_test

import (
	"bytes"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	gwclient "github.com/moby/buildkit/frontend/gateway/client"

	"github.com/org/slimfile/frontend/internal/testenv"
	"github.com/org/slimfile/sensor/manifest"
	"github.com/org/slimfile/sensor/manifest/lock"
)

// locking is a build of the fixture whose context may be changed.
func (s suite) locking(t *testing.T, build gwclient.BuildFunc, lines ...string) testenv.Build {
	t.Helper()
	b := s.app(build, lines...)
	b.Context = t.TempDir()
	data, err := os.ReadFile(filepath.Join(s.fixture, "fixture"))
	if err != nil {
		t.Fatal(err)
	}
	writeContext(t, b, "fixture", string(data))
	return b
}

func writeContext(t *testing.T, b testenv.Build, name, content string) {
	t.Helper()
	path := filepath.Join(b.Context, name)
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(content), 0o755); err != nil {
		t.Fatal(err)
	}
}

// makeLock makes the lock and returns its text; it is the only file that comes out.
func (s suite) makeLock(t *testing.T, b testenv.Build) string {
	t.Helper()
	dir, _ := s.export(t, args(b, "SLIM_OUTPUT=lock"))
	if got := testenv.Paths(t, dir); !slices.Equal(got, []string{"slim.lock"}) {
		t.Fatalf("files %q", got)
	}
	return readFile(t, dir, "slim.lock")
}

func readFile(t *testing.T, dir, name string) string {
	t.Helper()
	data, err := os.ReadFile(filepath.Join(dir, name))
	if err != nil {
		t.Fatal(err)
	}
	return string(data)
}

// commit makes the lock and puts it into the context.
func (s suite) commit(t *testing.T, b testenv.Build) string {
	t.Helper()
	text := s.makeLock(t, b)
	writeContext(t, b, "slim.lock", text)
	return text
}

// took says whether a step took part in a build.
func took(log, step string) bool {
	for name := range cached(log) {
		if strings.Contains(name, step) {
			return true
		}
	}
	return false
}

// lockedPaths are the entries of the only platform of a lock.
func lockedPaths(t *testing.T, text string) (paths []string) {
	t.Helper()
	file, err := lock.Decode("slim.lock", strings.NewReader(text))
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range file.Entries() {
		paths = append(paths, e.Path)
	}
	return paths
}

// testLock: a committed keep set takes the place of the traced run, or adds to it.
func testLock(t *testing.T, s suite) {
	t.Run("frozen", func(t *testing.T) { testFrozen(t, s) })
	t.Run("frozen, but", func(t *testing.T) { testStaleLock(t, s) })
	t.Run("auto", func(t *testing.T) { testAutoLock(t, s) })
	t.Run("update", func(t *testing.T) { testUpdateLock(t, s) })
	t.Run("platforms", func(t *testing.T) { testLockOfPlatforms(t, s) })
	t.Run("of a repaired image", func(t *testing.T) {
		b := s.locking(t, nil, slices.Concat(branching("fail"), []string{`COPY <<-EOT /other`, `fine, 3 of 2`, `EOT`, "# slim: probe http /", "# slim: verify repair"})...)
		if text := s.commit(t, b); !strings.Contains(text, "\n/other verify\n") {
			t.Errorf("the lock lacks what repair added: %s", text)
		}
		image := s.env.BuildImage(t, args(b, "SLIM_LOCK=frozen"))
		if len(image.Warnings) > 0 || took(image.Log, "trace") {
			t.Errorf("warnings %q", image.Warnings)
		}
	})
}

// testFrozen: no trace, no entitlement, and the same image wherever it is built.
func testFrozen(t *testing.T, s suite) {
	lines := []string{`COPY fixture /srv/page`, `COPY fixture /unused`, `COPY fixture /opt/kept`, `EXPOSE 8080`, `CMD ["serve"]`,
		`# slim: probe http /srv/page`, `# slim: keep /opt/kept`}
	eachClient(t, func(t *testing.T, build gwclient.BuildFunc) {
		b := s.locking(t, build, lines...)
		text := s.commit(t, b)
		if got, want := lockedPaths(t, text), []string{"/fixture", "/opt/kept", "/srv/page"}; !slices.Equal(got, want) {
			t.Errorf("entries %q, want %q", got, want)
		}
		traced := s.env.BuildImage(t, b)
		frozen := s.env.BuildImage(t, args(b, "SLIM_LOCK=frozen", "SLIM_SENSOR=fanotify")) // which is not granted
		if took(frozen.Log, "trace") || !took(frozen.Log, "verify") || len(frozen.Warnings) > 0 {
			t.Errorf("warnings %q, log:\n%s", frozen.Warnings, frozen.Log)
		}
		if got, want := testenv.Paths(t, frozen.Unpack(t, "")), testenv.Paths(t, traced.Unpack(t, "")); !slices.Equal(got, want) {
			t.Errorf("files %q, want %q", got, want)
		}
		labels := config(t, frozen).Config.Labels
		_, sensors := labels["org.slimfile.sensors"]
		if labels["org.slimfile.lock"] != "frozen" || sensors || labels["org.slimfile.probes"] != "1" ||
			labels["org.slimfile.verified"] != "true" || labels["org.slimfile.readonly"] != "true" {
			t.Errorf("labels %q", labels)
		}
		if line := frozen.Metadata["frontend.result.inlinemessage"]; !strings.HasSuffix(line, "1 probe passed, verified with a read-only root, lock: frozen") {
			t.Errorf("summary %q", line)
		}
		dir, _ := s.export(t, args(b, "SLIM_LOCK=frozen", "SLIM_OUTPUT=report"))
		var report manifest.Report
		readJSON(t, dir, "report.json", &report)
		if report.Lock != "frozen" || report.Traced != nil || report.Verified == nil || readFile(t, dir, "slim.lock") != text {
			t.Errorf("report %+v, lock %s", report.Summary, readFile(t, dir, "slim.lock"))
		}
		if got := s.makeLock(t, args(b, "SLIM_LOCK=frozen")); got != text {
			t.Errorf("made again it is %s", got)
		}
	})
	t.Run("reproducible", func(t *testing.T) {
		b := s.locking(t, nil, lines...)
		s.commit(t, b)
		b = args(b, "SLIM_LOCK=frozen", epoch)
		first := s.env.BuildImage(t, b)
		again := s.env.BuildImage(t, attr(b, "no-cache", ""))
		elsewhere := testenv.Start(t, testenv.Options{}).BuildImage(t, b)
		if again.Target.Digest != first.Target.Digest || elsewhere.Target.Digest != first.Target.Digest {
			t.Errorf("%s, without a cache %s, by another daemon %s", first.Target.Digest, again.Target.Digest, elsewhere.Target.Digest)
		}
	})
	t.Run("not verified", func(t *testing.T) {
		b := s.locking(t, nil, lines...)
		s.commit(t, b)
		b.Rules = true // of which those about the run need one
		image := s.env.BuildImage(t, args(b, "SLIM_LOCK=frozen", "SLIM_VERIFY=off", "SLIM_FAIL_ON=never"))
		told := func(text string) bool {
			return slices.ContainsFunc(image.Warnings, func(w string) bool { return strings.Contains(w, text) })
		}
		if !told("are not judged") || told("TraceCoverageLow") || took(image.Log, "verify") {
			t.Errorf("warnings %q", image.Warnings)
		}
	})
	t.Run("writes elsewhere", func(t *testing.T) {
		b := s.locking(t, nil, `COPY fixture /srv/x`, `CMD ["write", "/srv/x"]`)
		s.commit(t, b)
		if got := config(t, s.env.BuildImage(t, args(b, "SLIM_LOCK=frozen"))).Config.Labels["org.slimfile.readonly"]; got != "false" {
			t.Errorf("read-only root: %s", got)
		}
	})
}

// testStaleLock: a frozen lock that does not fit fails the build, and the message
// says why.
func testStaleLock(t *testing.T, s suite) {
	lines := []string{`COPY fixture /srv/page`, `EXPOSE 8080`, `CMD ["serve"]`, `# slim: lock slim.lock`, `# slim: probe http /srv/page`}
	const directive, probe = fixtureLine + 3, fixtureLine + 4
	b := s.locking(t, nil, lines...)
	text := s.commit(t, b)
	for _, tc := range []struct {
		name string
		lock string // empty: none
		more []string
		drop bool // the last of lines
		line int
		want []string
	}{
		{"there is none", "", nil, false, directive, []string{"the build context has no slim.lock", "slimfile lock DIR", "SLIM_OUTPUT=lock -o DIR DIR"}},
		{"it is of another platform", strings.Replace(text, "[linux/amd64", "[linux/s390x", 1), nil, false, directive,
			[]string{"slim.lock has nothing for linux/amd64", "only for linux/s390x"}},
		{"it is no lock", strings.Replace(text, "\n/fixture", "\n<<<<<<< HEAD\n/fixture", 1), nil, false, 0, []string{"slim.lock:", "a merge left a conflict here"}},
		{"there is one more probe", text, []string{`# slim: probe tcp 8080`}, false, probe + 1, []string{`slim.lock was made without "probe tcp 8080"`, "slimfile lock"}},
		{"there is something more to keep", text, []string{`# slim: keep '/srv/[a] b*'`}, false, probe + 1, []string{`without "keep `, "slimfile lock"}},
		{"there is something to drop", text, []string{`# slim: drop /srv`}, false, probe + 1, []string{`without "drop /srv"`}},
		{"the granularity is another", text, []string{`# slim: granularity app`}, false, probe + 1, []string{`without "granularity app"`}},
		{"a probe is gone", text, nil, true, directive, []string{`slim.lock was made with`, "says no more"}},
		{"a file is gone", text + "/srv/zoo opened package=libxml2\n", nil, false, 0,
			[]string{"slim pack failed", `slim.lock names what the image has no more: "/srv/zoo" of package libxml2`, "slimfile lock DIR"}},
		{"it lacks something", regexp.MustCompile(`(?m)^/srv/page .*\n`).ReplaceAllString(text, ""), nil, false, probe,
			[]string{"slim verify failed: the slim image lacks /srv/page", "make slim.lock anew", "slimfile lock DIR"}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			mine := lines
			if tc.drop {
				mine = mine[:len(mine)-1]
			}
			b := s.locking(t, nil, slices.Concat(mine, tc.more)...)
			if tc.lock != "" {
				writeContext(t, b, "slim.lock", tc.lock)
			}
			checkError(t, s.refused(t, args(b, "SLIM_LOCK=frozen")), tc.line, tc.want...)
		})
	}
	t.Run("it lacks something, which is not to be repaired", func(t *testing.T) {
		b := s.locking(t, nil, append(slices.Clone(lines), "# slim: verify repair")...)
		writeContext(t, b, "slim.lock", regexp.MustCompile(`(?m)^/srv/page .*\n`).ReplaceAllString(text, ""))
		checkError(t, s.refused(t, args(b, "SLIM_LOCK=frozen")), probe, "the slim image lacks /srv/page", "make slim.lock anew")
	})
	t.Run("it is made anew whatever it says", func(t *testing.T) {
		writeContext(t, b, "slim.lock", "<<<<<<< HEAD\n")
		if got := s.makeLock(t, args(b, "SLIM_LOCK=frozen")); got != text {
			t.Errorf("got %s", got)
		}
	})
}

// testAutoLock: the lock counts while what it was made from is as it was.
func testAutoLock(t *testing.T, s suite) {
	lines := []string{`COPY . /app`, `EXPOSE 8080`, `CMD ["serve"]`, `# slim: lock slim.lock`, `# slim: probe http /app/page`}
	b := s.locking(t, nil, lines...)
	writeContext(t, b, "page", "one\n")
	writeContext(t, b, "Dockerfile", "of the context, not this one\n")
	check := func(name string, traced bool, warning string) *testenv.Image {
		t.Helper()
		image := s.env.BuildImage(t, b)
		if got := took(image.Log, "trace"); got != traced {
			t.Errorf("%s: traced %t, log:\n%s", name, got, image.Log)
		}
		if warning == "" && len(image.Warnings) > 0 || warning != "" && (len(image.Warnings) != 1 || !strings.Contains(image.Warnings[0], warning)) {
			t.Errorf("%s: warnings %q, want %q", name, image.Warnings, warning)
		}
		return image
	}
	check("no lock", true, "")
	text := s.commit(t, b)
	image := check("lock", false, "") // which came into the image with COPY
	if slices.Contains(testenv.Paths(t, image.Unpack(t, "")), "app/slim.lock") {
		t.Error("the lock is in the slim image")
	}
	if got := s.makeLock(t, b); got != text {
		t.Errorf("with the lock in the image it is another: %s", got)
	}
	writeContext(t, b, ".dockerignore", "*.lock\n")
	s.commit(t, b) // .dockerignore is in the image too
	check("ignored", false, "")
	writeContext(t, b, "page", "two\n")
	check("another page", true, "slim.lock was made before changes to /app, so the app was traced: +0 -0 entries; make it anew: slimfile lock DIR")
	writeContext(t, b, "page", "one\n")
	check("the page of before", false, "")
	b.Dockerfile += "# slim: keep /app/Dockerfile\n"
	check("another setting", true, "slim.lock was made with other settings")
	b.Dockerfile = strings.Replace(b.Dockerfile, "# slim: keep /app/Dockerfile\n", "ENV NEW=1\n", 1)
	check("another environment", true, "slim.lock was made before changes to how the app is run")
}

// testUpdateLock: locks of several runs become one.
func testUpdateLock(t *testing.T, s suite) {
	lines := []string{`COPY fixture /srv/a`, `COPY fixture /srv/b`, `COPY fixture /srv/kept`, `EXPOSE 8080`, `CMD ["serve"]`}
	b := s.locking(t, nil, append(slices.Clone(lines), `# slim: probe http /srv/a`, `# slim: keep /srv/kept`)...)
	text := s.commit(t, b)
	other := s.locking(t, nil, append(slices.Clone(lines), `# slim: probe http /srv/b`)...)
	writeContext(t, other, "slim.lock", text)
	other = args(other, "SLIM_LOCK=update")
	both := s.commit(t, other)
	if got, want := lockedPaths(t, both), []string{"/fixture", "/srv/a", "/srv/b"}; !slices.Equal(got, want) {
		t.Errorf("entries %q, want %q", got, want)
	}
	image := s.env.BuildImage(t, other)
	if labels := config(t, image).Config.Labels; labels["org.slimfile.lock"] != "update" || labels["org.slimfile.sensors"] == "" || !took(image.Log, "trace") {
		t.Errorf("labels %q", labels)
	}
	if got := testenv.Paths(t, image.Unpack(t, "")); !slices.Contains(got, "srv/a") || !slices.Contains(got, "srv/b") {
		t.Errorf("files %q", got)
	}
	if got := s.makeLock(t, other); got != both {
		t.Errorf("then it is %s", got)
	}
	if got, want := lockedPaths(t, s.makeLock(t, args(other, "SLIM_LOCK=off"))), []string{"/fixture", "/srv/b"}; !slices.Equal(got, want) {
		t.Errorf("made anew it has %q, want %q", got, want)
	}
}

// testLockOfPlatforms: what platforms have in common stands there once, and one
// that is made anew leaves the others alone. The second is another in name only,
// so that no emulator is needed.
func testLockOfPlatforms(t *testing.T, s suite) {
	b := s.locking(t, nil, `ARG TARGETARCH`, `COPY fixture /srv/page`, `COPY fixture /srv/of-$TARGETARCH`, `EXPOSE 8080`, `CMD ["serve"]`,
		`# slim: probe http /srv/page`, `# slim: keep /srv/of-*`, `# slim: lock conf/slim.lock`)
	multi := attr(b, "platform", "linux/amd64,linux/arm64")
	dir, _ := s.export(t, args(multi, "SLIM_OUTPUT=lock"))
	text := readFile(t, dir, "conf/slim.lock")
	file, err := lock.Decode("slim.lock", strings.NewReader(text))
	if err != nil || !slices.Equal(file.Platforms(), []string{"linux/amd64", "linux/arm64"}) {
		t.Fatalf("%v in %s", err, text)
	}
	if strings.Count(text, "\n/srv/page ") != 1 || strings.Count(text, "\n/srv/of-arm64 ") != 1 || !strings.Contains(text, "\n[linux/arm64]\n") {
		t.Errorf("got %s", text)
	}
	writeContext(t, b, "conf/slim.lock", text)
	image := s.env.BuildImage(t, args(multi, "SLIM_LOCK=frozen"))
	if took(image.Log, "trace") {
		t.Error("traced")
	}
	for platform, want := range map[string]string{"linux/amd64": "srv/of-amd64", "linux/arm64": "srv/of-arm64"} {
		if got := testenv.Paths(t, image.Unpack(t, platform)); !slices.Contains(got, want) {
			t.Errorf("%s has %q", platform, got)
		}
	}
	dir, _ = s.export(t, args(attr(b, "platform", "linux/arm64"), "SLIM_OUTPUT=lock"))
	if again := readFile(t, dir, "conf/slim.lock"); again != text {
		t.Errorf("one platform made anew: %s", again)
	}
	var out bytes.Buffer
	if err := (lock.File{Sections: file.Sections[:1]}).Encode(&out); err != nil {
		t.Fatal(err)
	}
	writeContext(t, b, "conf/slim.lock", out.String())
	image = s.env.BuildImage(t, multi)
	if len(image.Warnings) != 1 || !strings.Contains(image.Warnings[0], "slim.lock has nothing for linux/arm64, so the app was traced: +3 -0 entries") {
		t.Errorf("warnings %q", image.Warnings)
	}
}
