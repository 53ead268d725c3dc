package lint

import (
	"encoding/csv"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	dockerspec "github.com/moby/docker-image-spec/specs-go/v1"

	"github.com/org/slimfile/frontend/lint/osv"
	"github.com/org/slimfile/sensor/manifest"
)

// builtDockerfile is the file of the tests below; rules point at its lines.
const builtDockerfile = `FROM debian:12.9-slim
RUN apt-get update && apt-get upgrade -y
ENV A=1
LABEL b=2
WORKDIR /app
USER app
EXPOSE 8080
VOLUME /data
ENTRYPOINT ["/app/run"]
CMD ["serve"]
HEALTHCHECK CMD curl -f http://localhost:8080
COPY --from=build /out/run /out/tool ./
COPY start.sh /usr/local/bin/
`

// brought is what the first COPY of the file brought: files of each of its
// sources, of which kept are in the slim image.
func brought(files int64, kept ...int64) []manifest.Copied {
	var list []manifest.Copied
	for i, name := range []string{"run", "tool"} {
		list = append(list, manifest.Copied{Copy: manifest.Copy{Dest: "/app", Name: name}, Files: files, Kept: kept[i]})
	}
	return list
}

// obstacle makes the facts tell of a program that cannot start.
func obstacle(command, kind, program, needs string) func(*Built) {
	return func(b *Built) {
		b.Facts.Obstacles = []manifest.Obstacle{{Command: command, Kind: kind, Program: manifest.Path(program), Needs: manifest.Path(needs)}}
	}
}

var now = time.Date(2026, 11, 22, 0, 0, 0, 0, time.UTC)

// sound is a build that no rule has anything to say of.
func sound() *Built {
	uid, created := uint32(1000), now.AddDate(0, 0, -9)
	b := &Built{
		Watched: true,
		Image:   &dockerspec.DockerOCIImage{}, Base: &dockerspec.DockerOCIImage{},
		Facts: manifest.Facts{OS: manifest.OS{ID: "debian", VersionID: "12", Name: "Debian 12"}, PackagesAt: now.Unix(), UID: &uid},
		Run: manifest.RunReport{
			Programs:  []manifest.Program{{Exe: "/app/run", By: -1, EUIDs: []uint32{1000}}},
			Listening: []manifest.Socket{{Protocol: "tcp", Address: "0.0.0.0", Port: 8080}},
			Stop:      &manifest.Stopping{Signal: "SIGTERM", InTime: true},
		},
		Probed: []int{8080}, Refresh: 24 * time.Hour, Now: now,
	}
	b.Base.Created = &created
	b.Image.Config.User, b.Image.Config.WorkingDir = "app", "/app"
	b.Image.Config.Entrypoint, b.Image.Config.Cmd = []string{"/app/run"}, []string{"serve"}
	b.Image.Config.ExposedPorts = map[string]struct{}{"8080/tcp": {}}
	b.Image.Config.Volumes = map[string]struct{}{"/data": {}}
	return b
}

