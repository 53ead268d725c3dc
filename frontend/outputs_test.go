package frontend_test

import (
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/moby/buildkit/client"
	gwclient "github.com/moby/buildkit/frontend/gateway/client"
	dockerspec "github.com/moby/docker-image-spec/specs-go/v1"
	"github.com/opencontainers/go-digest"
	ocispecs "github.com/opencontainers/image-spec/specs-go/v1"

	"github.com/org/slimfile/frontend/internal/testenv"
	"github.com/org/slimfile/sensor/manifest"
)

// epoch makes images comparable: it is their "created".
const epoch = "SOURCE_DATE_EPOCH=1700000000"

// testStock: what is not to be slimmed is built as docker/dockerfile builds it,
// to the byte.
func testStock(t *testing.T, s suite) {
	stages := []string{
		`FROM scratch AS test`, `COPY fixture /test`, `LABEL stage=test`, `CMD ["/test", "exit", "1"]`,
		`FROM scratch`, `COPY fixture /`, `ENV A=b`, `CMD ["/fixture", "read", "/fixture"]`,
	}
	dockerfile := func(head string) string { return head + strings.Join(stages, "\n") + "\n" }
	stock := func(t *testing.T, target string) digest.Digest {
		b := testenv.Build{Context: s.fixture, Dockerfile: dockerfile("")}
		return s.env.BuildImage(t, args(attr(b, "target", target), epoch)).Target.Digest
	}
	for _, tc := range []struct {
		name, target string
		args         []string
	}{
		{"turned off", "", []string{"SLIM=off"}},
		{"another target than the last stage", "test", nil},
		{"turned off with another target", "test", []string{"SLIM=off"}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			want := stock(t, tc.target)
			eachClient(t, func(t *testing.T, build gwclient.BuildFunc) {
				b := testenv.Build{InProcess: build, Context: s.fixture, Dockerfile: dockerfile("# syntax=org/slimfile\n")}
				image := s.env.BuildImage(t, args(args(attr(b, "target", tc.target), epoch), tc.args...))
				if image.Target.Digest != want {
					t.Errorf("image %s, the stock frontend makes %s", image.Target.Digest, want)
				}
			})
		})
	}
	t.Run("stage marked to be slimmed", func(t *testing.T) {
		b := s.app(nil, `CMD ["read", "/fixture"]`, `# slim: on`, `FROM scratch`, `COPY fixture /last`)
		b.Dockerfile = strings.Replace(b.Dockerfile, "FROM scratch", "FROM scratch AS app", 1)
		image := s.env.BuildImage(t, attr(b, "target", "app"))
		if config(t, image).Config.Labels["org.slimfile.version"] == "" {
			t.Error("the image is not slim")
		}
	})
	t.Run("subrequests", func(t *testing.T) {
		for request, want := range map[string]string{
			"frontend.lint": "sources", "frontend.outline": "VERSION", "frontend.targets": "targets",
			"frontend.subrequests.describe": "frontend.outline",
		} {
			t.Run(request, func(t *testing.T) {
				eachClient(t, func(t *testing.T, build gwclient.BuildFunc) {
					b := s.app(build, `ARG VERSION=1`, `CMD ["read", "/fixture"]`)
					if answer := string(s.ask(t, b, request)["result.json"]); !strings.Contains(answer, want) {
						t.Errorf("the answer lacks %q: %s", want, answer)
					}
				})
			})
		}
	})
}

// testImage: the slim image has the fat one's config, says what it is, and has
// nothing else of it.
func testImage(t *testing.T, s suite) {
	lines := []string{
		`ENV MODE=production`, `WORKDIR /srv`, `USER 1234:5678`, `EXPOSE 8080/tcp 9999/udp`, `VOLUME /var/data`,
		`LABEL vendor=example version="1.0"`, `STOPSIGNAL SIGINT`, `SHELL ["/fixture", "read"]`, `ONBUILD ENV CHILD=yes`,
		`HEALTHCHECK --interval=10s --retries=2 CMD ["/fixture", "read", "/fixture"]`, `CMD ["deaf"]`,
	}
	eachClient(t, func(t *testing.T, build gwclient.BuildFunc) {
		for _, granted := range []bool{true, false} {
			t.Run(fmt.Sprintf("granted=%t", granted), func(t *testing.T) {
				b := s.app(build, lines...)
				b.Insecure = granted
				fat := s.env.BuildImage(t, args(b, "SLIM=off"))
				slim := s.env.BuildImage(t, b)
				checkConfig(t, fat, slim)
				checkSummary(t, slim, granted)
			})
		}
	})
	t.Run("recorder chosen", func(t *testing.T) {
		for sensor, want := range map[string]string{"auto": "seccomp,fanotify", "fanotify": "seccomp,fanotify", "seccomp": "seccomp"} {
			t.Run(sensor, func(t *testing.T) {
				b := s.app(nil, `CMD ["read", "/fixture"]`)
				b.Insecure = true
				image := s.env.BuildImage(t, args(b, "SLIM_SENSOR="+sensor))
				if got := config(t, image).Config.Labels["org.slimfile.sensors"]; got != want {
					t.Errorf("sensors %q, want %q", got, want)
				}
			})
		}
	})
}

