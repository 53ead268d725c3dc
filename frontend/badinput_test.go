package frontend_test

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	gwclient "github.com/moby/buildkit/frontend/gateway/client"
	"golang.org/x/sys/unix"

	"github.com/org/slimfile/frontend/internal/testenv"
	"github.com/org/slimfile/sensor/manifest"
)

// testBadInput: what cannot be slimmed fails the build, with one screen that
// says what is wrong and where, and no image comes out.
func testBadInput(t *testing.T, s suite) {
	for _, tc := range []struct {
		name  string
		lines []string
		args  []string
		line  int // of the Dockerfile that the error points at; 0: none
		want  []string
	}{
		{
			name:  "command exits with an error",
			lines: []string{`EXPOSE 8080`, `CMD ["exit", "1"]`},
			want:  []string{"slim trace failed", "exit", "| ", "the database is on fire", "remedy"},
		},
		{
			name:  "command-line tool exits with an error",
			lines: []string{`CMD ["exit", "3"]`},
			want:  []string{"slim trace failed", "3", "the database is on fire"},
		},
		{
			name:  "port never opened",
			lines: []string{`EXPOSE 8080`, `CMD ["wait"]`, `# slim: ready timeout=2s`},
			line:  fixtureLine + 2,
			want:  []string{"slim trace failed", "8080", "2s", "waiting for nothing"},
		},
		{
			name:  "command is missing",
			lines: []string{`ENTRYPOINT ["/nowhere"]`},
			line:  fixtureLine,
			want:  []string{"slim trace failed", "/nowhere"},
		},
		{
			name:  "user is missing",
			lines: []string{`USER nemo`, `CMD ["read", "/fixture"]`},
			want:  []string{"slim trace failed", "nemo"},
		},
		{
			name:  "probe to a wrong path",
			lines: []string{`EXPOSE 8080`, `CMD ["serve"]`, `# slim: probe http /fixture`, `# slim: probe http /nowhere`},
			line:  fixtureLine + 3,
			want:  []string{"slim trace failed", "http /nowhere", "expected", "got", "404", "GET /nowhere"},
		},
		{
			name:  "probe with another answer",
			lines: []string{`EXPOSE 8080`, `CMD ["serve"]`, `# slim: probe http / match="Hello"`},
			line:  fixtureLine + 2,
			want:  []string{"slim trace failed", "Hello", "folder"},
		},
		{
			name:  "slim image fails only when it is stopped",
			lines: []string{`COPY fixture /needed`, `EXPOSE 8080`, `CMD ["serve", "/needed"]`, `# slim: drop /needed`},
			line:  fixtureLine + 3,
			want:  []string{"slim verify failed", "lacks /needed", "when it was stopped", "exit 0", "exit 1", "asked for by /fixture in stop", "dropped in line 8"},
		},
		{
			name:  "run takes too long",
			lines: []string{`CMD ["wait"]`},
			args:  []string{"SLIM_TIMEOUT=2s"},
			want:  []string{"slim trace failed", "2s", "waiting for nothing"},
		},
		{
			name:  "keep that matches nothing",
			lines: []string{`CMD ["read", "/fixture"]`, `# slim: keep /no/such/**`},
			line:  fixtureLine + 1,
			want:  []string{"slim pack failed", "/no/such/**"},
		},
		{
			name:  "unknown directive",
			lines: []string{`CMD ["read", "/fixture"]`, `# slim: porbe http /`},
			line:  fixtureLine + 1,
			want:  []string{"Dockerfile:6", `"porbe"`, `"probe"`, "^~~"},
		},
		{
			name:  "directive of later",
			lines: []string{`CMD ["read", "/fixture"]`, `# slim: service db image=postgres`},
			line:  fixtureLine + 1,
			want:  []string{"not supported yet"},
		},
		{
			name:  "unknown argument",
			lines: []string{`CMD ["read", "/fixture"]`},
			args:  []string{"SLIM_SENSORS=auto"},
			want:  []string{"SLIM_SENSORS", "SLIM_SENSOR"},
		},
		{
			name:  "unknown value of an argument",
			lines: []string{`CMD ["read", "/fixture"]`},
			args:  []string{"SLIM_SENSOR=seccmp"},
			want:  []string{"SLIM_SENSOR", "seccmp", `"seccomp"`},
		},
		{
			name:  "entitlement that the client does not grant",
			lines: []string{`CMD ["read", "/fixture"]`},
			args:  []string{"SLIM_SENSOR=fanotify"},
			want:  []string{"--allow security.insecure", "buildkitd.toml", "build-push-action", "SLIM_SENSOR=auto"},
		},
	} {
		t.Run(tc.name, func(t *testing.T) {
			eachClient(t, func(t *testing.T, build gwclient.BuildFunc) {
				err := s.refused(t, args(s.app(build, tc.lines...), tc.args...))
				checkError(t, err, tc.line, tc.want...)
			})
		})
	}
	t.Run("no command", func(t *testing.T) {
		eachClient(t, func(t *testing.T, build gwclient.BuildFunc) {
			err := s.refused(t, testenv.Build{
				InProcess: build, Context: s.fixture,
				Dockerfile: "# syntax=org/slimfile\nFROM scratch\nCOPY fixture /\n",
			})
			checkError(t, err, 2, "neither ENTRYPOINT nor CMD", "# slim: start")
		})
	})
}