func TestBuiltRules(t *testing.T) {
	root := uint32(0)
	tests := []struct {
		name   string
		change func(*Built)
		want   []string // rule:line
	}{
		{"sound", func(*Built) {}, nil},
		{"user with id 0", func(b *Built) { b.Facts.UID = &root }, []string{"EffectiveUserIsRoot:6"}},
		{"root is NonRootUser's", func(b *Built) { b.Facts.UID, b.Image.Config.User = &root, "root" }, nil},
		{"end of life", func(b *Built) { b.Facts.OS.VersionID = "10" }, []string{"BaseImageEOL:1"}},
		{"unknown release", func(b *Built) { b.Facts.OS.VersionID = "99" }, nil},
		{"old base", func(b *Built) { *b.Base.Created = now.AddDate(-1, 0, 0) }, []string{"BaseImageStale:1"}},
		{"old base without a time", func(b *Built) {
			*b.Base.Created, b.Facts.PackagesAt = time.Unix(0, 0), now.AddDate(-1, 0, 0).Unix()
		}, []string{"BaseImageStale:1"}},
		{"no time at all", func(b *Built) { *b.Base.Created, b.Facts.PackagesAt = time.Time{}, 0 }, nil},
		{"stale updates", func(b *Built) { b.Refresh, b.Facts.PackagesAt = 0, now.AddDate(0, -1, 0).Unix() }, []string{"UpdateStepStale:2"}},
		{"token in the environment", func(b *Built) { b.Image.Config.Env = []string{"KEY=AKIAIOSFODNN7EXAMPLE"} }, []string{"SecretValuesInConfig:3"}},
		{"password in a label", func(b *Built) { b.Image.Config.Labels = map[string]string{"db": "postgres://me:hunter2@db/x"} }, []string{"SecretValuesInConfig:4"}},
		{"address without a password", func(b *Built) { b.Image.Config.Env = []string{"DB=postgres://me@db/x", "U=http://host:8080/a@b"} }, nil},
		{"token in the command", func(b *Built) { b.Image.Config.Cmd = []string{"--token", "ghp_" + strings.Repeat("a", 36)} }, []string{"SecretValuesInConfig:10"}},
		{"root directory", func(b *Built) { b.Image.Config.WorkingDir = "" }, []string{"WorkdirIsSlash:5"}},
		{"secret file", func(b *Built) { b.Facts.Secrets = []manifest.Secret{{Path: "/k", Kind: "private key"}} }, []string{"SecretFilesInImage:1"}},
		{"setuid", func(b *Built) { b.Facts.Setuid = []manifest.Path{"/bin/su"} }, []string{"SetuidOrFileCaps:1"}},
		{"world writable", func(b *Built) { b.Facts.WorldWritable = []manifest.Path{"/a"} }, []string{"WorldWritable:1"}},
		{"writable code", func(b *Built) { b.Facts.WritableCode = []manifest.Path{"/app/run"} }, []string{"AppWritableByUser:1"}},
		{"unreadable", func(b *Built) { b.Facts.Unreadable = []manifest.Path{"/app/key"} }, []string{"AppUnreadableByUser:1"}},
		{"hidden", func(b *Built) { b.Facts.Hidden = []manifest.Path{"/data"} }, []string{"VolumeHidesContent:8"}},
		{"release", func(b *Built) { b.Release = true }, []string{"AttestationsNotRequested:0", "PullNotForced:0"}},
		{"release, with all", func(b *Built) { b.Release, b.Pulled, b.Attested = true, true, true }, nil},
		{"version", func(b *Built) { b.Base.Config.Env = []string{"DEBIAN_VERSION=12.9.1"} }, []string{"ExactTagFix:1"}},
		{"version as written", func(b *Built) { b.Base.Config.Env = []string{"DEBIAN_VERSION=12.9", "NODE_VERSION=12.9.1"} }, nil},
		{"package manager", func(b *Built) { b.Facts.PackageManagers = []manifest.Path{"/usr/bin/apt"} }, []string{"PackageManagerLeft:1"}},
		{"shell", func(b *Built) { b.Facts.Shells = []manifest.Path{"/bin/sh"} }, []string{"ShellLeft:1"}},
		{"no certificates", func(b *Built) { b.Facts.TLS = "/usr/lib/libssl.so.3" }, []string{"TLSWithoutCA:1"}},
		{"certificates", func(b *Built) { b.Facts.TLS, b.Facts.CA = "/usr/lib/libssl.so.3", true }, nil},
		{"packages", func(b *Built) { b.Summary.TotalPackages, b.Summary.KeptPackages = 9, 3 }, []string{"UnusedPackages:1"}},
		{"compiler", func(b *Built) { b.Facts.DevTools = []manifest.Path{"/usr/bin/gcc"} }, []string{"DevDepsInFinal:2"}},
		{"root all the time", func(b *Built) { b.Run.Programs[0].EUIDs = []uint32{0} }, []string{"RuntimeUserIsRoot:6"}},
		{"root drops", func(b *Built) { b.Run.Programs[0].EUIDs = []uint32{0, 33} }, nil},
		{"install", func(b *Built) {
			b.Run.Programs = append(b.Run.Programs, manifest.Program{Exe: "/usr/bin/python3", Script: "/usr/bin/pip", By: 0})
		}, []string{"InstallAtRuntime:9"}},
		{"exposed and closed", func(b *Built) { b.Run.Listening = nil }, []string{"ExposeVsListen:7"}},
		{"loopback only", func(b *Built) { b.Run.Listening[0].Address = "127.0.0.1" }, []string{"ExposeVsListen:7"}},
		{"open and not exposed", func(b *Built) {
			b.Run.Listening = append(b.Run.Listening, manifest.Socket{Protocol: "tcp", Address: "::", Port: 9090}, manifest.Socket{Protocol: "tcp", Address: "127.0.0.1", Port: 9091})
		}, []string{"ExposeVsListen:7"}},
		{"low port", func(b *Built) {
			b.Run.Listening[0].Port, b.Probed = 80, []int{80}
			b.Image.Config.ExposedPorts = map[string]struct{}{"80": {}}
		}, []string{"PrivilegedPort:7"}},
		{"killed", func(b *Built) { b.Run.Stop.InTime = false }, []string{"Pid1IgnoresSigterm:9"}},
		{"no handler", func(b *Built) { b.Run.Stop.Unhandled = true }, []string{"Pid1IgnoresSigterm:9"}},
		{"shell first", func(b *Built) {
			b.Run.Programs = []manifest.Program{{Exe: "/usr/bin/dash", By: -1}, {Exe: "/app/run", By: 0}}
		}, []string{"Pid1IsShell:9"}},
		{"launcher first", func(b *Built) {
			b.Run.Programs = []manifest.Program{{Exe: "/usr/bin/node", Script: "/usr/lib/npm/bin/npm-cli.js", By: -1}, {Exe: "/usr/bin/node", By: 0}}
		}, []string{"Pid1IsShell:9"}},
		{"program with a child", func(b *Built) {
			b.Run.Programs = []manifest.Program{{Exe: "/usr/bin/node", Script: "/app/server.js", By: -1}, {Exe: "/usr/bin/node", By: 0}}
		}, nil},
		{"entrypoint missing", obstacle(manifest.CommandMain, manifest.ObstacleMissing, "run", ""), []string{"EntrypointMissing:9"}},
		{"entrypoint not executable", obstacle(manifest.CommandMain, manifest.ObstacleRights, "/app/run", ""), []string{"EntrypointMissing:12"}},
		{"entrypoint of no format", obstacle(manifest.CommandMain, manifest.ObstacleFormat, "/usr/local/bin/start.sh", ""), []string{"EntrypointMissing:13"}},
		{"entrypoint with Windows line ends", obstacle(manifest.CommandMain, manifest.ObstacleCRLF, "/usr/local/bin/start.sh", ""), []string{"EntrypointMissing:13"}},
		{"entrypoint without an interpreter", obstacle(manifest.CommandMain, manifest.ObstacleInterpreter, "/usr/bin/other", "/bin/bash"), []string{"EntrypointMissing:9"}},
		{"health check missing", obstacle(manifest.CommandHealthcheck, manifest.ObstacleMissing, "curl", ""), []string{"HealthcheckBinaryMissing:11"}},
		{"command missing", func(b *Built) {
			obstacle(manifest.CommandMain, manifest.ObstacleMissing, "serve", "")(b)
			b.Image.Config.Entrypoint = nil
		}, []string{"EntrypointMissing:10"}},
		{"loader missing", obstacle(manifest.CommandMain, manifest.ObstacleLoader, "/app/run", "/lib/ld-musl-x86_64.so.1"), []string{"LoaderOrLibMissing:12"}},
		{"library missing", obstacle(manifest.CommandHealthcheck, manifest.ObstacleLibrary, "/usr/bin/curl", "libcurl.so.4"), []string{"LoaderOrLibMissing:11"}},
		{"other machine", obstacle(manifest.CommandMain, manifest.ObstacleMachine, "/app/run", "AARCH64"), []string{"LoaderOrLibMissing:12"}},
		{"library of a kept program missing", obstacle(manifest.CommandKept, manifest.ObstacleLibrary, "/usr/bin/tool", "libx.so"), []string{"LoaderOrLibMissing:1"}},
		{"copied, unused", func(b *Built) {
			b.Facts.Copied = brought(2, 0, 0)
		}, []string{"CopiedButUnused:12"}},
		{"copied, part unused", func(b *Built) { b.Facts.Copied = brought(2, 0, 1) }, nil},
		{"copied, gone", func(b *Built) { b.Facts.Copied = brought(0, 0, 0) }, nil},
		{"copied, not known", func(b *Built) { b.Facts.Copied = brought(2, 0, 0)[:1] }, nil},
		{"compiled for musl", func(b *Built) { b.Facts.CompiledHere = []manifest.Path{"/site/x.dist-info"} }, []string{"MuslEvidence:1"}},
		{"needs glibc", func(b *Built) { b.Facts.GlibcOnly = []manifest.Path{"/x.node"} }, []string{"MuslEvidence:1"}},
		{"zombie", func(b *Built) { b.Run.Zombies = []string{"sleep"} }, []string{"ZombiesNotReaped:9"}},
		{"setuid run", func(b *Built) {
			b.Facts.Setuid = []manifest.Path{"/app/run"}
		}, []string{"SetuidExecuted:1", "SetuidOrFileCaps:1"}},
		{"writes", func(b *Built) {
			b.Run.Changes = []manifest.Touch{{Path: "/app/log"}, {Path: "/data/x"}, {Path: "/tmp/y"}, {Path: "/data"}}
		}, []string{"WritesOutsideDeclared:8"}},
		{"not watched", func(b *Built) {
			b.Watched, b.Probed, b.Run = false, nil, manifest.RunReport{Zombies: []string{"sleep"}}
		}, nil},
		{"port not probed", func(b *Built) { b.Probed = nil }, []string{"TraceCoverageLow:7"}},
		{"port probed from inside", func(b *Built) {
			b.Probed, b.Run.Outbound = nil, []manifest.Socket{{Protocol: "tcp", Address: "127.0.0.1", Port: 8080}}
		}, nil},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			b := sound()
			test.change(b)
			found, err := CheckBuilt(Input{Data: []byte(builtDockerfile)}, *b, Settings{})
			if err != nil {
				t.Fatal(err)
			}
			var got []string
			for _, f := range found {
				got = append(got, fmt.Sprintf("%s:%d", f.Rule.Name, f.Line()))
			}
			if !slices.Equal(got, test.want) {
				t.Errorf("got %v, want %v", got, test.want)
			}
		})
	}
}