// checkConfig compares a slim image's configuration with the fat one's.
func checkConfig(t *testing.T, fat, slim *testenv.Image) {
	t.Helper()
	want, got := config(t, fat), config(t, slim)
	if got.Architecture != want.Architecture || got.OS != want.OS || got.Variant != want.Variant {
		t.Errorf("platform %v, want %v", got.Platform, want.Platform)
	}
	labels := maps.Clone(got.Config.Labels)
	maps.DeleteFunc(labels, func(key, _ string) bool { return strings.HasPrefix(key, "org.slimfile.") })
	if !maps.Equal(labels, want.Config.Labels) {
		t.Errorf("labels %v, want %v", labels, want.Config.Labels)
	}
	want.Config.Labels, got.Config.Labels = nil, nil
	if !reflect.DeepEqual(got.Config, want.Config) {
		t.Errorf("config\n%+v, want\n%+v", got.Config, want.Config)
	}
	if len(got.RootFS.DiffIDs) != 1 || len(got.History) > 1 {
		t.Errorf("%d layers with %d lines of history, want one layer", len(got.RootFS.DiffIDs), len(got.History))
	}
	for _, h := range got.History {
		if strings.Contains(h.CreatedBy, "COPY") || strings.Contains(h.CreatedBy, "RUN") {
			t.Errorf("history of the fat image: %q", h.CreatedBy)
		}
	}
}

// oneLine is the build's summary.
var oneLine = regexp.MustCompile(`^slim: kept [0-9,]+ of [0-9,]+ files, [0-9.]+ MB of [0-9.]+ MB \([0-9.]+x\), ` +
	`([0-9]+ of [0-9]+ packages, )?[0-9]+ probes? passed, verified( with a read-only root)?, sensors [a-z+]+( \(granularity .*\))?$`)

// checkSummary compares the labels and the metadata with the image's layer.
func checkSummary(t *testing.T, slim *testenv.Image, granted bool) manifest.Summary {
	t.Helper()
	if line := slim.Metadata["frontend.result.inlinemessage"]; !oneLine.MatchString(line) {
		t.Errorf("summary line %q", line)
	}
	var sum manifest.Summary
	if err := manifest.Decode([]byte(slim.Metadata["frontend.slim.report"]), &sum); err != nil {
		t.Fatal(err)
	}
	sensors := "seccomp"
	if granted {
		sensors = "seccomp,fanotify"
	}
	labels := config(t, slim).Config.Labels
	for label, want := range map[string]string{
		"files.kept": fmt.Sprint(sum.KeptFiles), "files.total": fmt.Sprint(sum.TotalFiles),
		"bytes.kept": fmt.Sprint(sum.KeptBytes), "bytes.total": fmt.Sprint(sum.TotalBytes),
		"probes": fmt.Sprint(sum.Probes), "sensors": sensors, "verified": "true",
	} {
		if got := labels["org.slimfile."+label]; got != want {
			t.Errorf("label %s=%q, want %q", label, got, want)
		}
	}
	files, bytes := count(t, slim.Unpack(t, ""))
	if files != sum.KeptFiles || bytes != sum.KeptBytes {
		t.Errorf("the image has %d files of %d bytes, the summary says %d of %d", files, bytes, sum.KeptFiles, sum.KeptBytes)
	}
	return sum
}

// count counts what is below an unpacked root as manifest.Summary does.
func count(t *testing.T, root string) (files, bytes int64) {
	t.Helper()
	seen := map[[2]uint64]bool{}
	for _, name := range testenv.Paths(t, root) {
		info, err := os.Lstat(filepath.Join(root, name))
		if err != nil {
			t.Fatal(err)
		}
		if info.IsDir() {
			continue
		}
		files++
		if id := inode(info); info.Mode().IsRegular() && !seen[id] {
			seen[id] = true
			bytes += info.Size()
		}
	}
	return files, bytes
}