// testHardInput: what is unusual, but not wrong, is slimmed.
func testHardInput(t *testing.T, s suite) {
	for _, tc := range []struct {
		name  string
		lines []string
		ship  bool // look into the image, too
		check func(*testing.T, hardResult)
	}{
		{
			name:  "app ignores the stop signal",
			lines: []string{`EXPOSE 8080`, `STOPSIGNAL SIGTERM`, `CMD ["deaf"]`},
			check: func(t *testing.T, r hardResult) {
				r.warned(t, "SIGTERM")
			},
		},
		{
			// It works here, where the sensor outlives the first process.
			name:  "app forks and exits",
			lines: []string{`EXPOSE 8080`, `CMD ["daemon"]`},
			check: func(t *testing.T, r hardResult) {
				r.warned(t, "start the app in the foreground")
			},
		},
		{
			name:  "endless log",
			lines: []string{`EXPOSE 8080`, `CMD ["noise", "200000000"]`},
		},
		{
			name:  "100,000 files opened in a burst",
			lines: []string{`RUN ["/fixture", "make-files", "/data", "4", "25000"]`, `CMD ["burst", "/data"]`},
			check: func(t *testing.T, r hardResult) {
				if r.summary.KeptFiles != 100_001 {
					t.Errorf("%d files kept, want the fixture and its 100,000", r.summary.KeptFiles)
				}
			},
		},
		{
			name:  "odd names",
			lines: []string{`RUN ["/fixture", "make-names", "/data"]`, `CMD ["read-all", "/data"]`},
			ship:  true,
			check: func(t *testing.T, r hardResult) {
				kept := testenv.Paths(t, r.image.Unpack(t, ""))
				for _, name := range []string{
					"new\nline", "not-utf8-\xff\xfe", " leading and trailing ", "[", "*", `back\slash`, "quote'\"", "-rf", "tab\t",
					strings.Repeat("n", 255),
				} {
					if !slices.Contains(kept, "data/"+name) {
						t.Errorf("%q is gone", name)
					}
				}
			},
		},
		{
			// Both links lead to a file that exists outside the image only.
			name: "links out of the root",
			lines: []string{
				`RUN ["/fixture", "make-link", "/etc/passwd", "/data/absolute"]`,
				`RUN ["/fixture", "make-link", "../../../../../../../../etc/passwd", "/data/relative"]`,
				`RUN ["/fixture", "make-link", "/proc/1/root/etc/passwd", "/data/proc"]`,
				`CMD ["read", "/data/absolute", "/data/relative"]`,
				`# slim: keep /data/**`,
			},
			ship: true,
			check: func(t *testing.T, r hardResult) {
				kept := testenv.Paths(t, r.image.Unpack(t, ""))
				if slices.Contains(kept, "etc/passwd") {
					t.Error("a file from outside the image was shipped")
				}
				for _, link := range []string{"data/absolute", "data/relative", "data/proc"} {
					if !slices.Contains(kept, link) {
						t.Errorf("link %s is gone", link)
					}
				}
			},
		},
	} {
		t.Run(tc.name, func(t *testing.T) {
			eachClient(t, func(t *testing.T, build gwclient.BuildFunc) {
				r := s.hard(t, s.app(build, tc.lines...), tc.ship)
				if err := manifest.Decode([]byte(r.Metadata["frontend.slim.report"]), &r.summary); err != nil {
					t.Fatal(err)
				}
				if tc.check != nil {
					tc.check(t, r)
				}
			})
		})
	}
	t.Run("sparse file of 5 GB", func(t *testing.T) { testSparse(t, s) })
}

type hardResult struct {
	testenv.Result
	image   *testenv.Image // nil unless it was shipped
	summary manifest.Summary
}

func (s suite) hard(t *testing.T, b testenv.Build, ship bool) hardResult {
	t.Helper()
	if ship {
		image := s.env.BuildImage(t, b)
		return hardResult{Result: image.Result, image: image}
	}
	res, err := s.env.Build(t, b)
	if err != nil {
		t.Fatalf("build: %v\n%s", err, res.Log)
	}
	return hardResult{Result: res}
}