// TestImageRules: without a run, rules about one say nothing.
func TestImageRules(t *testing.T) {
	b := sound()
	b.Run, b.Probed = manifest.RunReport{Main: -1}, nil
	b.Facts.Copied = brought(1, 0, 0)
	obstacle(manifest.CommandMain, manifest.ObstacleMissing, "/app/run", "")(b)
	found, err := CheckImage(Input{Data: []byte(builtDockerfile)}, *b, Settings{})
	if err != nil || len(found) != 1 || found[0].Rule.Name != "EntrypointMissing" {
		t.Errorf("got %v, %v", found, err)
	}
}

// TestObstructions: why a run failed is said whatever the rules count for.
func TestObstructions(t *testing.T) {
	b := sound()
	b.Image.OS, b.Image.Architecture = "linux", "amd64"
	for _, tt := range []struct{ kind, program, needs, want string }{
		{manifest.ObstacleLoader, "/app/run", "/lib/ld-musl-x86_64.so.1",
			"/app/run needs the loader /lib/ld-musl-x86_64.so.1, which is not in the image: it was built on Alpine, for musl, and Debian 12 does not have that: build it on the base that it is shipped on, or link it statically"},
		{manifest.ObstacleLoader, "/app/run", "/lib64/ld-linux-x86-64.so.2",
			"/app/run needs the loader /lib64/ld-linux-x86-64.so.2, which is not in the image: it was built for glibc, and Debian 12 does not have that: build it on the base that it is shipped on, link it statically (CGO_ENABLED=0 for Go), or ship it on a base with glibc"},
		{manifest.ObstacleMachine, "/app/run", "AARCH64",
			"/app/run is made for AARCH64, and the image is for linux/amd64 (exec format error): build it for the image's platform, with TARGETARCH"},
		{manifest.ObstacleRights, "/app/run", "", "ENTRYPOINT runs /app/run, which USER app may not execute: COPY --chmod=755, or RUN chmod 755"},
		{manifest.ObstacleMissing, "run", "", "ENTRYPOINT runs run, which is not in PATH: COPY or install it in this stage, or correct the name"},
	} {
		obstacle(manifest.CommandMain, tt.kind, tt.program, tt.needs)(b)
		found, err := Obstructions(Input{Data: []byte("# check=skip=all\n" + builtDockerfile)}, *b)
		if err != nil || len(found) != 1 || found[0].Message != tt.want {
			t.Errorf("got %v, %v\nwant %s", found, err, tt.want)
		}
	}
}