// testOutputs: SLIM_OUTPUT chooses what the build hands over.
func testOutputs(t *testing.T, s suite) {
	lines := []string{
		`COPY fixture /unused`, `EXPOSE 8080`, `CMD ["serve"]`, `# slim: probe http /fixture`, `# slim: keep /unus*`,
	}
	t.Run("fat", func(t *testing.T) {
		b := args(s.app(nil, lines...), epoch)
		stock := s.env.BuildImage(t, args(b, "SLIM=off"))
		if fat := s.env.BuildImage(t, args(b, "SLIM_OUTPUT=fat")); fat.Target.Digest != stock.Target.Digest {
			t.Errorf("image %s, the stock frontend makes %s", fat.Target.Digest, stock.Target.Digest)
		}
	})
	t.Run("rootfs", func(t *testing.T) {
		eachClient(t, func(t *testing.T, build gwclient.BuildFunc) {
			b := s.app(build, lines...)
			dir, _ := s.export(t, args(b, "SLIM_OUTPUT=rootfs"))
			want := testenv.Paths(t, s.env.BuildImage(t, b).Unpack(t, ""))
			if got := testenv.Paths(t, dir); !slices.Equal(got, want) {
				t.Errorf("files %q, the image has %q", got, want)
			}
		})
	})
	t.Run("report", func(t *testing.T) {
		eachClient(t, func(t *testing.T, build gwclient.BuildFunc) {
			b := s.app(build, lines...)
			dir, _ := s.export(t, args(b, "SLIM_OUTPUT=report"))
			checkReport(t, dir, testenv.Paths(t, s.env.BuildImage(t, b).Unpack(t, "")))
		})
	})
}

// checkReport compares the evidence with the files that it is about.
func checkReport(t *testing.T, dir string, shipped []string) {
	t.Helper()
	var report manifest.Report
	readJSON(t, dir, "report.json", &report)
	kept := map[string]manifest.Kept{}
	for _, k := range report.Kept {
		kept[strings.Trim(string(k.Path), "/")] = k
		if len(k.Reasons) == 0 {
			t.Errorf("%s is kept for no reason", k.Path)
		}
	}
	for _, path := range shipped {
		if _, ok := kept[strings.TrimSuffix(path, "/")]; !ok {
			t.Errorf("%s is shipped, but not in the report", path)
		}
	}
	if !slices.Contains(kept["fixture"].Reasons, "executed") || !slices.Contains(kept["unused"].Reasons, "user") {
		t.Errorf("reasons of the fixture %q and of what the user keeps %q", kept["fixture"].Reasons, kept["unused"].Reasons)
	}
	var summary manifest.Summary
	readJSON(t, dir, "summary.json", &summary)
	if !reflect.DeepEqual(report.Summary, summary) {
		t.Errorf("summary %+v, in the report it is %+v", summary, report.Summary)
	}
	for _, name := range []string{"trace-run-report.json", "verify-run-report.json"} {
		var run manifest.RunReport
		readJSON(t, dir, name, &run)
		if run.Lost != 0 || len(run.Probes) != 1 || !strings.HasPrefix(run.Probes[0].Got, "200") {
			t.Errorf("%s: %d lost, probes %+v", name, run.Lost, run.Probes)
		}
	}
	f, err := os.Open(filepath.Join(dir, "trace.jsonl"))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	executed := false
	if _, err := manifest.ReadTrace(f, func(e manifest.Entry) error {
		executed = executed || e.Path == "/fixture" && e.Ops&manifest.Executed != 0
		return nil
	}); err != nil || !executed {
		t.Errorf("the trace says that the fixture was executed: %t, error %v", executed, err)
	}
}

// testCaching: steps whose inputs are unchanged do not run again.
func testCaching(t *testing.T, s suite) {
	eachClient(t, func(t *testing.T, build gwclient.BuildFunc) {
		// What one client has run, the other finds cached: ENV sets them apart.
		b := s.app(build, `ENV TEST=`+t.Name(), `RUN ["/fixture", "make-files", "/data", "1", "3"]`, `EXPOSE 8080`, `CMD ["serve"]`)
		s.env.BuildImage(t, b)
		ran := func(t *testing.T, b testenv.Build) (ran []string) {
			for step, hit := range cached(s.env.BuildImage(t, b).Log) {
				if !hit {
					ran = append(ran, step)
				}
			}
			slices.Sort(ran)
			return ran
		}
		t.Run("nothing changed", func(t *testing.T) {
			if again := ran(t, b); len(again) > 0 {
				t.Errorf("ran again: %q", again)
			}
		})
		t.Run("slim steps asked for anew", func(t *testing.T) {
			want := []string{"[slim 1/3] trace", "[slim 2/3] pack", "[slim 3/3] verify"}
			if again := ran(t, attr(b, "no-cache", "slim")); !slices.Equal(again, want) {
				t.Errorf("ran again: %q, want %q", again, want)
			}
		})
		t.Run("another probe finds the same files", func(t *testing.T) {
			b := b
			b.Dockerfile += "# slim: probe tcp 8080\n"
			want := []string{"[slim 1/3] trace", "[slim 3/3] verify"}
			if again := ran(t, b); !slices.Equal(again, want) {
				t.Errorf("ran again: %q, want %q", again, want)
			}
		})
	})
}

