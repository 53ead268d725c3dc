package frontend

import (
	"testing"

	dockerspec "github.com/moby/docker-image-spec/specs-go/v1"
	ocispecs "github.com/opencontainers/image-spec/specs-go/v1"

	"github.com/moby/buildkit/frontend/dockerfile/dockerfile2llb"

	"github.com/org/slimfile/frontend/config"
	"github.com/org/slimfile/llbgen"
	"github.com/org/slimfile/sensor/manifest"
)

func TestThousands(t *testing.T) {
	for n, want := range map[int64]string{0: "0", 999: "999", 1000: "1,000", 18422: "18,422", 1234567: "1,234,567"} {
		if got := thousands(n); got != want {
			t.Errorf("thousands(%d) = %q, want %q", n, got, want)
		}
	}
}

func TestLine(t *testing.T) {
	s := &slimmed{
		summary: manifest.Summary{KeptFiles: 1204, TotalFiles: 18422, KeptBytes: 24_600_000, TotalBytes: 159_000_000, KeptPackages: 11, TotalPackages: 104},
		traced:  &llbgen.Traced{},
		run:     manifest.RunReport{Recorders: []string{"seccomp", "fanotify"}, Probes: make([]manifest.ProbeResult, 5)},
	}
	b := &build{cfg: &config.Config{}}
	want := "slim: kept 1,204 of 18,422 files, 24.6 MB of 159.0 MB (6.5x), 11 of 104 packages, 5 probes passed, sensors seccomp+fanotify"
	if got := b.line(s); got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
	for want, levels := range map[string]map[string]int64{
		want + " (granularity package: 41.0 MB)":                  {manifest.GranularityPackage: 41_000_000, manifest.GranularityApp: 41_000_000, manifest.GranularityStrict: 24_600_000},
		want + " (granularity strict: 19.0 MB, package: 41.0 MB)": {manifest.GranularityPackage: 41_000_000, manifest.GranularityStrict: 19_000_000},
		want + " (granularity strict: 19.0 MB)":                   {manifest.GranularityApp: 24_600_000, manifest.GranularityStrict: 19_000_000},
	} {
		s.summary.Levels = levels
		if got := b.line(s); got != want {
			t.Errorf("got  %s\nwant %s", got, want)
		}
	}
	s.summary.Levels = nil
	s.verified, s.summary.TotalPackages = &llbgen.Traced{}, 0
	s.run.Probes = s.run.Probes[:1]
	want = "slim: kept 1,204 of 18,422 files, 24.6 MB of 159.0 MB (6.5x), 1 probe passed, verified, sensors seccomp+fanotify"
	if got := b.line(s); got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
	s.traced, s.proof.Probes, s.summary.Lock = nil, make([]manifest.ProbeResult, 2), manifest.LockFrozen
	want = "slim: kept 1,204 of 18,422 files, 24.6 MB of 159.0 MB (6.5x), 2 probes passed, verified, lock: frozen"
	if got := b.line(s); got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
}

// The slim image is the fat one's config on another root: what the fat one's
// layers were must be gone, and the fat config must not change.
func TestSlimImage(t *testing.T) {
	fat := &dockerspec.DockerOCIImage{}
	fat.Config.User = "nobody"
	fat.Config.Labels = map[string]string{"mine": "1"}
	fat.History = []ocispecs.History{{CreatedBy: "RUN apt-get"}}
	fat.RootFS.DiffIDs = append(fat.RootFS.DiffIDs, "sha256:00")
	img := slimImage(&slimmed{fat: &dockerfile2llb.Result{Image: fat}, summary: manifest.Summary{KeptFiles: 7}})
	if img.History != nil || img.RootFS.DiffIDs != nil {
		t.Errorf("layers of the fat image are left: %v %v", img.History, img.RootFS.DiffIDs)
	}
	if img.Config.User != "nobody" || img.Config.Labels["mine"] != "1" || img.Config.Labels["org.slimfile.files.kept"] != "7" {
		t.Errorf("config %+v", img.Config)
	}
	if len(fat.Config.Labels) != 1 || fat.History == nil || fat.RootFS.DiffIDs == nil {
		t.Errorf("the fat image changed: %+v", fat)
	}
}