func TestSizeBudget(t *testing.T) {
	b := sound()
	b.Summary.KeptBytes = 100
	for budget, want := range map[int64]int{0: 0, 99: 1, 100: 0} {
		found, err := CheckBuilt(Input{Data: []byte(builtDockerfile)}, *b, Settings{SizeBudget: budget, Severity: map[string]Severity{"SizeBudget": Error}})
		if err != nil || len(found) != want {
			t.Errorf("budget %d: %v, %v", budget, found, err)
		}
	}
}

func TestVulnerabilityBudget(t *testing.T) {
	known := func(list ...osv.Severity) *osv.Result {
		r := &osv.Result{Newest: now.AddDate(0, 0, -2)}
		for i, severity := range list {
			r.Found = append(r.Found, osv.Vulnerability{
				ID: fmt.Sprintf("CVE-2026-%d", i), Advisory: "DSA-1", Package: "libssl3", Source: "openssl", Installed: "1", Severity: severity,
			})
		}
		return r
	}
	for _, tt := range []struct {
		name   string
		budget map[string]int
		known  *osv.Result
		why    string
		want   []string
	}{
		{name: "no budget", known: known(osv.Critical)},
		{name: "not read", budget: map[string]int{"high": 0}},
		{name: "in it", budget: map[string]int{"high": 1, "low": 0}, known: known(osv.Critical, osv.High, osv.Medium, osv.Unknown)},
		{name: "above it", budget: map[string]int{"high": 1, "low": 3}, known: known(osv.High, osv.High), want: []string{
			"known vulnerabilities of severity high in the packages that remain: 2, and the policy allows 1 (advisories of 2026-11-20, 2 days old)",
			"libssl3 1 (openssl): CVE-2026-0 (DSA-1), high, not fixed yet", "libssl3 1 (openssl): CVE-2026-1 (DSA-1), high, not fixed yet",
		}},
		{name: "nobody has rated it", budget: map[string]int{"unknown": 0}, known: known(osv.Unknown), want: []string{
			"known vulnerabilities of severity unknown in the packages that remain: 1, and the policy allows 0 (advisories of 2026-11-20, 2 days old)",
			"libssl3 1 (openssl): CVE-2026-0 (DSA-1), unknown, not fixed yet",
		}},
		{name: "cannot be known", budget: map[string]int{"high": 0}, why: "the image is fedora", want: []string{
			"the policy bounds vulnerabilities, which cannot be counted: the image is fedora",
		}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			b := sound()
			b.Vulnerabilities, b.NoAdvisories = tt.known, tt.why
			found, err := CheckBuilt(Input{Data: []byte(builtDockerfile)}, *b, Settings{Vulnerabilities: tt.budget, Severity: map[string]Severity{"VulnerabilityBudget": Error}})
			if err != nil {
				t.Fatal(err)
			}
			var got []string
			for _, f := range found {
				got = append(got, f.Message)
			}
			if !slices.Equal(got, tt.want) {
				t.Errorf("got  %q\nwant %q", got, tt.want)
			}
		})
	}
}