// testRefresh: a step that applies updates runs again when its window is over,
// with what is built on it, and nothing else does. SOURCE_DATE_EPOCH is the time.
func testRefresh(t *testing.T, s suite) {
	const day = 24 * 3600
	eachClient(t, func(t *testing.T, build gwclient.BuildFunc) {
		b := s.app(build, `ENV TEST=`+t.Name(), `RUN ["/fixture", "make-files", "/before", "1", "1"]`, `COPY fixture /bin/apk`,
			`RUN ["/bin/apk", "upgrade"]`, `RUN ["/fixture", "make-files", "/after", "1", "1"]`, `CMD ["read", "/fixture"]`)
		const before, upgrade, after = `"/before"`, `"upgrade"`, `"/after"`
		ran := func(t *testing.T, seconds int, more ...string) (ran []string) {
			log := s.env.BuildImage(t, args(b, append(more, fmt.Sprintf("SOURCE_DATE_EPOCH=%d", seconds))...)).Log
			for step, hit := range cached(log) {
				for _, name := range []string{before, upgrade, after} {
					if !hit && strings.Contains(step, name) {
						ran = append(ran, name)
					}
				}
			}
			slices.Sort(ran)
			return ran
		}
		for _, step := range []struct {
			name    string
			seconds int
			args    []string
			want    []string
		}{
			{"first", 100 * day, nil, []string{after, before, upgrade}},
			{"same day", 101*day - 1, nil, nil},
			{"next day", 101 * day, nil, []string{after, upgrade}},
			{"never", 102 * day, []string{"SLIM_REFRESH=off"}, []string{after, upgrade}},
			{"never again", 500 * day, []string{"SLIM_REFRESH=off"}, nil},
		} {
			if got := ran(t, step.seconds, step.args...); !slices.Equal(got, step.want) {
				t.Errorf("%s: ran %q, want %q", step.name, got, step.want)
			}
		}
	})
}

// testAttestations: an SBOM is one of the slim root, and provenance hurts
// nothing.
func testAttestations(t *testing.T, s suite) {
	s.env.BuildAs(t, testenv.Build{
		Context: s.fixture, Dockerfile: "FROM scratch\nCOPY fixture /\nENTRYPOINT [\"/fixture\", \"scan\"]\n",
	}, "docker.io/example/scanner:latest")
	eachClient(t, func(t *testing.T, build gwclient.BuildFunc) {
		b := s.app(build, `COPY fixture /unused`, `CMD ["read", "/fixture"]`)
		b = attr(attr(b, "attest:provenance", "mode=max"), "attest:sbom", "generator=docker.io/example/scanner:latest")
		image := s.env.BuildImage(t, b)
		statements := attestations(t, image)
		if !strings.Contains(statements["https://spdx.dev/Document"], `"/fixture"`) {
			t.Errorf("the SBOM lacks the fixture: %s", statements["https://spdx.dev/Document"])
		}
		if strings.Contains(statements["https://spdx.dev/Document"], "unused") {
			t.Error("the SBOM lists what is not in the slim image")
		}
		if !slices.ContainsFunc(slices.Collect(maps.Keys(statements)), func(kind string) bool {
			return strings.HasPrefix(kind, "https://slsa.dev/provenance/")
		}) {
			t.Errorf("no provenance among %v", slices.Sorted(maps.Keys(statements)))
		}
		if code := testenv.Run(t, image.Unpack(t, ""), image.Config(t, "").Config, testenv.RunOptions{}).Wait(t); code != 0 {
			t.Errorf("exit code %d", code)
		}
	})
}

// attestations are the statements attached to an image, as JSON by the type of
// their predicate.
func attestations(t *testing.T, image *testenv.Image) map[string]string {
	t.Helper()
	var index ocispecs.Index
	image.Blob(t, image.Target.Digest, &index)
	found := map[string]string{}
	for _, desc := range index.Manifests {
		if desc.Annotations["vnd.docker.reference.type"] != "attestation-manifest" {
			continue
		}
		var m ocispecs.Manifest
		image.Blob(t, desc.Digest, &m)
		for _, layer := range m.Layers {
			data, err := os.ReadFile(filepath.Join(image.Dir, ocispecs.ImageBlobsDir, layer.Digest.Algorithm().String(), layer.Digest.Encoded()))
			if err != nil {
				t.Fatal(err)
			}
			found[layer.Annotations["in-toto.io/predicate-type"]] = string(data)
		}
	}
	return found
}