func (r hardResult) warned(t *testing.T, text string) {
	t.Helper()
	if !strings.Contains(strings.Join(r.Warnings, "\n"), text) {
		t.Errorf("no warning with %q, only %q", text, r.Warnings)
	}
}

// testSparse exports nothing: an image is a tar, which has no holes. That none
// were filled is seen in the space that the daemon uses.
func testSparse(t *testing.T, s suite) {
	const size, limit = 5_000_000_000, 100_000_000
	before := diskUse(t, s)
	b := s.app(inspect(func(ctx context.Context, res *gwclient.Result) error {
		ref, err := res.SingleRef()
		if err != nil {
			return err
		}
		st, err := ref.StatFile(ctx, gwclient.StatRequest{Path: "/big"})
		if err != nil {
			return err
		}
		if st.Size != size {
			return fmt.Errorf("/big has %d bytes, want %d", st.Size, size)
		}
		return nil
	}), fmt.Sprintf(`RUN ["/fixture", "make-sparse", "/big", "%d"]`, size), `CMD ["read", "/big"]`)
	if res, err := s.env.Build(t, b); err != nil {
		t.Fatalf("build: %v\n%s", err, res.Log)
	}
	if used := diskUse(t, s) - before; used > limit {
		t.Errorf("the build used %d bytes of disk", used)
	}
}

func diskUse(t *testing.T, s suite) (bytes int64) {
	t.Helper()
	records, err := s.env.Client.DiskUsage(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	for _, r := range records {
		bytes += r.Size
	}
	return bytes
}

// A daemon that grants security.insecure to nobody refuses a build that asks
// for it; slimfile does without unless told otherwise.
func TestDaemonWithoutEntitlement(t *testing.T) {
	s := suite{env: testenv.Start(t, testenv.Options{}), fixture: buildFixture(t)}
	eachClient(t, func(t *testing.T, build gwclient.BuildFunc) {
		b := s.app(build, `CMD ["read", "/fixture"]`)
		t.Run("not needed", func(t *testing.T) {
			image := s.env.BuildImage(t, b)
			if got := config(t, image).Config.Labels["org.slimfile.sensors"]; got != "seccomp" {
				t.Errorf("sensors %q, want seccomp alone", got)
			}
		})
		t.Run("demanded", func(t *testing.T) {
			err := s.refused(t, args(b, "SLIM_SENSOR=fanotify"))
			checkError(t, err, 0, "buildkitd.toml", "--allow-insecure-entitlement")
		})
		t.Run("asked for by the client", func(t *testing.T) {
			b.Insecure = true
			err := s.refused(t, b)
			checkError(t, err, 0, "security.insecure", "not allowed")
		})
	})
}

// A daemon whose disk is too small for the slim image beside the fat one says
// so, and no image comes out.
func TestDiskFull(t *testing.T) {
	const disk = 600 << 20
	mount := t.TempDir()
	if err := unix.Mount("tmpfs", mount, "tmpfs", 0, fmt.Sprintf("size=%d", disk)); err != nil {
		testenv.Unavailable(t, "tmpfs mount ("+err.Error()+")", "run the tests as root")
	}
	t.Cleanup(func() {
		if err := unix.Unmount(mount, 0); err != nil {
			t.Errorf("unmount %s: %v", mount, err)
		}
	})
	fixture := buildFixture(t)
	t.Setenv("TMPDIR", mount)
	s := suite{env: testenv.Start(t, testenv.Options{}), fixture: fixture}

	// The first build leaves on the disk what any build needs there.
	small := s.app(clients[1].build, `CMD ["read", "/fixture"]`)
	if res, err := s.env.Build(t, small); err != nil {
		t.Fatalf("build: %v\n%s", err, res.Log)
	}
	var st unix.Statfs_t
	if err := unix.Statfs(mount, &st); err != nil {
		t.Fatal(err)
	}
	blob := int64(st.Bavail) * st.Bsize * 6 / 10
	big := s.app(clients[1].build, fmt.Sprintf(`RUN ["/fixture", "make-blob", "/blob", "%d"]`, blob), `CMD ["read", "/blob"]`)
	checkError(t, s.refused(t, big), 0, "slim pack failed", "disk full on the build machine", "/blob", "docker buildx prune")
}

// readJSON decodes a file that a build exported.
func readJSON(t *testing.T, dir, name string, v any) {
	t.Helper()
	data, err := os.ReadFile(filepath.Join(dir, name))
	if err == nil {
		err = json.Unmarshal(data, v)
	}
	if err != nil {
		t.Fatal(err)
	}
}