func TestMovedTag(t *testing.T) {
	const was, is = "sha256:1111111111111111111111111111111111111111111111111111111111111111", "sha256:2222222222222222222222222222222222222222222222222222222222222222"
	in := Input{Data: []byte(strings.Replace(builtDockerfile, "12.9-slim", "12.9-slim@"+was, 1))}
	names, err := MovableTags(in)
	if err != nil || !slices.Equal(names, []string{"debian:12.9-slim"}) {
		t.Fatalf("got %v, %v", names, err)
	}
	for now, want := range map[string]int{was: 0, is: 1} {
		b := sound()
		b.Digests = map[string]string{names[0]: now}
		if found, err := CheckBuilt(in, *b, Settings{}); err != nil || len(found) != want {
			t.Errorf("%s: %v, %v", now, found, err)
		}
	}
}

// TestInheritedEntrypoint: without one of its own, the base image's counts.
func TestInheritedEntrypoint(t *testing.T) {
	b := sound()
	file := strings.Replace(builtDockerfile, "ENTRYPOINT [\"/app/run\"]\n", "", 1)
	found, err := CheckBuilt(Input{Data: []byte(file)}, *b, Settings{})
	if err != nil || len(found) != 1 || found[0].Rule.Name != "InheritedEntrypoint" || found[0].Line() != 9 {
		t.Errorf("got %v, %v", found, err)
	}
}

// TestEndOfLifeTable: the table can be read, and knows today's releases.
func TestEndOfLifeTable(t *testing.T) {
	r := csv.NewReader(strings.NewReader(endOfLife))
	r.Comment = '#'
	rows, err := r.ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	for _, row := range rows {
		if _, err := time.Parse(time.DateOnly, row[2]); err != nil {
			t.Errorf("%q: %v", row, err)
		}
	}
	if !slices.ContainsFunc(rows, func(row []string) bool { return row[0] == "debian" && row[1] == "13" }) {
		t.Error("no Debian 13")
	}
}