// testPlatforms: one Dockerfile for two platforms gives an index with a slim
// image for each. The foreign one runs under emulation, so its programs are
// traced through the emulator.
func testPlatforms(t *testing.T, s suite) {
	const emulator = "/proc/sys/fs/binfmt_misc/qemu-aarch64"
	if _, err := os.Stat(emulator); err != nil {
		testenv.Unavailable(t, "arm64 programs: "+err.Error(), "run hack/bases.sh on a kernel with binfmt_misc")
	}
	eachClient(t, func(t *testing.T, build gwclient.BuildFunc) {
		b := attr(testenv.Build{InProcess: build, Dockerfile: `# syntax=org/slimfile
FROM debian:bookworm-slim
USER nobody
CMD ["perl", "-MPOSIX", "-e", "print join q( ), (uname)[0, 4]"]
`}, "platform", "linux/amd64,linux/arm64")
		image := s.env.BuildImage(t, b)
		if got, want := image.Platforms(t), []string{"linux/amd64", "linux/arm64"}; !slices.Equal(got, want) {
			t.Fatalf("platforms %v, want %v", got, want)
		}
		for platform, want := range map[string]string{"linux/amd64": "Linux x86_64", "linux/arm64": "Linux aarch64"} {
			t.Run(platform, func(t *testing.T) {
				if !strings.Contains(image.Metadata["frontend.result.inlinemessage"], platform+" slim: kept ") {
					t.Errorf("summary %q", image.Metadata["frontend.result.inlinemessage"])
				}
				root := image.Unpack(t, platform)
				if _, err := os.Lstat(filepath.Join(root, "usr/bin/apt-get")); err == nil {
					t.Error("the image is not slim")
				}
				c := testenv.Run(t, root, image.Config(t, platform).Config, testenv.RunOptions{})
				if code := c.Wait(t); code != 0 || c.Output() != want {
					t.Errorf("exit code %d, output %q, want %q", code, c.Output(), want)
				}
			})
		}
	})
}

// reproducible builds an image twice from scratch and wants the same bytes.
func reproducible(t *testing.T, s suite, b testenv.Build) {
	t.Helper()
	b = changed(args(attr(b, "no-cache", ""), epoch), func(opt *client.SolveOpt) {
		for _, e := range opt.Exports {
			e.Attrs["rewrite-timestamp"] = "true"
		}
	})
	first, second := s.env.BuildImage(t, b), s.env.BuildImage(t, b)
	if first.Target.Digest != second.Target.Digest {
		t.Errorf("two builds gave %s and %s", first.Target.Digest, second.Target.Digest)
		diff(t, first.Unpack(t, ""), second.Unpack(t, ""))
	}
	var c dockerspec.DockerOCIImage = config(t, first)
	if want := time.Unix(1700000000, 0); c.Created == nil || !c.Created.Equal(want) {
		t.Errorf("created %v, want %v", c.Created, want)
	}
}

// diff reports what two roots differ in.
func diff(t *testing.T, a, b string) {
	t.Helper()
	describe := func(root string) map[string]string {
		all := map[string]string{}
		for _, name := range testenv.Paths(t, root) {
			path := filepath.Join(root, name)
			info, err := os.Lstat(path)
			if err != nil {
				t.Fatal(err)
			}
			all[name] = fmt.Sprint(info.Mode(), info.ModTime().UnixNano())
			if info.Mode().IsRegular() {
				data, err := os.ReadFile(path)
				if err != nil {
					t.Fatal(err)
				}
				all[name] += " " + digest.FromBytes(data).String()
			}
		}
		return all
	}
	first, second := describe(a), describe(b)
	for _, name := range slices.Sorted(maps.Keys(first)) {
		if first[name] != second[name] {
			t.Errorf("%s: %s, then %s", name, first[name], second[name])
		}
	}
	for _, name := range slices.Sorted(maps.Keys(second)) {
		if _, ok := first[name]; !ok {
			t.Errorf("%s: only the second time", name)
		}
	}
}

// inode tells two names of one file from two files.
func inode(info os.FileInfo) [2]uint64 {
	st := info.Sys().(*syscall.Stat_t)
	return [2]uint64{st.Dev, st.Ino}
}
